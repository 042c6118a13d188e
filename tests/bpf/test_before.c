/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes to a TLS listener without ever entering the library, and what is known through nginx of a connection
 * that does: its listener, QUIC's peer. Must not know: OpenSSL.
 */
#include <check.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "control.h"
#include "fake_layout.h"
#include "lab.h"
#include "suites.h"

#include "handshake/classify.h"

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

static enum cause settled_cause(void)
{
	return classify(&lab_settled_one(lab)->verdict);
}

/* A client of a TLS listener of http that speaks something else. */
static void make_plain(const char *socket, const char *bytes)
{
	make(&victim, 0, socket);
	say(&victim, "set 0 connection.listening self");
	say(&victim, "set 0 listening.servers self");
	say(&victim, "set 0 port.addresses self");
	say(&victim, "set 0 port.count 1");
	say(&victim, "set 0 address0.bits 1");
	say(&victim, "set 0 connection.local self");
	say(&victim, "set 0 connection.buffer self");
	say(&victim, "set 0 buffer.start self");
	say(&victim, "packet 0 %s", bytes);
}

static const struct {
	const char *bytes;
	int status;
	enum cause cause;
} plain[] = {
	{ "474554202f", 497, CAUSE_PLAIN_HTTP },
	{ "504f535420", 400, CAUSE_PLAIN_HTTP },
	{ "5353482d32", 400, CAUSE_NOT_TLS },
	{ "50524f5859", 400, CAUSE_NOT_TLS },
	{ "00", 400, CAUSE_NOT_TLS },
};

START_TEST(what_is_no_tls_is_counted)
{
	const struct event *event;

	make_plain("server", plain[_i].bytes);
	say(&victim, "answer 0 %d", plain[_i].status);
	event = lab_settled_one(lab);
	ck_assert_str_eq(cause_id(classify(&event->verdict)), cause_id(plain[_i].cause));
	ck_assert_uint_eq(event->verdict.direction, DIRECTION_CLIENT);
	ck_assert_uint_eq(event->verdict.flags & VERDICT_BEFORE_LIBRARY, VERDICT_BEFORE_LIBRARY);
	ck_assert_uint_eq(event->family, 2);
	ck_assert_uint_eq(event->latency_ns, 0);
	ck_assert_uint_eq(lab_of(lab, COUNTER_FAILED, DIRECTION_CLIENT), 1);
}
END_TEST

/* nginx before 1.25 has no member for QUIC: what lies behind it is eight bytes earlier. */
START_TEST(what_is_no_tls_is_counted_in_old_nginx)
{
	make_plain("server", "474554202f");
	say(&victim, "set 0 connection.local 16");
	say(&victim, "set 0 connection.buffer_old self");
	say(&victim, "set 0 connection.buffer 0x10");
	say(&victim, "answer 0 497");
	ck_assert_int_eq(settled_cause(), CAUSE_PLAIN_HTTP);
}
END_TEST

START_TEST(listeners_of_six_are_found)
{
	make_plain("server tcp6", "474554202f");
	say(&victim, "set 0 address0.bits 0");
	say(&victim, "set 0 address0.bits6 1");
	say(&victim, "answer 0 497");
	ck_assert_int_eq(settled_cause(), CAUSE_PLAIN_HTTP);
}
END_TEST

/* Two addresses on a port: 127.0.0.1, which is the socket's, and all others. */
START_TEST(the_right_address_of_a_port_is_looked_at)
{
	make_plain("server", "474554202f");
	say(&victim, "set 0 port.count 2");
	say(&victim, "set 0 address0 0x%x", _i & 1 ? 0x0100007f : 0x0200007f); /* as it lies in memory */
	say(&victim, "set 0 address0.bits %d", _i >> 1);
	say(&victim, "set 0 address1.bits %d", !(_i >> 1));
	say(&victim, "answer 0 497");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), (_i & 1) == _i >> 1);
}
END_TEST

static const char *const not_plain[] = {
	"address0.bits 0",                                     /* the listener is one of plain http */
	"address0.bits 2",                                     /* and of HTTP/2 */
	"connection.ssl 0x1000",  "connection.ssl_old 0x1000", /* the connection speaks TLS */
	"connection.listening 0", "connection.listening 0x10", "listening.servers 0", "port.addresses 0",
	"port.count 0",           "port.count 1000000",        "connection.fd -1",
};

START_TEST(other_bad_requests_are_not)
{
	make_plain("server", "474554202f");
	say(&victim, "set 0 %s", not_plain[_i]);
	say(&victim, "answer 0 400");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 0);
	ck_assert_uint_eq(lab->record_count, 0);
}
END_TEST

static uint32_t own_netns(void)
{
	struct stat status;

	ck_assert_int_eq(stat("/proc/self/ns/net", &status), 0);
	return (uint32_t)status.st_ino;
}

/* A connection to a listener that is known to be one of http with TLS. */
static struct made make_listened(uint16_t other_port)
{
	struct made made = make(&victim, 0, "server");
	const struct listener_key key = { .netns = own_netns(),
					  .port = (uint16_t)(made.local_port + other_port),
					  .family = AF_INET,
					  .address = { 127, 0, 0, 1 } };
	const struct tls_listener listener = { .tgid = (uint32_t)victim.pid, .generation = LAB_GENERATION };

	ck_assert_int_eq(tracer_add_listener(lab->tracer, &key, &listener), 0);
	return made;
}

START_TEST(who_leaves_before_a_byte_is_counted)
{
	struct made made = make_listened(0);
	const struct event *event;

	say(&victim, _i ? "peer_reset 0" : "peer_close 0");
	say(&victim, "close 0");
	event = lab_settled_one(lab);
	ck_assert_str_eq(cause_id(classify(&event->verdict)),
			 cause_id(_i ? CAUSE_PEER_RESET : CAUSE_PEER_CLOSED_BEFORE_HELLO));
	ck_assert_uint_eq(event->verdict.flags & VERDICT_BEFORE_LIBRARY, VERDICT_BEFORE_LIBRARY);
	ck_assert_uint_eq(event->header.tgid, (uint32_t)victim.pid);
	ck_assert_uint_eq(event->generation, LAB_GENERATION);
	ck_assert_uint_eq(event->peer_port, made.peer_port);
	ck_assert_uint_eq(event->local_port, made.local_port);
	ck_assert_uint_eq(event->peer[0], 127);
}
END_TEST

static const char *const stays[][2] = {
	{ "peer_write 0 1", "peer_close 0" },
	{ "peer_write 0 1", "peer_reset 0" },
	{ "close 0", "peer_reset 0" }, /* nginx closed first */
};

START_TEST(who_has_sent_something_is_not)
{
	make_listened(0);
	say(&victim, "%s", stays[_i][0]);
	say(&victim, "%s", stays[_i][1]);
	say(&victim, "close 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 0);
}
END_TEST

START_TEST(other_listeners_do_not_count)
{
	make_listened(1);
	say(&victim, "peer_close 0");
	say(&victim, "close 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 0);
}
END_TEST

START_TEST(a_listener_of_http_is_told)
{
	make(&victim, 0, "server");
	say(&victim, "set 0 connection.listening self");
	say(&victim, "set 0 listening.handler 0x%x", _i ? FAKE_HTTP_HANDLER : FAKE_HTTP_HANDLER + 1);
	succeed(&victim, 0);
	say(&victim, "free 0");
	ck_assert_uint_eq(lab_settled_one(lab)->flags & EVENT_HTTP, _i ? EVENT_HTTP : 0);
}
END_TEST

START_TEST(a_connection_of_another_socket_is_not_believed)
{
	make(&victim, 0, "server");
	say(&victim, "set 0 rbio.num -1");
	say(&victim, "set 0 connection.type 1");
	wait_in(&victim, 0, STATE_EARLY_DATA);
	say(&victim, "free 0");
	ck_assert_uint_eq(lab_settled_one(lab)->flags & (EVENT_QUIC | EVENT_NGINX), 0);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_before(void)
{
	Suite *suite = suite_create("before");
	TCase *before = tcase_create("before");

	tcase_add_unchecked_fixture(before, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(before, begin, end);
	tcase_add_loop_test(before, what_is_no_tls_is_counted, 0, COUNT(plain));
	tcase_add_test(before, what_is_no_tls_is_counted_in_old_nginx);
	tcase_add_test(before, listeners_of_six_are_found);
	tcase_add_loop_test(before, the_right_address_of_a_port_is_looked_at, 0, 4);
	tcase_add_loop_test(before, other_bad_requests_are_not, 0, COUNT(not_plain));
	tcase_add_loop_test(before, who_leaves_before_a_byte_is_counted, 0, 2);
	tcase_add_loop_test(before, who_has_sent_something_is_not, 0, COUNT(stays));
	tcase_add_test(before, other_listeners_do_not_count);
	tcase_add_loop_test(before, a_listener_of_http_is_told, 0, 2);
	tcase_add_test(before, a_connection_of_another_socket_is_not_believed);
	tcase_set_timeout(before, 60);
	suite_add_tcase(suite, before);
	return suite;
}
