/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/3: objects without a descriptor, whose connections nginx closes before it frees them, and errors that nobody
 * asks the library for.
 * Must not know: frames.
 */
#include <check.h>
#include <stdio.h>
#include <sys/socket.h>

#include "control.h"
#include "fake_layout.h"
#include "lab.h"
#include "suites.h"

#include "handshake/classify.h"

#define NGX_OK       0
#define NGX_ERROR    (-1)
#define NGX_DONE     (-4)
#define TIMEDOUT     (1u << 10)
#define NO_EVENT     (~0u)
#define ALERT_SENT40 0x2802

static struct lab *lab;
static struct victim victim;

static void begin(void)
{
	lab = lab_share();
	victim_start(&victim);
	lab_watch(lab, victim.pid);
}

static void end(void)
{
	victim_stop(&victim);
}

/* An object of a connection over QUIC. native: as with OpenSSL's own callbacks for it, whose BIO has the number 0. */
static void make_quic(bool native)
{
	make(&victim, 0, "server");
	say(&victim, "set 0 rbio.num %d", native ? 0 : -1);
	say(&victim, "set 0 connection.type 2");
	say(&victim, "set 0 peer.family %d", AF_INET);
	say(&victim, "set 0 peer.port 0x3412");
	say(&victim, "set 0 peer.address 0x0702000a");
}

/* The object has no descriptor, the connection has everybody's, and nginx knows the peer. */
START_TEST(the_peer_is_nginx_s)
{
	const struct event *event;

	make_quic(_i);
	wait_in(&victim, 0, STATE_EARLY_DATA);
	say(&victim, "quic_close 0 %d 0", NGX_OK);
	say(&victim, "free 0");
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->flags & EVENT_QUIC, EVENT_QUIC);
	ck_assert_uint_eq(event->peer_port, 0x1234);
	ck_assert_uint_eq(event->peer[3], 7);
	ck_assert_int_eq(classify(&event->verdict), CAUSE_PEER_CLOSED_MID_HANDSHAKE);
}
END_TEST

static const struct {
	unsigned int state;
	int result;
	unsigned int bits;
	enum cause cause;
} closings[] = {
	{ STATE_READ_CH, NGX_OK, 0, CAUSE_PEER_CLOSED_BEFORE_HELLO },
	{ STATE_EARLY_DATA, NGX_OK, 0, CAUSE_PEER_CLOSED_MID_HANDSHAKE },
	{ STATE_READ_CH, NGX_OK, TIMEDOUT, CAUSE_TIMEOUT_BEFORE_HELLO },
	{ STATE_EARLY_DATA, NGX_OK, TIMEDOUT, CAUSE_TIMEOUT_MID_HANDSHAKE },
	{ STATE_EARLY_DATA, NGX_DONE, 0, CAUSE_TIMEOUT_MID_HANDSHAKE },
	{ STATE_EARLY_DATA, NGX_ERROR, 0, CAUSE_ABORTED_BY_NGINX },
	{ STATE_EARLY_DATA, NGX_OK, NO_EVENT, CAUSE_UNKNOWN },
};

/* It ends when it is closed; what comes until the object is freed adds nothing. */
START_TEST(closing_has_its_cause)
{
	make_quic(true);
	wait_in(&victim, 0, closings[_i].state);
	say(&victim, "quic_close 0 %d %u", closings[_i].result, closings[_i].bits);
	ck_assert_int_eq(classify(&lab_settled_one(lab)->verdict), closings[_i].cause);
	say(&victim, "quic_close 0 %d %u", NGX_OK, TIMEDOUT);
	say(&victim, "step 0 -1");
	say(&victim, "free 0");
	ck_assert_int_eq(classify(&lab_settled_one(lab)->verdict), closings[_i].cause);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_JOINED), 0);
}
END_TEST

/* Before we came: nobody knows who closed it. */
START_TEST(what_was_closed_before_is_unknown)
{
	make_quic(true);
	say(&victim, "set 0 flow_state %u", FLOW_READING);
	say(&victim, "set 0 hand_state %u", STATE_EARLY_DATA);
	say(&victim, "free 0");
	ck_assert_int_eq(classify(&lab_settled_one(lab)->verdict), CAUSE_UNKNOWN);
}
END_TEST

START_TEST(closing_a_complete_one_is_nothing)
{
	make_quic(true);
	succeed(&victim, 0);
	say(&victim, "quic_close 0 %d 0", NGX_OK);
	say(&victim, "free 0");
	ck_assert_int_eq(classify(&lab_settled_one(lab)->verdict), CAUSE_OK);
}
END_TEST

static const struct {
	const char *agreed[3];
	enum cause cause;
} refusals[] = {
	{ { NULL }, CAUSE_NO_SHARED_CIPHER },
	{ { "set 0 new_cipher self" }, CAUSE_NO_SHARED_GROUP },
	{ { "set 0 new_cipher self", "set 0 session.group 29" }, CAUSE_NO_SHARED_SIGNATURE_ALGORITHM },
	{ { "set 0 new_cipher self", "set 0 session.group 29", "set 0 hit 1" }, CAUSE_NO_SHARED_GROUP },
	{ { "set 0 new_cipher self", "set 0 session.group 29", "set 0 version 0x0303" }, CAUSE_UNKNOWN },
};

/* The errors are cleared unread; alert 40 has several causes. */
START_TEST(an_alert_alone_has_its_cause)
{
	make_quic(true);
	for (size_t i = 0; i < 3 && refusals[_i].agreed[i]; i++)
		say(&victim, "%s", refusals[_i].agreed[i]);
	say(&victim, "during 0 send_alert 0x%x", ALERT_SENT40);
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "connection_error 0 SSL_do_handshake() failed");
	say(&victim, "quic_close 0 %d 0", NGX_ERROR);
	say(&victim, "free 0");
	ck_assert_int_eq(classify(&lab_settled_one(lab)->verdict), refusals[_i].cause);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_quic(void)
{
	Suite *suite = suite_create("quic");
	TCase *tests = tcase_create("quic");

	tcase_add_unchecked_fixture(tests, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_loop_test(tests, the_peer_is_nginx_s, 0, 2);
	tcase_add_loop_test(tests, closing_has_its_cause, 0, COUNT(closings));
	tcase_add_test(tests, what_was_closed_before_is_unknown);
	tcase_add_test(tests, closing_a_complete_one_is_nothing);
	tcase_add_loop_test(tests, an_alert_alone_has_its_cause, 0, COUNT(refusals));
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	return suite;
}
