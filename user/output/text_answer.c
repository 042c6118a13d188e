/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer: the first lines of the text report.
 *
 * Invariant: "not your problem" is said only where handshakes ended well, none failed, and nothing was lost.
 */
#include <inttypes.h>
#include <string.h>

#include "diagnose/saturation.h"
#include "handshake/names.h"
#include "output/text_parts.h"
#include "output/when.h"

static uint64_t sum_ok(const struct snapshot *snapshot)
{
	uint64_t sum = 0;

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		sum += snapshot->totals[direction].ok;
	return sum;
}

static uint64_t sum_settled(const struct snapshot *snapshot)
{
	uint64_t sum = 0;

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		sum += diagnose_settled(snapshot, direction);
	return sum;
}

/* ", p99 12 ms, resumption 41 %" of all directions, as far as it is known. */
static void add_ok_figures(struct paragraph *paragraph, const struct snapshot *snapshot)
{
	uint64_t resumed = 0, ok = sum_ok(snapshot);
	struct histogram all = { 0 };
	char text[FIGURE_BYTES];

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++) {
		histogram_merge(&all, &snapshot->ok[direction].latency);
		resumed += snapshot->totals[direction].resumed;
	}
	if (all.count)
		paragraph_add(paragraph, ", p99 %s", duration_text(histogram_quantile_ns(&all, 0.99), text));
	if (ok)
		paragraph_add(paragraph, ", resumption %s", percent_text((double)resumed / (double)ok, text));
}

/* The directive an advice begins with; its length, 0 where it begins with plain words. */
static size_t directive_length(const char *advice)
{
	size_t length = strspn(advice, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return memchr(advice, '_', length) ? length : 0;
}

static void add_directive(struct paragraph *paragraph, const struct snapshot *snapshot, const struct cause_row *row)
{
	const char *advice = diagnose_advice(snapshot, row);
	size_t length = directive_length(advice);

	if (!length)
		length = strcspn(advice, ";");
	if (length)
		paragraph_add(paragraph, "; see %.*s", (int)length, advice);
}

static void add_peers(struct paragraph *paragraph, const struct cause_row *row)
{
	if (row->peers_distinct < 0.5)
		paragraph_add(paragraph, "; peers not known");
	else if (row->peers_returning < 0)
		paragraph_add(paragraph, "; ~%.0f peers", row->peers_distinct);
	else if (row->peers_returning < 0.5)
		paragraph_add(paragraph, "; none of ~%.0f peers also ok", row->peers_distinct);
	else
		paragraph_add(paragraph, "; ~%.0f of ~%.0f peers also ok", row->peers_returning, row->peers_distinct);
}

static void add_since(struct paragraph *paragraph, const struct snapshot *snapshot, const struct cause_row *row)
{
	char text[WHEN_BYTES];

	if (!row->first_ns || !snapshot->start_ns || !snapshot->start_unix_ns)
		return;
	when_time_of_day(snapshot->start_unix_ns + (row->first_ns - snapshot->start_ns), text);
	paragraph_add(paragraph, " since %.8sZ", text); /* whole seconds */
}

/* That it is not the peers, and what it is with the workers. */
static void write_late(const struct page *page, const struct snapshot *snapshot, const struct cause_row *row)
{
	struct paragraph paragraph = { 0 };
	char title[FINDING_TEXT_BYTES];

	paragraph_add(&paragraph, "%" PRIu64 " of these waited longer for nginx's worker than for the peer",
		      row->waited_for_worker);
	if (workers_title(snapshot, title))
		paragraph_add(&paragraph, ": %s", title);
	paragraph_write(&paragraph, page, 2, 2);
}

/* One line where it fits into 100 columns; counts and meaning follow on the next. */
static void write_failing(const struct page *page, const struct style *style, const struct snapshot *snapshot,
			  const struct cause_row *row)
{
	bool critical = diagnose_severity(row) == SEVERITY_CRITICAL, of_workers = cause_is_of_workers(row);
	struct page colored = *page;
	struct paragraph paragraph = { 0 };
	char text[FIGURE_BYTES];

	colored.color = critical ? style->critical : style->warning;
	paragraph_add(&paragraph, "%s: %s fail, %s", direction_name(row->direction), percent_text(row->share, text),
		      cause_id(row->cause));
	add_since(&paragraph, snapshot, row);
	if (of_workers)
		paragraph_add(&paragraph, "; nginx's worker was late");
	else
		add_peers(&paragraph, row);
	if (row->requests_lost)
		paragraph_add(&paragraph, "; %" PRIu64 " requests lost", row->requests_lost);
	add_directive(&paragraph, snapshot, row);
	paragraph_write(&paragraph, &colored, 0, 2);
	paragraph = (struct paragraph){ 0 };
	paragraph_add(&paragraph, "%" PRIu64 " of %" PRIu64 " settled handshakes: %s", row->count,
		      diagnose_settled(snapshot, row->direction), cause_meaning(row->cause));
	paragraph_write(&paragraph, page, 2, 2);
	if (of_workers)
		write_late(page, snapshot, row);
}

/* Failures, but none that reaches a warning. */
static void write_minor(const struct page *page, const struct style *style, const struct snapshot *snapshot,
			const struct cause_row *row)
{
	uint64_t settled = sum_settled(snapshot), ok = sum_ok(snapshot);
	struct page colored = *page;
	struct paragraph paragraph = { 0 };
	char text[FIGURE_BYTES];

	colored.color = style->good;
	paragraph_add(&paragraph, "no failure reaches a warning: %" PRIu64 " of %" PRIu64 " ok", ok, settled);
	add_ok_figures(&paragraph, snapshot);
	paragraph_add(&paragraph, "; most frequent failure: %s %s, %s (%" PRIu64 ")", direction_name(row->direction),
		      cause_id(row->cause), percent_text(row->share, text), row->count);
	paragraph_write(&paragraph, &colored, 0, 2);
}

static void write_plain(const struct page *page, unsigned int indent, const char *text)
{
	struct paragraph paragraph = { 0 };

	paragraph_add(&paragraph, "%s", text);
	paragraph_write(&paragraph, page, indent, 0);
}

static void write_all_ok(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	struct page colored = *page;
	struct paragraph paragraph = { 0 };

	colored.color = snapshot->exact ? style->good : style->warning;
	paragraph_add(&paragraph,
		      snapshot->exact ? "TLS is not your problem: %" PRIu64 " ok"
				      : "no failure was seen, but the counts are not exact: %" PRIu64 " ok",
		      sum_ok(snapshot));
	add_ok_figures(&paragraph, snapshot);
	paragraph_write(&paragraph, &colored, 0, 2);
	write_plain(page, 2,
		    "Look next before TLS (ss -lnt: a full listen queue; firewall; DNS) and after it (nginx's access "
		    "log: $status, $upstream_status, $upstream_response_time).");
}

static void write_nothing(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	struct page colored = *page;
	struct paragraph paragraph = { 0 };
	uint64_t open = 0;

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		open += snapshot->totals[direction].open;
	colored.color = style->warning;
	if (open) {
		paragraph_add(&paragraph, "no TLS handshake has ended in %.1f s: %" PRIu64 " wait", snapshot->seconds,
			      open);
		paragraph_write(&paragraph, &colored, 0, 2);
		write_plain(page, 2, "Peers that never answer end as a timeout: watch longer than nginx's timeouts.");
		return;
	}
	paragraph_add(&paragraph, "no TLS handshake was seen in %.1f s", snapshot->seconds);
	paragraph_write(&paragraph, &colored, 0, 2);
	write_plain(
		page, 2,
		"That can mean: no new connections (keep-alive ones do not shake hands again); TLS ends before this "
		"nginx; clients do not reach it; or this nginx uses a library that is not attached: tlswhy check.");
}

void write_answer(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	const struct cause_row *leading = diagnose_leading_cause(snapshot);

	if (leading && diagnose_severity(leading) > SEVERITY_INFO)
		write_failing(page, style, snapshot, leading);
	else if (leading)
		write_minor(page, style, snapshot, leading);
	else if (sum_ok(snapshot))
		write_all_ok(page, style, snapshot);
	else
		write_nothing(page, style, snapshot);
}
