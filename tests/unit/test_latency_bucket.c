/* SPDX-License-Identifier: BSD-2-Clause */
/* The latency buckets that both sides share: every edge, and against a search that takes the definition literally. */
#include <stdint.h>

#include <check.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"

Suite *suite_latency_bucket(void);

/* The definition: the smallest bucket whose inclusive upper bound holds the latency. */
static uint32_t searched_bucket(uint64_t latency_ns)
{
	uint32_t i = 0;

	while (latency_ns > latency_bucket_bound_ns(i))
		i++;
	return i;
}

START_TEST(bounds_are_inclusive)
{
	uint32_t i = (uint32_t)_i;
	uint64_t bound_ns = latency_bucket_bound_ns(i);

	ck_assert_uint_eq(latency_bucket(bound_ns - 1), i);
	ck_assert_uint_eq(latency_bucket(bound_ns), i);
	ck_assert_uint_eq(latency_bucket(bound_ns + 1), i + 1);
}
END_TEST

START_TEST(bounds_are_four_a_doubling)
{
	uint32_t i = (uint32_t)_i;

	ck_assert_uint_lt(latency_bucket_bound_ns(i - 1), latency_bucket_bound_ns(i));
	ck_assert_uint_le(latency_bucket_bound_ns(i), latency_bucket_bound_ns(i - 1) / 4 * 5);
	if (i >= 4)
		ck_assert_uint_eq(latency_bucket_bound_ns(i), 2 * latency_bucket_bound_ns(i - 4));
}
END_TEST

START_TEST(ends_of_the_scale)
{
	ck_assert_uint_eq(latency_bucket(0), 0);
	ck_assert_uint_eq(latency_bucket(1), 0);
	ck_assert_uint_eq(latency_bucket_bound_ns(0), 1024);
	ck_assert_uint_eq(latency_bucket_bound_ns(LATENCY_BUCKET_OVERFLOW - 1), 1024ull << 28);
	ck_assert_uint_eq(latency_bucket_bound_ns(LATENCY_BUCKET_OVERFLOW), UINT64_MAX);
	ck_assert_uint_eq(latency_bucket_bound_ns(LATENCY_BUCKETS + 7), UINT64_MAX);
	ck_assert_uint_eq(latency_bucket(UINT64_MAX), LATENCY_BUCKET_OVERFLOW);
}
END_TEST

START_TEST(powers_of_two)
{
	uint64_t power = 1ull << _i;

	ck_assert_uint_eq(latency_bucket(power - 1), searched_bucket(power - 1));
	ck_assert_uint_eq(latency_bucket(power), searched_bucket(power));
	ck_assert_uint_eq(latency_bucket(power + 1), searched_bucket(power + 1));
}
END_TEST

START_TEST(agrees_with_the_definition)
{
	uint64_t random = 88172645463325252u + (uint64_t)_i;

	for (int i = 0; i < 20000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		uint64_t latency_ns = random >> (random & 63);

		ck_assert_uint_eq(latency_bucket(latency_ns), searched_bucket(latency_ns));
	}
}
END_TEST

Suite *suite_latency_bucket(void)
{
	Suite *suite = suite_create("latency_bucket");
	TCase *edges = tcase_create("edges");
	TCase *definition = tcase_create("definition");

	tcase_add_loop_test(edges, bounds_are_inclusive, 0, LATENCY_BUCKET_OVERFLOW);
	tcase_add_loop_test(edges, bounds_are_four_a_doubling, 1, LATENCY_BUCKET_OVERFLOW);
	tcase_add_test(edges, ends_of_the_scale);
	tcase_add_loop_test(edges, powers_of_two, 0, 63);
	tcase_add_loop_test(definition, agrees_with_the_definition, 0, 4);
	suite_add_tcase(suite, edges);
	suite_add_tcase(suite, definition);
	return suite;
}
