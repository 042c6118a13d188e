/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a snapshot, and whether its numbers are exact.
 *
 * Invariant: after snapshot_init() every pointer is NULL or owned.
 * Must not know: how the numbers came to be.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/snapshot.h"

#define REASON_BYTES 256

void snapshot_init(struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){ 0 };
}

static void cause_row_release(struct cause_row *row)
{
	free(row->peers.items);
	free(row->server_names.items);
	free(row->errors);
	free(row->evidence);
}

uint64_t snapshot_over_quic(const struct cause_row *row)
{
	for (size_t i = 0; i < row->evidence_count; i++) {
		if (row->evidence[i].kind == EVIDENCE_TRANSPORT && row->evidence[i].code == EVIDENCE_OVER_QUIC)
			return row->evidence[i].count;
	}
	return 0;
}

static void target_release(struct snapshot_target *target)
{
	free(target->exe);
	free(target->library);
	free(target->library_version);
	free(target->layout);
	free(target->workers);
}

static void codes_release(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->worker_count; i++)
		free(snapshot->workers[i].codes.items);
	for (size_t i = 0; i < snapshot->server_count; i++)
		free(snapshot->servers[i].codes.items);
	for (size_t i = 0; i < snapshot->generation_count; i++)
		free(snapshot->generations[i].codes.items);
}

void snapshot_release(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->cause_count; i++)
		cause_row_release(&snapshot->causes[i]);
	for (size_t i = 0; i < snapshot->target_count; i++)
		target_release(&snapshot->targets[i]);
	codes_release(snapshot);
	free(snapshot->host);
	free(snapshot->inexact_reason);
	free(snapshot->causes);
	free(snapshot->versions);
	free(snapshot->ciphers);
	free(snapshot->targets);
	free(snapshot->workers);
	free(snapshot->listeners);
	free(snapshot->namespaces);
	free(snapshot->groups);
	free(snapshot->costs);
	free(snapshot->servers);
	free(snapshot->generations);
	snapshot_init(snapshot);
}

static const char *direction_words(unsigned int direction)
{
	static const char *const words[SNAPSHOT_DIRECTIONS] = {
		[DIRECTION_UNKNOWN] = "of unknown direction",
		[DIRECTION_CLIENT] = "of clients",
		[DIRECTION_UPSTREAM] = "to upstreams",
	};

	return words[direction];
}

/* Each of the following writes a sentence and returns true where something is wrong. */
static bool has_losses(const struct losses *losses, char *reason)
{
	const struct {
		uint64_t count;
		const char *what;
	} rows[] = {
		{ .count = losses->spill_full, .what = "records found the ring and the spill map full" },
		{ .count = losses->state_full, .what = "handshakes found the state map full and were not watched" },
		{ .count = losses->settled_full,
		  .what = "completed handshakes were not watched any further, so a later rejection was missed" },
		{ .count = losses->undecodable, .what = "records could not be decoded" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].count > 0) {
			snprintf(reason, REASON_BYTES, "%" PRIu64 " %s", rows[i].count, rows[i].what);
			return true;
		}
	}
	return false;
}

static bool is_unbalanced(const struct snapshot *snapshot, unsigned int direction, char *reason)
{
	const struct totals *t = &snapshot->totals[direction];
	uint64_t ended = t->ok + t->failed + t->open + t->evicted + t->unmatched;

	if (t->begun == ended)
		return false;
	snprintf(reason, REASON_BYTES,
		 "%" PRIu64 " handshakes %s were begun, but %" PRIu64 " ok + %" PRIu64 " failed + %" PRIu64
		 " open + %" PRIu64 " evicted + %" PRIu64 " unmatched are %" PRIu64,
		 t->begun, direction_words(direction), t->ok, t->failed, t->open, t->evicted, t->unmatched, ended);
	return true;
}

static bool is_miscounted(const struct snapshot *snapshot, unsigned int direction, char *reason)
{
	const struct totals *t = &snapshot->totals[direction];
	uint64_t ok = snapshot->ok[direction].count, failed = 0;

	for (size_t i = 0; i < snapshot->cause_count; i++)
		if (snapshot->causes[i].direction == direction)
			failed += snapshot->causes[i].count;
	if (failed == t->failed && ok == t->ok)
		return false;
	snprintf(reason, REASON_BYTES,
		 "the kernel counted %" PRIu64 " %s handshakes %s, but records of %" PRIu64 " arrived",
		 failed != t->failed ? t->failed : t->ok, failed != t->failed ? "failed" : "ok",
		 direction_words(direction), failed != t->failed ? failed : ok);
	return true;
}

static bool is_inexact(const struct snapshot *snapshot, char *reason)
{
	if (has_losses(&snapshot->losses, reason))
		return true;
	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		if (is_unbalanced(snapshot, direction, reason) || is_miscounted(snapshot, direction, reason))
			return true;
	return false;
}

int snapshot_judge(struct snapshot *snapshot, bool has_totals)
{
	char reason[REASON_BYTES] =
		"the kernel's own counters are missing, there is nothing to compare the records with";
	bool exact = has_totals && !is_inexact(snapshot, reason);
	char *owned = exact ? NULL : strdup(reason);

	if (!exact && !owned)
		return -ENOMEM;
	free(snapshot->inexact_reason);
	snapshot->inexact_reason = owned;
	snapshot->exact = exact;
	return 0;
}
