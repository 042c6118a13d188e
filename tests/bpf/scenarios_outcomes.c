/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts: how SSL_do_handshake ends, and what the object, nginx and the socket say about it. */
#include "fake_layout.h"
#include "hello.h"
#include "scenarios.h"

#define SSL_ERROR(reason) (0x0A000000u + (reason)) /* library 20 << 23 | reason */

static void ok_at_once(struct victim *victim)
{
	make(victim, 0, "server");
	succeed(victim, 0);
	say(victim, "free 0");
}

static void ok_after_waiting(struct victim *victim)
{
	make(victim, 0, "server");
	for (int i = 0; i < 3; i++)
		wait_in(victim, 0, STATE_READ_CH);
	succeed(victim, 0);
	say(victim, "free 0");
}

/* Waits to write, for a certificate callback, and to read while rwstate is of an earlier call. */
static void ok_after_other_waits(struct victim *victim)
{
	make(victim, 0, "client");
	say(victim, "during 0 flow_state %u", FLOW_WRITING);
	say(victim, "set 0 rwstate %u", WAIT_WRITE);
	say(victim, "set 0 wbio.flags %u", BIO_WRITE_RETRY);
	say(victim, "step 0 -1");
	say(victim, "set 0 wbio.flags 0");
	say(victim, "set 0 rwstate 4");
	say(victim, "step 0 -1");
	say(victim, "set 0 rwstate 1");
	say(victim, "set 0 rbio.flags %u", BIO_READ_RETRY);
	say(victim, "step 0 -1");
	succeed(victim, 0);
	say(victim, "free 0");
}

static void ok_upstream(struct victim *victim)
{
	make(victim, 0, "client");
	wait_in(victim, 0, STATE_WROTE_CH);
	succeed(victim, 0);
	say(victim, "free 0");
}

static void ok_in_two_threads(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "during 0 flow_state %u", FLOW_READING);
	say(victim, "set 0 rbio.flags %u", BIO_READ_RETRY);
	say(victim, "thread 0 -1");
	succeed(victim, 0);
	say(victim, "free 0");
}

static void errors_queued(struct victim *victim)
{
	make(victim, 0, "server");
	wait_in(victim, 0, STATE_READ_CH);
	fail_in(victim, 0, STATE_READ_CH);
	say(victim, "error 0x10000080"); /* of another library: decides nothing where there is one of SSL */
	say(victim, "error %u", SSL_ERROR(193));
	for (unsigned int i = 0; i < 6; i++)
		say(victim, "error %u", SSL_ERROR(258));
	say(victim, "free 0");
}

static void error_inside_the_call(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "during 0 error %u", SSL_ERROR(377));
	fail_in(victim, 0, STATE_READ_CH);
	say(victim, "free 0");
}

/* The queue may hold errors of somebody else: before the call, and while this object only waits. */
static void errors_of_others(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "error %u", SSL_ERROR(193));
	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "error %u", SSL_ERROR(193));
	succeed(victim, 0);
	say(victim, "error %u", SSL_ERROR(193));
	say(victim, "free 0");
}

static void errors_of_others_and_timeout(struct victim *victim)
{
	make(victim, 0, "server");
	wait_in(victim, 0, STATE_READ_KEY);
	say(victim, "error %u", SSL_ERROR(193));
	say(victim, "connection_error 104 peer closed connection");
	say(victim, "set 0 read.bits 0x400");
	say(victim, "free 0");
}

static void alert_received(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "during 0 fatal_alert 48");
	fail_in(victim, 0, STATE_READ_KEY);
	say(victim, "error %u", SSL_ERROR(1048));
	say(victim, "free 0");
}

static void alert_received_alone(struct victim *victim)
{
	make(victim, 0, "client");
	say(victim, "during 0 fatal_alert 45");
	fail_in(victim, 0, STATE_WROTE_CLIENT_FINISHED);
	say(victim, "free 0");
}

static void alert_sent_by_rule(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "during 0 send_alert 0x7002");
	fail_in(victim, 0, STATE_READ_CH);
	say(victim, "connection_error 0 handshake rejected");
	say(victim, "free 0");
}

/* The errors were queued before anybody looked. */
static void alert_sent_alone(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "set 0 flow_state %u", FLOW_ERROR);
	say(victim, "set 0 hand_state %u", STATE_READ_CH);
	say(victim, "set 0 send_alert 0x7802");
	say(victim, "free 0");
}

static void eof_before_hello(struct victim *victim)
{
	make(victim, 0, "server");
	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "during 0 flow_state %u", FLOW_READING);
	say(victim, "during 0 rwstate %u", WAIT_READ);
	say(victim, "during 0 rbio.flags %u", BIO_AT_EOF);
	say(victim, "step 0 -1");
	say(victim, "connection_error 0 peer closed connection in SSL handshake");
	say(victim, "free 0");
}

static void eof_later(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "during 0 flow_state %u", FLOW_READING);
	say(victim, "during 0 hand_state %u", STATE_READ_KEY);
	say(victim, "during 0 rbio.flags %u", BIO_AT_EOF);
	say(victim, "step 0 -1");
	say(victim, "set 0 rbio.flags 0"); /* what the object says later is not asked */
	say(victim, "free 0");
}

/* close_notify: the object says that the peer has shut down, and nothing else does. */
static void close_notify(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "during 0 shutdown 2");
	fail_in(victim, 0, STATE_READ_KEY);
	say(victim, "free 0");
}

static void reset_by_errno(struct victim *victim)
{
	make(victim, 0, "server");
	fail_in(victim, 0, STATE_READ_CH);
	say(victim, "connection_error 104 peer closed connection in SSL handshake");
	say(victim, "free 0");
}

static void reset_by_absent_words(struct victim *victim)
{
	make(victim, 0, "server");
	fail_in(victim, 0, STATE_READ_CH);
	say(victim, "connection_error_absent 104 peer closed connection in SSL handshake");
	say(victim, "free 0");
}

static void reset_by_socket(struct victim *victim)
{
	make(victim, 0, "client");
	say(victim, "peer_reset 0");
	fail_in(victim, 0, STATE_WROTE_CH);
	say(victim, "free 0");
}

static void other_connection_error(struct victim *victim)
{
	make(victim, 0, "server");
	fail_in(victim, 0, STATE_READ_CH);
	say(victim, "connection_error 104 recv() failed");
	say(victim, "free 0");
}

static void timeout_before_hello(struct victim *victim)
{
	make(victim, 0, "server");
	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "set 0 read.bits 0x400");
	say(victim, "free 0");
}

static void timeout_later(struct victim *victim)
{
	make(victim, 0, "client");
	wait_in(victim, 0, STATE_WROTE_CLIENT_FINISHED);
	say(victim, "set 0 write.bits 0x400");
	say(victim, "free 0");
}

/* After a ServerHello the state stays until the next message comes. */
static void timeout_in_server_hello(struct victim *victim, unsigned int read_state)
{
	make(victim, 0, "client");
	say(victim, "set 0 read_state %u", read_state);
	wait_in(victim, 0, STATE_READ_SH);
	say(victim, "set 0 read.bits 0x400");
	say(victim, "free 0");
}

static void timeout_in_hello_body(struct victim *victim)
{
	timeout_in_server_hello(victim, READ_BODY);
}

static void timeout_after_hello_body(struct victim *victim)
{
	timeout_in_server_hello(victim, READ_HEADER);
}

/* All bits of the event but the one that is meant. */
static void dropped_by_nginx(struct victim *victim)
{
	make(victim, 0, "client");
	wait_in(victim, 0, STATE_WROTE_CH);
	say(victim, "set 0 read.bits 0x3bff");
	say(victim, "set 0 write.bits 0x3bff");
	say(victim, "free 0");
}

/* Without nginx's connection its marks mean nothing: that of another descriptor is not believed. */
static void dropped_by_somebody(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "set 0 connection.fd 0");
	say(victim, "set 0 read.bits 0x400");
	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "free 0");
}

static void upstream_speaks(struct victim *victim, const char *record)
{
	make(victim, 0, "client");
	say(victim, "packet 0 %s", record);
	fail_in(victim, 0, STATE_WROTE_CH);
	say(victim, "error %u", SSL_ERROR(267));
	say(victim, "free 0");
}

static void upstream_http(struct victim *victim)
{
	upstream_speaks(victim, "485454502f");
}

static void upstream_ssh(struct victim *victim)
{
	upstream_speaks(victim, "5353482d32");
}

static void client_versions(struct victim *victim, unsigned int min, unsigned int max, const uint16_t *versions,
			    size_t count)
{
	uint8_t body[256];

	make(victim, 0, "server");
	say_message(victim, 0, 1, body, hello_with_versions(body, 0x0303, versions, count));
	say(victim, "set 0 min_version %u", min);
	say(victim, "set 0 max_version %u", max);
	fail_in(victim, 0, STATE_READ_CH);
	say(victim, "error %u", SSL_ERROR(258));
	say(victim, "free 0");
}

static void client_too_new(struct victim *victim)
{
	client_versions(victim, 0x0301, 0x0303, (const uint16_t[]){ 0x7a7a, 0x0304 }, 2);
}

static void client_too_old(struct victim *victim)
{
	client_versions(victim, 0x0304, 0, (const uint16_t[]){ 0x0303, 0x0302 }, 2);
}

/* nginx forbids versions by options: 0x28... is SSL_OP_NO_TLSv1_3 | NO_TLSv1_2. */
static void upstream_alert_70(struct victim *victim)
{
	make(victim, 0, "client");
	say(victim, "set 0 options 0x28000000");
	say(victim, "during 0 fatal_alert 70");
	fail_in(victim, 0, STATE_WROTE_CH);
	say(victim, "error %u", SSL_ERROR(1070));
	say(victim, "free 0");
}

#define OK_ONE(name_, direction_)                                                                                 \
	{                                                                                                         \
		.name = #name_, .run = name_, .direction = DIRECTION_##direction_, .cause = CAUSE_OK, .begun = 1, \
		.ok = 1                                                                                           \
	}
#define FAILS(name_, direction_, cause_)                                                                    \
	{                                                                                                   \
		.name = #name_, .run = name_, .direction = DIRECTION_##direction_, .cause = CAUSE_##cause_, \
		.begun = 1, .failed = 1                                                                     \
	}

const struct scenario outcomes[] = {
	OK_ONE(ok_at_once, CLIENT),
	OK_ONE(ok_after_waiting, CLIENT),
	OK_ONE(ok_after_other_waits, UPSTREAM),
	OK_ONE(ok_upstream, UPSTREAM),
	OK_ONE(ok_in_two_threads, CLIENT),
	OK_ONE(errors_of_others, CLIENT),
	FAILS(errors_of_others_and_timeout, CLIENT, TIMEOUT_MID_HANDSHAKE),
	FAILS(errors_queued, CLIENT, NO_SHARED_CIPHER),
	FAILS(error_inside_the_call, CLIENT, LOCAL_CERTIFICATE_PROBLEM),
	FAILS(alert_received, CLIENT, OUR_CERTIFICATE_UNKNOWN_CA),
	FAILS(alert_received_alone, UPSTREAM, OUR_CERTIFICATE_EXPIRED),
	FAILS(alert_sent_by_rule, CLIENT, UNRECOGNIZED_NAME),
	{ .name = "alert_sent_alone",
	  .run = alert_sent_alone,
	  .direction = DIRECTION_CLIENT,
	  .cause = CAUSE_NO_APPLICATION_PROTOCOL,
	  .begun = 1,
	  .failed = 1,
	  .joined = 1 },
	FAILS(eof_before_hello, CLIENT, PEER_CLOSED_BEFORE_HELLO),
	FAILS(eof_later, CLIENT, PEER_CLOSED_MID_HANDSHAKE),
	FAILS(close_notify, CLIENT, PEER_CLOSED_MID_HANDSHAKE),
	FAILS(reset_by_errno, CLIENT, PEER_RESET),
	FAILS(reset_by_absent_words, CLIENT, PEER_RESET),
	FAILS(reset_by_socket, UPSTREAM, PEER_RESET),
	FAILS(other_connection_error, CLIENT, UNKNOWN),
	FAILS(timeout_before_hello, CLIENT, TIMEOUT_BEFORE_HELLO),
	FAILS(timeout_later, UPSTREAM, TIMEOUT_MID_HANDSHAKE),
	FAILS(timeout_in_hello_body, UPSTREAM, TIMEOUT_BEFORE_HELLO),
	FAILS(timeout_after_hello_body, UPSTREAM, TIMEOUT_MID_HANDSHAKE),
	FAILS(dropped_by_nginx, UPSTREAM, ABORTED_BY_NGINX),
	FAILS(dropped_by_somebody, CLIENT, UNKNOWN),
	FAILS(upstream_http, UPSTREAM, PLAIN_HTTP),
	FAILS(upstream_ssh, UPSTREAM, NOT_TLS),
	FAILS(client_too_new, CLIENT, PEER_VERSION_TOO_NEW),
	FAILS(client_too_old, CLIENT, PEER_VERSION_TOO_OLD),
	FAILS(upstream_alert_70, UPSTREAM, PEER_VERSION_TOO_NEW),
};
const size_t outcome_count = sizeof(outcomes) / sizeof(outcomes[0]);
