/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting for workers. Contract: worker_tally.h. */
#include "handshake/worker_tally.h"

#include <errno.h>
#include <stdlib.h>

int worker_tallies_init(struct keyrows *workers, size_t limit)
{
	return keyrows_init(workers, limit, sizeof(struct worker_tally), 0);
}

static void count_time(struct worker_tally *tally, const struct batch *batch)
{
	tally->cpu_us += batch->part_us[PART_CPU];
	if (batch->unmeasured)
		return;
	parts_sums_add(&tally->parts, batch);
	if (batch->spilled)
		histogram_add_bucket(&tally->latency, batch->bucket, batch->count, batch->latency_ns);
	else
		histogram_add(&tally->latency, batch->latency_ns);
	if (!batch->spilled && batch->flags & EVENT_WAITS)
		histogram_add(&tally->lag, 1000 * batch->part_us[PART_LAG]);
}

static void count_failure(struct worker_tally *tally, const struct batch *batch)
{
	tally->failed += batch->count;
	if (!cause_is_given_up(batch->cause))
		return;
	tally->given_up += batch->count;
	if (batch->verdict->waited == WAITED_WORKER)
		tally->given_up_late += batch->count;
}

int worker_tallies_add(struct keyrows *workers, const struct batch *batch)
{
	struct worker_tally *tally = keyrows_get(workers, (uint64_t)batch->tgid << 32 | batch->generation);

	if (!tally)
		return -ENOMEM;
	if (batch->cause != CAUSE_OK)
		count_failure(tally, batch);
	if (batch->resumed)
		tally->resumed += batch_kept(batch);
	code_tally_add(&tally->codes, batch);
	if (batch->amends)
		return 0;
	tally->handshakes += batch->count;
	count_time(tally, batch);
	return 0;
}

static void merge(struct worker_tally *into, const struct worker_tally *from)
{
	into->handshakes += from->handshakes;
	into->failed += from->failed;
	into->given_up += from->given_up;
	into->given_up_late += from->given_up_late;
	into->resumed += from->resumed;
	into->cpu_us += from->cpu_us;
	parts_sums_merge(&into->parts, &from->parts);
	histogram_merge(&into->latency, &from->latency);
	histogram_merge(&into->lag, &from->lag);
	code_tally_merge(&into->codes, &from->codes);
}

int worker_tallies_merge(struct keyrows *into, const struct keyrows *from)
{
	int err = 0;

	for (size_t i = 0; i < from->slots; i++) {
		const struct keyrows_slot *slot = &from->at[i];
		struct worker_tally *tally = slot->row ? keyrows_get(into, slot->key) : NULL;

		if (slot->row && !tally)
			err = -ENOMEM;
		if (tally)
			merge(tally, slot->row);
	}
	return err;
}

static int fill_row(const struct worker_tally *tally, uint64_t key, struct snapshot_worker *row)
{
	*row = (struct snapshot_worker){
		.pid = (uint32_t)(key >> 32),
		.generation = (uint32_t)key,
		.cpu_ratio = -1,
		.run_delay_ratio = -1,
		.cpu_ratio_peak = -1,
		.run_delay_peak = -1,
		.cpu_seconds = -1,
		.handshakes = tally->handshakes,
		.failed = tally->failed,
		.resumed = count_settled(tally->resumed),
		.given_up = tally->given_up,
		.given_up_late = tally->given_up_late,
		.count = tally->parts.count,
		.whole_us = parts_sums_whole_us(&tally->parts),
		.before_us = tally->parts.before_us,
		.cpu_us = tally->cpu_us,
		.latency = tally->latency,
		.lag = tally->lag,
	};
	parts_sums_shown_us(&tally->parts, row->us);
	return code_tally_list(&tally->codes, &row->codes);
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int row_compare(const void *left, const void *right)
{
	const struct snapshot_worker *a = left, *b = right;
	int order = compare(a->pid, b->pid);

	return order ? order : compare(a->generation, b->generation);
}

int worker_tallies_rows(const struct keyrows *workers, struct snapshot *snapshot)
{
	snapshot->workers = calloc(workers->used + 1, sizeof(*snapshot->workers));
	if (!snapshot->workers)
		return -ENOMEM;
	for (size_t i = 0; i < workers->slots; i++) {
		const struct keyrows_slot *slot = &workers->at[i];

		if (slot->row && fill_row(slot->row, slot->key, &snapshot->workers[snapshot->worker_count++]) < 0)
			return -ENOMEM;
	}
	qsort(snapshot->workers, snapshot->worker_count, sizeof(*snapshot->workers), row_compare);
	return 0;
}
