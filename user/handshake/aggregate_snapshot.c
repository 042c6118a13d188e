/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot of what was counted.
 *
 * Invariant: the aggregate is not changed, and the given snapshot only when everything worked.
 * Must not know: where records come from, the time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/aggregate_private.h"

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Most frequent first; equal ones in the order of the list of causes. */
static int cause_row_compare(const void *left, const void *right)
{
	const struct cause_row *a = left, *b = right;
	int order = compare(b->count, a->count);

	if (order == 0)
		order = compare(a->direction, b->direction);
	return order ? order : compare(a->cause, b->cause);
}

static int version_row_compare(const void *left, const void *right)
{
	const struct version_row *a = left, *b = right;
	int order = compare(a->direction, b->direction);

	if (order == 0)
		order = compare(b->count, a->count);
	return order ? order : compare(a->version, b->version);
}

static int cipher_row_compare(const void *left, const void *right)
{
	const struct cipher_row *a = left, *b = right;
	int order = compare(a->direction, b->direction);

	if (order == 0)
		order = compare(b->count, a->count);
	return order ? order : compare(a->cipher, b->cipher);
}

static int group_row_compare(const void *left, const void *right)
{
	const struct group_row *a = left, *b = right;
	int order = compare(a->direction, b->direction);

	if (order == 0)
		order = compare(b->count, a->count);
	return order ? order : compare(a->group, b->group);
}

/* Most handshakes first; equal ones by direction, then what has a name by it, the nameless and the rest before. */
static int server_row_compare(const void *left, const void *right)
{
	const struct server_row *a = left, *b = right;
	int order = compare(b->ok + b->failed, a->ok + a->failed);

	if (order == 0)
		order = compare(a->direction, b->direction);
	if (order == 0)
		order = memcmp(a->name, b->name, sizeof(a->name));
	if (order == 0)
		order = compare(a->name_bytes, b->name_bytes);
	return order ? order : compare(a->is_rest, b->is_rest);
}

/* Of what was counted here, where the kernel's counters are not there. */
static struct totals counted_totals(const struct aggregate *aggregate, unsigned int direction)
{
	const struct ok_tally *ok = &aggregate->ok[direction];
	struct totals totals = {
		.ok = count_less(ok->added.count, ok->taken.count),
		.resumed = count_less(ok->added.resumed, ok->taken.resumed),
		.joined = count_less(ok->added.joined, ok->taken.joined),
	};

	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
		totals.failed += aggregate->causes[direction][cause].sums.count;
		totals.joined += aggregate->causes[direction][cause].sums.joined;
	}
	totals.begun = totals.ok + totals.failed;
	return totals;
}

static void fill_totals(const struct aggregate *aggregate, struct snapshot *snapshot)
{
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		struct totals *totals = &snapshot->totals[direction];

		if (!aggregate->has_totals) {
			*totals = counted_totals(aggregate, direction);
			continue;
		}
		*totals = aggregate->totals[direction];
		totals->resumed = count_less(totals->resumed, aggregate->ok[direction].taken.resumed);
	}
	snapshot->losses = aggregate->losses;
	snapshot->hellos_cut = aggregate->hellos_cut;
}

static int fill_cause(const struct aggregate *aggregate, unsigned int direction, unsigned int cause,
		      struct snapshot *snapshot)
{
	const struct cause_tally *tally = &aggregate->causes[direction][cause];
	const struct totals *totals = &snapshot->totals[direction];
	uint64_t ended = count_less(totals->begun, totals->open + totals->evicted);
	struct cause_row *row;

	if (tally->sums.count == 0)
		return 0;
	row = &snapshot->causes[snapshot->cause_count++];
	row->direction = direction;
	row->cause = (enum cause)cause;
	row->share = ended > 0 ? (double)tally->sums.count / (double)ended : 0;
	if (direction == DIRECTION_UPSTREAM) {
		row->requests_lost = aggregate->impact.lost[cause];
		row->requests_rescued = impact_rescued(&aggregate->impact, (enum cause)cause);
	}
	return cause_tally_row(tally, &aggregate->limits, &aggregate->ok_peers, row);
}

static int fill_causes(const struct aggregate *aggregate, struct snapshot *snapshot)
{
	size_t count = 0;

	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			count += aggregate->causes[direction][cause].sums.count > 0;
	if (count == 0)
		return 0;
	snapshot->causes = calloc(count, sizeof(*snapshot->causes));
	if (!snapshot->causes)
		return -ENOMEM;
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			if (fill_cause(aggregate, direction, cause, snapshot) < 0)
				return -ENOMEM;
	qsort(snapshot->causes, snapshot->cause_count, sizeof(*snapshot->causes), cause_row_compare);
	return 0;
}

static void fill_ok(const struct aggregate *aggregate, struct snapshot *snapshot)
{
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		snapshot->ok[direction].direction = direction;
		ok_tally_row(&aggregate->ok[direction], &snapshot->ok[direction]);
	}
}

static int fill_versions(const struct keycount *versions, struct snapshot *snapshot)
{
	snapshot->versions = calloc(versions->used + 1, sizeof(*snapshot->versions));
	if (!snapshot->versions)
		return -ENOMEM;
	for (size_t i = 0; i < versions->slots; i++) {
		const struct keycount_entry *entry = &versions->entries[i];

		if (entry->used && entry->count > 0)
			snapshot->versions[snapshot->version_count++] = (struct version_row){
				.direction = (unsigned int)(entry->key >> 16),
				.version = (uint16_t)entry->key,
				.count = (uint64_t)entry->count,
			};
	}
	qsort(snapshot->versions, snapshot->version_count, sizeof(*snapshot->versions), version_row_compare);
	return 0;
}

static int fill_ciphers(const struct keycount *ciphers, struct snapshot *snapshot)
{
	snapshot->ciphers = calloc(ciphers->used + 1, sizeof(*snapshot->ciphers));
	if (!snapshot->ciphers)
		return -ENOMEM;
	for (size_t i = 0; i < ciphers->slots; i++) {
		const struct keycount_entry *entry = &ciphers->entries[i];

		if (entry->used && entry->count > 0)
			snapshot->ciphers[snapshot->cipher_count++] = (struct cipher_row){
				.direction = (unsigned int)(entry->key >> 16),
				.cipher = (uint16_t)entry->key,
				.count = (uint64_t)entry->count,
			};
	}
	qsort(snapshot->ciphers, snapshot->cipher_count, sizeof(*snapshot->ciphers), cipher_row_compare);
	return 0;
}

static int fill_groups(const struct keycount *groups, struct snapshot *snapshot)
{
	snapshot->groups = calloc(groups->used + 1, sizeof(*snapshot->groups));
	if (!snapshot->groups)
		return -ENOMEM;
	for (size_t i = 0; i < groups->slots; i++) {
		const struct keycount_entry *entry = &groups->entries[i];

		if (entry->used && entry->count > 0)
			snapshot->groups[snapshot->group_count++] = (struct group_row){
				.direction = (unsigned int)(entry->key >> 16),
				.group = (uint16_t)entry->key,
				.count = (uint64_t)entry->count,
			};
	}
	qsort(snapshot->groups, snapshot->group_count, sizeof(*snapshot->groups), group_row_compare);
	return 0;
}

static int fill_servers(const struct aggregate *aggregate, struct snapshot *snapshot)
{
	size_t most = 0;

	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		most += servers_rows_max(&aggregate->servers[direction]);
	snapshot->servers = calloc(most, sizeof(*snapshot->servers));
	if (!snapshot->servers)
		return -ENOMEM;
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		if (servers_rows(&aggregate->servers[direction], direction, snapshot) < 0)
			return -ENOMEM;
	qsort(snapshot->servers, snapshot->server_count, sizeof(*snapshot->servers), server_row_compare);
	return 0;
}

/* Moves what was made here over what was there, and leaves the old in made, to be released with it. */
static void snapshot_exchange(struct snapshot *snapshot, struct snapshot *made)
{
	struct snapshot old = *snapshot;

#define EXCHANGE(field) (snapshot->field = made->field, made->field = old.field)
	EXCHANGE(exact);
	EXCHANGE(inexact_reason);
	EXCHANGE(losses);
	EXCHANGE(hellos_cut);
	EXCHANGE(causes);
	EXCHANGE(cause_count);
	EXCHANGE(versions);
	EXCHANGE(version_count);
	EXCHANGE(ciphers);
	EXCHANGE(cipher_count);
	EXCHANGE(workers);
	EXCHANGE(worker_count);
	EXCHANGE(groups);
	EXCHANGE(group_count);
	EXCHANGE(costs);
	EXCHANGE(cost_count);
	EXCHANGE(servers);
	EXCHANGE(server_count);
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		EXCHANGE(totals[direction]);
		EXCHANGE(ok[direction]);
	}
#undef EXCHANGE
}

int aggregate_snapshot(const struct aggregate *aggregate, struct snapshot *snapshot)
{
	struct snapshot made;
	int err;

	snapshot_init(&made);
	fill_totals(aggregate, &made);
	fill_ok(aggregate, &made);
	err = fill_causes(aggregate, &made);
	if (err == 0)
		err = fill_versions(&aggregate->versions, &made);
	if (err == 0)
		err = fill_ciphers(&aggregate->ciphers, &made);
	if (err == 0)
		err = fill_groups(&aggregate->groups, &made);
	if (err == 0)
		err = worker_tallies_rows(&aggregate->workers, &made);
	if (err == 0)
		err = costs_rows(&aggregate->costs, &made);
	if (err == 0)
		err = fill_servers(aggregate, &made);
	if (err == 0)
		err = snapshot_judge(&made, aggregate->has_totals);
	if (err == 0)
		snapshot_exchange(snapshot, &made);
	snapshot_release(&made);
	return err;
}
