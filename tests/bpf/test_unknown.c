/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cannot be read is unknown: a field that nobody vouches for is not guessed though its bytes are there, and a
 * pointer that leads nowhere costs a fact and a count, never the handshake.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "attach/layout.h"
#include "attach/library.h"
#include "fake_layout.h"
#include "hello.h"
#include "lab.h"
#include "suites.h"
#include "control.h"

#define EXIT_SKIPPED 77

static struct lab *lab;
static struct victim victim;

static void begin(void)
{
	lab = lab_share();
	victim_start(&victim);
}

static void end(void)
{
	victim_stop(&victim);
}

/* A failure with every fact there is, of a client. */
static void play_full(void)
{
	const uint16_t offered[] = { 0x0302 };
	uint8_t body[128];

	make(&victim, 0, "server");
	say_message(&victim, 0, 1, body, hello_with_versions(body, 0x0303, offered, 1));
	say(&victim, "name 0 known.test");
	say(&victim, "packet 0 485454502f");
	say(&victim, "set 0 session.cipher self");
	say(&victim, "set 0 session.peer self");
	say(&victim, "set 0 cipher.id 0x03001301");
	say(&victim, "set 0 hello_retry 1");
	say(&victim, "set 0 log.number 42");
	say(&victim, "set 0 verify_result 20");
	say(&victim, "set 0 verify_mode 1");
	say(&victim, "set 0 cert_request 1");
	say(&victim, "during 0 fatal_alert 42");
	say(&victim, "during 0 send_alert 0x2802");
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "free 0");
}

#define LAYOUT(field)  offsetof(struct layout, field)
#define EVENT(field)   offsetof(struct event, field), sizeof(((struct event *)0)->field)
#define VERDICT(field) EVENT(verdict.field)

/* Which fact goes when a field is not known. known: what it is otherwise. */
static const struct {
	const char *name;
	size_t place, fact, fact_bytes;
	uint64_t known;
} facts[] = {
	{ "session", LAYOUT(session), EVENT(cipher), 0x03001301 },
	{ "session_cipher", LAYOUT(session_cipher), EVENT(cipher), 0x03001301 },
	{ "cipher_id", LAYOUT(cipher_id), EVENT(cipher), 0x03001301 },
	{ "message_type", LAYOUT(message_type), EVENT(message_type), 1 },
	{ "message_type", LAYOUT(message_type), EVENT(header.tail_bytes), 57 },
	{ "message_size", LAYOUT(message_size), EVENT(header.tail_bytes), 57 },
	{ "init_msg", LAYOUT(init_msg), EVENT(header.tail_bytes), 57 },
	{ "init_msg", LAYOUT(init_msg), EVENT(peer_max_version), 0x0302 },
	{ "hand_state", LAYOUT(hand_state), EVENT(header.tail_bytes), 57 },
	{ "hand_state", LAYOUT(hand_state), VERDICT(stage), STAGE_HELLO },
	{ "fatal_alert", LAYOUT(fatal_alert), VERDICT(alert_received), 42 },
	{ "send_alert", LAYOUT(send_alert), VERDICT(alert_sent), 40 },
	{ "options", LAYOUT(options), EVENT(our_max_version), 0x0304 },
	{ "hostname", LAYOUT(hostname), EVENT(sni_bytes), 10 },
	{ "rbio", LAYOUT(rbio), EVENT(family), 2 },
	{ "bio_num", LAYOUT(bio_num), EVENT(family), 2 },
	{ "bio_num", LAYOUT(bio_num), EVENT(connection), 42 },
	{ "ex_data", LAYOUT(ex_data), EVENT(connection), 42 },
	{ "verify_result", LAYOUT(verify_result), VERDICT(verify_result), 20 },
	{ "server", LAYOUT(server), VERDICT(direction), DIRECTION_CLIENT },
};

static uint64_t fact_of(const struct event *event, size_t at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)event + at, bytes); /* little-endian */
	return value;
}

START_TEST(a_fact_is_there)
{
	lab_watch(lab, victim.pid);
	play_full();
	lab_read(lab);
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		uint64_t value =
			fact_of(&lab_only(lab, EVENT_SETTLED)->seen.event, facts[i].fact, facts[i].fact_bytes);

		ck_assert_msg(value == facts[i].known, "'%s' gives %llu", facts[i].name, (unsigned long long)value);
	}
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
}
END_TEST

START_TEST(a_field_is_unknown)
{
	struct layout layout = fake_layout;
	const uint16_t none = LAYOUT_NONE;
	uint64_t value;

	memcpy((char *)&layout + facts[_i].place, &none, sizeof(none));
	lab_watch_as(lab, victim.pid, &layout);
	play_full();
	lab_read(lab);
	lab_assert_exact(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 1);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FAILED), 1);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	value = fact_of(&lab_only(lab, EVENT_SETTLED)->seen.event, facts[_i].fact, facts[_i].fact_bytes);
	ck_assert_msg(value == 0, "'%s' gives %llu", facts[_i].name, (unsigned long long)value);
}
END_TEST

START_TEST(the_version_is_unknown)
{
	struct layout layout = fake_layout;

	if (_i)
		layout.version = LAYOUT_NONE;
	lab_watch_as(lab, victim.pid, &layout);
	make(&victim, 0, "server");
	succeed(&victim, 0);
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.tls_version, _i ? 0 : 0x0304);
}
END_TEST

/* Where a library has an object that reads records, the one of 3.0 is not looked at. */
START_TEST(records_are_read_by_another_object)
{
	struct layout layout = fake_layout;

	layout.record_layer = FAKE_READER;
	layout.record_packet = FAKE_READER_PACKET;
	layout.record_packet_bytes = FAKE_READER_PACKET + 8;
	lab_watch_as(lab, victim.pid, &layout);
	make(&victim, 0, "client");
	say(&victim, "packet 0 485454502f");
	say(&victim, "set 0 record_packet 0");
	say(&victim, "set 0 reader self");
	say(&victim, "set 0 reader.packet self");
	say(&victim, "set 0 reader.bytes %d", _i ? 5 : 4);
	fail_in(&victim, 0, STATE_WROTE_CH);
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.verdict.first_record,
			  _i ? FIRST_RECORD_HTTP : FIRST_RECORD_UNKNOWN);
}
END_TEST

static struct layout layout_with_s3(void)
{
	struct layout layout = fake_layout;

	layout.s3 = FAKE_S3;
	layout.fatal_alert = FAKE_S3_FATAL_ALERT;
	layout.send_alert = FAKE_S3_SEND_ALERT;
	layout.message_size = FAKE_S3_MESSAGE_SIZE;
	layout.message_type = FAKE_S3_MESSAGE_TYPE;
	layout.cert_req = FAKE_S3_CERT_REQ;
	layout.cert_request = FAKE_S3_CERT_REQUEST;
	return layout;
}

/* OpenSSL 1.1.1: what 3.0 has in the SSL object is in an object of its own. */
START_TEST(alerts_and_messages_are_in_another_object)
{
	const struct layout layout = layout_with_s3();
	const struct event *event;

	lab_watch_as(lab, victim.pid, &layout);
	make(&victim, 0, "server");
	say(&victim, "set 0 s3 %s", _i ? "self" : "0");
	say_message(&victim, 0, 1, (const uint8_t *)"\3\3", 2);
	say(&victim, "set 0 s3.message_size 2");
	say(&victim, "set 0 s3.message_type 1");
	say(&victim, "set 0 s3.cert_request 1");
	say(&victim, "during 0 s3.fatal_alert 42");
	say(&victim, "during 0 s3.send_alert 0x2802");
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "free 0");
	lab_read(lab);
	event = &lab_only(lab, EVENT_SETTLED)->seen.event;
	ck_assert_uint_eq(event->verdict.alert_received, _i ? 42 : 0);
	ck_assert_uint_eq(event->verdict.alert_sent, _i ? 40 : 0);
	ck_assert_uint_eq(event->message_type, _i ? 1 : 0);
	ck_assert_uint_eq(event->header.tail_bytes, _i ? 2 : 0);
	ck_assert_uint_eq(!!(event->verdict.flags & VERDICT_CERTIFICATE_ASKED), _i);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS) > 0, !_i);
}
END_TEST

START_TEST(a_certificate_request_is_in_another_object)
{
	const struct layout layout = layout_with_s3();

	lab_watch_as(lab, victim.pid, &layout);
	make(&victim, 0, "client");
	say(&victim, "set 0 s3 self");
	say(&victim, "set 0 s3.cert_req 1");
	fail_in(&victim, 0, STATE_WROTE_CLIENT_FINISHED);
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.verdict.flags & VERDICT_CERTIFICATE_ASKED,
			  VERDICT_CERTIFICATE_ASKED);
}
END_TEST

/* The object's role is in every count. */
START_TEST(without_a_role)
{
	struct layout layout = fake_layout;

	layout.server = LAYOUT_NONE;
	lab_watch_as(lab, victim.pid, &layout);
	make(&victim, 0, "client");
	succeed(&victim, 0);
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_of(lab, COUNTER_BEGUN, DIRECTION_UNKNOWN), 1);
	ck_assert_uint_eq(lab_of(lab, COUNTER_OK, DIRECTION_UNKNOWN), 1);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 1);
}
END_TEST

START_TEST(without_a_layout)
{
	struct layout layout = fake_layout;

	memset(&layout, 0xff, offsetof(struct layout, error_lib_shift));
	lab_watch_as(lab, victim.pid, &layout);
	play_full();
	make(&victim, 1, "client");
	succeed(&victim, 1);
	say(&victim, "free 1");
	lab_read(lab);
	lab_assert_exact(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	ck_assert_uint_eq(lab_of(lab, COUNTER_BEGUN, DIRECTION_CLIENT), 0);
	ck_assert_uint_eq(lab_of(lab, COUNTER_BEGUN, DIRECTION_UPSTREAM), 0);
}
END_TEST

static const char *const bad_pointers[] = {
	"init_msg 0x10",
	"hostname 0x10",
#define POINTERS_UNCOUNTED 2 /* text and messages: their faults are in no counter */
	"rbio 0x10",
	"session 0x10",
	"session.cipher 0xdead000000000000",
	"record_packet 0xffffffffffffffff",
	"ex_data 0x10",
	"slots 0xffff888000000000",
	"connection 0x10",
	"connection.read 0x10",
	"connection.log 0x10",
	"connection.proxy 0x10",
};

START_TEST(a_pointer_leads_nowhere)
{
	lab_watch(lab, victim.pid);
	make(&victim, 0, "client");
	say(&victim, "set 0 message_size 100");
	say(&victim, "set 0 message_type 2");
	say(&victim, "set 0 record_packet_bytes 5");
	say(&victim, "set 0 %s", bad_pointers[_i]);
	fail_in(&victim, 0, strstr(bad_pointers[_i], "init_msg") ? STATE_READ_SH : STATE_WROTE_CH);
	say(&victim, "free 0");
	make(&victim, 1, "server");
	say(&victim, "set 1 verify_mode 1");
	say(&victim, "set 1 %s", bad_pointers[_i]);
	succeed(&victim, 1);
	say(&victim, "free 1");
	lab_read(lab);
	lab_assert_exact(lab);
	ck_assert_uint_eq(lab_of(lab, COUNTER_FAILED, DIRECTION_UPSTREAM), 1);
	ck_assert_uint_eq(lab_of(lab, COUNTER_OK, DIRECTION_CLIENT), 1);
	ck_assert_uint_eq(lab_count(lab, EVENT_SETTLED), 2);
	ck_assert_msg(_i < POINTERS_UNCOUNTED || lab_sum(lab, COUNTER_READ_FAULTS) > 0, "'%s': no fault was counted",
		      bad_pointers[_i]);
}
END_TEST

START_TEST(a_hello_leads_nowhere)
{
	lab_watch(lab, victim.pid);
	make(&victim, 0, "server");
	say(&victim, "set 0 init_msg 0x10");
	say(&victim, "set 0 message_size %d", _i ? 2000 : 200);
	say(&victim, "set 0 message_type 1");
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.header.tail_bytes, 0);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.header.tail_kind, TAIL_NONE);
	ck_assert_uint_gt(lab_sum(lab, COUNTER_READ_FAULTS), 0);
}
END_TEST

START_TEST(an_argument_leads_nowhere)
{
	lab_watch(lab, victim.pid);
	make(&victim, 0, "server");
	fail_in(&victim, 0, STATE_READ_CH);
	say(&victim, "connection_error_at 0x10");
	say(&victim, "free_at 0x10");
	say(&victim, "free_at 0");
	say(&victim, "free_at 0xffffffffffffff00");
	say(&victim, "remove_session 0xffffffffffffff00");
	say(&victim, "free 0");
	lab_read(lab);
	lab_assert_exact(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 1);
	ck_assert_int_eq(lab_only(lab, EVENT_SETTLED)->seen.event.verdict.error_errno, 0);
	ck_assert_uint_ge(lab_sum(lab, COUNTER_READ_FAULTS), 3);
}
END_TEST

/* The victim's layout is that of a library that exists: the one of this host, where it is OpenSSL 3.0. */
START_TEST(the_victims_layout_is_the_tables)
{
	static const char *const directories[] = { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
						   "/usr/lib64", "/usr/lib" };
	autolibrary struct library *ssl = NULL, *crypto = NULL;
	struct layout_report report;
	struct layout layout;
	char path[128];

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]) && !crypto; i++) {
		snprintf(path, sizeof(path), "%s/libssl.so.3", directories[i]);
		if (library_open(path, &ssl))
			continue;
		snprintf(path, sizeof(path), "%s/libcrypto.so.3", directories[i]);
		library_open(path, &crypto);
	}
	if (!crypto || layout_for(ssl, crypto, &layout, &report) || report.version_number >> 20 != 0x300) {
		fprintf(stderr, "skipped: no OpenSSL 3.0 on this host to compare the victim's layout with\n");
		exit(EXIT_SKIPPED);
	}
	ck_assert_mem_eq(&layout, &fake_layout, sizeof(layout));
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_unknown(void)
{
	Suite *suite = suite_create("unknown");
	TCase *unknown = tcase_create("unknown"), *layout = tcase_create("layout");

	tcase_add_unchecked_fixture(unknown, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(unknown, begin, end);
	tcase_add_test(unknown, a_fact_is_there);
	tcase_add_loop_test(unknown, a_field_is_unknown, 0, COUNT(facts));
	tcase_add_loop_test(unknown, the_version_is_unknown, 0, 2);
	tcase_add_loop_test(unknown, records_are_read_by_another_object, 0, 2);
	tcase_add_loop_test(unknown, alerts_and_messages_are_in_another_object, 0, 2);
	tcase_add_test(unknown, a_certificate_request_is_in_another_object);
	tcase_add_test(unknown, without_a_role);
	tcase_add_test(unknown, without_a_layout);
	tcase_add_loop_test(unknown, a_pointer_leads_nowhere, 0, COUNT(bad_pointers));
	tcase_add_loop_test(unknown, a_hello_leads_nowhere, 0, 2);
	tcase_add_test(unknown, an_argument_leads_nowhere);
	tcase_set_timeout(unknown, 20);
	tcase_add_test(layout, the_victims_layout_is_the_tables);
	suite_add_tcase(suite, unknown);
	suite_add_tcase(suite, layout);
	return suite;
}
