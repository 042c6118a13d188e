/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many different things were seen, and a fair sample of them, in at most 8 KiB.
 *
 * Up to DISTINCT_EXACT different hashes are kept as they are and the count is exact. Beyond, HyperLogLog (Flajolet
 * et al., 2007) with m = 4096 registers counts: standard error 1.04 / sqrt(m) = 1.6 %, without bias over the whole
 * range (Ertl, New cardinality estimation algorithms for HyperLogLog sketches, 2017, algorithm 6). The
 * DISTINCT_EXACT least hashes stay as a sample: hashes are uniform, so what is true of a share of them is true of
 * about that share of all.
 *
 * Invariant: a sketch is a function of the set of hashes it saw. Order, repetition and merging change nothing.
 * Two sketches may be merged only where the hashes come from the same function with the same seed.
 * Must not know: what was hashed.
 */
#ifndef TLSWHY_HANDSHAKE_DISTINCT_H
#define TLSWHY_HANDSHAKE_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

#define DISTINCT_EXACT     512
#define DISTINCT_PRECISION 12
#define DISTINCT_REGISTERS (1 << DISTINCT_PRECISION)

/* `= { 0 }` is an empty sketch. */
struct distinct {
	uint64_t *sample;   /* the least hashes seen, ascending */
	uint32_t used;      /* of sample[] */
	uint32_t room;      /* of sample[] */
	uint8_t *registers; /* NULL while the sample is the whole set */
};

void distinct_release(struct distinct *distinct);

/* Takes a hash whose 64 bits are uniform. Returns 0, or -ENOMEM with the sketch unchanged. */
int distinct_add(struct distinct *distinct, uint64_t hash);

/* The number of different hashes: exact up to DISTINCT_EXACT, beyond an estimate. */
double distinct_count(const struct distinct *distinct);

/* Adds from to into. Returns 0, -EINVAL where they are the same sketch, or -ENOMEM with into unchanged. */
int distinct_merge(struct distinct *into, const struct distinct *from);

#endif
