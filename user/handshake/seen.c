/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counting Bloom filter of peers.
 *
 * Invariant: used is the number of counters that are not 0.
 * Must not know: what a peer is.
 */
#include <errno.h>
#include <stdlib.h>

#include "handshake/seen.h"

/* Double hashing; the odd step visits four different counters. */
static size_t counter_index(uint64_t hash, unsigned int i)
{
	return (size_t)((hash + i * (hash >> 32 | 1)) & (PEER_FILTER_COUNTERS - 1));
}

void peer_filter_release(struct peer_filter *filter)
{
	free(filter->counters);
	*filter = (struct peer_filter){ 0 };
}

static int peer_filter_reserve(struct peer_filter *filter)
{
	if (!filter->counters)
		filter->counters = calloc(PEER_FILTER_COUNTERS, 1);
	return filter->counters ? 0 : -ENOMEM;
}

void peer_filter_prefetch(const struct peer_filter *filter, uint64_t hash)
{
	for (unsigned int i = 0; i < PEER_FILTER_HASHES && filter->counters; i++)
		__builtin_prefetch(&filter->counters[counter_index(hash, i)], 1);
}

int peer_filter_add(struct peer_filter *filter, uint64_t hash)
{
	if (peer_filter_reserve(filter) < 0)
		return -ENOMEM;
	for (unsigned int i = 0; i < PEER_FILTER_HASHES; i++) {
		uint8_t *counter = &filter->counters[counter_index(hash, i)];

		filter->used += *counter == 0;
		if (*counter < UINT8_MAX)
			++*counter;
	}
	return 0;
}

bool peer_filter_has(const struct peer_filter *filter, uint64_t hash)
{
	for (unsigned int i = 0; i < PEER_FILTER_HASHES; i++)
		if (!filter->counters || filter->counters[counter_index(hash, i)] == 0)
			return false;
	return true;
}

void peer_filter_remove(struct peer_filter *filter, uint64_t hash)
{
	if (!peer_filter_has(filter, hash))
		return;
	for (unsigned int i = 0; i < PEER_FILTER_HASHES; i++) {
		uint8_t *counter = &filter->counters[counter_index(hash, i)];

		/* A counter that overflowed no longer knows how many are in it. */
		if (*counter < UINT8_MAX)
			--*counter;
		filter->used -= *counter == 0;
	}
}

int peer_filter_merge(struct peer_filter *into, const struct peer_filter *from)
{
	if (into == from)
		return -EINVAL;
	if (!from->counters)
		return 0;
	if (peer_filter_reserve(into) < 0)
		return -ENOMEM;
	into->used = 0;
	for (size_t i = 0; i < PEER_FILTER_COUNTERS; i++) {
		unsigned int sum = (unsigned int)into->counters[i] + from->counters[i];

		into->counters[i] = sum < UINT8_MAX ? (uint8_t)sum : UINT8_MAX;
		into->used += sum > 0;
	}
	return 0;
}

double peer_filter_false_ratio(const struct peer_filter *filter)
{
	double share = (double)filter->used / PEER_FILTER_COUNTERS, ratio = 1;

	for (unsigned int i = 0; i < PEER_FILTER_HASHES; i++)
		ratio *= share;
	return ratio;
}
