/* SPDX-License-Identifier: BSD-2-Clause */
/* Distinct counts within their error, the filter of peers within its rate, the hash against its vectors. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <check.h>

#include "handshake/distinct.h"
#include "handshake/hash.h"
#include "handshake/seen.h"

Suite *suite_distinct(void);

static uint64_t hash_of(uint64_t number, uint64_t seed)
{
	return hash_bytes(&number, sizeof(number), seed);
}

/* One assertion for all: each costs a system call. */
static void add_range(struct distinct *distinct, uint64_t from, uint64_t to, uint64_t seed)
{
	int err = 0;

	for (uint64_t i = from; i < to; i++)
		err |= distinct_add(distinct, hash_of(i, seed));
	ck_assert_int_eq(err, 0);
}

static void assert_same_state(const struct distinct *a, const struct distinct *b)
{
	ck_assert_uint_eq(a->used, b->used);
	ck_assert_mem_eq(a->sample, b->sample, a->used * sizeof(a->sample[0]));
	ck_assert_int_eq(a->registers != NULL, b->registers != NULL);
	if (a->registers)
		ck_assert_mem_eq(a->registers, b->registers, DISTINCT_REGISTERS);
}

START_TEST(exact_up_to_the_limit)
{
	struct distinct distinct = { 0 };

	ck_assert_double_eq(distinct_count(&distinct), 0);
	for (uint64_t i = 0; i < DISTINCT_EXACT; i++) {
		add_range(&distinct, i, i + 1, 1);
		add_range(&distinct, i / 2, i / 2 + 1, 1);
		ck_assert_double_eq(distinct_count(&distinct), (double)i + 1);
	}
	ck_assert_ptr_null(distinct.registers);
	add_range(&distinct, DISTINCT_EXACT, DISTINCT_EXACT + 1, 1);
	ck_assert_ptr_nonnull(distinct.registers);
	ck_assert_double_eq_tol(distinct_count(&distinct), DISTINCT_EXACT + 1, 0.065 * DISTINCT_EXACT);
	distinct_release(&distinct);
}
END_TEST

static const uint64_t sizes[] = { 600, 1000, 3000, 6000, 10000, 12000, 20000, 50000, 200000 };

/* Of 40 sketches: none is off by more than five standard errors, their mean not by more than three of the mean's. */
START_TEST(error_is_as_stated)
{
	const double standard_error = 1.04 / sqrt(DISTINCT_REGISTERS);
	double truth = (double)sizes[_i], sum = 0;

	for (uint64_t seed = 0; seed < 40; seed++) {
		struct distinct distinct = { 0 };
		double error;

		add_range(&distinct, 0, sizes[_i], seed);
		error = distinct_count(&distinct) / truth - 1;
		ck_assert_double_le(fabs(error), 5 * standard_error);
		sum += error;
		distinct_release(&distinct);
	}
	ck_assert_double_le(fabs(sum / 40), 3 * standard_error / sqrt(40));
}
END_TEST

/* Whichever way a set is taken in, the sketch is the same: backwards, twice, in two overlapping parts. */
START_TEST(a_function_of_the_set)
{
	uint64_t n = (uint64_t)1 << _i;
	struct distinct forward = { 0 }, backward = { 0 }, low = { 0 }, high = { 0 };

	add_range(&forward, 0, n, 3);
	add_range(&forward, 0, n, 3);
	for (uint64_t i = n; i > 0; i--)
		add_range(&backward, i - 1, i, 3);
	add_range(&low, 0, n * 2 / 3, 3);
	add_range(&high, n / 3, n, 3);
	assert_same_state(&forward, &backward);
	ck_assert_int_eq(distinct_merge(&low, &high), 0);
	assert_same_state(&forward, &low);
	ck_assert_int_eq(distinct_merge(&low, &low), -EINVAL);
	distinct_release(&forward);
	distinct_release(&backward);
	distinct_release(&low);
	distinct_release(&high);
}
END_TEST

START_TEST(merging_small_sets_stays_exact)
{
	struct distinct a = { 0 }, b = { 0 }, c = { 0 }, empty = { 0 };

	add_range(&a, 0, 200, 9);
	add_range(&b, 100, 400, 9);
	add_range(&c, 400, 800, 9);
	ck_assert_int_eq(distinct_merge(&a, &b), 0);
	ck_assert_int_eq(distinct_merge(&a, &empty), 0);
	ck_assert_double_eq(distinct_count(&a), 400);
	ck_assert_int_eq(distinct_merge(&empty, &a), 0);
	ck_assert_double_eq(distinct_count(&empty), 400);
	ck_assert_int_eq(distinct_merge(&a, &c), 0);
	ck_assert_double_eq_tol(distinct_count(&a), 800, 65);
	distinct_release(&a);
	distinct_release(&b);
	distinct_release(&c);
	distinct_release(&empty);
}
END_TEST

START_TEST(extreme_hashes)
{
	struct distinct distinct = { 0 };

	for (uint64_t i = 0; i < 2000; i++)
		ck_assert_int_eq(distinct_add(&distinct, i & (DISTINCT_REGISTERS - 1)), 0);
	ck_assert_int_eq(distinct_add(&distinct, UINT64_MAX), 0);
	ck_assert(isfinite(distinct_count(&distinct)));
	for (uint64_t i = 0; i < DISTINCT_REGISTERS; i++)
		ck_assert_int_eq(distinct_add(&distinct, i), 0);
	ck_assert_double_gt(distinct_count(&distinct), 1e15);
	distinct_release(&distinct);
}
END_TEST

START_TEST(filter_remembers_and_forgets)
{
	struct peer_filter filter = { 0 };

	ck_assert(!peer_filter_has(&filter, hash_of(1, 0)));
	peer_filter_remove(&filter, hash_of(1, 0));
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_int_eq(peer_filter_add(&filter, hash_of(i, 0)), 0);
	ck_assert_int_eq(peer_filter_add(&filter, hash_of(0, 0)), 0);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert(peer_filter_has(&filter, hash_of(i, 0)));
	for (uint64_t i = 0; i < 1000; i++)
		peer_filter_remove(&filter, hash_of(i, 0));
	ck_assert_msg(peer_filter_has(&filter, hash_of(0, 0)), "one of its two is left");
	peer_filter_remove(&filter, hash_of(0, 0));
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert(!peer_filter_has(&filter, hash_of(i, 0)));
	ck_assert_uint_eq(filter.used, 0);
	peer_filter_release(&filter);
}
END_TEST

START_TEST(filter_counter_that_overflowed_stays)
{
	struct peer_filter filter = { 0 }, other = { 0 };

	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(peer_filter_add(&filter, hash_of(1, 0)), 0);
	for (int i = 0; i < 300; i++)
		peer_filter_remove(&filter, hash_of(1, 0));
	ck_assert(peer_filter_has(&filter, hash_of(1, 0)));
	ck_assert_int_eq(peer_filter_add(&other, hash_of(2, 0)), 0);
	ck_assert_int_eq(peer_filter_merge(&other, &filter), 0);
	ck_assert(peer_filter_has(&other, hash_of(1, 0)));
	ck_assert(peer_filter_has(&other, hash_of(2, 0)));
	ck_assert_uint_eq(other.used, 8);
	ck_assert_int_eq(peer_filter_merge(&other, &other), -EINVAL);
	peer_filter_release(&filter);
	peer_filter_release(&other);
}
END_TEST

START_TEST(filter_is_wrong_as_often_as_stated)
{
	struct peer_filter filter = { 0 };
	int wrong = 0, err = 0;

	for (uint64_t i = 0; i < 500000; i++)
		err |= peer_filter_add(&filter, hash_of(i, 0));
	ck_assert_int_eq(err, 0);
	for (uint64_t i = 0; i < 100000; i++)
		wrong += peer_filter_has(&filter, hash_of(1000000 + i, 0));
	ck_assert_int_gt(wrong, 1800);
	ck_assert_int_lt(wrong, 2340);
	ck_assert_double_eq_tol(peer_filter_false_ratio(&filter), 0.0207, 0.0005);
	peer_filter_release(&filter);
}
END_TEST

/* Vectors of the reference implementation: key 00 01 .. 0f, message 00 01 .. of as many bytes. */
static const struct {
	size_t bytes;
	uint64_t hash;
} vectors[] = {
	{ .bytes = 0, .hash = 0x726fdb47dd0e0e31 }, { .bytes = 1, .hash = 0x74f839c593dc67fd },
	{ .bytes = 2, .hash = 0x0d6c8009d9a94f5a }, { .bytes = 3, .hash = 0x85676696d7fb7e2d },
	{ .bytes = 8, .hash = 0x93f5f5799a932462 }, { .bytes = 15, .hash = 0xa129ca6149be45e5 },
};

START_TEST(hash_is_siphash)
{
	uint8_t message[16];

	for (uint8_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	ck_assert_uint_eq(hash_siphash(message, vectors[_i].bytes, 0x0706050403020100, 0x0f0e0d0c0b0a0908),
			  vectors[_i].hash);
	ck_assert_uint_ne(hash_bytes(message, vectors[_i].bytes, 1), hash_bytes(message, vectors[_i].bytes, 2));
}
END_TEST

Suite *suite_distinct(void)
{
	Suite *suite = suite_create("distinct");
	TCase *counting = tcase_create("counting");
	TCase *filter = tcase_create("filter");
	TCase *hash = tcase_create("hash");

	tcase_set_timeout(counting, 60);
	tcase_set_timeout(filter, 60);
	tcase_add_test(counting, exact_up_to_the_limit);
	tcase_add_loop_test(counting, error_is_as_stated, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(counting, a_function_of_the_set, 0, 16);
	tcase_add_test(counting, merging_small_sets_stays_exact);
	tcase_add_test(counting, extreme_hashes);
	tcase_add_test(filter, filter_remembers_and_forgets);
	tcase_add_test(filter, filter_counter_that_overflowed_stays);
	tcase_add_test(filter, filter_is_wrong_as_often_as_stated);
	tcase_add_loop_test(hash, hash_is_siphash, 0, sizeof(vectors) / sizeof(vectors[0]));
	suite_add_tcase(suite, counting);
	suite_add_tcase(suite, filter);
	suite_add_tcase(suite, hash);
	return suite;
}
