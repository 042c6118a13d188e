/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distinct counting: a sorted set of the least hashes, and HyperLogLog registers once the set is too small.
 *
 * Invariant: registers is NULL exactly while no more than DISTINCT_EXACT different hashes were seen.
 * Must not know: what was hashed.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "handshake/distinct.h"

#define FIRST_ROOM 16
#define RANK_BITS  (64 - DISTINCT_PRECISION)

void distinct_release(struct distinct *distinct)
{
	free(distinct->sample);
	free(distinct->registers);
	*distinct = (struct distinct){ 0 };
}

/* Where the hash is in the sample, or belongs. */
static uint32_t sample_place(const struct distinct *distinct, uint64_t hash)
{
	uint32_t low = 0, high = distinct->used;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (distinct->sample[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int sample_grow(struct distinct *distinct)
{
	uint32_t room = distinct->room ? 2 * distinct->room : FIRST_ROOM;
	uint64_t *sample = realloc(distinct->sample, room * sizeof(*sample));

	if (!sample)
		return -ENOMEM;
	distinct->sample = sample;
	distinct->room = room;
	return 0;
}

/* The low bits choose the register, the leading zeros of the others are the evidence. */
static void registers_add(uint8_t *registers, uint64_t hash)
{
	uint8_t *slot = &registers[hash & (DISTINCT_REGISTERS - 1)];
	uint64_t rest = hash >> DISTINCT_PRECISION;
	int rank = rest ? __builtin_clzll(rest) - DISTINCT_PRECISION + 1 : RANK_BITS + 1;

	if (rank > *slot)
		*slot = (uint8_t)rank;
}

static uint8_t *registers_of(const struct distinct *distinct)
{
	uint8_t *registers = calloc(DISTINCT_REGISTERS, 1);

	if (registers && distinct->registers)
		memcpy(registers, distinct->registers, DISTINCT_REGISTERS);
	for (uint32_t i = 0; registers && !distinct->registers && i < distinct->used; i++)
		registers_add(registers, distinct->sample[i]);
	return registers;
}

int distinct_add(struct distinct *distinct, uint64_t hash)
{
	uint32_t place;

	if (distinct->registers)
		registers_add(distinct->registers, hash);
	if (distinct->registers && hash > distinct->sample[DISTINCT_EXACT - 1])
		return 0;
	place = sample_place(distinct, hash);
	if (place < distinct->used && distinct->sample[place] == hash)
		return 0;
	if (distinct->used == DISTINCT_EXACT && !distinct->registers) {
		distinct->registers = registers_of(distinct);
		if (!distinct->registers)
			return -ENOMEM;
		registers_add(distinct->registers, hash);
	}
	if (distinct->used < DISTINCT_EXACT) {
		if (distinct->used == distinct->room && sample_grow(distinct) < 0)
			return -ENOMEM;
		distinct->used++;
	}
	if (place < distinct->used) {
		memmove(&distinct->sample[place + 1], &distinct->sample[place],
			(distinct->used - 1 - place) * sizeof(*distinct->sample));
		distinct->sample[place] = hash;
	}
	return 0;
}

/* Ertl's sigma: what the registers that are still 0 stand for. */
static double zero_registers(double share)
{
	double sum = share, last, weight = 1;

	if (share >= 1)
		return (double)INFINITY;
	do {
		share *= share;
		last = sum;
		sum += share * weight;
		weight += weight;
	} while (sum > last);
	return sum;
}

/* Ertl's tau: what the registers that cannot rise any more stand for, by the share of those that can. */
static double full_registers(double share)
{
	double sum = 1 - share, last, weight = 1;

	if (share <= 0 || share >= 1)
		return 0;
	do {
		share = sqrt(share);
		last = sum;
		weight /= 2;
		sum -= (1 - share) * (1 - share) * weight;
	} while (sum < last);
	return sum / 3;
}

double distinct_count(const struct distinct *distinct)
{
	const double m = DISTINCT_REGISTERS, alpha = 0.5 / 0.69314718055994530942; /* 1 / (2 ln 2) */
	uint32_t ranks[RANK_BITS + 2] = { 0 };
	double sum;

	if (!distinct->registers)
		return distinct->used;
	for (uint32_t i = 0; i < DISTINCT_REGISTERS; i++)
		ranks[distinct->registers[i]]++;
	sum = m * full_registers(1 - ranks[RANK_BITS + 1] / m);
	for (uint32_t rank = RANK_BITS; rank > 0; rank--)
		sum = (sum + ranks[rank]) / 2;
	sum += m * zero_registers(ranks[0] / m);
	return alpha * m * m / sum;
}

/* The least different hashes of both, at most DISTINCT_EXACT. Returns how many there are up to one more. */
static uint32_t sample_merge(const struct distinct *a, const struct distinct *b, uint64_t *sample)
{
	uint32_t i = 0, k = 0, used = 0;

	while (i < a->used || k < b->used) {
		uint64_t hash;

		if (k == b->used || (i < a->used && a->sample[i] <= b->sample[k]))
			hash = a->sample[i];
		else
			hash = b->sample[k];
		i += i < a->used && a->sample[i] == hash;
		k += k < b->used && b->sample[k] == hash;
		if (used == DISTINCT_EXACT)
			return used + 1;
		sample[used++] = hash;
	}
	return used;
}

int distinct_merge(struct distinct *into, const struct distinct *from)
{
	autofree uint64_t *sample = NULL;
	autofree uint8_t *registers = NULL;
	uint32_t used;

	if (into == from)
		return -EINVAL;
	if (from->used == 0)
		return 0;
	sample = calloc(DISTINCT_EXACT, sizeof(*sample));
	if (!sample)
		return -ENOMEM;
	used = sample_merge(into, from, sample);
	if (into->registers || from->registers || used > DISTINCT_EXACT) {
		registers = registers_of(into);
		if (!registers)
			return -ENOMEM;
		for (uint32_t i = 0; !from->registers && i < from->used; i++)
			registers_add(registers, from->sample[i]);
		for (uint32_t i = 0; from->registers && i < DISTINCT_REGISTERS; i++)
			registers[i] = registers[i] > from->registers[i] ? registers[i] : from->registers[i];
	}
	distinct_release(into);
	into->sample = take_pointer(sample);
	into->registers = take_pointer(registers);
	into->used = used < DISTINCT_EXACT ? used : DISTINCT_EXACT;
	into->room = DISTINCT_EXACT;
	return 0;
}
