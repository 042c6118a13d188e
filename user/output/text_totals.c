/* SPDX-License-Identifier: BSD-2-Clause */
/* Totals, targets, and what is not known: the end of the text report. */
#include <inttypes.h>
#include <string.h>

#include "handshake/names.h"
#include "output/text_parts.h"

#define PATH_COLUMNS 70
#define PIDS_SHOWN   16

static const unsigned int order[] = { DIRECTION_CLIENT, DIRECTION_UPSTREAM, DIRECTION_UNKNOWN };
#define ORDERS (sizeof(order) / sizeof(order[0]))

static void write_total(const struct page *page, const struct totals *totals, unsigned int direction)
{
	struct paragraph paragraph = { 0 };

	if (!totals->begun && !totals->ok && !totals->failed)
		return;
	paragraph_add(&paragraph, "%s: %" PRIu64 " begun, %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64 " still open",
		      direction_name(direction), totals->begun, totals->ok, totals->failed, totals->open);
	if (totals->evicted)
		paragraph_add(&paragraph, ", %" PRIu64 " ended with their process", totals->evicted);
	if (totals->unmatched)
		paragraph_add(&paragraph, ", %" PRIu64 " without a seen end", totals->unmatched);
	if (totals->joined)
		paragraph_add(&paragraph, "; %" PRIu64 " were under way when the watch began and are in no latency",
			      totals->joined);
	paragraph_write(&paragraph, page, 2, 2);
}

void write_totals(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	write_heading(page, style, "Totals");
	for (size_t i = 0; i < ORDERS; i++)
		write_total(page, &snapshot->totals[order[i]], order[i]);
}

static void add_text(struct paragraph *paragraph, const char *text)
{
	paragraph_add_foreign(paragraph, text ? text : "unknown", strlen(text ? text : "unknown"), PATH_COLUMNS);
}

static void write_target(const struct page *page, const struct snapshot_target *target)
{
	struct paragraph paragraph = { 0 };

	paragraph_add(&paragraph, "master %" PRIu32 ": ", target->master_pid);
	add_text(&paragraph, target->exe);
	paragraph_add(&paragraph, ", library ");
	add_text(&paragraph, target->library);
	paragraph_add(&paragraph, " (version ");
	add_text(&paragraph, target->library_version);
	paragraph_add(&paragraph, ", layout ");
	add_text(&paragraph, target->layout);
	paragraph_add(&paragraph, "), generation %" PRIu32 ", %zu workers", target->generation, target->worker_count);
	for (size_t i = 0; i < target->worker_count && i < PIDS_SHOWN; i++)
		paragraph_add(&paragraph, "%s%" PRIu32, i ? " " : ": ", target->workers[i]);
	paragraph_add(&paragraph, "%s", target->worker_count > PIDS_SHOWN ? " ..." : "");
	paragraph_write(&paragraph, page, 2, 2);
}

void write_targets(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	if (snapshot->target_count)
		write_heading(page, style, "Watched");
	for (size_t i = 0; i < snapshot->target_count; i++)
		write_target(page, &snapshot->targets[i]);
}

static void write_losses(const struct page *page, const struct losses *losses)
{
	const struct {
		uint64_t count;
		const char *what;
	} rows[] = {
		{ .count = losses->ring_full,
		  .what = "records found the ring full: counted with cause and latency, without peer and name" },
		{ .count = losses->spill_full, .what = "records found no room at all: in the totals, in no cause" },
		{ .count = losses->state_full, .what = "handshakes were not watched: too many at once" },
		{ .count = losses->settled_full,
		  .what = "completed handshakes: a later rejection would not be seen" },
		{ .count = losses->evicted, .what = "handshakes ended with their process" },
		{ .count = losses->unmatched, .what = "handshakes had no end that was seen" },
		{ .count = losses->read_faults, .what = "reads of nginx's memory failed: some facts are missing" },
		{ .count = losses->undecodable, .what = "records could not be decoded" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct paragraph paragraph = { 0 };

		if (!rows[i].count)
			continue;
		paragraph_add(&paragraph, "%" PRIu64 " %s", rows[i].count, rows[i].what);
		paragraph_write(&paragraph, page, 2, 2);
	}
}

void write_limits(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	static const char *const unseen[] = {
		"connections that never reach TLS: refused, dropped, or closed before their first byte",
		"why a peer closes or resets without an alert",
		"handshakes of connections that were open before the watch began",
	};
	struct paragraph paragraph = { 0 };

	write_heading(page, style, "How far to trust this");
	if (snapshot->exact)
		paragraph_add(&paragraph, "The counts are exact: every handshake begun is accounted for.");
	else
		paragraph_add(&paragraph, "The counts are not exact: %s.",
			      snapshot->inexact_reason ? snapshot->inexact_reason : "the reason was not recorded");
	paragraph_write(&paragraph, page, 2, 2);
	write_losses(page, &snapshot->losses);
	if (snapshot->hellos_cut) {
		paragraph = (struct paragraph){ 0 };
		paragraph_add(&paragraph,
			      "%" PRIu64 " ClientHellos were longer than is kept: read as far as that goes",
			      snapshot->hellos_cut);
		paragraph_write(&paragraph, page, 2, 2);
	}
	if (snapshot->requests_incomplete) {
		paragraph = (struct paragraph){ 0 };
		paragraph_add(&paragraph, "Requests lost may be more than is said: not every 502 and 504 was seen.");
		paragraph_write(&paragraph, page, 2, 2);
	}
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
		paragraph = (struct paragraph){ 0 };
		paragraph_add(&paragraph, "Not seen: %s.", unseen[i]);
		paragraph_write(&paragraph, page, 2, 2);
	}
}
