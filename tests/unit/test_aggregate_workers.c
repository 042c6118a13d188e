/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted for workers and their generations. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "handshake/aggregate.h"
#include "handshake/codes.h"

TCase *aggregate_workers_cases(void);

#define MS 1000000ull

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

static void take_snapshot(void)
{
	ck_assert_int_eq(aggregate_snapshot(aggregate, &snapshot), 0);
}

static struct observation record_of(enum cause cause, uint32_t pid)
{
	struct observation record = { .cause = cause };

	record.event.header.kind = EVENT_SETTLED;
	record.event.header.tgid = pid;
	record.event.generation = 1;
	record.event.verdict.direction = DIRECTION_CLIENT;
	record.event.tls_version = 0x0304;
	record.event.cipher = 0x03001301;
	record.event.group = 29;
	record.event.latency_ns = 5 * MS;
	record.event.flags = EVENT_WAITS;
	record.event.parts = (struct parts){ .us = { [PART_LAG] = 1500, [PART_PEER] = 3000, [PART_CPU] = 700 },
					     .before_us = 1000 };
	return record;
}

static void add(const struct observation *record)
{
	ck_assert_int_eq(aggregate_add(aggregate, record), 0);
}

START_TEST(a_worker_has_its_sums)
{
	struct observation ok = record_of(CAUSE_OK, 7), joined = ok, blind = ok;
	const struct snapshot_worker *row;

	joined.event.verdict.flags = VERDICT_JOINED;
	blind.event.flags = 0;
	blind.event.parts.us[PART_LAG] = blind.event.parts.us[PART_PEER] = blind.event.parts.before_us = 0;
	add(&ok);
	add(&joined);
	add(&blind);
	take_snapshot();
	ck_assert_uint_eq(snapshot.worker_count, 1);
	row = &snapshot.workers[0];
	ck_assert_uint_eq(row->pid, 7);
	ck_assert_uint_eq(row->generation, 1);
	ck_assert_uint_eq(row->handshakes, 3);
	ck_assert_uint_eq(row->count, 2);
	ck_assert_uint_eq(row->whole_us, 11000);
	ck_assert_uint_eq(row->before_us, 1000);
	ck_assert_uint_eq(row->us[PART_LAG], 1500);
	ck_assert_uint_eq(row->us[PART_CPU], 1400);
	ck_assert_uint_eq(row->us[PART_UNATTRIBUTED], 11000 - 1500 - 3000 - 1400);
	ck_assert_uint_eq(row->cpu_us, 2100);
	ck_assert_uint_eq(row->latency.count, 2);
	ck_assert_uint_eq(row->lag.count, 1);
	ck_assert_uint_eq(row->lag.sum_ns, 1500000);
}
END_TEST

START_TEST(what_is_sampled_is_unknown)
{
	struct observation ok = record_of(CAUSE_OK, 7);

	add(&ok);
	take_snapshot();
	ck_assert_double_lt(snapshot.workers[0].cpu_ratio, 0);
	ck_assert_double_lt(snapshot.workers[0].run_delay_ratio, 0);
	ck_assert_double_lt(snapshot.workers[0].cpu_ratio_peak, 0);
	ck_assert_double_lt(snapshot.workers[0].run_delay_peak, 0);
	ck_assert_double_lt(snapshot.workers[0].cpu_seconds, 0);
	ck_assert_double_eq(snapshot.workers[0].sampled_seconds, 0);
}
END_TEST

/* The worker has spent the time: an amendment adds a failure, takes back what is of kept oks, and nothing else. */
START_TEST(an_amendment_is_no_second_handshake)
{
	struct observation ok = record_of(CAUSE_OK, 7), amended = ok;
	const struct snapshot_worker *row;

	ok.event.flags |= EVENT_RESUMED;
	amended = ok;
	amended.event.header.kind = EVENT_AMENDED;
	amended.cause = CAUSE_OCSP_FAILED;
	add(&amended);
	take_snapshot();
	ck_assert_uint_eq(snapshot.workers[0].handshakes, 0);
	ck_assert_uint_eq(snapshot.workers[0].failed, 1);
	ck_assert_uint_eq(snapshot.workers[0].resumed, 0);
	ck_assert_uint_eq(snapshot.workers[0].latency.count, 0);
	ck_assert_uint_eq(snapshot.workers[0].codes.count, 0);
	add(&ok);
	take_snapshot();
	row = &snapshot.workers[0];
	ck_assert_uint_eq(row->handshakes, 1);
	ck_assert_uint_eq(row->failed, 1);
	ck_assert_uint_eq(row->resumed, 0);
	ck_assert_uint_eq(row->count, 1);
	ck_assert_uint_eq(row->cpu_us, 700);
	ck_assert_uint_eq(row->latency.count, 1);
	ck_assert_uint_eq(row->lag.count, 1);
	ck_assert_uint_eq(row->codes.count, 0);
	add(&ok);
	take_snapshot();
	ck_assert_uint_eq(snapshot.workers[0].resumed, 1);
	ck_assert_uint_eq(snapshot.workers[0].codes.count, 3);
}
END_TEST

/* Of those that somebody gave up, those for which the worker was late; also spilled ones. */
START_TEST(given_up_is_told_from_refused)
{
	struct observation late = record_of(CAUSE_TIMEOUT_MID_HANDSHAKE, 7), slow = late, refused = late;
	struct spill_key key = { .tgid = 7, .generation = 1 };
	struct spill_value value = { .count = 4 };

	late.event.verdict.waited = refused.event.verdict.waited = WAITED_WORKER;
	slow.event.verdict.waited = WAITED_PEER;
	refused.cause = CAUSE_NO_SHARED_CIPHER;
	key.verdict = (struct verdict){ .direction = DIRECTION_CLIENT,
					.outcome = OUTCOME_ABANDONED,
					.stage = STAGE_MID,
					.flags = VERDICT_NGINX_FACTS | VERDICT_TIMED_OUT,
					.waited = WAITED_WORKER };
	add(&late);
	add(&slow);
	add(&refused);
	ck_assert_int_eq(aggregate_add_spilled(aggregate, &key, &value), 0);
	take_snapshot();
	ck_assert_uint_eq(snapshot.workers[0].failed, 7);
	ck_assert_uint_eq(snapshot.workers[0].given_up, 6);
	ck_assert_uint_eq(snapshot.workers[0].given_up_late, 5);
	ck_assert_int_eq(snapshot.causes[0].cause, CAUSE_TIMEOUT_MID_HANDSHAKE);
	ck_assert_uint_eq(snapshot.causes[0].waited_for_worker, 5);
	ck_assert_uint_eq(snapshot.causes[0].waited_for_peer, 1);
}
END_TEST

/* The first of a kind are told apart, the others are 0 together. */
START_TEST(codes_beyond_the_first_are_together)
{
	struct observation ok = record_of(CAUSE_OK, 7);
	const struct code_counts *codes;
	uint64_t together = 0, ciphers = 0;

	for (uint16_t i = 1; i <= CODES_KEPT + 5; i++) {
		ok.event.cipher = i;
		add(&ok);
	}
	ok.event.cipher = 1;
	add(&ok);
	take_snapshot();
	codes = &snapshot.workers[0].codes;
	for (size_t i = 0; i < codes->count; i++) {
		ciphers += codes->items[i].kind == CODE_CIPHER;
		if (codes->items[i].kind == CODE_CIPHER && codes->items[i].code == 0)
			together = codes->items[i].count;
	}
	ck_assert_uint_eq(ciphers, CODES_KEPT + 1);
	ck_assert_uint_eq(together, 5);
	ck_assert_int_eq(codes->items[0].kind, CODE_VERSION);
	ck_assert_uint_eq(codes->items[0].count, CODES_KEPT + 6);
	ck_assert_uint_eq(codes->items[1].code, 0);
	ck_assert_uint_eq(codes->items[2].code, 1);
	ck_assert_uint_eq(codes->items[2].count, 2);
}
END_TEST

/* A version that is not known is a number of its own, which the others beyond the first join. */
START_TEST(an_unknown_version_is_counted)
{
	struct observation ok = record_of(CAUSE_OK, 7);

	ok.event.tls_version = 0;
	ok.event.cipher = 0;
	ok.event.group = 0;
	add(&ok);
	take_snapshot();
	ck_assert_uint_eq(snapshot.workers[0].codes.count, 1);
	ck_assert_uint_eq(snapshot.workers[0].codes.items[0].code, 0);
}
END_TEST

static void place(size_t at, uint32_t pid, uint32_t master, uint32_t generation, uint64_t handshakes)
{
	struct snapshot_worker *row = &snapshot.workers[at];

	row->pid = pid;
	row->master_pid = master;
	row->generation = generation;
	row->handshakes = handshakes;
	row->failed = row->given_up = 2;
	row->resumed = row->given_up_late = 1;
	row->count = 1;
	row->whole_us = 100;
	row->before_us = 5;
	row->us[PART_CPU] = at == 0 ? 130 : 10;
	row->us[PART_UNATTRIBUTED] = at == 0 ? 0 : 90;
	histogram_add(&row->latency, 100000);
	histogram_add(&row->lag, 1000 * (at + 1));
	row->codes.items = calloc(2, sizeof(*row->codes.items));
	ck_assert_ptr_nonnull(row->codes.items);
	row->codes.count = 2;
	row->codes.items[0] = (struct code_count){ .kind = CODE_VERSION, .code = 0x0304, .count = handshakes };
	row->codes.items[1] =
		(struct code_count){ .kind = CODE_CIPHER, .code = (uint16_t)(0x1301 + at % 2), .count = handshakes };
}

/* Three workers of two generations of one nginx, one pid in two rows of a generation, one worker of another nginx. */
static void place_all(void)
{
	snapshot.workers = calloc(5, sizeof(*snapshot.workers));
	ck_assert_ptr_nonnull(snapshot.workers);
	snapshot.worker_count = 5;
	place(0, 12, 10, 2, 30);
	place(1, 11, 10, 1, 7);
	place(2, 13, 10, 2, 40);
	place(3, 12, 10, 2, 5);
	place(4, 9, 8, 2, 1);
}

START_TEST(generations_are_sums_of_workers)
{
	const struct generation_row *row;

	place_all();
	ck_assert_int_eq(snapshot_fill_generations(&snapshot), 0);
	ck_assert_uint_eq(snapshot.generation_count, 3);
	ck_assert_uint_eq(snapshot.generations[0].master_pid, 8);
	ck_assert_uint_eq(snapshot.generations[1].master_pid, 10);
	ck_assert_uint_eq(snapshot.generations[1].generation, 1);
	ck_assert_uint_eq(snapshot.generations[1].workers, 1);
	ck_assert_uint_eq(snapshot.generations[1].handshakes, 7);
	row = &snapshot.generations[2];
	ck_assert_uint_eq(row->generation, 2);
	ck_assert_uint_eq(row->workers, 2);
	ck_assert_uint_eq(row->handshakes, 75);
	ck_assert_uint_eq(row->failed, 6);
	ck_assert_uint_eq(row->given_up, 6);
	ck_assert_uint_eq(row->given_up_late, 3);
	ck_assert_uint_eq(row->resumed, 3);
	ck_assert_uint_eq(row->count, 3);
	ck_assert_uint_eq(row->whole_us, 300);
	ck_assert_uint_eq(row->before_us, 15);
	ck_assert_uint_eq(row->us[PART_CPU], 150);
	ck_assert_uint_eq(row->us[PART_UNATTRIBUTED], 150);
	ck_assert_uint_eq(row->latency.count, 3);
	ck_assert_uint_eq(row->lag.sum_ns, 8000);
	ck_assert_uint_eq(row->codes.count, 3);
	ck_assert_uint_eq(row->codes.items[0].count, 75);
	ck_assert_uint_eq(row->codes.items[1].code, 0x1301);
	ck_assert_uint_eq(row->codes.items[1].count, 70);
	ck_assert_uint_eq(row->codes.items[2].count, 5);
}
END_TEST

START_TEST(generations_are_made_anew)
{
	ck_assert_int_eq(snapshot_fill_generations(&snapshot), 0);
	ck_assert_uint_eq(snapshot.generation_count, 0);
	place_all();
	ck_assert_int_eq(snapshot_fill_generations(&snapshot), 0);
	snapshot.workers[4].generation = 3;
	snapshot.workers[4].master_pid = 20;
	ck_assert_int_eq(snapshot_fill_generations(&snapshot), 0);
	ck_assert_uint_eq(snapshot.generation_count, 3);
	ck_assert_uint_eq(snapshot.generations[2].master_pid, 20);
	ck_assert_uint_eq(snapshot.generations[1].handshakes, 75);
}
END_TEST

/* The row of the rest has all of it, and merging two tables over their limit keeps every sum. */
START_TEST(workers_beyond_the_limit_share_a_row)
{
	struct aggregate *few = aggregate_new(&(struct aggregate_options){ .workers = 4 });
	uint64_t handshakes = 0, lag = 0, versions = 0;

	ck_assert_ptr_nonnull(few);
	for (uint32_t pid = 1; pid <= 20; pid++) {
		struct observation record = record_of(CAUSE_OK, pid);

		record.event.generation = pid % 2;
		add(&record);
		ck_assert_int_eq(aggregate_add(few, &record), 0);
	}
	ck_assert_int_eq(aggregate_merge(few, aggregate), 0);
	ck_assert_int_eq(aggregate_snapshot(few, &snapshot), 0);
	ck_assert_uint_eq(snapshot.worker_count, 5);
	ck_assert_uint_eq(snapshot.workers[0].pid, 0);
	ck_assert_uint_eq(snapshot.workers[0].generation, 0);
	ck_assert_uint_eq(snapshot.workers[0].handshakes, 32);
	ck_assert_uint_eq(snapshot.workers[1].handshakes, 2);
	for (size_t i = 0; i < snapshot.worker_count; i++) {
		handshakes += snapshot.workers[i].handshakes;
		lag += snapshot.workers[i].lag.count;
		versions += snapshot.workers[i].codes.items[0].count;
	}
	ck_assert_uint_eq(handshakes, 40);
	ck_assert_uint_eq(lag, 40);
	ck_assert_uint_eq(versions, 40);
	aggregate_free(few);
}
END_TEST

TCase *aggregate_workers_cases(void)
{
	TCase *workers = tcase_create("workers");

	tcase_add_checked_fixture(workers, set_up, tear_down);
	tcase_add_test(workers, a_worker_has_its_sums);
	tcase_add_test(workers, what_is_sampled_is_unknown);
	tcase_add_test(workers, an_amendment_is_no_second_handshake);
	tcase_add_test(workers, given_up_is_told_from_refused);
	tcase_add_test(workers, codes_beyond_the_first_are_together);
	tcase_add_test(workers, an_unknown_version_is_counted);
	tcase_add_test(workers, generations_are_sums_of_workers);
	tcase_add_test(workers, generations_are_made_anew);
	tcase_add_test(workers, workers_beyond_the_limit_share_a_row);
	return workers;
}
