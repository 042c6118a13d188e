/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workers, added up by master and generation. Contract: snapshot_fill_generations() in snapshot.h.
 *
 * Invariant: every number of a row is the sum over its workers' rows, but for what is unattributed: that is the whole
 * less the parts, as everywhere.
 * Must not know: where workers come from.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "handshake/codes.h"
#include "handshake/parts_tally.h"
#include "handshake/snapshot.h"

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* A place in the order in which rows are added up. */
struct place {
	const struct snapshot_worker *worker;
};

/* The rows of one process end up side by side, so that it is counted once. */
static int place_compare(const void *left, const void *right)
{
	const struct snapshot_worker *a = ((const struct place *)left)->worker;
	const struct snapshot_worker *b = ((const struct place *)right)->worker;
	int order = compare(a->master_pid, b->master_pid);

	if (order == 0)
		order = compare(a->generation, b->generation);
	return order ? order : compare(a->pid, b->pid);
}

static bool is_of(const struct generation_row *row, const struct snapshot_worker *worker)
{
	return row->master_pid == worker->master_pid && row->generation == worker->generation;
}

static void add_code(struct code_counts *codes, const struct code_count *added)
{
	size_t i = 0;

	while (i < codes->count && (codes->items[i].kind != added->kind || codes->items[i].code != added->code))
		i++;
	if (i == codes->count)
		codes->items[codes->count++] = (struct code_count){ .kind = added->kind, .code = added->code };
	codes->items[i].count += added->count;
}

/* Room for all codes of a generation's workers, as if no two were the same. */
static int add_codes(struct generation_row *row, const struct snapshot_worker *worker)
{
	size_t most = row->codes.count + worker->codes.count;
	struct code_count *items;

	if (worker->codes.count == 0)
		return 0;
	items = reallocarray(row->codes.items, most, sizeof(*items));
	if (!items)
		return -ENOMEM;
	row->codes.items = items;
	for (size_t i = 0; i < worker->codes.count; i++)
		add_code(&row->codes, &worker->codes.items[i]);
	return 0;
}

static int add_worker(struct generation_row *row, const struct snapshot_worker *worker)
{
	row->handshakes += worker->handshakes;
	row->failed += worker->failed;
	row->resumed += worker->resumed;
	row->given_up += worker->given_up;
	row->given_up_late += worker->given_up_late;
	row->count += worker->count;
	row->whole_us += worker->whole_us;
	row->before_us += worker->before_us;
	for (unsigned int part = 0; part < PART_COUNT; part++)
		row->us[part] += worker->us[part];
	histogram_merge(&row->latency, &worker->latency);
	histogram_merge(&row->lag, &worker->lag);
	return add_codes(row, worker);
}

static void release_rows(struct generation_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(rows[i].codes.items);
	free(rows);
}

/* Adds up workers in order. Returns 0, or -ENOMEM with what there is in rows[] and *count. */
static int add_up(const struct place *places, size_t worker_count, struct generation_row *rows, size_t *count)
{
	for (size_t i = 0; i < worker_count; i++) {
		const struct snapshot_worker *worker = places[i].worker;
		struct generation_row *row = *count > 0 ? &rows[*count - 1] : NULL;
		bool fresh = !row || !is_of(row, worker);

		if (fresh) {
			row = &rows[(*count)++];
			row->master_pid = worker->master_pid;
			row->generation = worker->generation;
		}
		if (fresh || places[i - 1].worker->pid != worker->pid)
			row->workers++;
		if (add_worker(row, worker) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < *count; i++) {
		rows[i].us[PART_UNATTRIBUTED] = parts_unattributed_us(rows[i].whole_us, rows[i].us);
		code_counts_sort(&rows[i].codes);
	}
	return 0;
}

int snapshot_fill_generations(struct snapshot *snapshot)
{
	autofree struct place *places = calloc(snapshot->worker_count + 1, sizeof(*places));
	struct generation_row *rows;
	size_t count = 0, most = 1;

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->worker_count; i++)
		places[i].worker = &snapshot->workers[i];
	qsort(places, snapshot->worker_count, sizeof(*places), place_compare);
	for (size_t i = 1; i < snapshot->worker_count; i++)
		most += places[i - 1].worker->master_pid != places[i].worker->master_pid ||
			places[i - 1].worker->generation != places[i].worker->generation;
	rows = calloc(most, sizeof(*rows));
	if (!rows || add_up(places, snapshot->worker_count, rows, &count) < 0) {
		release_rows(rows, count);
		return -ENOMEM;
	}
	release_rows(snapshot->generations, snapshot->generation_count);
	snapshot->generations = rows;
	snapshot->generation_count = count;
	return 0;
}
