/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was done and seen, as one JSON object.
 *
 * Invariant: every kind that was started is there, with every count.
 */
#include "loadgen.h"

#include <inttypes.h>

static void print_alerts(const char *name, const uint64_t *alerts, FILE *out)
{
	const char *separator = "";

	(void)fprintf(out, ",\"%s\":{", name);
	for (unsigned int i = 0; i < ALERT_COUNT; i++) {
		if (alerts[i] == 0)
			continue;
		(void)fprintf(out, "%s\"%u\":%" PRIu64, separator, i, alerts[i]);
		separator = ",";
	}
	(void)fputc('}', out);
}

static void print_seen(const struct seen *seen, FILE *out)
{
	const char *separator = "";

	(void)fprintf(out, ",\"versions\":{\"TLSv1.2\":%" PRIu64 ",\"TLSv1.3\":%" PRIu64 "}", seen->tls12,
		      seen->tls13);
	(void)fprintf(out, ",\"keys\":{\"ecdsa\":%" PRIu64 ",\"rsa\":%" PRIu64 ",\"none\":%" PRIu64 "},\"ciphers\":{",
		      seen->ecdsa, seen->rsa, seen->no_key);
	for (size_t i = 0; i < CIPHERS_MAX && seen->ciphers[i].name != NULL; i++) {
		(void)fprintf(out, "%s\"%s\":%" PRIu64, separator, seen->ciphers[i].name, seen->ciphers[i].count);
		separator = ",";
	}
	(void)fputc('}', out);
}

static void print_counts(const struct kind_counts *counts, const struct seen *seen, FILE *out)
{
	(void)fprintf(out, "{\"started\":%" PRIu64 ",\"carried\":%" PRIu64 ",\"connect_errors\":%" PRIu64,
		      counts->started, counts->carried, counts->connect_errors);
	(void)fprintf(out, ",\"unexpected\":%" PRIu64 ",\"unfinished\":%" PRIu64, counts->unexpected,
		      counts->unfinished);
	(void)fprintf(out, ",\"completed\":%" PRIu64 ",\"resumed\":%" PRIu64 ",\"server_hello\":%" PRIu64,
		      counts->completed, counts->resumed, counts->server_hello);
	(void)fprintf(out, ",\"server_closed\":%" PRIu64 ",\"server_reset\":%" PRIu64, counts->server_closed,
		      counts->server_reset);
	print_alerts("alerts_received", counts->alerts_received, out);
	print_alerts("alerts_sent", counts->alerts_sent, out);
	print_seen(seen, out);
	(void)fputc('}', out);
}

void load_print(const struct load *load, double seconds, FILE *out)
{
	const char *separator = "";
	uint64_t started = 0, carried = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		started += load->kinds[i].counts.started;
		carried += load->kinds[i].counts.carried;
	}
	(void)fprintf(out, "{\"schema\":\"loadgen/1\",\"seconds\":%.6f,\"per_second\":%.1f", seconds,
		      seconds > 0 ? (double)carried / seconds : 0.0);
	(void)fprintf(out, ",\"started\":%" PRIu64 ",\"carried\":%" PRIu64 ",\"void\":%s,\"kinds\":{", started,
		      carried, started == carried ? "false" : "true");
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind_state *state = &load->kinds[i];

		if (state->counts.started == 0)
			continue;
		(void)fprintf(out, "%s\"%s\":", separator, state->kind->name);
		print_counts(&state->counts, &state->seen, out);
		separator = ",";
	}
	(void)fputs("}}\n", out);
}
