/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library that no table knows: only what its accessors give is known. What can be told must be right, and what
 * cannot must be unknown.
 * Must not know: which library that is.
 */
#include <check.h>
#include <string.h>

#include "control.h"
#include "fake_layout.h"
#include "lab.h"
#include "suites.h"

static struct lab *lab;
static struct victim victim;

/* What user/attach decodes from the machine code of every OpenSSL since 1.1.1, and nothing else. */
static struct layout decoded(void)
{
	struct layout layout = fake_layout;

	memset(&layout, 0xff, offsetof(struct layout, error_lib_shift));
	layout.version = fake_layout.version;
	layout.rbio = fake_layout.rbio;
	layout.rwstate = fake_layout.rwstate;
	layout.server = fake_layout.server;
	layout.shutdown = fake_layout.shutdown;
	layout.hand_state = fake_layout.hand_state;
	layout.in_init = fake_layout.in_init;
	layout.hit = fake_layout.hit;
	layout.session = fake_layout.session;
	layout.verify_mode = fake_layout.verify_mode;
	layout.verify_result = fake_layout.verify_result;
	layout.options = fake_layout.options;
	layout.client_version = fake_layout.client_version;
	layout.bio_flags = fake_layout.bio_flags;
	layout.bio_num = fake_layout.bio_num;
	layout.bio_next = fake_layout.bio_next;
	layout.session_cipher = fake_layout.session_cipher;
	layout.cipher_id = fake_layout.cipher_id;
	return layout;
}

static void begin(void)
{
	const struct layout layout = decoded();

	lab = lab_share();
	victim_start(&victim);
	lab_watch_as(lab, victim.pid, &layout);
}

static void end(void)
{
	victim_stop(&victim);
}

/* The state stays 0 until a whole message has come: no new handshake begins meanwhile. */
START_TEST(one_is_one)
{
	make(&victim, 0, _i ? "server" : "client");
	for (int i = 0; i < 3; i++)
		wait_in(&victim, 0, STATE_BEFORE);
	succeed(&victim, 0);
	say(&victim, "free 0");
	ck_assert_uint_eq(lab_settled_one(lab)->verdict.flags & VERDICT_JOINED, 0);
	ck_assert_uint_eq(lab_of(lab, COUNTER_OK, _i ? DIRECTION_CLIENT : DIRECTION_UPSTREAM), 1);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_UNMATCHED), 0);
}
END_TEST

START_TEST(one_in_the_middle_is_joined)
{
	make(&victim, 0, "server");
	say(&victim, "set 0 hand_state %u", STATE_READ_KEY);
	succeed(&victim, 0);
	say(&victim, "free 0");
	ck_assert_uint_eq(lab_settled_one(lab)->verdict.flags & VERDICT_JOINED, VERDICT_JOINED);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_OK), 1);
}
END_TEST

START_TEST(one_that_is_only_freed_is_joined)
{
	make(&victim, 0, "server");
	say(&victim, "set 0 hand_state %u", STATE_READ_KEY);
	say(&victim, "free 0");
	ck_assert_uint_eq(lab_settled_one(lab)->verdict.flags & VERDICT_JOINED, VERDICT_JOINED);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.verdict.outcome, OUTCOME_ABANDONED);
}
END_TEST

START_TEST(one_that_never_began_is_none)
{
	make(&victim, 0, "server");
	say(&victim, "free 0");
	make(&victim, 0, "server");
	say(&victim, "set 0 hand_state %u", STATE_OK);
	say(&victim, "set 0 in_init 0");
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 0);
}
END_TEST

/* Our bounds are not known: that no version is left by them must not be concluded. */
START_TEST(a_failure_keeps_what_is_known)
{
	const struct event *event;

	make(&victim, 0, "server");
	say(&victim, "set 0 rwstate %u", WAIT_READ);
	say(&victim, "set 0 min_version 0x0304");
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "error 0x0A000102");
	say(&victim, "free 0");
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->verdict.outcome, OUTCOME_FAILED);
	ck_assert_uint_eq(event->verdict.error, 0x0A000102);
	ck_assert_uint_eq(event->verdict.stage, STAGE_HELLO);
	ck_assert_uint_eq(event->verdict.version_class, VERSION_CLASS_UNKNOWN);
	ck_assert_uint_eq(event->our_min_version, 0);
	ck_assert_uint_eq(event->our_max_version, 0);
	ck_assert_uint_eq(event->family, 2);
	ck_assert_uint_eq(event->connection, 0);
}
END_TEST

Suite *suite_partial(void)
{
	Suite *suite = suite_create("partial");
	TCase *partial = tcase_create("partial");

	tcase_add_unchecked_fixture(partial, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(partial, begin, end);
	tcase_add_loop_test(partial, one_is_one, 0, 2);
	tcase_add_test(partial, one_in_the_middle_is_joined);
	tcase_add_test(partial, one_that_is_only_freed_is_joined);
	tcase_add_test(partial, one_that_never_began_is_none);
	tcase_add_test(partial, a_failure_keeps_what_is_known);
	tcase_set_timeout(partial, 60);
	suite_add_tcase(suite, partial);
	return suite;
}
