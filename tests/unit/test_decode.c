/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding of records, sound and hostile; names of numbers. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/classify.h"
#include "handshake/decode.h"
#include "handshake/names.h"

#include "hello_builder.h"

Suite *suite_decode(void);

static struct event failed_event(void)
{
	struct event event = {
		.header = { .size = sizeof(event), .version = EVENT_VERSION, .kind = EVENT_SETTLED, .tgid = 4711 },
		.time_ns = 2000,
		.begin_ns = 1000,
		.object = 0x1234,
		.verdict = {
			.direction = DIRECTION_CLIENT,
			.outcome = OUTCOME_FAILED,
			.stage = STAGE_HELLO,
			.library = LIBRARY_OPENSSL_3,
			.error = 0x0a0000c1,
		},
		.latency_ns = 1000,
		.error_count = 1,
		.errors = { 0x0a0000c1 },
		.sni_bytes = 6,
		.sni = "a.test",
	};

	return event;
}

/* Decodes a copy of exactly these bytes, at an odd address, so that a sanitizer sees what is wrong. */
static int decode_exact(const struct event *event, size_t fixed, const void *tail, size_t tail_bytes,
			struct observation *out)
{
	uint8_t *copy = malloc(1 + fixed + tail_bytes);
	int result;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy + 1, event, fixed < sizeof(*event) ? fixed : sizeof(*event));
	if (fixed > sizeof(*event))
		memset(copy + 1 + sizeof(*event), 0xaa, fixed - sizeof(*event));
	if (tail_bytes)
		memcpy(copy + 1 + fixed, tail, tail_bytes);
	result = decode_record(copy + 1, fixed + tail_bytes, out);
	free(copy);
	return result;
}

START_TEST(decodes_and_judges)
{
	struct event event = failed_event();
	struct observation out;

	ck_assert_int_eq(decode_exact(&event, sizeof(event), NULL, 0, &out), 0);
	ck_assert_int_eq(out.cause, CAUSE_NO_SHARED_CIPHER);
	ck_assert_int_eq(out.cause, classify(&event.verdict));
	ck_assert_mem_eq(&out.event, &event, sizeof(event));
	ck_assert_uint_eq(out.sni_bytes, 6);
	ck_assert_mem_eq(out.sni, "a.test", 6);
	ck_assert(!out.has_hello);
	event.verdict = (struct verdict){ .direction = DIRECTION_CLIENT };
	ck_assert_int_eq(decode_exact(&event, sizeof(event), NULL, 0, &out), 0);
	ck_assert_int_eq(out.cause, CAUSE_OK);
}
END_TEST

START_TEST(reads_a_newer_writer)
{
	struct event event = failed_event();
	struct observation out;

	event.header.size = sizeof(event) + 40;
	event.header.tail_kind = TAIL_SERVER_NAME;
	event.header.tail_bytes = 9;
	event.header.tail_true_bytes = 9;
	ck_assert_int_eq(decode_exact(&event, sizeof(event) + 40, "long.test", 9, &out), 0);
	ck_assert_uint_eq(out.sni_bytes, 9);
	ck_assert_mem_eq(out.sni, "long.test", 9);
	/* Rubbish behind the tail is not read. */
	ck_assert_int_eq(decode_exact(&event, sizeof(event) + 40, "long.testrubbish", 16, &out), 0);
	ck_assert_uint_eq(out.sni_bytes, 9);
}
END_TEST

START_TEST(reads_the_hello)
{
	struct event event = failed_event();
	struct hello_builder builder;
	struct observation out;

	hello_complete(&builder);
	event.header.tail_kind = TAIL_CLIENT_HELLO;
	event.header.tail_bytes = (uint16_t)builder.used;
	event.header.tail_true_bytes = (uint32_t)builder.used;
	ck_assert_int_eq(decode_exact(&event, sizeof(event), builder.bytes, builder.used, &out), 0);
	ck_assert(out.has_hello && !out.hello.malformed && !out.hello.truncated);
	ck_assert_uint_eq(out.hello.max_version, 0x0304);
	ck_assert_uint_eq(out.sni_bytes, 16);
	ck_assert_mem_eq(out.sni, "www.example.test", 16);
	/* One that is cut at its source, and one that makes no sense, keep their records. */
	event.header.tail_bytes = 100;
	ck_assert_int_eq(decode_exact(&event, sizeof(event), builder.bytes, 100, &out), 0);
	ck_assert(out.has_hello && out.hello.truncated);
	ck_assert_mem_eq(out.sni, "a.test", 6);
	event.header.tail_true_bytes = 100;
	ck_assert_int_eq(decode_exact(&event, sizeof(event), builder.bytes, 100, &out), 0);
	ck_assert(out.has_hello && out.hello.malformed);
}
END_TEST

START_TEST(keeps_a_cut_name)
{
	struct event event = failed_event();
	struct observation out;

	memset(event.sni, 'x', sizeof(event.sni));
	event.sni_bytes = 250;
	ck_assert_int_eq(decode_exact(&event, sizeof(event), NULL, 0, &out), -EBADMSG);
	event.flags |= EVENT_SNI_CUT;
	ck_assert_int_eq(decode_exact(&event, sizeof(event), NULL, 0, &out), 0);
	ck_assert_uint_eq(out.sni_bytes, EVENT_SNI_BYTES);
	ck_assert_uint_eq(out.event.sni_bytes, EVENT_SNI_BYTES);
}
END_TEST

START_TEST(marks_may_be_short)
{
	static const struct {
		uint8_t kind;
		size_t least;
	} marks[] = {
		{ .kind = EVENT_FINAL, .least = 40 },
		{ .kind = EVENT_EXIT, .least = 24 },
		{ .kind = EVENT_TARGET, .least = 24 },
		{ .kind = EVENT_EXEC, .least = 40 },
	};
	struct event event = failed_event();
	struct observation out;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		event.header.kind = marks[i].kind;
		for (size_t size = 16; size <= 64; size += 8) {
			int expected = size < marks[i].least ? -EMSGSIZE : 0;

			event.header.size = (uint16_t)size;
			memset(&out, 0x55, sizeof(out));
			ck_assert_int_eq(decode_exact(&event, size, NULL, 0, &out), expected);
			if (expected)
				continue;
			ck_assert_uint_eq(out.event.time_ns, 2000);
			ck_assert_uint_eq(out.event.object, size >= 40 ? 0x1234 : 0);
			ck_assert_uint_eq(out.event.latency_ns, 0);
			ck_assert_uint_eq(out.sni_bytes, 0);
		}
	}
}
END_TEST

START_TEST(what_is_there_of_a_cut_member_is_checked)
{
	const size_t size = offsetof(struct event, verdict) + offsetof(struct verdict, rejection);
	struct event event = failed_event();
	struct observation out;

	event.header.kind = EVENT_FINAL;
	event.header.size = (uint16_t)size;
	event.verdict.stage = STAGE_DONE + 1;
	ck_assert_int_eq(decode_exact(&event, size, NULL, 0, &out), -EBADMSG);
}
END_TEST

static void break_version(struct event *event)
{
	event->header.version = 2;
}
static void break_kind(struct event *event)
{
	event->header.kind = 9;
}
static void break_kind_zero(struct event *event)
{
	event->header.kind = 0;
}
static void break_size_short(struct event *event)
{
	event->header.size = sizeof(*event) - 8;
}
static void break_size_none(struct event *event)
{
	event->header.size = 0;
}
static void break_size_long(struct event *event)
{
	event->header.size = sizeof(*event) + 8;
}
static void break_tail_kind(struct event *event)
{
	event->header.tail_kind = 3;
}
static void break_tail_none(struct event *event)
{
	event->header.tail_bytes = 1;
}
static void break_tail_true(struct event *event)
{
	event->header.tail_kind = TAIL_CLIENT_HELLO;
	event->header.tail_bytes = 4;
	event->header.tail_true_bytes = 3;
}
static void break_tail_long(struct event *event)
{
	event->header.tail_kind = TAIL_CLIENT_HELLO;
	event->header.tail_bytes = 9;
	event->header.tail_true_bytes = 9;
}
static void break_tail_name(struct event *event)
{
	event->header.tail_kind = TAIL_SERVER_NAME;
	event->header.tail_true_bytes = 256;
}
static void break_tail_huge(struct event *event)
{
	event->header.tail_kind = TAIL_CLIENT_HELLO;
	event->header.tail_true_bytes = 0x1000000;
}
static void break_mark_tail(struct event *event)
{
	event->header.kind = EVENT_EXIT;
	event->header.tail_kind = TAIL_CLIENT_HELLO;
}
static void break_errors(struct event *event)
{
	event->error_count = EVENT_ERRORS + 1;
}
static void break_sni(struct event *event)
{
	event->sni_bytes = EVENT_SNI_BYTES + 1;
}
static void break_proxy(struct event *event)
{
	event->proxy_bytes = EVENT_PROXY_BYTES + 1;
}
static void break_direction(struct event *event)
{
	event->verdict.direction = DIRECTION_COUNT;
}
static void break_outcome(struct event *event)
{
	event->verdict.outcome = OUTCOME_REJECTED + 1;
}
static void break_stage(struct event *event)
{
	event->verdict.stage = STAGE_DONE + 1;
}
static void break_rejection(struct event *event)
{
	event->verdict.rejection = REJECTION_UPSTREAM_ALERT + 1;
}
static void break_version_class(struct event *event)
{
	event->verdict.version_class = VERSION_CLASS_OUR_OLDER + 1;
}
static void break_first_record(struct event *event)
{
	event->verdict.first_record = FIRST_RECORD_OTHER + 1;
}
static void break_library(struct event *event)
{
	event->verdict.library = LIBRARY_BORINGSSL + 1;
}

static const struct {
	void (*apply)(struct event *event);
	int expected;
} breaks[] = {
	{ .apply = break_version, .expected = -EPROTONOSUPPORT },
	{ .apply = break_kind, .expected = -EBADMSG },
	{ .apply = break_kind_zero, .expected = -EBADMSG },
	{ .apply = break_size_short, .expected = -EMSGSIZE },
	{ .apply = break_size_none, .expected = -EMSGSIZE },
	{ .apply = break_size_long, .expected = -EMSGSIZE },
	{ .apply = break_tail_kind, .expected = -EBADMSG },
	{ .apply = break_tail_none, .expected = -EBADMSG },
	{ .apply = break_tail_true, .expected = -EBADMSG },
	{ .apply = break_tail_long, .expected = -EBADMSG },
	{ .apply = break_tail_name, .expected = -EBADMSG },
	{ .apply = break_tail_huge, .expected = -EBADMSG },
	{ .apply = break_mark_tail, .expected = -EBADMSG },
	{ .apply = break_errors, .expected = -EBADMSG },
	{ .apply = break_sni, .expected = -EBADMSG },
	{ .apply = break_proxy, .expected = -EBADMSG },
	{ .apply = break_direction, .expected = -EBADMSG },
	{ .apply = break_outcome, .expected = -EBADMSG },
	{ .apply = break_stage, .expected = -EBADMSG },
	{ .apply = break_rejection, .expected = -EBADMSG },
	{ .apply = break_version_class, .expected = -EBADMSG },
	{ .apply = break_first_record, .expected = -EBADMSG },
	{ .apply = break_library, .expected = -EBADMSG },
};

START_TEST(refuses_what_is_wrong)
{
	struct observation out, untouched;
	struct event event = failed_event();

	memset(&out, 0x55, sizeof(out));
	untouched = out;
	breaks[_i].apply(&event);
	ck_assert_int_eq(decode_exact(&event, sizeof(event), "\0\0\0\0", 4, &out), breaks[_i].expected);
	ck_assert_mem_eq(&out, &untouched, sizeof(out));
}
END_TEST

START_TEST(refuses_every_cut)
{
	struct event event = failed_event();
	struct observation out;

	for (size_t size = 0; size < sizeof(event); size++)
		ck_assert_int_eq(decode_exact(&event, size, NULL, 0, &out), -EMSGSIZE);
}
END_TEST

START_TEST(names_numbers)
{
	char buffer[NAME_BYTES];

	ck_assert_str_eq(version_name(0x0304, buffer), "TLSv1.3");
	ck_assert_str_eq(version_name(0x0301, buffer), "TLSv1");
	ck_assert_str_eq(version_name(0x0305, buffer), "0x0305");
	ck_assert_str_eq(version_name(0, buffer), "unknown");
	ck_assert_str_eq(cipher_name(0x1302, buffer), "TLS_AES_256_GCM_SHA384");
	ck_assert_str_eq(cipher_name(0xc02f, buffer), "ECDHE-RSA-AES128-GCM-SHA256");
	ck_assert_str_eq(cipher_name(0xc0ff, buffer), "0xC0FF");
	ck_assert_str_eq(alert_name(48, buffer), "unknown_ca");
	ck_assert_str_eq(alert_name(199, buffer), "alert 199");
	ck_assert_str_eq(errno_name(104, buffer), "ECONNRESET");
	ck_assert_str_eq(errno_name(-1, buffer), "errno -1");
	ck_assert_str_eq(verify_text(10, LIBRARY_OPENSSL_3, buffer), "certificate has expired");
	ck_assert_str_eq(verify_text(79, LIBRARY_OPENSSL_3, buffer), "invalid CA certificate");
	ck_assert_str_eq(verify_text(24, LIBRARY_OPENSSL_1_1_1, buffer), "invalid CA certificate");
	ck_assert_str_eq(verify_text(-7, LIBRARY_OPENSSL_3, buffer), "verify result -7");
	ck_assert_str_eq(verify_text(1000, LIBRARY_OPENSSL_3, buffer), "verify result 1000");
	ck_assert_str_eq(direction_name(DIRECTION_UPSTREAM), "upstream");
	ck_assert_str_eq(direction_name(99), "unknown");
	ck_assert_str_eq(outcome_name(OUTCOME_ABANDONED), "abandoned");
}
END_TEST

START_TEST(names_library_errors)
{
	char buffer[NAME_BYTES];

	ck_assert_str_eq(error_text(0x0a0000c1, LIBRARY_OPENSSL_3, buffer), "no shared cipher");
	ck_assert_str_eq(error_text(0x1408a0c1, LIBRARY_OPENSSL_1_1_1, buffer), "no shared cipher");
	ck_assert_str_eq(error_text(0x100000b8, LIBRARY_BORINGSSL, buffer), "no shared cipher");
	ck_assert_str_eq(error_text(0x0a000418, LIBRARY_OPENSSL_3, buffer), "alert unknown_ca received");
	ck_assert_str_eq(error_text(0x0a0004b3, LIBRARY_OPENSSL_3, buffer), "alert 203 received");
	ck_assert_str_eq(error_text(0x0a000126, LIBRARY_OPENSSL_3, buffer), "unexpected eof while reading");
	ck_assert_str_eq(error_text(0x14000126, LIBRARY_OPENSSL_1_1_1, buffer), "ocsp callback failure");
	ck_assert_str_eq(error_text(0x0a0c0103, LIBRARY_OPENSSL_3, buffer), "internal error");
	ck_assert_str_eq(error_text(0x14000041, LIBRARY_OPENSSL_1_1_1, buffer), "malloc failure");
	ck_assert_str_eq(error_text(0x0a000fff, LIBRARY_OPENSSL_3, buffer), "reason 4095");
	ck_assert_str_eq(error_text(0x80000002, LIBRARY_OPENSSL_3, buffer), "ENOENT");
	ck_assert_str_eq(error_text(0x02001002, LIBRARY_OPENSSL_1_1_1, buffer), "ENOENT");
	ck_assert_str_eq(error_text(0x10000080, LIBRARY_OPENSSL_3, buffer), "bio: no such file");
	ck_assert_str_eq(error_text(0x0200000e, LIBRARY_UNKNOWN, buffer), "code 0200000E of an unknown library");
	ck_assert_str_eq(error_text(0x7f8003e7, LIBRARY_OPENSSL_3, buffer), "library 255: reason 999");
}
END_TEST

Suite *suite_decode(void)
{
	Suite *suite = suite_create("decode");
	TCase *sound = tcase_create("sound"), *hostile = tcase_create("hostile"), *names = tcase_create("names");

	tcase_add_test(sound, decodes_and_judges);
	tcase_add_test(sound, reads_a_newer_writer);
	tcase_add_test(sound, reads_the_hello);
	tcase_add_test(sound, keeps_a_cut_name);
	tcase_add_test(sound, marks_may_be_short);
	tcase_add_test(sound, what_is_there_of_a_cut_member_is_checked);
	suite_add_tcase(suite, sound);
	tcase_add_loop_test(hostile, refuses_what_is_wrong, 0, (int)(sizeof(breaks) / sizeof(breaks[0])));
	tcase_add_test(hostile, refuses_every_cut);
	suite_add_tcase(suite, hostile);
	tcase_add_test(names, names_numbers);
	tcase_add_test(names, names_library_errors);
	suite_add_tcase(suite, names);
	return suite;
}
