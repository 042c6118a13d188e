/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting: against a plain model, by both ways a handshake can come, in any order, split and merged; then single
 * facts of a snapshot, and when it is exact.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <sys/socket.h>

#include "handshake/aggregate.h"
#include "handshake/classify.h"
#include "snapshot_same.h"
#include "world.h"

Suite *suite_aggregate(void);

#define HANDSHAKES 600

/* What must come out; the rows of cause ok are what is left of ok. */
struct model {
	uint64_t counts[DIRECTION_COUNT][CAUSE_COUNT];
	uint64_t buckets[DIRECTION_COUNT][CAUSE_COUNT][LATENCY_BUCKETS];
	uint64_t sums_ns[DIRECTION_COUNT][CAUSE_COUNT];
	uint64_t resumed[DIRECTION_COUNT];
	uint64_t handshakes, failed;
};

static void model_count(struct model *model, const struct event *event, enum cause cause, int sign)
{
	unsigned int direction = event->verdict.direction;

	model->counts[direction][cause] += (uint64_t)sign;
	if (cause == CAUSE_OK && event->flags & EVENT_RESUMED)
		model->resumed[direction] += (uint64_t)sign;
	if (event->verdict.flags & VERDICT_JOINED)
		return;
	model->buckets[direction][cause][latency_bucket(event->latency_ns)] += (uint64_t)sign;
	model->sums_ns[direction][cause] += (uint64_t)sign * event->latency_ns;
}

static struct model *model_new(const struct world *world)
{
	struct model *model = calloc(1, sizeof(*model));

	ck_assert_ptr_nonnull(model);
	for (size_t i = 0; i < world->count; i++) {
		const struct event *event = &world->inputs[i].record.event;
		enum cause cause = classify(&event->verdict);

		model_count(model, event, cause, 1);
		if (event->header.kind == EVENT_AMENDED)
			model_count(model, event, CAUSE_OK, -1);
		else
			model->handshakes++;
		model->failed += cause != CAUSE_OK;
	}
	return model;
}

static void assert_latency(const struct histogram *h, const uint64_t *buckets, uint64_t sum_ns)
{
	ck_assert_mem_eq(h->counts, buckets, sizeof(h->counts));
	ck_assert_uint_eq(h->sum_ns, sum_ns);
}

static void assert_model(const struct snapshot *snapshot, const struct model *model)
{
	uint64_t versions[DIRECTION_COUNT] = { 0 }, handshakes = 0, failed = 0;
	size_t causes = 0;

	for (unsigned int d = 0; d < DIRECTION_COUNT; d++) {
		for (unsigned int cause = CAUSE_OK + 1; cause < CAUSE_COUNT; cause++)
			causes += model->counts[d][cause] > 0;
		ck_assert_uint_eq(snapshot->ok[d].direction, d);
		ck_assert_uint_eq(snapshot->ok[d].count, model->counts[d][CAUSE_OK]);
		ck_assert_uint_eq(snapshot->totals[d].ok, model->counts[d][CAUSE_OK]);
		ck_assert_uint_eq(snapshot->totals[d].resumed, model->resumed[d]);
		assert_latency(&snapshot->ok[d].latency, model->buckets[d][CAUSE_OK], model->sums_ns[d][CAUSE_OK]);
	}
	ck_assert_uint_eq(snapshot->cause_count, causes);
	for (size_t i = 0; i < causes; i++) {
		const struct cause_row *row = &snapshot->causes[i];

		ck_assert_uint_eq(row->count, model->counts[row->direction][row->cause]);
		assert_latency(&row->latency, model->buckets[row->direction][row->cause],
			       model->sums_ns[row->direction][row->cause]);
	}
	for (size_t i = 0; i < snapshot->version_count; i++)
		versions[snapshot->versions[i].direction] += snapshot->versions[i].count;
	for (unsigned int d = 0; d < DIRECTION_COUNT; d++)
		ck_assert_uint_eq(versions[d], snapshot->ok[d].count);
	for (size_t i = 0; i < snapshot->worker_count; i++) {
		handshakes += snapshot->workers[i].handshakes;
		failed += snapshot->workers[i].failed;
	}
	ck_assert_uint_eq(handshakes, model->handshakes);
	ck_assert_uint_eq(failed, model->failed);
}

static void snapshot_of(const struct world *world, struct snapshot *snapshot)
{
	struct aggregate *aggregate = aggregate_new(NULL);

	ck_assert_ptr_nonnull(aggregate);
	world_add_all(aggregate, world);
	snapshot_init(snapshot);
	ck_assert_int_eq(aggregate_snapshot(aggregate, snapshot), 0);
	ck_assert_int_eq(snapshot_fill_generations(snapshot), 0);
	aggregate_free(aggregate);
}

static const unsigned int spilled_percent[] = { 0, 30, 100 };

/* The loop's index chooses how much is spilled, and the seed. */
START_TEST(both_ways_give_what_the_model_gives)
{
	struct world world;
	struct snapshot snapshot;
	struct model *model;

	world_init(&world, HANDSHAKES, (uint64_t)_i);
	world_spill(&world, spilled_percent[_i % 3], (uint64_t)_i);
	model = model_new(&world);
	snapshot_of(&world, &snapshot);
	assert_model(&snapshot, model);
	snapshot_release(&snapshot);
	free(model);
	world_release(&world);
}
END_TEST

START_TEST(order_does_not_matter)
{
	struct world world;
	struct snapshot straight, shuffled;

	world_init(&world, HANDSHAKES, 100 + (uint64_t)_i);
	world_spill(&world, spilled_percent[_i % 3], (uint64_t)_i);
	snapshot_of(&world, &straight);
	world_shuffle(&world, (uint64_t)_i);
	snapshot_of(&world, &shuffled);
	assert_same_snapshots(&straight, &shuffled);
	snapshot_release(&straight);
	snapshot_release(&shuffled);
	world_release(&world);
}
END_TEST

START_TEST(merging_parts_gives_the_whole)
{
	struct aggregate *parts[2] = { aggregate_new(NULL), aggregate_new(NULL) };
	uint64_t random = 77 + (uint64_t)_i;
	struct world world;
	struct snapshot whole, merged;

	world_init(&world, HANDSHAKES, 200 + (uint64_t)_i);
	world_spill(&world, spilled_percent[_i % 3], (uint64_t)_i);
	snapshot_of(&world, &whole);
	for (size_t i = 0; i < world.count; i++)
		world_add(parts[world_random(&random) % 2], &world.inputs[i]);
	ck_assert_int_eq(aggregate_merge(parts[0], parts[1]), 0);
	snapshot_init(&merged);
	ck_assert_int_eq(aggregate_snapshot(parts[0], &merged), 0);
	ck_assert_int_eq(snapshot_fill_generations(&merged), 0);
	assert_same_snapshots(&whole, &merged);
	snapshot_release(&whole);
	snapshot_release(&merged);
	aggregate_free(parts[0]);
	aggregate_free(parts[1]);
	world_release(&world);
}
END_TEST

/* Rows of the spill map are sums; one row of n counts as n rows of one. */
START_TEST(a_spill_row_is_a_sum)
{
	struct aggregate *single = aggregate_new(NULL), *summed = aggregate_new(NULL);
	struct spill_value value = { 0 };
	struct snapshot a, b;
	struct world world;

	world_init(&world, 1, 3);
	world_spill(&world, 100, 0);
	for (int i = 0; i < 50; i++) {
		world_add(single, &world.inputs[0]);
		value.count++;
		value.latency_sum_ns += world.inputs[0].value.latency_sum_ns;
		for (unsigned int part = 0; part < PART_COUNT; part++)
			value.part_sum_us[part] += world.inputs[0].value.part_sum_us[part];
		value.before_sum_us += world.inputs[0].value.before_sum_us;
	}
	ck_assert_int_eq(aggregate_add_spilled(summed, &world.inputs[0].key, &value), 0);
	value.count = 0;
	ck_assert_int_eq(aggregate_add_spilled(summed, &world.inputs[0].key, &value), 0);
	snapshot_init(&a);
	snapshot_init(&b);
	ck_assert_int_eq(aggregate_snapshot(single, &a), 0);
	ck_assert_int_eq(aggregate_snapshot(summed, &b), 0);
	assert_same_snapshots(&a, &b);
	snapshot_release(&a);
	snapshot_release(&b);
	aggregate_free(single);
	aggregate_free(summed);
	world_release(&world);
}
END_TEST

START_TEST(merge_refuses_other_seeds)
{
	struct aggregate *a = aggregate_new(&(struct aggregate_options){ .seed = 1 });
	struct aggregate *b = aggregate_new(&(struct aggregate_options){ .seed = 2 });

	ck_assert_int_eq(aggregate_merge(a, b), -EINVAL);
	ck_assert_int_eq(aggregate_merge(a, a), -EINVAL);
	aggregate_free(a);
	aggregate_free(b);
	aggregate_free(NULL);
}
END_TEST

TCase *aggregate_facts_cases(void);
TCase *aggregate_parts_cases(void);
TCase *aggregate_kinds_cases(void);
TCase *aggregate_workers_cases(void);
TCase *aggregate_bounds_cases(void);

Suite *suite_aggregate(void)
{
	Suite *suite = suite_create("aggregate");
	TCase *properties = tcase_create("properties");

	tcase_set_timeout(properties, 60);
	tcase_add_loop_test(properties, both_ways_give_what_the_model_gives, 0, 15);
	tcase_add_loop_test(properties, order_does_not_matter, 0, 15);
	tcase_add_loop_test(properties, merging_parts_gives_the_whole, 0, 15);
	tcase_add_test(properties, a_spill_row_is_a_sum);
	tcase_add_test(properties, merge_refuses_other_seeds);
	suite_add_tcase(suite, properties);
	suite_add_tcase(suite, aggregate_facts_cases());
	suite_add_tcase(suite, aggregate_parts_cases());
	suite_add_tcase(suite, aggregate_kinds_cases());
	suite_add_tcase(suite, aggregate_workers_cases());
	suite_add_tcase(suite, aggregate_bounds_cases());
	return suite;
}
