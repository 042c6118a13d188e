/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ClientHello as the kernel side takes it from the object: whole or cut, never when something else lies there,
 * and never a byte behind its end (the victim's next page cannot be read).
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake_layout.h"
#include "hello.h"
#include "lab.h"
#include "suites.h"
#include "control.h"

static struct lab *lab;
static struct victim victim;

static void begin(void)
{
	lab = lab_share();
	victim_start(&victim);
	lab_watch(lab, victim.pid);
	make(&victim, 0, "server");
}

static void end(void)
{
	victim_stop(&victim);
}

/* Fails in a state with a message in the buffer; the record of it. */
static const struct lab_record *fails_with(unsigned int state, unsigned int type, const uint8_t *body, size_t bytes)
{
	say_message(&victim, 0, type, body, bytes);
	fail_in(&victim, 0, state);
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	return lab_only(lab, EVENT_SETTLED);
}

static const size_t sizes[] = { 38, 41, 767, 768, 769, 2303, 2304, 2305, 60000, 131072 };

static uint8_t *random_hello(size_t bytes)
{
	uint8_t *body = malloc(bytes);

	ck_assert_ptr_nonnull(body);
	srand(1);
	for (size_t i = 0; i < bytes; i++)
		body[i] = (uint8_t)rand();
	memset(body + 34, 0, bytes < 64 ? bytes - 34 : 30); /* no lists, no extensions */
	return body;
}

START_TEST(is_copied)
{
	size_t bytes = sizes[_i], kept = bytes > EVENT_TAIL_LARGE ? EVENT_TAIL_LARGE : bytes;
	uint8_t *body = random_hello(bytes);
	const struct lab_record *record = fails_with(STATE_READ_CH, 1, body, bytes);
	const struct event_header *header = &record->seen.event.header;

	ck_assert_uint_eq(header->tail_kind, TAIL_CLIENT_HELLO);
	ck_assert_uint_eq(header->tail_bytes, kept);
	ck_assert_uint_eq(header->tail_true_bytes, bytes);
	ck_assert_mem_eq(record->tail, body, kept);
	ck_assert_uint_eq(record->seen.event.message_type, 1);
	free(body);
}
END_TEST

/* Also while it waits for the rest of the processing, which is how a certificate callback looks. */
START_TEST(is_copied_when_abandoned)
{
	uint8_t body[64];
	size_t bytes = hello_with_versions(body, 0x0303, NULL, 0);

	say_message(&victim, 0, 1, body, bytes);
	wait_in(&victim, 0, STATE_READ_CH);
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.header.tail_bytes, bytes);
}
END_TEST

static const struct {
	unsigned int state, type;
	size_t bytes;
} others[] = {
	{ STATE_READ_CH, 2, 100 },    { STATE_READ_CH, 16, 100 },   { STATE_READ_KEY, 1, 100 },
	{ STATE_READ_KEY, 16, 100 },  { STATE_BEFORE, 1, 100 },     { STATE_OK, 1, 100 },
	{ STATE_EARLY_DATA, 1, 100 }, { STATE_READ_CH, 1, 131073 },
};

/* What lies in the buffer later holds secrets, and longer ones no library takes. */
START_TEST(is_not_what_lies_there)
{
	uint8_t *body = random_hello(others[_i].bytes);
	const struct lab_record *record = fails_with(others[_i].state, others[_i].type, body, others[_i].bytes);

	ck_assert_uint_eq(record->seen.event.header.tail_bytes, 0);
	ck_assert_uint_eq(record->seen.event.header.tail_kind, TAIL_NONE);
	ck_assert_uint_eq(record->seen.event.peer_max_version, 0);
	free(body);
}
END_TEST

START_TEST(empty_is_none)
{
	const struct lab_record *record = fails_with(STATE_READ_CH, 1, NULL, 0);

	ck_assert_uint_eq(record->seen.event.header.tail_kind, TAIL_NONE);
}
END_TEST

START_TEST(is_not_in_a_good_ones_record)
{
	uint8_t body[64];

	say_message(&victim, 0, 1, body, hello_with_versions(body, 0x0303, NULL, 0));
	say(&victim, "set 0 hand_state %u", STATE_READ_CH);
	say(&victim, "step 0 1");
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.header.tail_kind, TAIL_NONE);
}
END_TEST

/* A ServerHello in an upstream's object tells the version, and is not copied. */
START_TEST(server_hello_tells_a_version)
{
	static const uint8_t body[] = { 0x03, 0x02, 1, 2, 3, 4, 5, 6 };
	const struct event *event;

	make(&victim, 1, "client");
	say_message(&victim, 1, 2, body, sizeof(body));
	say(&victim, "set 1 min_version 0x0303");
	fail_in(&victim, 1, STATE_READ_SH);
	say(&victim, "free 1");
	lab_read(lab);
	event = &lab_only(lab, EVENT_SETTLED)->seen.event;
	ck_assert_uint_eq(event->peer_min_version, 0x0302);
	ck_assert_uint_eq(event->peer_max_version, 0x0302);
	ck_assert_uint_eq(event->verdict.version_class, VERSION_CLASS_PEER_OLDER);
	ck_assert_uint_eq(event->header.tail_kind, TAIL_NONE);
}
END_TEST

static const struct {
	const char *what;
	uint16_t legacy, versions[12];
	size_t count;
	uint16_t oldest, newest;
} offers[] = {
	{ "none", 0x0303, { 0 }, 0, 0x0300, 0x0303 },
	{ "none, TLS 1.0", 0x0301, { 0 }, 0, 0x0300, 0x0301 },
	{ "TLS 1.3 alone", 0x0303, { 0x0304 }, 1, 0x0304, 0x0304 },
	{ "1.3 and 1.2", 0x0303, { 0x0304, 0x0303 }, 2, 0x0303, 0x0304 },
	{ "GREASE first", 0x0303, { 0x7a7a, 0x0304, 0x0303 }, 3, 0x0303, 0x0304 },
	{ "GREASE last", 0x0303, { 0x0302, 0x0301, 0xfafa }, 3, 0x0301, 0x0302 },
	{ "GREASE alone", 0x0303, { 0x0a0a }, 1, 0, 0 },
	{ "drafts", 0x0303, { 0x7f1c, 0x0303 }, 2, 0x0303, 0x0303 },
	{ "unordered", 0x0303, { 0x0301, 0x0304, 0x0302 }, 3, 0x0301, 0x0304 },
	{ "DTLS", 0x0303, { 0xfefd, 0xfeff }, 2, 0, 0 },
};

START_TEST(versions)
{
	uint8_t body[256];
	size_t bytes = hello_with_versions(body, offers[_i].legacy, offers[_i].versions, offers[_i].count);
	const struct event *event = &fails_with(STATE_READ_CH, 1, body, bytes)->seen.event;

	ck_assert_msg(event->peer_min_version == offers[_i].oldest && event->peer_max_version == offers[_i].newest,
		      "%s: %x to %x", offers[_i].what, event->peer_min_version, event->peer_max_version);
}
END_TEST

/* Cut anywhere, a hello says nothing, or what it says without its extensions; and nothing behind its end is read. */
START_TEST(versions_of_a_cut_hello)
{
	const uint16_t offered[] = { 0x0304, 0x0303 };
	uint8_t body[256];
	size_t bytes = hello_with_versions(body, 0x0303, offered, 2), cut = (size_t)_i;
	const struct event *event;

	ck_assert_uint_gt(bytes, cut);
	event = &fails_with(STATE_READ_CH, 1, body, cut)->seen.event;
	ck_assert_uint_eq(event->peer_max_version, cut < 38 || cut >= HELLO_FIXED_BYTES + 2 ? 0 : 0x0303);
}
END_TEST

/* Offset from hello_head()'s end or start, and the lying length's bytes. */
static const struct {
	const char *what;
	size_t at;
	uint8_t high, low;
	uint16_t newest;
} lies[] = {
	{ "session id", 33, 0, 255, 0x0303 },
	{ "ciphers", 35, 0xff, 0xff, 0x0303 },
	{ "extensions", HELLO_FIXED_BYTES, 0xff, 0xff, 0 },
	{ "extensions, one too many", HELLO_FIXED_BYTES, 0, 17, 0 },
	{ "padding", HELLO_FIXED_BYTES + 4, 0xff, 0xff, 0 },
	{ "padding, over the rest", HELLO_FIXED_BYTES + 4, 0, 14, 0 },
	{ "supported_versions", HELLO_FIXED_BYTES + 11, 0xff, 0xff, 0 },
	{ "supported_versions, one too many", HELLO_FIXED_BYTES + 11, 0, 6, 0 },
	{ "supported_versions, empty", HELLO_FIXED_BYTES + 11, 0, 0, 0 },
};

START_TEST(versions_of_a_lying_hello)
{
	const uint16_t offered[] = { 0x0304, 0x0303 };
	uint8_t body[256];
	size_t bytes = hello_with_versions(body, 0x0303, offered, 2);
	const struct event *event;

	body[lies[_i].at] = lies[_i].high;
	body[lies[_i].at + 1] = lies[_i].low;
	event = &fails_with(STATE_READ_CH, 1, body, bytes)->seen.event;
	ck_assert_msg(event->peer_max_version == lies[_i].newest, "%s: %x", lies[_i].what, event->peer_max_version);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_hello(void)
{
	Suite *suite = suite_create("hello");
	TCase *hello = tcase_create("hello");

	tcase_add_unchecked_fixture(hello, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(hello, begin, end);
	tcase_add_loop_test(hello, is_copied, 0, COUNT(sizes));
	tcase_add_test(hello, is_copied_when_abandoned);
	tcase_add_loop_test(hello, is_not_what_lies_there, 0, COUNT(others));
	tcase_add_test(hello, empty_is_none);
	tcase_add_test(hello, is_not_in_a_good_ones_record);
	tcase_add_test(hello, server_hello_tells_a_version);
	tcase_add_loop_test(hello, versions, 0, COUNT(offers));
	tcase_add_loop_test(hello, versions_of_a_cut_hello, 1, HELLO_FIXED_BYTES + 16);
	tcase_add_loop_test(hello, versions_of_a_lying_hello, 0, COUNT(lies));
	tcase_set_timeout(hello, 20);
	suite_add_tcase(suite, hello);
	return suite;
}
