/* SPDX-License-Identifier: BSD-2-Clause */
/* nginx's own answers to requests: those that a failed upstream ends in are told, with their connection's number. */
#include <unistd.h>

#include <check.h>

#include "control.h"
#include "fake_layout.h"
#include "lab.h"
#include "suites.h"

static struct victim victim;

static void begin(void)
{
	victim_start(&victim);
	make(&victim, 0, "server");
	say(&victim, "set 0 log.number 9876543210");
}

static void end(void)
{
	victim_stop(&victim);
}

START_TEST(gateway_errors_are_told)
{
	struct lab *lab = lab_share();
	const struct event *event;

	lab_watch(lab, victim.pid);
	say(&victim, "answer 0 %d", _i ? 504 : 502);
	lab_read(lab);
	event = &lab_only(lab, EVENT_ANSWERED)->seen.event;
	ck_assert_uint_eq(event->header.answer, _i ? 4 : 2);
	ck_assert_uint_eq(event->header.tgid, (uint32_t)victim.pid);
	ck_assert_uint_eq(event->connection, 9876543210);
	ck_assert_uint_gt(event->time_ns, 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_ANSWER_HITS), 1);
}
END_TEST

static const int others[] = { 301, 400, 404, 495, 496, 497, 499, 500, 503, 505, 758, 0 };

START_TEST(other_answers_are_not)
{
	struct lab *lab = lab_share();

	lab_watch(lab, victim.pid);
	say(&victim, "answer 0 %d", others[_i]);
	lab_read(lab);
	ck_assert_uint_eq(lab->record_count, 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_ANSWER_HITS), 1);
}
END_TEST

START_TEST(a_foreign_answer_is_not)
{
	struct lab *lab = lab_share();

	say(&victim, "answer 0 502");
	lab_read(lab);
	ck_assert_uint_eq(lab->record_count, 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FOREIGN_HITS), 1);
}
END_TEST

START_TEST(a_full_ring_is_counted)
{
	struct tracer_options tiny = { .ring_bytes = (uint32_t)sysconf(_SC_PAGESIZE) };
	struct lab lab;

	lab_open(&lab, &tiny);
	lab_watch(&lab, victim.pid);
	lab_arm(&lab);
	for (int i = 0; i < 100; i++)
		say(&victim, "answer 0 502");
	lab_finish(&lab);
	ck_assert_uint_gt(lab_sum(&lab, COUNTER_LOST_ANSWERS), 0);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_LOST_ANSWERS) + lab_count(&lab, EVENT_ANSWERED), 100);
	lab_close(&lab);
}
END_TEST

Suite *suite_answers(void)
{
	Suite *suite = suite_create("answers");
	TCase *answers = tcase_create("answers"), *lost = tcase_create("lost");

	tcase_add_unchecked_fixture(answers, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(answers, begin, end);
	tcase_add_loop_test(answers, gateway_errors_are_told, 0, 2);
	tcase_add_loop_test(answers, other_answers_are_not, 0, (int)(sizeof(others) / sizeof(others[0])));
	tcase_add_test(answers, a_foreign_answer_is_not);
	tcase_add_checked_fixture(lost, begin, end);
	tcase_add_test(lost, a_full_ring_is_counted);
	tcase_set_timeout(answers, 20);
	tcase_set_timeout(lost, 20);
	suite_add_tcase(suite, answers);
	suite_add_tcase(suite, lost);
	return suite;
}
