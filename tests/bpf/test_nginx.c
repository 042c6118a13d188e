/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known through nginx alone: handshakes of a library of which nothing is known.
 * Must not know: OpenSSL.
 */
#include <check.h>
#include <stdio.h>

#include "control.h"
#include "fake_layout.h"
#include "lab.h"
#include "suites.h"

#include "handshake/classify.h"

#define NGX_OK    0
#define NGX_AGAIN (-2)
#define NGX_ERROR (-1)

static struct lab *lab;
static struct victim victim;

static void begin(void)
{
	lab = lab_share();
	victim_start(&victim);
	lab_watch_connections(lab, victim.pid);
}

static void end(void)
{
	victim_stop(&victim);
}

static enum cause settled_cause(void)
{
	return classify(&lab_settled_one(lab)->verdict);
}

START_TEST(a_handshake_is_counted)
{
	struct made made = make(&victim, 0, _i ? "server" : "client");
	const struct event *event;

	say(&victim, "set 0 log.number 77");
	say(&victim, "create 0");
	say(&victim, "handshake 0 %d", NGX_AGAIN);
	say(&victim, "handshake 0 %d", NGX_OK);
	say(&victim, "shutdown 0");
	say(&victim, "shutdown 0");
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->verdict.outcome, OUTCOME_OK);
	ck_assert_uint_eq(event->verdict.direction, _i ? DIRECTION_CLIENT : DIRECTION_UPSTREAM);
	ck_assert_uint_eq(event->verdict.flags & VERDICT_JOINED, 0);
	ck_assert_uint_eq(event->verdict.flags & VERDICT_OBJECT_UNREADABLE, VERDICT_OBJECT_UNREADABLE);
	ck_assert_uint_eq(event->calls, 2);
	ck_assert_uint_eq(event->connection, 77);
	ck_assert_uint_eq(event->peer_port, made.peer_port);
}
END_TEST

/* The library's own functions are not listened to there: nothing is counted twice. */
START_TEST(objects_do_not_count)
{
	make(&victim, 0, "server");
	say(&victim, "create 0");
	wait_in(&victim, 0, STATE_READ_CH);
	say(&victim, "handshake 0 %d", NGX_AGAIN);
	succeed(&victim, 0);
	say(&victim, "handshake 0 %d", NGX_OK);
	say(&victim, "shutdown 0");
	say(&victim, "free 0");
	ck_assert_int_eq(settled_cause(), CAUSE_OK);
}
END_TEST

START_TEST(one_that_was_begun_before_is_joined)
{
	make(&victim, 0, "server");
	say(&victim, "handshake 0 %d", NGX_OK);
	say(&victim, "shutdown 0");
	ck_assert_uint_eq(lab_settled_one(lab)->verdict.flags & VERDICT_JOINED, VERDICT_JOINED);
}
END_TEST

/* nginx uses the memory of a connection again. */
START_TEST(a_connection_is_used_again)
{
	make(&victim, 0, "server");
	for (int i = 0; i < 3; i++) {
		say(&victim, "create 0");
		say(&victim, "handshake 0 %d", i == 1 ? NGX_ERROR : NGX_OK);
		if (i != 0) /* the end of the first is not seen */
			say(&victim, "shutdown 0");
	}
	lab_read(lab);
	lab_assert_exact(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 3);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_OK), 2);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FAILED), 1);
}
END_TEST

static const struct {
	const char *role, *moved, *step;
	enum cause cause;
} failures[] = {
	{ "server", "", "handshake 0 -1 0", CAUSE_PEER_CLOSED_BEFORE_HELLO },
	{ "server", "write 0 100", "handshake 0 -1 0", CAUSE_PEER_CLOSED_MID_HANDSHAKE },
	{ "client", "write 0 100", "handshake 0 -1 0", CAUSE_PEER_CLOSED_BEFORE_HELLO },
	{ "client", "peer_write 0 100", "handshake 0 -1 0", CAUSE_PEER_CLOSED_MID_HANDSHAKE },
	{ "server", "", "handshake 0 -1 104", CAUSE_PEER_RESET },
	{ "server", "write 0 100", "handshake 0 -1", CAUSE_UNKNOWN }, /* the library knows why, and nobody else */
	{ "server", "", "set 0 read.bits 0x400", CAUSE_TIMEOUT_BEFORE_HELLO },
	{ "client", "peer_write 0 100", "set 0 write.bits 0x400", CAUSE_TIMEOUT_MID_HANDSHAKE },
	{ "client", "write 0 100", "set 0 read.bits 0", CAUSE_ABORTED_BY_NGINX },
};

START_TEST(a_failure_has_its_cause)
{
	make(&victim, 0, failures[_i].role);
	say(&victim, "create 0");
	say(&victim, "handshake 0 %d", NGX_AGAIN);
	if (*failures[_i].moved)
		say(&victim, "%s", failures[_i].moved);
	say(&victim, "%s", failures[_i].step);
	say(&victim, "shutdown 0");
	ck_assert_str_eq(cause_id(settled_cause()), cause_id(failures[_i].cause));
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FAILED), 1);
}
END_TEST

START_TEST(a_refused_certificate_is_answered)
{
	make(&victim, 0, "server");
	say(&victim, "create 0");
	say(&victim, "handshake 0 %d", NGX_OK);
	say(&victim, "answer 0 %d", _i ? 495 : 496);
	say(&victim, "answer 0 %d", 404);
	say(&victim, "shutdown 0");
	lab_read(lab);
	lab_assert_exact(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_AMENDED), 1);
	ck_assert_str_eq(cause_id(classify(&lab_only(lab, EVENT_AMENDED)->seen.event.verdict)),
			 cause_id(_i ? CAUSE_PEER_CERTIFICATE_INVALID : CAUSE_PEER_CERTIFICATE_MISSING));
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_nginx(void)
{
	Suite *suite = suite_create("nginx");
	TCase *connections = tcase_create("connections");

	tcase_add_unchecked_fixture(connections, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(connections, begin, end);
	tcase_add_loop_test(connections, a_handshake_is_counted, 0, 2);
	tcase_add_test(connections, objects_do_not_count);
	tcase_add_test(connections, one_that_was_begun_before_is_joined);
	tcase_add_test(connections, a_connection_is_used_again);
	tcase_add_loop_test(connections, a_failure_has_its_cause, 0, COUNT(failures));
	tcase_add_loop_test(connections, a_refused_certificate_is_answered, 0, 2);
	tcase_set_timeout(connections, 60);
	suite_add_tcase(suite, connections);
	return suite;
}
