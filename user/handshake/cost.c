/* SPDX-License-Identifier: BSD-2-Clause */
/* Costs of kinds of handshake. Contract: cost.h. */
#include "handshake/cost.h"

#include <errno.h>
#include <stdlib.h>

#define COSTS_LIMIT         128
#define VERSION_BITS        16
#define AUTHENTICATION_BITS 8
#define RESUMED_SHIFT       (VERSION_BITS + AUTHENTICATION_BITS)
#define DIRECTION_SHIFT     (RESUMED_SHIFT + 1)
#define REST_MASK           (~(uint64_t)0 << RESUMED_SHIFT)

_Static_assert(AUTHENTICATION_COUNT <= 1 << AUTHENTICATION_BITS, "a kind of key fits in its bits");
_Static_assert(AUTHENTICATION_UNKNOWN == 0, "the row of the rest is of no known key");

int costs_init(struct keyrows *costs)
{
	return keyrows_init(costs, COSTS_LIMIT, sizeof(struct cost), REST_MASK);
}

static uint64_t key_of(const struct batch *batch)
{
	return (uint64_t)batch->direction << DIRECTION_SHIFT | (uint64_t)batch->resumed << RESUMED_SHIFT |
	       (uint64_t)batch->authentication << VERSION_BITS | batch->tls_version;
}

int costs_add(struct keyrows *costs, const struct batch *batch)
{
	struct cost *cost;

	/* Of a recording of before there were parts the cost is not known. */
	if (batch->cause != CAUSE_OK || batch->unmeasured || !batch->part_us[PART_CPU])
		return 0;
	cost = keyrows_get(costs, key_of(batch));
	if (!cost)
		return -ENOMEM;
	cost->count += batch->count;
	cost->cpu_us += batch->part_us[PART_CPU];
	if (!batch->spilled)
		histogram_add(&cost->cpu, 1000 * batch->part_us[PART_CPU]);
	return 0;
}

int costs_merge(struct keyrows *into, const struct keyrows *from)
{
	int err = 0;

	for (size_t i = 0; i < from->slots; i++) {
		const struct keyrows_slot *slot = &from->at[i];
		const struct cost *row = slot->row;
		struct cost *cost = row ? keyrows_get(into, slot->key) : NULL;

		if (row && !cost)
			err = -ENOMEM;
		if (!cost)
			continue;
		cost->count += row->count;
		cost->cpu_us += row->cpu_us;
		histogram_merge(&cost->cpu, &row->cpu);
	}
	return err;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int row_compare(const void *left, const void *right)
{
	const struct cost_row *a = left, *b = right;
	int order = compare(a->direction, b->direction);

	if (order == 0)
		order = compare(b->cpu_us, a->cpu_us);
	if (order == 0)
		order = compare(b->version, a->version);
	if (order == 0)
		order = compare(a->resumed, b->resumed);
	return order ? order : compare(a->authentication, b->authentication);
}

int costs_rows(const struct keyrows *costs, struct snapshot *snapshot)
{
	snapshot->costs = calloc(costs->used + 1, sizeof(*snapshot->costs));
	if (!snapshot->costs)
		return -ENOMEM;
	for (size_t i = 0; i < costs->slots; i++) {
		const struct keyrows_slot *slot = &costs->at[i];
		const struct cost *cost = slot->row;

		if (cost)
			snapshot->costs[snapshot->cost_count++] = (struct cost_row){
				.direction = (unsigned int)(slot->key >> DIRECTION_SHIFT),
				.version = (uint16_t)slot->key,
				.resumed = slot->key >> RESUMED_SHIFT & 1,
				.authentication = (enum authentication)(slot->key >> VERSION_BITS &
									((1u << AUTHENTICATION_BITS) - 1)),
				.count = cost->count,
				.cpu_us = cost->cpu_us,
				.cpu = cost->cpu,
			};
	}
	qsort(snapshot->costs, snapshot->cost_count, sizeof(*snapshot->costs), row_compare);
	return 0;
}
