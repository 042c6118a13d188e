/* SPDX-License-Identifier: BSD-2-Clause */
/* Top lists: exact while they fit, and within their guarantee when they do not, against plain counting. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "handshake/hash.h"
#include "handshake/toplist.h"

Suite *suite_toplist(void);

#define KEYS     2000
#define CAPACITY 64

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A few keys are frequent, most are rare. */
static size_t skewed_key(void)
{
	return (next_random() % KEYS) * (next_random() % KEYS) / KEYS * (next_random() % KEYS) / KEYS;
}

static int add(struct toplist *list, const void *key, size_t key_bytes, uint64_t count)
{
	return toplist_add(list, key, key_bytes, hash_bytes(key, key_bytes, 1), count);
}

static void add_number(struct toplist *list, size_t number, uint64_t count)
{
	char key[32];
	int bytes = snprintf(key, sizeof(key), "key-%zu", number);

	/* An assertion costs a system call; this runs a million times. */
	if (add(list, key, (size_t)bytes, count) != 0)
		ck_abort_msg("'%s' was not added", key);
}

static size_t number_of(const struct toplist_item *item)
{
	char key[32] = { 0 };

	memcpy(key, item->key, item->key_bytes);
	return strtoul(key + 4, NULL, 10);
}

static void assert_guarantee(const struct toplist *list, const uint64_t *truth, size_t capacity)
{
	struct toplist_item items[KEYS];
	size_t count = toplist_sorted(list, items, KEYS);
	uint64_t total = 0, found = 0, frequent = 0;

	for (size_t i = 0; i < KEYS; i++)
		total += truth[i];
	for (size_t i = 0; i < KEYS; i++)
		frequent += truth[i] > total / capacity;
	for (size_t i = 0; i < count; i++) {
		size_t number = number_of(&items[i]);

		ck_assert_uint_le(truth[number], items[i].count);
		ck_assert_uint_ge(truth[number] + items[i].overcount, items[i].count);
		ck_assert_uint_le(items[i].overcount, total / capacity);
		found += truth[number] > total / capacity;
		if (i > 0)
			ck_assert_uint_ge(items[i - 1].count, items[i].count);
	}
	ck_assert_uint_eq(found, frequent);
	ck_assert_uint_gt(frequent, 0);
}

START_TEST(exact_while_it_fits)
{
	uint64_t truth[KEYS] = { 0 };
	struct toplist_item items[KEYS];
	struct toplist list;

	random_state = 99 + (uint64_t)_i;
	toplist_init(&list, KEYS, 32);
	for (int i = 0; i < 20000; i++) {
		size_t number = skewed_key();
		uint64_t count = next_random() % 3;

		add_number(&list, number, count);
		truth[number] += count;
	}
	for (size_t i = 0, n = toplist_sorted(&list, items, KEYS); i < n; i++) {
		ck_assert_uint_eq(items[i].count, truth[number_of(&items[i])]);
		ck_assert_uint_eq(items[i].overcount, 0);
		truth[number_of(&items[i])] = 0;
	}
	for (size_t i = 0; i < KEYS; i++)
		ck_assert_msg(truth[i] == 0, "key %zu is missing", i);
	toplist_release(&list);
}
END_TEST

START_TEST(guarantee_when_it_does_not_fit)
{
	uint64_t truth[KEYS] = { 0 };
	struct toplist list;

	random_state = 3 + (uint64_t)_i;
	toplist_init(&list, CAPACITY, 32);
	for (int i = 0; i < 50000; i++) {
		size_t number = skewed_key();
		uint64_t count = 1 + next_random() % 3;

		add_number(&list, number, count);
		truth[number] += count;
	}
	ck_assert_uint_eq(list.count, CAPACITY);
	assert_guarantee(&list, truth, CAPACITY);
	toplist_release(&list);
}
END_TEST

START_TEST(merging_keeps_the_guarantee)
{
	uint64_t truth[KEYS] = { 0 };
	struct toplist lists[4];

	random_state = 17 + (uint64_t)_i;
	for (size_t i = 0; i < 4; i++)
		toplist_init(&lists[i], CAPACITY, 32);
	for (int i = 0; i < 50000; i++) {
		size_t number = skewed_key();

		add_number(&lists[next_random() % 4], number, 1);
		truth[number]++;
	}
	ck_assert_int_eq(toplist_merge(&lists[0], &lists[1]), 0);
	ck_assert_int_eq(toplist_merge(&lists[2], &lists[3]), 0);
	ck_assert_int_eq(toplist_merge(&lists[0], &lists[2]), 0);
	assert_guarantee(&lists[0], truth, CAPACITY);
	/* A merged list goes on counting within its guarantee. */
	for (int i = 0; i < 20000; i++) {
		size_t number = skewed_key();

		add_number(&lists[0], number, 1);
		truth[number]++;
	}
	assert_guarantee(&lists[0], truth, CAPACITY);
	for (size_t i = 0; i < 4; i++)
		toplist_release(&lists[i]);
}
END_TEST

/* x 5, y 4, z 1 in a list of two: y is forgotten, and known to have been at most 4. */
static void fill_forgetting(struct toplist *list)
{
	toplist_init(list, 2, 32);
	ck_assert_int_eq(add(list, "x", 1, 5), 0);
	ck_assert_int_eq(add(list, "y", 1, 4), 0);
	ck_assert_int_eq(add(list, "z", 1, 1), 0);
}

static void assert_first(const struct toplist *list, const char *key, uint64_t count, uint64_t overcount)
{
	struct toplist_item item;

	ck_assert_uint_eq(toplist_sorted(list, &item, 1), 1);
	ck_assert_uint_eq(item.key_bytes, 1);
	ck_assert_mem_eq(item.key, key, 1);
	ck_assert_uint_eq(item.count, count);
	ck_assert_uint_eq(item.overcount, overcount);
}

START_TEST(merging_adds_what_may_be_forgotten)
{
	struct toplist forgetting, other, wide;

	toplist_init(&other, 2, 32);
	ck_assert_int_eq(add(&other, "y", 1, 3), 0);
	fill_forgetting(&forgetting);
	ck_assert_int_eq(toplist_merge(&forgetting, &other), 0);
	assert_first(&forgetting, "y", 7, 4);
	toplist_release(&forgetting);
	fill_forgetting(&forgetting);
	ck_assert_int_eq(toplist_merge(&other, &forgetting), 0);
	assert_first(&other, "y", 7, 4);
	/* A wider list has room for what comes back, and still does not know what it had been before. */
	toplist_init(&wide, 8, 32);
	ck_assert_int_eq(toplist_merge(&wide, &forgetting), 0);
	ck_assert_int_eq(add(&wide, "y", 1, 2), 0);
	assert_first(&wide, "y", 6, 4);
	toplist_release(&forgetting);
	toplist_release(&other);
	toplist_release(&wide);
}
END_TEST

START_TEST(merging_what_fits_is_exact)
{
	struct toplist whole, halves[2];
	struct toplist_item all[100], merged[100];

	random_state = 5;
	toplist_init(&whole, 100, 32);
	toplist_init(&halves[0], 100, 32);
	toplist_init(&halves[1], 100, 32);
	for (int i = 0; i < 5000; i++) {
		size_t number = next_random() % 100;

		add_number(&whole, number, 1);
		add_number(&halves[number % 3 ? next_random() % 2 : 1], number, 1);
	}
	ck_assert_int_eq(toplist_merge(&halves[0], &halves[1]), 0);
	ck_assert_uint_eq(toplist_sorted(&whole, all, 100), 100);
	ck_assert_uint_eq(toplist_sorted(&halves[0], merged, 100), 100);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_uint_eq(all[i].count, merged[i].count);
		ck_assert_uint_eq(merged[i].overcount, 0);
		ck_assert_uint_eq(number_of(&all[i]), number_of(&merged[i]));
	}
	ck_assert_int_eq(toplist_merge(&whole, &whole), -EINVAL);
	toplist_release(&whole);
	toplist_release(&halves[0]);
	toplist_release(&halves[1]);
}
END_TEST

START_TEST(a_flood_of_new_keys_does_not_hide_the_frequent)
{
	struct toplist_item items[3];
	struct toplist list;

	toplist_init(&list, CAPACITY, 32);
	for (size_t i = 0; i < 300000; i++) {
		add_number(&list, 1000 + i, 1);
		if (i % 10 == 0)
			add_number(&list, 1, 1);
		if (i % 20 == 0)
			add_number(&list, 2, 1);
	}
	ck_assert_uint_eq(toplist_sorted(&list, items, 2), 2);
	ck_assert_uint_eq(number_of(&items[0]), 1);
	ck_assert_uint_eq(number_of(&items[1]), 2);
	ck_assert_uint_ge(items[0].count, 30000);
	ck_assert_uint_le(items[0].count - items[0].overcount, 30000);
	ck_assert_uint_eq(list.count, CAPACITY);
	ck_assert_uint_eq(list.room, CAPACITY);
	toplist_release(&list);
}
END_TEST

START_TEST(keys_are_bytes)
{
	struct toplist_item items[8];
	char longer[TOPLIST_KEY_BYTES + 1];
	struct toplist list;

	toplist_init(&list, 8, TOPLIST_KEY_BYTES);
	memset(longer, 'x', sizeof(longer));
	ck_assert_int_eq(add(&list, "a\0b", 3, 5), 0);
	ck_assert_int_eq(add(&list, "a\0c", 3, 4), 0);
	ck_assert_int_eq(add(&list, "a", 1, 3), 0);
	ck_assert_int_eq(add(&list, "", 0, 2), 0);
	ck_assert_int_eq(add(&list, longer, sizeof(longer), 1), -EINVAL);
	ck_assert_int_eq(add(&list, longer, sizeof(longer) - 1, 7), 0);
	ck_assert_int_eq(add(&list, "never", 5, 0), 0);
	ck_assert_uint_eq(toplist_sorted(&list, items, 8), 5);
	ck_assert_uint_eq(items[0].count, 7);
	ck_assert_uint_eq(items[0].key_bytes, TOPLIST_KEY_BYTES);
	ck_assert_mem_eq(items[1].key, "a\0b", 3);
	ck_assert_mem_eq(items[2].key, "a\0c", 3);
	ck_assert_uint_eq(items[3].key_bytes, 1);
	ck_assert_uint_eq(items[4].key_bytes, 0);
	toplist_release(&list);
	ck_assert_uint_eq(toplist_sorted(&list, items, 8), 0);
	ck_assert_int_eq(add(&list, "again", 5, 1), 0);
	toplist_release(&list);
}
END_TEST

START_TEST(sorted_gives_the_first_n)
{
	struct toplist_item all[CAPACITY], some[CAPACITY];
	struct toplist list;
	size_t n = (size_t)_i;

	random_state = 11;
	toplist_init(&list, CAPACITY, 32);
	for (int i = 0; i < 3000; i++)
		add_number(&list, skewed_key(), 1);
	ck_assert_uint_eq(toplist_sorted(&list, all, CAPACITY), CAPACITY);
	ck_assert_uint_eq(toplist_sorted(&list, some, n), n);
	ck_assert_mem_eq(all, some, n * sizeof(all[0]));
	toplist_release(&list);
}
END_TEST

START_TEST(one_entry_is_a_list)
{
	struct toplist_item item;
	struct toplist list;

	toplist_init(&list, 1, 32);
	add_number(&list, 1, 1);
	add_number(&list, 2, 1);
	add_number(&list, 3, 1);
	ck_assert_uint_eq(toplist_sorted(&list, &item, 1), 1);
	ck_assert_uint_eq(number_of(&item), 3);
	ck_assert_uint_eq(item.count, 3);
	ck_assert_uint_eq(item.overcount, 2);
	toplist_release(&list);
}
END_TEST

Suite *suite_toplist(void)
{
	Suite *suite = suite_create("toplist");
	TCase *counting = tcase_create("counting");
	TCase *merging = tcase_create("merging");

	tcase_add_loop_test(counting, exact_while_it_fits, 0, 3);
	tcase_add_loop_test(counting, guarantee_when_it_does_not_fit, 0, 10);
	tcase_add_test(counting, a_flood_of_new_keys_does_not_hide_the_frequent);
	tcase_add_test(counting, keys_are_bytes);
	tcase_add_loop_test(counting, sorted_gives_the_first_n, 1, CAPACITY);
	tcase_add_test(counting, one_entry_is_a_list);
	tcase_add_loop_test(merging, merging_keeps_the_guarantee, 0, 10);
	tcase_add_test(merging, merging_adds_what_may_be_forgotten);
	tcase_add_test(merging, merging_what_fits_is_exact);
	suite_add_tcase(suite, counting);
	suite_add_tcase(suite, merging);
	return suite;
}
