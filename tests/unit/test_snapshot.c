/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots: who owns what, and when one is exact. */
#include <string.h>

#include <check.h>

#include "handshake/aggregate.h"

Suite *suite_snapshot(void);

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

/* A client's handshake; those that were ok had resumed a session. */
static void add(enum event_kind kind, enum cause cause)
{
	struct observation record = { .cause = cause };

	record.event.header.kind = (__u8)kind;
	record.event.verdict.direction = DIRECTION_CLIENT;
	record.event.latency_ns = 5000000;
	record.event.flags = kind == EVENT_AMENDED || cause == CAUSE_OK ? EVENT_RESUMED : 0;
	ck_assert_int_eq(aggregate_add(aggregate, &record), 0);
}

/* Two ok, one of them amended, one failed, one open, one evicted, one unmatched: the kernel's side of it. */
#define BALANCED                                                                                        \
	{                                                                                               \
		.begun = 6, .ok = 1, .failed = 2, .open = 1, .evicted = 1, .unmatched = 1, .resumed = 2 \
	}

static void count_balanced(void)
{
	add(EVENT_SETTLED, CAUSE_OK);
	add(EVENT_SETTLED, CAUSE_OK);
	add(EVENT_SETTLED, CAUSE_NOT_TLS);
	add(EVENT_AMENDED, CAUSE_OCSP_FAILED);
}

static const struct {
	struct totals totals;
	struct losses losses;
	const char *reason; /* NULL: exact */
} judgements[] = {
	{ .totals = BALANCED },
	{ .totals = BALANCED, .losses = { .ring_full = 9, .read_faults = 3, .evicted = 1, .unmatched = 1 } },
	{ .totals = BALANCED,
	  .losses = { .spill_full = 3 },
	  .reason = "3 records found the ring and the spill map full" },
	{ .totals = BALANCED, .losses = { .state_full = 4 }, .reason = "4 handshakes found the state map full" },
	{ .totals = BALANCED, .losses = { .settled_full = 5 }, .reason = "5 completed handshakes were not watched" },
	{ .totals = BALANCED, .losses = { .undecodable = 6 }, .reason = "6 records could not be decoded" },
	{ .totals = { .begun = 7, .ok = 1, .failed = 2, .open = 1, .evicted = 1, .unmatched = 1 },
	  .reason = "7 handshakes of clients were begun, but 1 ok + 2 failed + 1 open + 1 evicted" },
	{ .totals = { .begun = 6, .ok = 1, .failed = 3, .evicted = 1, .unmatched = 1 },
	  .reason = "the kernel counted 3 failed handshakes of clients, but records of 2 arrived" },
	{ .totals = { .begun = 6, .ok = 2, .failed = 2, .evicted = 1, .unmatched = 1 },
	  .reason = "the kernel counted 2 ok handshakes of clients, but records of 1 arrived" },
};

START_TEST(exact_when_everything_agrees)
{
	struct totals totals[SNAPSHOT_DIRECTIONS] = { [DIRECTION_CLIENT] = judgements[_i].totals };

	count_balanced();
	aggregate_set_totals(aggregate, totals, &judgements[_i].losses);
	take_snapshot();
	ck_assert_int_eq(snapshot.exact, judgements[_i].reason == NULL);
	if (!judgements[_i].reason) {
		ck_assert_ptr_null(snapshot.inexact_reason);
		ck_assert_uint_eq(snapshot.totals[DIRECTION_CLIENT].resumed, 1);
		ck_assert_double_eq(snapshot.causes[0].share, 0.25); /* of 6 begun less 1 open and 1 evicted */
		return;
	}
	ck_assert_msg(strncmp(snapshot.inexact_reason, judgements[_i].reason, strlen(judgements[_i].reason)) == 0,
		      "%s", snapshot.inexact_reason);
}
END_TEST

START_TEST(not_exact_without_the_kernels_counters)
{
	struct totals totals[SNAPSHOT_DIRECTIONS] = { [DIRECTION_CLIENT] = BALANCED };
	struct aggregate *whole = aggregate_new(NULL);
	struct losses losses = { 0 };

	count_balanced();
	take_snapshot();
	ck_assert(!snapshot.exact);
	ck_assert_ptr_nonnull(strstr(snapshot.inexact_reason, "missing"));
	ck_assert_uint_eq(snapshot.totals[DIRECTION_CLIENT].begun, 3);
	aggregate_set_totals(aggregate, totals, &losses);
	ck_assert_int_eq(aggregate_merge(whole, aggregate), 0);
	ck_assert_int_eq(aggregate_merge(whole, aggregate), 0);
	ck_assert_int_eq(aggregate_snapshot(whole, &snapshot), 0);
	ck_assert(snapshot.exact);
	ck_assert_uint_eq(snapshot.totals[DIRECTION_CLIENT].begun, 12);
	aggregate_free(aggregate);
	aggregate = aggregate_new(NULL);
	count_balanced();
	ck_assert_int_eq(aggregate_merge(whole, aggregate), 0);
	ck_assert_int_eq(aggregate_snapshot(whole, &snapshot), 0);
	ck_assert_msg(!snapshot.exact, "a part of it has no totals");
	ck_assert_ptr_nonnull(strstr(snapshot.inexact_reason, "missing"));
	aggregate_free(whole);
}
END_TEST

START_TEST(snapshot_keeps_what_is_not_its_own)
{
	snapshot.host = strdup("web1");
	snapshot.seconds = 30;
	take_snapshot();
	ck_assert_uint_eq(snapshot.cause_count, 0);
	add(EVENT_SETTLED, CAUSE_NOT_TLS);
	take_snapshot();
	take_snapshot();
	ck_assert_str_eq(snapshot.host, "web1");
	ck_assert_double_eq(snapshot.seconds, 30);
	ck_assert_uint_eq(snapshot.cause_count, 1);
	ck_assert_double_eq(snapshot.causes[0].share, 1);
	ck_assert_double_eq(snapshot.workers[0].cpu_ratio, -1);
	snapshot_release(&snapshot);
	snapshot_release(NULL);
	ck_assert_ptr_null(snapshot.causes);
}
END_TEST

Suite *suite_snapshot(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *exact = tcase_create("exact");

	tcase_add_checked_fixture(exact, set_up, tear_down);
	tcase_add_loop_test(exact, exact_when_everything_agrees, 0, sizeof(judgements) / sizeof(judgements[0]));
	tcase_add_test(exact, not_exact_without_the_kernels_counters);
	tcase_add_test(exact, snapshot_keeps_what_is_not_its_own);
	suite_add_tcase(suite, exact);
	return suite;
}
