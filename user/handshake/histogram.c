/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Latency histograms over the buckets of tlswhy/verdict.h.
 *
 * Invariant: counts[] adds up to count, and no number ever goes below 0; what would is refused.
 * Must not know: causes, directions.
 */
#include <errno.h>

#include "handshake/histogram.h"

static uint32_t known_bucket(uint32_t bucket)
{
	return bucket < LATENCY_BUCKET_OVERFLOW ? bucket : LATENCY_BUCKET_OVERFLOW;
}

/* What is known of the greatest latency of a bucket; the open bucket has a lower bound only. */
static uint64_t bucket_max_ns(uint32_t bucket)
{
	if (bucket == LATENCY_BUCKET_OVERFLOW)
		return latency_bucket_bound_ns(LATENCY_BUCKET_OVERFLOW - 1) + 1;
	return latency_bucket_bound_ns(bucket);
}

static bool in_open_bucket(uint64_t latency_ns)
{
	return latency_bucket(latency_ns) == LATENCY_BUCKET_OVERFLOW;
}

static void raise_max(struct histogram *histogram, uint64_t max_ns, bool is_bound)
{
	/* A lower bound stays one, however great an exact latency is beside it. */
	bool open = (is_bound && in_open_bucket(max_ns)) ||
		    (histogram->max_is_bound && in_open_bucket(histogram->max_ns));

	if (max_ns > histogram->max_ns) {
		histogram->max_ns = max_ns;
		histogram->max_is_bound = is_bound;
	} else if (max_ns == histogram->max_ns && !is_bound) {
		histogram->max_is_bound = false;
	}
	if (open)
		histogram->max_is_bound = true;
}

/* After something left the histogram: max_ns is still a bound, but maybe of what is gone. */
static void lower_max(struct histogram *histogram)
{
	uint32_t top = LATENCY_BUCKETS;
	uint64_t bound_ns;

	while (top > 0 && histogram->counts[top - 1] == 0)
		top--;
	if (top == 0) {
		*histogram = (struct histogram){ 0 };
		return;
	}
	bound_ns = bucket_max_ns(top - 1);
	if (top - 1 == LATENCY_BUCKET_OVERFLOW || bound_ns < histogram->max_ns)
		histogram->max_ns = bound_ns;
	histogram->max_is_bound = true;
}

void histogram_add(struct histogram *histogram, uint64_t latency_ns)
{
	histogram->counts[latency_bucket(latency_ns)]++;
	histogram->count++;
	histogram->sum_ns += latency_ns;
	raise_max(histogram, latency_ns, false);
}

void histogram_add_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count, uint64_t sum_ns)
{
	if (count == 0)
		return;
	bucket = known_bucket(bucket);
	histogram->counts[bucket] += count;
	histogram->count += count;
	histogram->sum_ns += sum_ns;
	raise_max(histogram, bucket_max_ns(bucket), true);
}

int histogram_subtract_bucket(struct histogram *histogram, uint32_t bucket, uint64_t count, uint64_t sum_ns)
{
	bucket = known_bucket(bucket);
	if (histogram->counts[bucket] < count || histogram->sum_ns < sum_ns)
		return -ERANGE;
	if (count == 0)
		return 0;
	histogram->counts[bucket] -= count;
	histogram->count -= count;
	histogram->sum_ns -= sum_ns;
	if (histogram->count == 0 || bucket >= latency_bucket(histogram->max_ns))
		lower_max(histogram);
	return 0;
}

int histogram_subtract(struct histogram *histogram, uint64_t latency_ns)
{
	return histogram_subtract_bucket(histogram, latency_bucket(latency_ns), 1, latency_ns);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++)
		into->counts[i] += from->counts[i];
	into->count += from->count;
	into->sum_ns += from->sum_ns;
	if (from->count > 0)
		raise_max(into, from->max_ns, from->max_is_bound);
}

uint64_t histogram_subtract_all(struct histogram *histogram, const struct histogram *taken)
{
	bool max_is_stale = taken->counts[latency_bucket(histogram->max_ns)] > 0;
	uint64_t missing = 0;

	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
		uint64_t count = taken->counts[i];

		if (count > histogram->counts[i]) {
			missing += count - histogram->counts[i];
			count = histogram->counts[i];
		}
		histogram->counts[i] -= count;
		histogram->count -= count;
	}
	histogram->sum_ns -= taken->sum_ns < histogram->sum_ns ? taken->sum_ns : histogram->sum_ns;
	if (histogram->count == 0 || max_is_stale)
		lower_max(histogram);
	return missing;
}

uint64_t histogram_quantile_ns(const struct histogram *histogram, double q)
{
	double exact = q * (double)histogram->count;
	uint64_t rank = 1, below = 0;

	if (histogram->count == 0)
		return 0;
	if (q >= 1) {
		rank = histogram->count;
	} else if (q > 0) {
		rank = (uint64_t)exact;
		if ((double)rank < exact || rank == 0)
			rank++;
	}
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
		below += histogram->counts[i];
		if (below >= rank) {
			uint64_t bound_ns = latency_bucket_bound_ns(i);

			return bound_ns < histogram->max_ns ? bound_ns : histogram->max_ns;
		}
	}
	return histogram->max_ns;
}
