/* SPDX-License-Identifier: BSD-2-Clause */
/* Histograms: sums, the honest maximum, taking back, quantiles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "handshake/histogram.h"

Suite *suite_histogram(void);

#define MS 1000000ull

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void assert_equal(const struct histogram *a, const struct histogram *b)
{
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++)
		ck_assert_msg(a->counts[i] == b->counts[i], "bucket %u", i);
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_eq(a->sum_ns, b->sum_ns);
	ck_assert_uint_eq(a->max_ns, b->max_ns);
	ck_assert_int_eq(a->max_is_bound, b->max_is_bound);
}

START_TEST(add_counts_sum_and_max)
{
	struct histogram h = { 0 };

	histogram_add(&h, 3 * MS);
	histogram_add(&h, 5 * MS);
	histogram_add(&h, 0);
	ck_assert_uint_eq(h.count, 3);
	ck_assert_uint_eq(h.sum_ns, 8 * MS);
	ck_assert_uint_eq(h.max_ns, 5 * MS);
	ck_assert(!h.max_is_bound);
	ck_assert_uint_eq(h.counts[0], 1);
	ck_assert_uint_eq(h.counts[latency_bucket(5 * MS)], 1);
}
END_TEST

START_TEST(bucket_gives_a_bound_as_max)
{
	struct histogram h = { 0 };
	uint32_t bucket = latency_bucket(7 * MS);

	histogram_add_bucket(&h, bucket, 0, 0);
	ck_assert_uint_eq(h.count, 0);
	histogram_add_bucket(&h, bucket, 2, 14 * MS);
	ck_assert_uint_eq(h.count, 2);
	ck_assert_uint_eq(h.sum_ns, 14 * MS);
	ck_assert_uint_eq(h.max_ns, latency_bucket_bound_ns(bucket));
	ck_assert(h.max_is_bound);
	/* An exact latency above the bound, or right on it, is the maximum for certain. */
	histogram_add(&h, latency_bucket_bound_ns(bucket));
	ck_assert(!h.max_is_bound);
	histogram_add(&h, 20 * MS);
	ck_assert_uint_eq(h.max_ns, 20 * MS);
	ck_assert(!h.max_is_bound);
	histogram_add_bucket(&h, bucket, 1, 7 * MS);
	ck_assert_uint_eq(h.max_ns, 20 * MS);
	ck_assert(!h.max_is_bound);
}
END_TEST

START_TEST(open_bucket_has_a_lower_bound)
{
	uint64_t lowest_ns = latency_bucket_bound_ns(LATENCY_BUCKET_OVERFLOW - 1) + 1;
	struct histogram h = { 0 };

	histogram_add_bucket(&h, LATENCY_BUCKETS + 5, 1, 400000 * MS);
	ck_assert_uint_eq(h.counts[LATENCY_BUCKET_OVERFLOW], 1);
	ck_assert_uint_eq(h.max_ns, lowest_ns);
	ck_assert(h.max_is_bound);
	histogram_add(&h, lowest_ns + 1000);
	ck_assert_uint_eq(h.max_ns, lowest_ns + 1000);
	ck_assert_msg(h.max_is_bound, "the one without a latency may be the greater");
	ck_assert_uint_eq(histogram_quantile_ns(&h, 1), lowest_ns + 1000);
	ck_assert_int_eq(histogram_subtract(&h, lowest_ns + 1000), 0);
	ck_assert_uint_eq(h.max_ns, lowest_ns);
	ck_assert(h.max_is_bound);
}
END_TEST

START_TEST(subtract_refuses_what_is_not_there)
{
	struct histogram h = { 0 }, before;

	ck_assert_int_eq(histogram_subtract(&h, 3 * MS), -ERANGE);
	histogram_add(&h, 3 * MS);
	before = h;
	ck_assert_int_eq(histogram_subtract(&h, 50 * MS), -ERANGE);
	ck_assert_int_eq(histogram_subtract_bucket(&h, latency_bucket(3 * MS), 2, 3 * MS), -ERANGE);
	ck_assert_int_eq(histogram_subtract_bucket(&h, latency_bucket(3 * MS), 1, 4 * MS), -ERANGE);
	assert_equal(&h, &before);
	ck_assert_int_eq(histogram_subtract_bucket(&h, latency_bucket(3 * MS), 0, 0), 0);
	assert_equal(&h, &before);
}
END_TEST

START_TEST(subtract_makes_the_max_a_bound)
{
	struct histogram h = { 0 }, empty = { 0 };

	histogram_add(&h, 3 * MS);
	histogram_add(&h, 90 * MS);
	ck_assert_int_eq(histogram_subtract(&h, 3 * MS), 0);
	ck_assert_uint_eq(h.max_ns, 90 * MS);
	ck_assert_msg(!h.max_is_bound, "what left was below the maximum's bucket");
	histogram_add(&h, 3 * MS);
	ck_assert_int_eq(histogram_subtract(&h, 90 * MS), 0);
	ck_assert_uint_eq(h.max_ns, latency_bucket_bound_ns(latency_bucket(3 * MS)));
	ck_assert(h.max_is_bound);
	ck_assert_int_eq(histogram_subtract(&h, 3 * MS), 0);
	assert_equal(&h, &empty);
}
END_TEST

START_TEST(adding_then_subtracting_leaves_the_rest)
{
	struct histogram h = { 0 }, kept = { 0 }, taken = { 0 }, all = { 0 };
	uint64_t taken_ns[500], n = 0;

	random_state = 1234567 + (uint64_t)_i;
	for (int i = 0; i < 1000; i++) {
		uint64_t latency_ns = next_random() >> (27 + next_random() % 30);

		histogram_add(&h, latency_ns);
		histogram_add(&all, latency_ns);
		if (i % 2)
			histogram_add(&kept, latency_ns);
		else
			taken_ns[n++] = latency_ns;
	}
	for (uint64_t i = 0; i < n; i++) {
		ck_assert_int_eq(histogram_subtract(&h, taken_ns[i]), 0);
		histogram_add(&taken, taken_ns[i]);
	}
	ck_assert_uint_eq(histogram_subtract_all(&all, &taken), 0);
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
		ck_assert_uint_eq(h.counts[i], kept.counts[i]);
		ck_assert_uint_eq(all.counts[i], kept.counts[i]);
	}
	ck_assert_uint_eq(h.count, kept.count);
	ck_assert_uint_eq(h.sum_ns, kept.sum_ns);
	ck_assert_uint_eq(all.sum_ns, kept.sum_ns);
	ck_assert_uint_ge(all.max_ns, kept.max_ns);
	ck_assert(all.max_is_bound || all.max_ns == kept.max_ns);
	ck_assert_uint_ge(h.max_ns, kept.max_ns);
	ck_assert_uint_eq(latency_bucket(h.max_ns), latency_bucket(kept.max_ns));
}
END_TEST

START_TEST(subtract_all_never_underflows)
{
	struct histogram h = { 0 }, taken = { 0 };

	histogram_add(&h, 3 * MS);
	histogram_add(&taken, 3 * MS);
	histogram_add(&taken, 3 * MS);
	histogram_add(&taken, 70 * MS);
	ck_assert_uint_eq(histogram_subtract_all(&h, &taken), 2);
	ck_assert_uint_eq(h.count, 0);
	ck_assert_uint_eq(h.sum_ns, 0);
	ck_assert_uint_eq(h.max_ns, 0);
}
END_TEST

START_TEST(merge_is_adding_all)
{
	struct histogram whole = { 0 }, halves[2] = { 0 };

	random_state = 42 + (uint64_t)_i;
	for (int i = 0; i < 1000; i++) {
		uint64_t latency_ns = next_random() >> (20 + next_random() % 40);
		struct histogram *half = &halves[next_random() % 2];

		if (next_random() % 4) {
			histogram_add(&whole, latency_ns);
			histogram_add(half, latency_ns);
		} else {
			histogram_add_bucket(&whole, latency_bucket(latency_ns), 1, latency_ns);
			histogram_add_bucket(half, latency_bucket(latency_ns), 1, latency_ns);
		}
	}
	histogram_merge(&halves[0], &halves[1]);
	assert_equal(&halves[0], &whole);
}
END_TEST

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

START_TEST(quantile_is_the_bound_of_the_rank)
{
	static const double quantiles[] = { 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1 };
	struct histogram h = { 0 };
	uint64_t sorted[997];

	random_state = 7 + (uint64_t)_i;
	for (int i = 0; i < 997; i++) {
		sorted[i] = next_random() >> (30 + next_random() % 20);
		histogram_add(&h, sorted[i]);
	}
	qsort(sorted, 997, sizeof(sorted[0]), compare);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		uint64_t rank = (uint64_t)(quantiles[i] * 997), truth, got = histogram_quantile_ns(&h, quantiles[i]);

		rank += (double)rank < quantiles[i] * 997;
		truth = latency_bucket_bound_ns(latency_bucket(sorted[rank - 1]));
		ck_assert_uint_eq(got, truth < sorted[996] ? truth : sorted[996]);
	}
}
END_TEST

START_TEST(quantile_at_the_ends)
{
	struct histogram h = { 0 };

	ck_assert_uint_eq(histogram_quantile_ns(&h, 0.5), 0);
	histogram_add(&h, 3 * MS);
	ck_assert_uint_eq(histogram_quantile_ns(&h, 0.5), 3 * MS);
	histogram_add(&h, 9 * MS);
	ck_assert_uint_eq(histogram_quantile_ns(&h, -1), latency_bucket_bound_ns(latency_bucket(3 * MS)));
	ck_assert_uint_eq(histogram_quantile_ns(&h, 0), latency_bucket_bound_ns(latency_bucket(3 * MS)));
	ck_assert_uint_eq(histogram_quantile_ns(&h, 0.5), latency_bucket_bound_ns(latency_bucket(3 * MS)));
	ck_assert_uint_eq(histogram_quantile_ns(&h, 0.51), 9 * MS);
	ck_assert_uint_eq(histogram_quantile_ns(&h, 7), 9 * MS);
}
END_TEST

Suite *suite_histogram(void)
{
	Suite *suite = suite_create("histogram");
	TCase *counts = tcase_create("counts");
	TCase *quantiles = tcase_create("quantiles");

	tcase_add_test(counts, add_counts_sum_and_max);
	tcase_add_test(counts, bucket_gives_a_bound_as_max);
	tcase_add_test(counts, open_bucket_has_a_lower_bound);
	tcase_add_test(counts, subtract_refuses_what_is_not_there);
	tcase_add_test(counts, subtract_makes_the_max_a_bound);
	tcase_add_loop_test(counts, adding_then_subtracting_leaves_the_rest, 0, 10);
	tcase_add_test(counts, subtract_all_never_underflows);
	tcase_add_loop_test(counts, merge_is_adding_all, 0, 10);
	tcase_add_loop_test(quantiles, quantile_is_the_bound_of_the_rank, 0, 10);
	tcase_add_test(quantiles, quantile_at_the_ends);
	suite_add_tcase(suite, counts);
	suite_add_tcase(suite, quantiles);
	return suite;
}
