/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A latency histogram: fixed memory, count, sum and maximum included, so that it can be exported and added up.
 *
 * Buckets are those of tlswhy/verdict.h: upper bounds inclusive, as an exported "le" is, the last one open.
 * Invariants: count is the sum of counts[]; an empty histogram is all zero, so `= { 0 }` makes one.
 *
 * max_ns is the greatest latency added, exact unless max_is_bound. It is then only a bound of it, because a value
 * came without its exact latency or the greatest one may have been taken away again: an upper bound, the
 * bucket's; in the open last bucket, which has no upper bound, a lower one.
 * Must not know: what the latencies are of.
 */
#ifndef TLSWHY_HANDSHAKE_HISTOGRAM_H
#define TLSWHY_HANDSHAKE_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"

struct histogram {
	uint64_t counts[LATENCY_BUCKETS];
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
	bool max_is_bound;
};

void histogram_add(struct histogram *histogram, uint64_t latency_ns);

/*
 * Adds count latencies of which only the bucket and the sum are known. A bucket beyond the last is the last. The
 * maximum becomes the bucket's bound where that is above it. A count of 0 changes nothing.
 */
void histogram_add_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count, uint64_t sum_ns);

/* Takes back one latency that was added before. -ERANGE, and nothing changed, where bucket or sum is too small. */
int histogram_subtract(struct histogram *histogram, uint64_t latency_ns);

/* The same for count latencies of one bucket with their sum. */
int histogram_subtract_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count, uint64_t sum_ns);

/* Adds from to into. They may not be the same. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * Takes all of taken out of histogram, bucket by bucket, never below 0. Returns how many could not be taken, 0 where
 * taken was a part of histogram. The result depends on the two alone and not on the order in which they grew.
 */
uint64_t histogram_subtract_all(struct histogram *histogram, const struct histogram *taken);

/*
 * Quantile q (0 to 1, else clamped), nearest rank: the inclusive upper bound, in ns, of the bucket that holds the
 * ceil(q * count)-th smallest latency, but never above max_ns; so it is too high by less than a quarter, one bucket's
 * width. 0 when empty.
 */
uint64_t histogram_quantile_ns(const struct histogram *histogram, double q);

#endif
