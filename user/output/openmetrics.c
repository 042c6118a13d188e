/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two text formats: see openmetrics.h.
 *
 * They differ in the name a counter's family has, in UNIT and EOF, and in having a type for build_info. Numbers are
 * written from integers: no locale can change them. Must not know: where a snapshot comes from.
 */
#include "output/openmetrics.h"

#include <errno.h>
#include <inttypes.h>

#include "diagnose/figures.h"
#include "handshake/names.h"
#include "output/openmetrics_counters.h"

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM, FAMILY_SUMMARY, FAMILY_INFO };

struct family {
	const char *name; /* without the suffix that its type asks for */
	enum family_type type;
	const char *unit; /* NULL: none */
	const char *help;
};

/* clang-format off */
static const struct family handshakes = {
	.name = "tlswhy_handshakes", .type = FAMILY_COUNTER,
	.help = "TLS handshakes that ended, by side of nginx and cause; ok is success." };
static const struct family durations = {
	.name = "tlswhy_handshake_duration_seconds", .type = FAMILY_HISTOGRAM, .unit = "seconds",
	.help = "Time from a handshake's first step to its end; those seen from the middle on are left out." };
static const struct family cpu_seconds = {
	.name = "tlswhy_handshake_cpu_seconds", .type = FAMILY_COUNTER, .unit = "seconds",
	.help = "Time of workers inside SSL_do_handshake, less the time they waited for a CPU." };
static const struct family part_seconds = {
	.name = "tlswhy_handshake_part_seconds", .type = FAMILY_COUNTER, .unit = "seconds",
	.help = "Where the time of handshakes went; unattributed is what no part accounts for." };
static const struct family resumed = {
	.name = "tlswhy_session_resumed", .type = FAMILY_COUNTER,
	.help = "Handshakes that were ok and resumed a session." };
static const struct family negotiated = {
	.name = "tlswhy_negotiated", .type = FAMILY_COUNTER,
	.help = "Handshakes that were ok, by protocol version." };
static const struct family worker_cpu = {
	.name = "tlswhy_worker_cpu_ratio", .type = FAMILY_GAUGE, .unit = "ratio",
	.help = "Share of one CPU that an nginx process used during the last seconds." };
static const struct family worker_lag = {
	.name = "tlswhy_worker_lag_seconds", .type = FAMILY_SUMMARY, .unit = "seconds",
	.help = "How long data of a handshake lay in the socket before the worker read it; since the watch began." };
static const struct family requests = {
	.name = "tlswhy_upstream_requests", .type = FAMILY_COUNTER,
	.help = "Requests whose upstream handshake failed: lost ones got 502 or 504, rescued ones the next upstream." };
static const struct family lost = {
	.name = "tlswhy_lost", .type = FAMILY_COUNTER,
	.help = "What could not be recorded, by stage; ring_full alone costs identities and no counts." };
static const struct family build = {
	.name = "tlswhy_build", .type = FAMILY_INFO,
	.help = "The version of tlswhy that made these metrics." };
/* clang-format on */

struct writer {
	FILE *stream;
	enum openmetrics_form form;
};

static const char *type_name(enum family_type type, enum openmetrics_form form)
{
	switch (type) {
	case FAMILY_COUNTER:
		return "counter";
	case FAMILY_GAUGE:
		return "gauge";
	case FAMILY_HISTOGRAM:
		return "histogram";
	case FAMILY_SUMMARY:
		return "summary";
	case FAMILY_INFO:
		break;
	}
	return form == OPENMETRICS_1_0 ? "info" : "gauge";
}

static const char *sample_suffix(enum family_type type)
{
	switch (type) {
	case FAMILY_COUNTER:
		return "_total";
	case FAMILY_INFO:
		return "_info";
	case FAMILY_GAUGE:
	case FAMILY_HISTOGRAM:
	case FAMILY_SUMMARY:
		break;
	}
	return "";
}

static void write_head(const struct writer *writer, const struct family *family)
{
	const char *suffix = writer->form == OPENMETRICS_1_0 ? "" : sample_suffix(family->type);

	fprintf(writer->stream, "# HELP %s%s %s\n", family->name, suffix, family->help);
	fprintf(writer->stream, "# TYPE %s%s %s\n", family->name, suffix, type_name(family->type, writer->form));
	if (family->unit && writer->form == OPENMETRICS_1_0)
		fprintf(writer->stream, "# UNIT %s %s\n", family->name, family->unit);
}

/* Backslash, quote and newline are all that both formats ask to be escaped. */
static void write_label_value(FILE *stream, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", stream);
			continue;
		}
		if (*value == '\\' || *value == '"')
			fputc('\\', stream);
		fputc(*value, stream);
	}
}

/* All decimals that are not 0: nothing is rounded. */
static void write_seconds(FILE *stream, uint64_t ns)
{
	uint64_t fraction = ns % 1000000000;
	int digits = 9;

	fprintf(stream, "%" PRIu64, ns / 1000000000);
	if (fraction == 0)
		return;
	for (; fraction % 10 == 0; digits--)
		fraction /= 10;
	fprintf(stream, ".%0*" PRIu64, digits, fraction);
}

static void write_handshakes(const struct writer *writer, const struct openmetrics_counters *counters)
{
	write_head(writer, &handshakes);
	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			fprintf(writer->stream, "%s_total{direction=\"%s\",cause=\"%s\"} %" PRIu64 "\n",
				handshakes.name, direction_name(direction), cause_id((enum cause)cause),
				counters->handshakes[direction][cause]);
}

static void write_histogram(FILE *stream, unsigned int direction, enum cause cause,
			    const struct openmetrics_histogram *histogram)
{
	char labels[128];

	snprintf(labels, sizeof(labels), "direction=\"%s\",cause=\"%s\"", direction_name(direction), cause_id(cause));
	for (unsigned int i = 0; i < OPENMETRICS_BOUNDS; i++) {
		fprintf(stream, "%s_bucket{%s,le=\"", durations.name, labels);
		write_seconds(stream, openmetrics_bound_ns(i));
		fprintf(stream, "\"} %" PRIu64 "\n", histogram->counts[i]);
	}
	fprintf(stream, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", durations.name, labels,
		histogram->counts[OPENMETRICS_BOUNDS]);
	fprintf(stream, "%s_count{%s} %" PRIu64 "\n", durations.name, labels, histogram->counts[OPENMETRICS_BOUNDS]);
	fprintf(stream, "%s_sum{%s} ", durations.name, labels);
	write_seconds(stream, histogram->sum_ns);
	fputc('\n', stream);
}

static void write_durations(const struct writer *writer, const struct openmetrics_counters *counters)
{
	write_head(writer, &durations);
	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			if (direction != DIRECTION_UNKNOWN || counters->handshakes[direction][cause] > 0)
				write_histogram(writer->stream, direction, (enum cause)cause,
						&counters->durations[direction][cause]);
}

static void write_by_direction(const struct writer *writer, const struct openmetrics_counters *counters)
{
	write_head(writer, &cpu_seconds);
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++) {
		fprintf(writer->stream, "%s_total{direction=\"%s\"} ", cpu_seconds.name, direction_name(i));
		write_seconds(writer->stream, counters->cpu_ns[i]);
		fputc('\n', writer->stream);
	}
	write_head(writer, &part_seconds);
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++)
		for (unsigned int part = 0; part < PARTS_SHOWN; part++) {
			fprintf(writer->stream, "%s_total{direction=\"%s\",part=\"%s\"} ", part_seconds.name,
				direction_name(i), part_name(part));
			write_seconds(writer->stream, 1000 * counters->parts_us[i][part]);
			fputc('\n', writer->stream);
		}
	write_head(writer, &resumed);
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++)
		fprintf(writer->stream, "%s_total{direction=\"%s\"} %" PRIu64 "\n", resumed.name, direction_name(i),
			counters->resumed[i]);
	write_head(writer, &negotiated);
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++)
		for (unsigned int version = 0; version < OPENMETRICS_VERSIONS; version++)
			fprintf(writer->stream, "%s_total{direction=\"%s\",version=\"%s\"} %" PRIu64 "\n",
				negotiated.name, direction_name(i), openmetrics_version(version),
				counters->negotiated[i][version]);
}

/* No request is lost for a handshake that was ok. */
static void write_requests(const struct writer *writer, const struct openmetrics_counters *counters)
{
	write_head(writer, &requests);
	for (unsigned int cause = CAUSE_OK + 1; cause < CAUSE_COUNT; cause++)
		for (unsigned int i = 0; i < OPENMETRICS_RESULTS; i++)
			fprintf(writer->stream, "%s_total{cause=\"%s\",result=\"%s\"} %" PRIu64 "\n", requests.name,
				cause_id((enum cause)cause), openmetrics_result(i), counters->requests[cause][i]);
}

/* A process has a row a generation; its ratio is of the process, and a series may be there once only. */
static void write_workers(const struct writer *writer, const struct snapshot *snapshot)
{
	unsigned int written = 0;
	uint32_t last_pid = 0;

	write_head(writer, &worker_cpu);
	for (size_t i = 0; i < snapshot->worker_count && written < OPENMETRICS_WORKERS; i++) {
		const struct snapshot_worker *worker = &snapshot->workers[i];
		uint64_t parts = worker->cpu_ratio > 0 ? (uint64_t)(worker->cpu_ratio * 10000 + 0.5) : 0;

		if (worker->cpu_ratio < 0 || worker->gone || worker->pid == last_pid)
			continue;
		fprintf(writer->stream, "%s{worker=\"%" PRIu32 "\"} %" PRIu64 ".%04" PRIu64 "\n", worker_cpu.name,
			worker->pid, parts / 10000, parts % 10000);
		last_pid = worker->pid;
		written++;
	}
}

/* Of all rows of the process; none where nothing was measured. */
static void write_quantiles(FILE *stream, const struct snapshot *snapshot, uint32_t pid)
{
	static const struct {
		const char *label;
		double quantile;
	} quantiles[] = { { .label = "0.5", .quantile = 0.5 }, { .label = "0.99", .quantile = 0.99 } };
	struct histogram lag = { 0 };

	for (size_t i = 0; i < snapshot->worker_count; i++)
		if (snapshot->workers[i].pid == pid && snapshot->workers[i].cpu_ratio >= 0)
			histogram_merge(&lag, &snapshot->workers[i].lag);
	for (size_t i = 0; lag.count && i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		fprintf(stream, "%s{worker=\"%" PRIu32 "\",quantile=\"%s\"} ", worker_lag.name, pid,
			quantiles[i].label);
		write_seconds(stream, histogram_quantile_ns(&lag, quantiles[i].quantile));
		fputc('\n', stream);
	}
}

static void write_lags(const struct writer *writer, const struct openmetrics_counters *counters,
		       const struct snapshot *snapshot)
{
	write_head(writer, &worker_lag);
	for (size_t i = 0; i < counters->lag_count; i++) {
		const struct openmetrics_lag *lag = &counters->lags[i];

		write_quantiles(writer->stream, snapshot, lag->pid);
		fprintf(writer->stream, "%s_count{worker=\"%" PRIu32 "\"} %" PRIu64 "\n", worker_lag.name, lag->pid,
			lag->count);
		fprintf(writer->stream, "%s_sum{worker=\"%" PRIu32 "\"} ", worker_lag.name, lag->pid);
		write_seconds(writer->stream, lag->sum_ns);
		fputc('\n', writer->stream);
	}
}

static void write_rest(const struct writer *writer, const struct openmetrics_counters *counters,
		       const char *tool_version)
{
	write_head(writer, &lost);
	for (unsigned int i = 0; i < OPENMETRICS_STAGES; i++)
		fprintf(writer->stream, "%s_total{stage=\"%s\"} %" PRIu64 "\n", lost.name, openmetrics_stage(i),
			counters->lost[i]);
	write_head(writer, &build);
	fprintf(writer->stream, "%s_info{version=\"", build.name);
	write_label_value(writer->stream, tool_version);
	fputs("\"} 1\n", writer->stream);
	if (writer->form == OPENMETRICS_1_0)
		fputs("# EOF\n", writer->stream);
}

int openmetrics_write_raised(struct openmetrics_counters *highest, const struct snapshot *snapshot,
			     enum openmetrics_form form, const char *tool_version, FILE *stream)
{
	const struct writer writer = { .stream = stream, .form = form };
	struct openmetrics_counters counters;

	openmetrics_count(snapshot, &counters);
	openmetrics_raise(highest, &counters);
	write_handshakes(&writer, highest);
	write_durations(&writer, highest);
	write_by_direction(&writer, highest);
	write_requests(&writer, highest);
	write_workers(&writer, snapshot);
	write_lags(&writer, highest, snapshot);
	write_rest(&writer, highest, tool_version);
	return ferror(stream) ? -EIO : 0;
}

int openmetrics_write(const struct snapshot *snapshot, enum openmetrics_form form, const char *tool_version,
		      FILE *stream)
{
	struct openmetrics_counters none = { 0 };

	return openmetrics_write_raised(&none, snapshot, form, tool_version, stream);
}
