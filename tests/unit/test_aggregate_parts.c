/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the time went, by cause: against a plain model, spilled against full records, and fact by fact. That order
 * and splitting do not matter is in test_aggregate.c.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "handshake/aggregate.h"
#include "handshake/classify.h"
#include "snapshot_same.h"
#include "world.h"

TCase *aggregate_parts_cases(void);

#define HANDSHAKES 600
#define US         1000ull

/* Of one cause in one direction, those that were measured from their beginning; of ok what is left of it. */
struct model_row {
	uint64_t count, latency_ns, us[PART_COUNT], before_us;
	uint64_t waited_for_worker, waited_for_peer;
	uint64_t buckets[PARTS_SHOWN][LATENCY_BUCKETS], sums_ns[PARTS_SHOWN];
};

struct model {
	struct model_row rows[DIRECTION_COUNT][CAUSE_COUNT];
};

static void model_part(struct model_row *row, unsigned int part, uint64_t us, uint64_t sign)
{
	row->buckets[part][latency_bucket(us * US)] += sign;
	row->sums_ns[part] += sign * us * US;
}

static void model_histograms(struct model_row *row, const struct event *event, uint64_t sign)
{
	const struct parts *parts = &event->parts;
	uint64_t whole_us = (event->latency_ns + 500) / US + parts->us[PART_CONNECT] + parts->before_us;
	uint64_t parts_us = (uint64_t)parts->us[PART_CONNECT] + parts->us[PART_LAG] + parts->us[PART_PEER] +
			    parts->us[PART_CPU] + parts->us[PART_PREEMPTED];

	if (event->flags & EVENT_CONNECT)
		model_part(row, PART_CONNECT, parts->us[PART_CONNECT], sign);
	if (event->flags & EVENT_WAITS) {
		model_part(row, PART_LAG, parts->us[PART_LAG], sign);
		model_part(row, PART_PEER, parts->us[PART_PEER], sign);
	}
	model_part(row, PART_CPU, parts->us[PART_CPU], sign);
	model_part(row, PART_PREEMPTED, parts->us[PART_PREEMPTED], sign);
	model_part(row, PART_UNATTRIBUTED, whole_us > parts_us ? whole_us - parts_us : 0, sign);
}

static void model_count(struct model_row *row, const struct event *event, int by)
{
	uint64_t sign = (uint64_t)by;

	row->waited_for_worker += event->verdict.waited == WAITED_WORKER ? sign : 0;
	row->waited_for_peer += event->verdict.waited == WAITED_PEER ? sign : 0;
	if (event->verdict.flags & VERDICT_UNMEASURED)
		return;
	row->count += sign;
	row->latency_ns += sign * event->latency_ns;
	for (unsigned int part = 0; part < PART_COUNT; part++)
		row->us[part] += sign * event->parts.us[part];
	row->before_us += sign * event->parts.before_us;
	model_histograms(row, event, sign);
}

static struct model *model_new(const struct world *world)
{
	struct model *model = calloc(1, sizeof(*model));

	ck_assert_ptr_nonnull(model);
	for (size_t i = 0; i < world->count; i++) {
		const struct event *event = &world->inputs[i].record.event;

		model_count(&model->rows[event->verdict.direction][classify(&event->verdict)], event, 1);
		if (event->header.kind == EVENT_AMENDED)
			model_count(&model->rows[event->verdict.direction][CAUSE_OK], event, -1);
	}
	return model;
}

static void assert_model(const struct parts_row *row, const struct model_row *model, bool histograms)
{
	uint64_t whole_us = (model->latency_ns + 500) / US + model->us[PART_CONNECT] + model->before_us,
		 left = whole_us;

	ck_assert_uint_eq(row->count, model->count);
	ck_assert_uint_eq(row->whole_us, whole_us);
	ck_assert_mem_eq(row->us, model->us, sizeof(model->us));
	ck_assert_uint_eq(row->before_us, model->before_us);
	for (unsigned int part = 0; part < PART_COUNT; part++)
		left -= model->us[part] < left ? model->us[part] : left;
	ck_assert_uint_eq(row->us[PART_UNATTRIBUTED], left);
	for (unsigned int part = 0; part < PARTS_SHOWN && histograms; part++) {
		ck_assert_mem_eq(row->parts[part].counts, model->buckets[part], sizeof(model->buckets[part]));
		ck_assert_uint_eq(row->parts[part].sum_ns, model->sums_ns[part]);
	}
}

static void snapshot_of(const struct world *world, struct snapshot *made)
{
	struct aggregate *counted = aggregate_new(NULL);

	ck_assert_ptr_nonnull(counted);
	world_add_all(counted, world);
	snapshot_init(made);
	ck_assert_int_eq(aggregate_snapshot(counted, made), 0);
	aggregate_free(counted);
}

START_TEST(parts_are_what_the_model_gives)
{
	static const unsigned int spilled_percent[] = { 0, 30, 100 };
	bool full = spilled_percent[_i % 3] == 0;
	struct world world;
	struct snapshot made;
	struct model *model;

	world_init(&world, HANDSHAKES, 300 + (uint64_t)_i);
	world_spill(&world, spilled_percent[_i % 3], (uint64_t)_i);
	model = model_new(&world);
	snapshot_of(&world, &made);
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		assert_model(&made.ok[direction].parts, &model->rows[direction][CAUSE_OK], full);
	for (size_t i = 0; i < made.cause_count; i++) {
		const struct cause_row *row = &made.causes[i];
		const struct model_row *expected = &model->rows[row->direction][row->cause];

		assert_model(&row->parts, expected, full);
		ck_assert_uint_eq(row->waited_for_worker, expected->waited_for_worker);
		ck_assert_uint_eq(row->waited_for_peer, expected->waited_for_peer);
	}
	snapshot_release(&made);
	free(model);
	world_release(&world);
}
END_TEST

static void assert_same_worker_sums(const struct snapshot_worker *a, const struct snapshot_worker *b)
{
	ck_assert_uint_eq(a->pid, b->pid);
	ck_assert_uint_eq(a->handshakes, b->handshakes);
	ck_assert_uint_eq(a->failed, b->failed);
	ck_assert_uint_eq(a->resumed, b->resumed);
	ck_assert_uint_eq(a->given_up, b->given_up);
	ck_assert_uint_eq(a->given_up_late, b->given_up_late);
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_eq(a->whole_us, b->whole_us);
	ck_assert_mem_eq(a->us, b->us, sizeof(a->us));
	ck_assert_uint_eq(a->before_us, b->before_us);
	ck_assert_uint_eq(a->cpu_us, b->cpu_us);
	ck_assert_mem_eq(a->latency.counts, b->latency.counts, sizeof(a->latency.counts));
	ck_assert_uint_eq(a->latency.sum_ns, b->latency.sum_ns);
}

/* The key is not in a spill row: over all kinds of key they are the same. */
static void add_costs(const struct snapshot *snapshot, uint64_t *count, uint64_t *cpu_us)
{
	for (size_t i = 0; i < snapshot->cost_count; i++) {
		const struct cost_row *row = &snapshot->costs[i];

		count[2 * row->direction + row->resumed] += row->count;
		cpu_us[2 * row->direction + row->resumed] += row->cpu_us;
	}
}

START_TEST(spilled_ones_have_the_same_sums)
{
	uint64_t counts[2][2 * DIRECTION_COUNT] = { 0 }, cpu_us[2][2 * DIRECTION_COUNT] = { 0 };
	struct world world;
	struct snapshot full, spilled;

	world_init(&world, HANDSHAKES, 400 + (uint64_t)_i);
	snapshot_of(&world, &full);
	world_spill(&world, 100, 1);
	snapshot_of(&world, &spilled);
	ck_assert_uint_eq(full.cause_count, spilled.cause_count);
	for (size_t i = 0; i < full.cause_count; i++) {
		ck_assert_int_eq(full.causes[i].cause, spilled.causes[i].cause);
		assert_same_parts_sums(&full.causes[i].parts, &spilled.causes[i].parts);
		ck_assert_uint_eq(full.causes[i].waited_for_worker, spilled.causes[i].waited_for_worker);
		ck_assert_uint_eq(full.causes[i].waited_for_peer, spilled.causes[i].waited_for_peer);
	}
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		assert_same_parts_sums(&full.ok[direction].parts, &spilled.ok[direction].parts);
	ck_assert_uint_eq(full.worker_count, spilled.worker_count);
	for (size_t i = 0; i < full.worker_count; i++)
		assert_same_worker_sums(&full.workers[i], &spilled.workers[i]);
	add_costs(&full, counts[0], cpu_us[0]);
	add_costs(&spilled, counts[1], cpu_us[1]);
	ck_assert_mem_eq(counts[0], counts[1], sizeof(counts[0]));
	ck_assert_mem_eq(cpu_us[0], cpu_us[1], sizeof(cpu_us[0]));
	snapshot_release(&full);
	snapshot_release(&spilled);
	world_release(&world);
}
END_TEST

static struct aggregate *aggregate;
static struct snapshot snapshot;

static void set_up(void)
{
	aggregate = aggregate_new(NULL);
	ck_assert_ptr_nonnull(aggregate);
	snapshot_init(&snapshot);
}

static void tear_down(void)
{
	aggregate_free(aggregate);
	snapshot_release(&snapshot);
}

/* 9 ms from the first call on, 2 ms to connect, 1 ms before the first call: 12 ms, of which 3.5 are nobody's. */
static struct observation record_of(enum cause cause)
{
	struct observation record = { .cause = cause };

	record.event.header.kind = EVENT_SETTLED;
	record.event.verdict.direction = DIRECTION_UPSTREAM;
	record.event.latency_ns = 9000 * US;
	record.event.flags = EVENT_WAITS | EVENT_CONNECT;
	record.event.parts = (struct parts){
		.us = { [PART_CONNECT] = 2000,
			[PART_LAG] = 1500,
			[PART_PEER] = 4000,
			[PART_CPU] = 900,
			[PART_PREEMPTED] = 100 },
		.before_us = 1000,
	};
	return record;
}

static void add(const struct observation *record)
{
	ck_assert_int_eq(aggregate_add(aggregate, record), 0);
}

static const struct parts_row *parts_of_ok(void)
{
	ck_assert_int_eq(aggregate_snapshot(aggregate, &snapshot), 0);
	return &snapshot.ok[DIRECTION_UPSTREAM].parts;
}

START_TEST(the_whole_is_more_than_the_latency)
{
	struct observation record = record_of(CAUSE_OK);
	const struct parts_row *row;

	add(&record);
	row = parts_of_ok();
	ck_assert_uint_eq(row->count, 1);
	ck_assert_uint_eq(row->whole_us, 12000);
	ck_assert_uint_eq(row->before_us, 1000);
	ck_assert_uint_eq(row->us[PART_CONNECT], 2000);
	ck_assert_uint_eq(row->us[PART_LAG], 1500);
	ck_assert_uint_eq(row->us[PART_UNATTRIBUTED], 3500);
	ck_assert_uint_eq(row->parts[PART_UNATTRIBUTED].sum_ns, 3500 * US);
	ck_assert_uint_eq(row->parts[PART_PEER].max_ns, 4000 * US);
}
END_TEST

/* One handshake's excess is not another's rest in the histogram; the row compares sums. */
START_TEST(nothing_is_less_than_nothing)
{
	struct observation record = record_of(CAUSE_OK), over = record;
	const struct parts_row *row;

	over.event.parts.us[PART_CPU] = 20000;
	add(&over);
	row = parts_of_ok();
	ck_assert_uint_eq(row->us[PART_UNATTRIBUTED], 0);
	ck_assert_uint_eq(row->parts[PART_UNATTRIBUTED].count, 1);
	ck_assert_uint_eq(row->parts[PART_UNATTRIBUTED].sum_ns, 0);
	add(&record);
	row = parts_of_ok();
	ck_assert_uint_eq(row->us[PART_UNATTRIBUTED], 0);
	ck_assert_uint_eq(row->parts[PART_UNATTRIBUTED].sum_ns, 3500 * US);
}
END_TEST

START_TEST(what_was_not_measured_is_in_no_histogram)
{
	struct observation record = record_of(CAUSE_OK);
	const struct parts_row *row;

	record.event.flags = 0;
	record.event.parts.us[PART_CONNECT] = record.event.parts.us[PART_LAG] = record.event.parts.us[PART_PEER] = 0;
	record.event.parts.before_us = 0;
	add(&record);
	row = parts_of_ok();
	ck_assert_uint_eq(row->count, 1);
	ck_assert_uint_eq(row->parts[PART_CONNECT].count, 0);
	ck_assert_uint_eq(row->parts[PART_LAG].count, 0);
	ck_assert_uint_eq(row->parts[PART_PEER].count, 0);
	ck_assert_uint_eq(row->parts[PART_CPU].count, 1);
	ck_assert_uint_eq(row->parts[PART_PREEMPTED].count, 1);
	ck_assert_uint_eq(row->parts[PART_UNATTRIBUTED].sum_ns, 8000 * US);
	record.event.flags = EVENT_WAITS;
	add(&record);
	row = parts_of_ok();
	ck_assert_uint_eq(row->parts[PART_CONNECT].count, 0);
	ck_assert_uint_eq(row->parts[PART_LAG].count, 1);
	ck_assert_uint_eq(row->parts[PART_PEER].count, 1);
}
END_TEST

START_TEST(unmeasured_ones_have_no_parts)
{
	static const uint16_t flags[] = { VERDICT_JOINED, VERDICT_BEFORE_LIBRARY };
	struct observation ok = record_of(CAUSE_OK), failed = record_of(CAUSE_NOT_TLS);
	const struct parts_row *row;

	ok.event.verdict.flags = failed.event.verdict.flags = flags[_i];
	add(&ok);
	add(&failed);
	row = parts_of_ok();
	ck_assert_uint_eq(row->count, 0);
	ck_assert_uint_eq(row->whole_us, 0);
	ck_assert_uint_eq(row->us[PART_CPU], 0);
	ck_assert_uint_eq(row->parts[PART_CPU].count, 0);
	ck_assert_double_eq_tol(snapshot.ok[DIRECTION_UPSTREAM].cpu_seconds, 0.0009, 1e-12);
	ck_assert_uint_eq(snapshot.causes[0].parts.count, 0);
	ck_assert_double_eq_tol(snapshot.causes[0].cpu_seconds, 0.0009, 1e-12);
}
END_TEST

/* Latencies are added up in nanoseconds and rounded once, or a spill row would say something else than its records.
 */
START_TEST(a_whole_is_rounded_once)
{
	struct observation record = record_of(CAUSE_OK);

	record.event.parts = (struct parts){ .us = { [PART_CPU] = 1 } };
	record.event.latency_ns = 400;
	for (int i = 0; i < 10; i++)
		add(&record);
	ck_assert_uint_eq(parts_of_ok()->whole_us, 4);
}
END_TEST

START_TEST(an_amendment_takes_the_parts_back)
{
	struct observation ok = record_of(CAUSE_OK), other = ok, amended = ok;
	const struct parts_row *row;

	other.event.parts.us[PART_PEER] = 50;
	amended.event.header.kind = EVENT_AMENDED;
	amended.cause = CAUSE_OCSP_FAILED;
	add(&amended);
	row = parts_of_ok();
	ck_assert_uint_eq(row->count, 0);
	ck_assert_uint_eq(row->whole_us, 0);
	ck_assert_uint_eq(row->parts[PART_PEER].count, 0);
	add(&ok);
	add(&other);
	row = parts_of_ok();
	ck_assert_uint_eq(row->count, 1);
	ck_assert_uint_eq(row->whole_us, 12000);
	ck_assert_uint_eq(row->us[PART_PEER], 50);
	ck_assert_uint_eq(row->parts[PART_PEER].count, 1);
	ck_assert_uint_eq(row->parts[PART_PEER].sum_ns, 50 * US);
	ck_assert_uint_eq(snapshot.causes[0].parts.us[PART_PEER], 4000);
}
END_TEST

TCase *aggregate_parts_cases(void)
{
	TCase *parts = tcase_create("parts");

	tcase_set_timeout(parts, 60);
	tcase_add_checked_fixture(parts, set_up, tear_down);
	tcase_add_loop_test(parts, parts_are_what_the_model_gives, 0, 12);
	tcase_add_loop_test(parts, spilled_ones_have_the_same_sums, 0, 10);
	tcase_add_test(parts, the_whole_is_more_than_the_latency);
	tcase_add_test(parts, nothing_is_less_than_nothing);
	tcase_add_test(parts, what_was_not_measured_is_in_no_histogram);
	tcase_add_loop_test(parts, unmeasured_ones_have_no_parts, 0, 2);
	tcase_add_test(parts, a_whole_is_rounded_once);
	tcase_add_test(parts, an_amendment_takes_the_parts_back);
	return parts;
}
