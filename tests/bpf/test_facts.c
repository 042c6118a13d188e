/* SPDX-License-Identifier: BSD-2-Clause */
/* What a record says beyond its verdict: the object's, nginx's, the socket's and the task's facts, field by field. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <check.h>

#include "fake_layout.h"
#include "lab.h"
#include "suites.h"
#include "control.h"

#define TCP_STATE_ESTABLISHED 1
#define TCP_STATE_CLOSED      7

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

/* The only ending, after everything that was said. */
static const struct event *settled(void)
{
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	return &lab_only(lab, EVENT_SETTLED)->seen.event;
}

START_TEST(of_a_good_one)
{
	struct made made = make(&victim, 0, "server");
	const struct event *event;

	say(&victim, "set 0 version 0x0303");
	say(&victim, "set 0 session.cipher self");
	say(&victim, "set 0 cipher.id 0x0300c02f");
	say(&victim, "set 0 hit 1");
	say(&victim, "set 0 hello_retry 1");
	for (int i = 0; i < 3; i++)
		wait_in(&victim, 0, STATE_READ_CH);
	succeed(&victim, 0);
	event = settled();
	ck_assert_uint_eq(event->header.size, sizeof(*event));
	ck_assert_uint_eq(event->header.tgid, (uint32_t)victim.pid);
	ck_assert_uint_eq(event->header.tail_bytes, 0);
	ck_assert_uint_eq(event->object, made.object);
	ck_assert_uint_eq(event->generation, LAB_GENERATION);
	ck_assert_uint_eq(event->calls, 4);
	ck_assert_uint_eq(event->tls_version, 0x0303);
	ck_assert_uint_eq(event->cipher, 0x0300c02f);
	ck_assert_uint_eq(event->hand_state, STATE_OK);
	ck_assert_uint_eq(event->flags, EVENT_RESUMED | EVENT_RETRIED | EVENT_SOCKET | EVENT_NGINX | EVENT_WAITS);
	ck_assert_uint_eq(event->verdict.stage, STAGE_DONE);
	ck_assert_uint_eq(event->verdict.library, LIBRARY_OPENSSL_3);
	ck_assert_uint_eq(event->error_count, 0);
	ck_assert_uint_eq(event->latency_ns, event->time_ns - event->begin_ns);
	ck_assert_uint_gt(event->parts.us[PART_CPU], 0);
	ck_assert_uint_lt(1000ull * event->parts.us[PART_CPU], event->latency_ns);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_RESUMED), 1);
	say(&victim, "free 0");
}
END_TEST

/* What may still be refused is marked, ends in a mark with the same identity, and only then. */
START_TEST(of_one_that_may_be_refused)
{
	const struct event *event, *final;

	make(&victim, 0, "server");
	say(&victim, "set 0 verify_mode 1");
	say(&victim, "set 0 session.peer self");
	say(&victim, "set 0 verify_result 18");
	succeed(&victim, 0);
	make(&victim, 1, "server");
	say(&victim, "free 0");
	say(&victim, "free 1");
	event = settled();
	final = &lab_only(lab, EVENT_FINAL)->seen.event;
	ck_assert(event->flags & EVENT_MAY_AMEND);
	ck_assert_uint_eq(event->verdict.flags, VERDICT_CERTIFICATE_ASKED | VERDICT_PEER_CERTIFICATE);
	ck_assert_int_eq(event->verdict.verify_result, 18);
	ck_assert_uint_eq(final->begin_ns, event->begin_ns);
	ck_assert_uint_eq(final->object, event->object);
	ck_assert_uint_eq(final->header.tgid, event->header.tgid);
}
END_TEST

START_TEST(of_a_refused_one)
{
	struct made made = make(&victim, 0, "server");
	const struct event *event, *amended;

	say(&victim, "set 0 verify_mode 1");
	say(&victim, "set 0 hit 1");
	say(&victim, "name 0 refused.test");
	wait_in(&victim, 0, STATE_READ_CH);
	succeed(&victim, 0);
	say(&victim, "remove_session %llu", (unsigned long long)made.session);
	say(&victim, "free 0");
	event = settled();
	amended = &lab_only(lab, EVENT_AMENDED)->seen.event;
	ck_assert_uint_eq(lab_count(lab, EVENT_FINAL), 0);
	ck_assert_uint_eq(amended->begin_ns, event->begin_ns);
	ck_assert_uint_eq(amended->latency_ns, event->latency_ns);
	ck_assert_mem_eq(&amended->parts, &event->parts, sizeof(event->parts));
	ck_assert_uint_eq(amended->tls_version, event->tls_version);
	ck_assert_uint_eq(amended->generation, LAB_GENERATION);
	ck_assert_uint_eq(amended->flags & EVENT_RESUMED, EVENT_RESUMED);
	ck_assert_uint_eq(amended->verdict.outcome, OUTCOME_REJECTED);
	ck_assert_mem_eq(amended->sni, "refused.test", 12);
	ck_assert_uint_eq(amended->peer_port, made.peer_port);
}
END_TEST

START_TEST(of_queued_errors)
{
	static const uint32_t codes[] = { 0x10000080, 0x0A0000C1, 0x0A000102, 0x80000002, 5, 6, 7, 0x0A000103 };
	const struct event *event;

	make(&victim, 0, "server");
	fail_in(&victim, 0, STATE_READ_CH);
	for (size_t i = 0; i < 8; i++)
		say(&victim, "error %u", codes[i]);
	say(&victim, "free 0");
	event = settled();
	ck_assert_uint_eq(event->error_count, EVENT_ERRORS);
	ck_assert_uint_eq(event->errors_lost, 2);
	ck_assert_mem_eq(event->errors, codes, sizeof(event->errors));
	ck_assert_uint_eq(event->verdict.error, 0x0A0000C1);
	ck_assert_uint_eq(event->verdict.other_error, 0x10000080);
	ck_assert_uint_eq(event->verdict.outcome, OUTCOME_FAILED);
}
END_TEST

/* A queue with hundreds of errors is counted up to what a byte can say. */
START_TEST(of_very_many_errors)
{
	make(&victim, 0, "server");
	fail_in(&victim, 0, STATE_READ_CH);
	for (int i = 0; i < 300; i++)
		say(&victim, "error 0x0A0000C1");
	say(&victim, "free 0");
	ck_assert_uint_eq(settled()->errors_lost, 255);
}
END_TEST

START_TEST(of_a_failure)
{
	const struct event *event;

	make(&victim, 0, "client");
	say(&victim, "packet 0 485454502f");
	say(&victim, "set 0 min_version 0x0302");
	say(&victim, "set 0 options 0x20000000"); /* SSL_OP_NO_TLSv1_3 */
	say(&victim, "during 0 fatal_alert 40");
	say(&victim, "during 0 shutdown 2"); /* by the alert: not an end of its own */
	say(&victim, "during 0 send_alert 0x3302");
	say(&victim, "during 0 cert_req 1");
	say(&victim, "set 0 message_type 11");
	fail_in(&victim, 0, STATE_WROTE_CH);
	say(&victim, "connection_error 71 peer closed connection");
	say(&victim, "free 0");
	event = settled();
	ck_assert_mem_eq(event->first_bytes, "HTTP/", 5);
	ck_assert_uint_eq(event->verdict.first_record, FIRST_RECORD_HTTP);
	ck_assert_uint_eq(event->verdict.stage, STAGE_BEFORE_HELLO);
	ck_assert_uint_eq(event->verdict.alert_received, 40);
	ck_assert_uint_eq(event->verdict.alert_sent, 51);
	ck_assert_int_eq(event->verdict.error_errno, 71);
	ck_assert_uint_eq(event->verdict.flags, VERDICT_ALERT_RECEIVED | VERDICT_ALERT_SENT | VERDICT_NGINX_FACTS |
							VERDICT_CERTIFICATE_ASKED | VERDICT_OUR_CERTIFICATE_SENT);
	ck_assert_uint_eq(event->our_min_version, 0x0302);
	ck_assert_uint_eq(event->our_max_version, 0x0303);
	ck_assert_uint_eq(event->message_type, 11);
	ck_assert_uint_eq(event->hand_state, STATE_WROTE_CH);
	ck_assert_uint_le(event->latency_ns, event->time_ns - event->begin_ns);
}
END_TEST

/* Waiting ends with the failing return of the only call, and not when nginx frees the object. */
START_TEST(of_time_after_a_failure)
{
	const struct event *event;

	make(&victim, 0, "server");
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "burst 2000 1 1");
	say(&victim, "free 0");
	lab_read(lab);
	event = &lab->records[lab->record_count - 1].seen.event;
	ck_assert_uint_eq(event->verdict.outcome, OUTCOME_FAILED);
	ck_assert_uint_eq(event->parts.us[PART_CPU] + event->parts.us[PART_PREEMPTED],
			  (event->latency_ns + 500) / 1000);
	ck_assert_uint_lt(event->latency_ns, event->time_ns - event->begin_ns);
}
END_TEST

static const size_t name_lengths[] = { 0, 1, 7, 99, 100, 101, 200, 254, 255, 256, 300 };

START_TEST(of_a_server_name)
{
	size_t length = name_lengths[_i], known = length > 255 ? 255 : length, kept = known > 100 ? 100 : known;
	const struct lab_record *record;
	char name[301];

	for (size_t i = 0; i < length; i++)
		name[i] = (char)('a' + i % 26);
	name[length] = '\0';
	make(&victim, 0, "server");
	if (length)
		say(&victim, "name 0 %s", name);
	succeed(&victim, 0);
	say(&victim, "free 0");
	settled();
	record = lab_only(lab, EVENT_SETTLED);
	ck_assert_uint_eq(!!(record->seen.event.verdict.flags & VERDICT_SNI_SET), length > 0);
	ck_assert_uint_eq(!!(record->seen.event.flags & EVENT_SNI_CUT), known > EVENT_SNI_BYTES);
	ck_assert_uint_eq(record->seen.event.sni_bytes, kept);
	ck_assert_uint_eq(record->seen.event.header.tail_kind, known > kept ? TAIL_SERVER_NAME : TAIL_NONE);
	ck_assert_uint_eq(record->seen.event.header.tail_true_bytes, known > kept ? known : 0);
	ck_assert_uint_eq(record->seen.sni_bytes, known);
	if (known)
		ck_assert_mem_eq(record->seen.sni, name, known);
}
END_TEST

/* A resumed TLS 1.2 session keeps the name itself; of a session that was not resumed it says nothing. */
START_TEST(of_a_resumed_name)
{
	make(&victim, 0, "server");
	say(&victim, "name 0 kept.test");
	say(&victim, "set 0 hostname 0");
	say(&victim, "set 0 session.hostname self");
	say(&victim, "set 0 hit %d", _i);
	succeed(&victim, 0);
	say(&victim, "free 0");
	ck_assert_uint_eq(settled()->sni_bytes, _i ? 9 : 0);
}
END_TEST

static const struct {
	const char *kind, *address;
	int family;
} sockets[] = {
	{ "tcp4", "127.0.0.1", AF_INET },
	{ "tcp6", "::1", AF_INET6 },
	{ "mapped", "::ffff:127.0.0.1", AF_INET6 },
	{ "unix", NULL, AF_UNIX },
};

START_TEST(of_a_socket)
{
	uint8_t address[16] = { 0 };
	const struct event *event;
	struct stat namespace;
	struct made made;
	char words[32];

	snprintf(words, sizeof(words), "server %s", sockets[_i].kind);
	made = make(&victim, 0, words);
	say(&victim, "peer_write 0 517");
	succeed(&victim, 0);
	say(&victim, "free 0");
	event = settled();
	if (sockets[_i].address)
		ck_assert_int_eq(inet_pton(sockets[_i].family, sockets[_i].address, address), 1);
	ck_assert_int_eq(stat("/proc/self/ns/net", &namespace), 0);
	ck_assert(event->flags & EVENT_SOCKET);
	ck_assert_int_eq(event->family, sockets[_i].family);
	ck_assert_mem_eq(event->peer, address, 16);
	ck_assert_mem_eq(event->local, address, 16);
	ck_assert_uint_eq(event->peer_port, made.peer_port);
	ck_assert_uint_eq(event->local_port, made.local_port);
	ck_assert_uint_eq(event->netns, namespace.st_ino);
	ck_assert_uint_eq(event->socket_state, TCP_STATE_ESTABLISHED);
	ck_assert_uint_eq(event->srtt_us > 0, sockets[_i].family != AF_UNIX);
}
END_TEST

START_TEST(of_a_reset_socket)
{
	struct made made = make(&victim, 0, "client");
	const struct event *event;

	say(&victim, "peer_reset 0");
	fail_in(&victim, 0, STATE_WROTE_CH);
	say(&victim, "free 0");
	event = settled();
	ck_assert_uint_eq(event->socket_state, TCP_STATE_CLOSED);
	ck_assert_uint_eq(event->peer_port, made.peer_port);
	ck_assert_uint_eq(event->local_port, made.local_port);
}
END_TEST

static const char *const no_sockets[] = { "close 0", "set 0 rbio.num -1", "set 0 rbio.num 100000", "set 0 rbio 0",
					  "set 0 rbio.num 1" /* a pipe */ };

START_TEST(of_no_socket)
{
	const struct event *event;

	make(&victim, 0, "server");
	say(&victim, "%s", no_sockets[_i]);
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "free 0");
	event = settled();
	ck_assert_uint_eq(event->flags & EVENT_SOCKET, 0);
	ck_assert_uint_eq(event->family, 0);
	ck_assert_uint_eq(event->peer_port, 0);
	/* A connection of another descriptor is not believed; that of a closed one is its own. */
	ck_assert_uint_eq(!!(event->flags & EVENT_NGINX), _i == 0);
}
END_TEST

START_TEST(of_nginx)
{
	const struct event *event;

	make(&victim, 0, "server");
	say(&victim, "set 0 log.number 123456789012");
	say(&victim, "proxy 0 54321 2001:db8::1234");
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "free 0");
	event = settled();
	ck_assert(event->flags & EVENT_NGINX);
	ck_assert_uint_eq(event->connection, 123456789012);
	ck_assert_uint_eq(event->proxy_port, 54321);
	ck_assert_uint_eq(event->proxy_bytes, 14);
	ck_assert_mem_eq(event->proxy, "2001:db8::1234", 14);
}
END_TEST

/* No address is longer than INET6_ADDRSTRLEN. */
START_TEST(of_a_hostile_proxy_header)
{
	make(&victim, 0, "server");
	say(&victim, "proxy 0 1 ::1");
	say(&victim, "set 0 proxy.bytes %d", _i ? 47 : -1);
	succeed(&victim, 0);
	say(&victim, "free 0");
	ck_assert_uint_eq(settled()->proxy_bytes, 0);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_facts(void)
{
	Suite *suite = suite_create("facts");
	TCase *facts = tcase_create("facts");

	tcase_add_unchecked_fixture(facts, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(facts, begin, end);
	tcase_add_test(facts, of_a_good_one);
	tcase_add_test(facts, of_one_that_may_be_refused);
	tcase_add_test(facts, of_a_refused_one);
	tcase_add_test(facts, of_queued_errors);
	tcase_add_test(facts, of_very_many_errors);
	tcase_add_test(facts, of_a_failure);
	tcase_add_test(facts, of_time_after_a_failure);
	tcase_add_loop_test(facts, of_a_server_name, 0, COUNT(name_lengths));
	tcase_add_loop_test(facts, of_a_resumed_name, 0, 2);
	tcase_add_loop_test(facts, of_a_socket, 0, COUNT(sockets));
	tcase_add_test(facts, of_a_reset_socket);
	tcase_add_loop_test(facts, of_no_socket, 0, COUNT(no_sockets));
	tcase_add_test(facts, of_nginx);
	tcase_add_loop_test(facts, of_a_hostile_proxy_header, 0, 2);
	tcase_set_timeout(facts, 20);
	suite_add_tcase(suite, facts);
	return suite;
}
