/* SPDX-License-Identifier: BSD-2-Clause */
/* The failures, grouped by direction, and the findings: the middle of the text report. */
#include <inttypes.h>
#include <string.h>

#include "handshake/names.h"
#include "output/text_parts.h"

#define NAME_COLUMNS 60
#define NAMES_SHOWN  5
#define ERRORS_SHOWN 3
#define LINE_COLUMNS 1000

static void add_names(struct paragraph *paragraph, const struct named_counts *names)
{
	size_t shown = names->count < NAMES_SHOWN ? names->count : NAMES_SHOWN;

	for (size_t i = 0; i < shown; i++) {
		const struct named_count *name = &names->items[i];

		paragraph_add(paragraph, "%s", i ? ", " : " ");
		paragraph_add_foreign(paragraph, name->name, name->name_bytes, NAME_COLUMNS);
		paragraph_add(paragraph, " (%s%" PRIu64 ")", name->overcount ? "at most " : "", name->count);
	}
}

static void write_peers(const struct page *page, const struct cause_row *row)
{
	struct paragraph paragraph = { 0 };

	if (row->peers_distinct >= 0.5) {
		paragraph_add(&paragraph, "peers: ~%.0f distinct, ", row->peers_distinct);
		if (row->peers_returning >= 0)
			paragraph_add(&paragraph, "~%.0f of them also ok; ", row->peers_returning);
		paragraph_add(&paragraph, "most:");
		add_names(&paragraph, &row->peers);
		paragraph_write(&paragraph, page, 4, 2);
	}
	if (row->server_names.count) {
		paragraph = (struct paragraph){ 0 };
		paragraph_add(&paragraph, "server names:");
		add_names(&paragraph, &row->server_names);
		paragraph_write(&paragraph, page, 4, 2);
	}
	if (row->without_identity) {
		paragraph = (struct paragraph){ 0 };
		paragraph_add(&paragraph, "identities missing for %" PRIu64 " handshakes: ring was full",
			      row->without_identity);
		paragraph_write(&paragraph, page, 4, 2);
	}
}

static void write_errors(const struct page *page, const struct cause_row *row)
{
	struct paragraph paragraph = { 0 };
	char text[NAME_BYTES];

	if (!row->error_count)
		return;
	paragraph_add(&paragraph, "library errors:");
	for (size_t i = 0; i < row->error_count && i < ERRORS_SHOWN; i++) {
		const struct error_count *error = &row->errors[i];

		paragraph_add(&paragraph, "%s%08X %s (%" PRIu64 ")", i ? ", " : " ", error->code,
			      error_text(error->code, error->family, text), error->count);
	}
	paragraph_write(&paragraph, page, 4, 2);
}

static const char *evidence_text(const struct evidence_count *evidence, char text[NAME_BYTES])
{
	switch (evidence->kind) {
	case EVIDENCE_VERIFY_RESULT:
		return verify_text((int32_t)evidence->code, evidence->family, text);
	case EVIDENCE_ALERT:
		return alert_name((uint8_t)evidence->code, text);
	case EVIDENCE_ERRNO:
		return errno_name((int)evidence->code, text);
	case EVIDENCE_LIBRARY_ERROR:
	case EVIDENCE_PHASE:
	case EVIDENCE_TRANSPORT:
		break;
	}
	return "";
}

/* How far these handshakes had come, most frequent first. */
static void write_phase(const struct page *page, const struct cause_row *row)
{
	struct paragraph paragraph = { 0 };
	const char *separator = "failed ";

	for (size_t i = 0; i < row->evidence_count; i++) {
		if (row->evidence[i].kind != EVIDENCE_PHASE)
			continue;
		paragraph_add(&paragraph, "%s%s (%" PRIu64 ")", separator, stage_text(row->evidence[i].code),
			      row->evidence[i].count);
		separator = ", ";
	}
	if (separator[0] == ',')
		paragraph_write(&paragraph, page, 4, 2);
}

static void write_quic(const struct page *page, const struct cause_row *row)
{
	struct paragraph paragraph = { 0 };
	uint64_t count = snapshot_over_quic(row);

	if (!count)
		return;
	paragraph_add(&paragraph, "over QUIC: %" PRIu64 "%s", count, diagnose_quic_hides(row->cause));
	paragraph_write(&paragraph, page, 4, 2);
}

static void write_evidence(const struct page *page, const struct cause_row *row)
{
	static const char *const kinds[] = {
		[EVIDENCE_VERIFY_RESULT] = "verify result",
		[EVIDENCE_ALERT] = "alert received",
		[EVIDENCE_ERRNO] = "errno",
	};
	struct paragraph paragraph = { 0 };
	char text[NAME_BYTES];
	size_t shown = 0;

	for (size_t i = 0; i < row->evidence_count && shown < ERRORS_SHOWN; i++) {
		const struct evidence_count *evidence = &row->evidence[i];

		if (evidence->kind == EVIDENCE_PHASE || evidence->kind == EVIDENCE_TRANSPORT)
			continue;
		paragraph_add(&paragraph, "%s%s %" PRIu32 ", %s (%" PRIu64 ")",
			      shown++ ? "; " : "evidence: ", kinds[evidence->kind], evidence->code,
			      evidence_text(evidence, text), evidence->count);
	}
	if (shown)
		paragraph_write(&paragraph, page, 4, 2);
}

static void write_latency(const struct page *page, const struct cause_row *row)
{
	char p50[FIGURE_BYTES], p99[FIGURE_BYTES];
	struct paragraph paragraph = { 0 };

	if (!row->latency.count)
		return;
	paragraph_add(&paragraph, "time until it failed: p50 %s, p99 %s",
		      duration_text(histogram_quantile_ns(&row->latency, 0.5), p50),
		      duration_text(histogram_quantile_ns(&row->latency, 0.99), p99));
	paragraph_write(&paragraph, page, 4, 2);
}

/* Where the time went, and for whom was waited where somebody gave up. */
static void write_waits(const struct page *page, const struct cause_row *row)
{
	struct paragraph paragraph = { 0 };

	if (row->parts.whole_us) {
		paragraph_add(&paragraph, "where the time went: ");
		add_parts(&paragraph, &row->parts);
		paragraph_write(&paragraph, page, 4, 2);
	}
	if (!cause_is_given_up(row->cause) || !(row->waited_for_worker + row->waited_for_peer))
		return;
	paragraph = (struct paragraph){ 0 };
	if (row->waited_for_worker)
		paragraph_add(&paragraph,
			      "of these %" PRIu64 " waited longer for nginx's worker than for the peer, %" PRIu64
			      " for the peer",
			      row->waited_for_worker, row->waited_for_peer);
	else
		paragraph_add(&paragraph, "of these none waited longer for nginx's worker than for the peer");
	paragraph_write(&paragraph, page, 4, 2);
}

static void write_requests(const struct page *page, const struct cause_row *row)
{
	struct paragraph paragraph = { 0 };

	if (!row->requests_lost && !row->requests_rescued)
		return;
	paragraph_add(&paragraph,
		      "requests: %" PRIu64 " answered with 502 or 504 for it, %" PRIu64
		      " rescued by another upstream",
		      row->requests_lost, row->requests_rescued);
	paragraph_write(&paragraph, page, 4, 2);
}

static void write_cause(const struct page *page, const struct snapshot *snapshot, const struct cause_row *row)
{
	const char *advice = diagnose_advice(snapshot, row);
	struct paragraph paragraph = { 0 };
	char text[FIGURE_BYTES];

	paragraph_add(&paragraph, "%s: %" PRIu64 ", %s: %s", cause_id(row->cause), row->count,
		      percent_text(row->share, text), cause_meaning(row->cause));
	paragraph_write(&paragraph, page, 2, 2);
	write_peers(page, row);
	write_requests(page, row);
	write_phase(page, row);
	write_quic(page, row);
	write_errors(page, row);
	write_evidence(page, row);
	write_latency(page, row);
	write_waits(page, row);
	if (row->incomplete) {
		paragraph = (struct paragraph){ 0 };
		paragraph_add(&paragraph, "incomplete: a probe it needs was switched off for a while");
		paragraph_write(&paragraph, page, 4, 2);
	}
	if (advice[0]) {
		paragraph = (struct paragraph){ 0 };
		paragraph_add(&paragraph, "look at: %s", advice);
		paragraph_write(&paragraph, page, 4, 2);
	}
}

void write_causes(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	static const unsigned int order[] = { DIRECTION_CLIENT, DIRECTION_UPSTREAM, DIRECTION_UNKNOWN };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint64_t failed = 0;

		for (size_t at = 0; at < snapshot->cause_count; at++) {
			if (snapshot->causes[at].direction == order[i])
				failed += snapshot->causes[at].count;
		}
		if (!failed)
			continue;
		write_heading(page, style, "Failures, direction %s: %" PRIu64 " of %" PRIu64 " settled handshakes",
			      direction_name(order[i]), failed, diagnose_settled(snapshot, order[i]));
		for (size_t at = 0; at < snapshot->cause_count; at++) {
			if (snapshot->causes[at].direction == order[i])
				write_cause(page, snapshot, &snapshot->causes[at]);
		}
	}
}

/* Whether a finding is about a cause: its evidence and what to look at are told above. */
static bool is_of_cause(const struct finding *finding)
{
	const char *dot = strchr(finding->id, '.');
	enum cause cause;

	return dot && !cause_from_id(dot + 1, &cause);
}

static void write_lines(const struct page *page, const char *label, const struct finding_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		struct paragraph paragraph = { 0 };

		paragraph_add(&paragraph, "%s: ", label);
		paragraph_add_foreign(&paragraph, lines->text[i], strlen(lines->text[i]), LINE_COLUMNS);
		paragraph_write(&paragraph, page, 4, 2);
	}
}

static const char *severity_color(const struct style *style, enum severity severity)
{
	switch (severity) {
	case SEVERITY_INFO:
		return NULL;
	case SEVERITY_WARNING:
		return style->warning;
	case SEVERITY_CRITICAL:
		return style->critical;
	}
	return NULL;
}

void write_findings(const struct page *page, const struct style *style, const struct finding *findings, size_t n)
{
	if (n)
		write_heading(page, style, "Findings");
	for (size_t i = 0; i < n; i++) {
		struct paragraph paragraph = { 0 };
		struct page colored = *page;

		colored.color = severity_color(style, findings[i].severity);
		paragraph_add(&paragraph, "%s: ", severity_name(findings[i].severity));
		paragraph_add_foreign(&paragraph, findings[i].title, strlen(findings[i].title), LINE_COLUMNS);
		paragraph_write(&paragraph, &colored, 2, 2);
		if (!is_of_cause(&findings[i])) {
			write_lines(page, "evidence", &findings[i].evidence);
			write_lines(page, "change", &findings[i].change);
		}
		write_lines(page, "verify", &findings[i].verify);
	}
}
