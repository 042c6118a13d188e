/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace as text. Contract: trace_text.h. */
#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "output/facts.h"
#include "diagnose/figures.h"
#include "output/trace_text.h"
#include "output/when.h"

#define COLUMNS       "%-12s %7s %-8s %-21s %-28s %-29s %9s %-7s"
#define NAME_COLUMN   28
#define ADDRESS_BYTES (PEER_TEXT_BYTES * ESCAPE_GROWTH + 16) /* with brackets and port */
#define DETAIL_BYTES  512
#define TIME_BYTES    160 /* all parts, with the longest figures */
#define WORTH_US      1000

int trace_text_header(FILE *stream)
{
	int written = fprintf(stream, COLUMNS " %s\n", "TIME (UTC)", "PID", "SIDE", "PEER", "SERVER NAME", "CAUSE",
			      "LATENCY", "VERSION", "DETAIL [WHERE THE TIME WENT]");

	return written < 0 ? -EIO : 0;
}

static void peer_column(const struct observation *observation, char buffer[ADDRESS_BYTES])
{
	char address[ADDRESS_BYTES - 16];
	struct facts_peer peer;

	facts_peer(observation, &peer);
	escape(address, sizeof(address), ESCAPE_PLAIN, peer.address, peer.address_bytes, NULL);
	if (!address[0])
		snprintf(buffer, ADDRESS_BYTES, "-");
	else if (!peer.port_known)
		snprintf(buffer, ADDRESS_BYTES, "%s", address);
	else
		snprintf(buffer, ADDRESS_BYTES, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
			 (unsigned int)peer.port);
}

static void latency_column(const struct observation *observation, char buffer[NAME_BYTES])
{
	if (facts_has_latency(observation))
		snprintf(buffer, NAME_BYTES, "%.2f ms", (double)observation->event.latency_ns / 1e6);
	else
		snprintf(buffer, NAME_BYTES, "-");
}

/* Appends ", text" where there is room for all of it. */
static void add_detail(char buffer[DETAIL_BYTES], const char *prefix, const char *text)
{
	size_t used = strlen(buffer);
	const char *comma = used ? ", " : "";

	if (used + strlen(comma) + strlen(prefix) + strlen(text) < DETAIL_BYTES)
		snprintf(buffer + used, DETAIL_BYTES - used, "%s%s%s", comma, prefix, text);
}

static void detail_column(const struct observation *observation, char buffer[DETAIL_BYTES])
{
	const struct verdict *verdict = &observation->event.verdict;
	uint32_t codes[EVENT_ERRORS];
	char name[NAME_BYTES];

	buffer[0] = '\0';
	if (observation->event.header.kind == EVENT_AMENDED)
		add_detail(buffer, "", "(amends)");
	if (facts_errors(observation, codes))
		add_detail(buffer, "", error_text(codes[0], verdict->library, name));
	if (verdict->flags & VERDICT_ALERT_RECEIVED)
		add_detail(buffer, "received ", alert_name(verdict->alert_received, name));
	if (verdict->flags & VERDICT_ALERT_SENT)
		add_detail(buffer, "sent ", alert_name(verdict->alert_sent, name));
	if (verdict->rejection != REJECTION_NONE && verdict->verify_result && facts_has_verify_result(observation))
		add_detail(buffer, "", verify_text(verdict->verify_result, verdict->library, name));
	if (verdict->error_errno)
		add_detail(buffer, "", errno_name(verdict->error_errno, name));
	if (verdict->waited == WAITED_WORKER)
		add_detail(buffer, "", "waited longer for the worker than for the peer");
	if (!buffer[0])
		add_detail(buffer, "", verdict->outcome == OUTCOME_OK ? "" : outcome_name(verdict->outcome));
}

/* "[peer 200 ms, lag ~1.20 ms]", the largest first: parts of 1 ms or of a hundredth of the whole; ~: to a tick. */
static void time_column(const struct observation *observation, char buffer[TIME_BYTES])
{
	unsigned int order[PARTS_SHOWN];
	struct facts_parts parts;
	char text[FIGURE_BYTES];
	size_t used = 0;

	buffer[0] = '\0';
	if (!facts_parts(observation, &parts))
		return;
	parts_sort(parts.us, order);
	for (unsigned int i = 0; i < PARTS_SHOWN; i++) {
		uint64_t us = parts.us[order[i]];

		if (us && (us >= WORTH_US || us * 100 >= parts.whole_us) && used < TIME_BYTES)
			used += (size_t)snprintf(buffer + used, TIME_BYTES - used, "%s%s %s%s", used ? ", " : " [",
						 part_name(order[i]), parts.coarse[order[i]] ? "~" : "",
						 duration_text(1000 * us, text));
	}
	if (used && used + 1 < TIME_BYTES)
		snprintf(buffer + used, TIME_BYTES - used, "]");
}

int trace_text(const struct observation *observation, const struct trace_clock *clock, FILE *stream)
{
	const struct event *event = &observation->event;
	char time[WHEN_BYTES], pid[NAME_BYTES], peer[ADDRESS_BYTES], name[NAME_COLUMN + 1], latency[NAME_BYTES];
	char version[NAME_BYTES], detail[DETAIL_BYTES], parts[TIME_BYTES];
	int written;

	if (!facts_is_handshake(observation))
		return 0;
	snprintf(pid, sizeof(pid), "%u", event->header.tgid);
	peer_column(observation, peer);
	escape_column(name, sizeof(name), NAME_COLUMN, observation->sni, observation->sni_bytes);
	latency_column(observation, latency);
	detail_column(observation, detail);
	time_column(observation, parts);
	written = fprintf(stream, COLUMNS "%s%s%s\n", when_time_of_day(event->time_ns + clock->unix_offset_ns, time),
			  pid, direction_name(event->verdict.direction), peer, name[0] ? name : "-",
			  cause_id(observation->cause), latency,
			  event->tls_version ? version_name(event->tls_version, version) : "-", detail[0] ? " " : "",
			  detail, parts);
	return written < 0 ? -EIO : 0;
}
