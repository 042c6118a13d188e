/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and their failed upstreams: each is counted once, for the failure that decided. Must not know: records. */
#include <check.h>
#include <stdlib.h>

#include "handshake/impact.h"

#define WORKER 77

Suite *suite_impact(void);

static struct impact *impact;

static void set_up(void)
{
	impact = calloc(1, sizeof(*impact));
	ck_assert_ptr_nonnull(impact);
}

static void tear_down(void)
{
	free(impact);
}

static void assert_counts(enum cause cause, uint64_t lost, uint64_t rescued)
{
	ck_assert_uint_eq(impact->lost[cause], lost);
	ck_assert_uint_eq(impact_rescued(impact, cause), rescued);
}

START_TEST(answered_is_lost)
{
	impact_failed(impact, WORKER, 5, CAUSE_PLAIN_HTTP, false);
	assert_counts(CAUSE_PLAIN_HTTP, 0, 0);
	impact_answered(impact, WORKER, 5);
	assert_counts(CAUSE_PLAIN_HTTP, 1, 0);
	impact_answered(impact, WORKER, 5); /* its next request, with nothing of TLS */
	assert_counts(CAUSE_PLAIN_HTTP, 1, 0);
}
END_TEST

START_TEST(completed_is_rescued)
{
	impact_failed(impact, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_completed(impact, WORKER, 5);
	assert_counts(CAUSE_PEER_RESET, 0, 1);
	impact_completed(impact, WORKER, 5);
	assert_counts(CAUSE_PEER_RESET, 0, 1);
}
END_TEST

/* The second upstream completed, was refused by its certificate, and the request got a 502. */
START_TEST(taken_back_is_no_rescue)
{
	impact_failed(impact, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_completed(impact, WORKER, 5);
	impact_failed(impact, WORKER, 5, CAUSE_PEER_CERTIFICATE_EXPIRED, true);
	impact_answered(impact, WORKER, 5);
	assert_counts(CAUSE_PEER_RESET, 0, 0);
	assert_counts(CAUSE_PEER_CERTIFICATE_EXPIRED, 1, 0);
}
END_TEST

/* A kept client connection: the first request was rescued, the second is lost. */
START_TEST(requests_of_one_connection)
{
	impact_failed(impact, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_completed(impact, WORKER, 5);
	impact_failed(impact, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_answered(impact, WORKER, 5);
	assert_counts(CAUSE_PEER_RESET, 1, 1);
}
END_TEST

/* A 502 after a completed handshake has another reason. */
START_TEST(answer_after_completion_is_not_ours)
{
	impact_failed(impact, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_completed(impact, WORKER, 5);
	impact_answered(impact, WORKER, 5);
	assert_counts(CAUSE_PEER_RESET, 0, 1);
}
END_TEST

START_TEST(others_are_not_touched)
{
	impact_failed(impact, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_answered(impact, WORKER + 1, 5);
	impact_answered(impact, WORKER, 6);
	impact_completed(impact, WORKER + 1, 5);
	impact_answered(impact, WORKER, 0);
	impact_failed(impact, WORKER, 0, CAUSE_PEER_RESET, false);
	impact_answered(impact, WORKER, 0);
	assert_counts(CAUSE_PEER_RESET, 0, 0);
}
END_TEST

/* More requests than places: those that are pushed out are not counted, the others are. */
START_TEST(memory_is_bounded)
{
	for (uint64_t connection = 1; connection <= 3 * IMPACT_REQUESTS; connection++)
		impact_failed(impact, WORKER, connection, CAUSE_PEER_RESET, false);
	for (uint64_t connection = 1; connection <= 3 * IMPACT_REQUESTS; connection++)
		impact_answered(impact, WORKER, connection);
	assert_counts(CAUSE_PEER_RESET, IMPACT_REQUESTS, 0);
}
END_TEST

START_TEST(counts_merge)
{
	struct impact *other = calloc(1, sizeof(*other));

	ck_assert_ptr_nonnull(other);
	impact_failed(impact, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_answered(impact, WORKER, 5);
	impact_failed(other, WORKER, 5, CAUSE_PEER_RESET, false);
	impact_answered(other, WORKER, 5);
	impact_failed(other, WORKER, 6, CAUSE_PEER_RESET, false);
	impact_completed(other, WORKER, 6);
	impact_merge(impact, other);
	assert_counts(CAUSE_PEER_RESET, 2, 1);
	free(other);
}
END_TEST

Suite *suite_impact(void)
{
	Suite *suite = suite_create("impact");
	TCase *tests = tcase_create("requests");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, answered_is_lost);
	tcase_add_test(tests, completed_is_rescued);
	tcase_add_test(tests, taken_back_is_no_rescue);
	tcase_add_test(tests, requests_of_one_connection);
	tcase_add_test(tests, answer_after_completion_is_not_ours);
	tcase_add_test(tests, others_are_not_touched);
	tcase_add_test(tests, memory_is_bounded);
	tcase_add_test(tests, counts_merge);
	suite_add_tcase(suite, tests);
	return suite;
}
