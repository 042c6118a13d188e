/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The group and the signature that a record tells of: this handshake's own, by each way that a library keeps them,
 * and nothing where they were only offered, are another handshake's, or nobody vouches for a field.
 */
#include <stddef.h>
#include <string.h>

#include <check.h>

#include "fake_layout.h"
#include "lab.h"
#include "suites.h"
#include "control.h"

#define X25519  29
#define P256    23
#define RSA_PSS 0x0804
#define ECDSA   0x0403
#define LINES   8

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

/* What an object says, and what is to be said of it. */
struct agreement_case {
	const char *role;
	const char *lines[LINES];
	uint16_t group, signature;
};

#define TLS1_3      "version 0x0304"
#define TLS1_2      "version 0x0303"
#define CIPHER      "new_cipher self"
#define SIGNS       "sigalg self", "sigalg.number 0x0804"
#define PEER_SIGNED "peer_sigalg self", "peer_sigalg.number 0x0403"

static const struct agreement_case cases[] = {
	/* TLS 1.3 */
	{ "server", { TLS1_3, CIPHER, "group_id 29", "did_kex 1", SIGNS }, X25519, RSA_PSS },
	{ "client", { TLS1_3, CIPHER, "group_id 29", "did_kex 1", PEER_SIGNED }, X25519, ECDSA },
	{ "client", { TLS1_3, "group_id 29" }, 0, 0 }, /* an offer, before a server was heard */
	{ "client", { TLS1_3, "group_id 29", "session.group 23" }, 0, 0 },
	{ "server", { TLS1_3, CIPHER, "group_id 29", SIGNS }, 0, 0 }, /* asked for another ClientHello */
	{ "server", { TLS1_3, CIPHER, "hit 1", "group_id 29", "did_kex 1", "session.group 23" }, X25519, 0 },
	{ "client", { TLS1_3, CIPHER, "hit 1", "session.group 23" }, 0, 0 }, /* a session without an exchange */
	/* Up to TLS 1.2: group_id is what a client that knows TLS 1.3 has offered. */
	{ "server", { TLS1_2, CIPHER, "session.group 23", SIGNS }, P256, RSA_PSS },
	{ "client", { TLS1_2, CIPHER, "group_id 29", "session.group 23", PEER_SIGNED }, P256, ECDSA },
	{ "client", { TLS1_2, "session.group 23" }, 0, 0 }, /* a session is offered */
	{ "server", { TLS1_2, CIPHER, "hit 1", "session.group 23", SIGNS }, 0, 0 },
	{ "client", { TLS1_2, CIPHER, "hit 1", "session.group 23" }, 0, 0 },
	{ "server", { TLS1_2, CIPHER, "cipher.exchange 1", SIGNS }, 0, 0 },  /* by the RSA key itself */
	{ "server", { TLS1_2, CIPHER, "cipher.exchange 64", SIGNS }, 0, 0 }, /* the same, and a PSK */
	{ "server", { TLS1_2, CIPHER, "cipher.exchange 2", SIGNS }, 0, RSA_PSS },
	{ "server", { TLS1_2, "session 0", CIPHER, SIGNS }, 0, RSA_PSS },
	{ "server", { TLS1_2 }, 0, 0 },
	/* What the other side signs with is not the server's. */
	{ "server", { TLS1_3, CIPHER, "group_id 29", "did_kex 1", PEER_SIGNED }, X25519, 0 },
	{ "client", { TLS1_3, CIPHER, "group_id 29", "did_kex 1", SIGNS }, X25519, 0 },
};

static void set_all(const char *const lines[LINES])
{
	for (size_t i = 0; i < LINES && lines[i]; i++)
		say(&victim, "set 0 %s", lines[i]);
}

static const struct event *settled(void)
{
	say(&victim, "free 0");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	return &lab_only(lab, EVENT_SETTLED)->seen.event;
}

static const struct event *play(const struct agreement_case *agreement, const struct layout *layout)
{
	lab_watch_as(lab, victim.pid, layout);
	make(&victim, 0, agreement->role);
	set_all(agreement->lines);
	succeed(&victim, 0);
	return settled();
}

START_TEST(is_this_handshake_s)
{
	const struct event *event = play(&cases[_i], &fake_layout);

	ck_assert_uint_eq(event->group, cases[_i].group);
	ck_assert_uint_eq(event->signature, cases[_i].signature);
}
END_TEST

/* A failure has them as far as it came. */
START_TEST(of_a_failure)
{
	const struct event *event;

	lab_watch_as(lab, victim.pid, &fake_layout);
	make(&victim, 0, cases[0].role);
	set_all(cases[0].lines);
	fail_in(&victim, 0, STATE_EARLY_DATA);
	event = settled();
	ck_assert_uint_eq(event->group, X25519);
	ck_assert_uint_eq(event->signature, RSA_PSS);
}
END_TEST

#define S3        "s3 self"
#define S3_CIPHER "s3.new_cipher self"
#define S3_SIGNS  "s3.sigalg self", "sigalg.number 0x0804"
#define S3_PEER   "s3.peer_sigalg self", "peer_sigalg.number 0x0403"

/* 1.1.1: no session has its group, and a pointer says that keys were exchanged. Its low byte is often 0. */
static const struct agreement_case of_s3[] = {
	{ "server",
	  { S3, TLS1_3, S3_CIPHER, "s3.group_id 29", "s3.peer_share 0x7f0000001200", S3_SIGNS },
	  X25519,
	  RSA_PSS },
	{ "client", { S3, TLS1_3, S3_CIPHER, "s3.group_id 29", "s3.peer_share self", S3_PEER }, X25519, ECDSA },
	{ "client", { S3, TLS1_3, "s3.group_id 29" }, 0, 0 },
	{ "server", { S3, TLS1_3, S3_CIPHER, "s3.group_id 29", S3_SIGNS }, 0, 0 },
	{ "server", { S3, TLS1_3, S3_CIPHER, "hit 1", "s3.group_id 29", "s3.peer_share self" }, X25519, 0 },
	{ "server", { S3, TLS1_2, S3_CIPHER, "session.group 23", S3_SIGNS }, 0, RSA_PSS },
	{ "client", { S3, TLS1_2, S3_CIPHER, "s3.group_id 29", "s3.peer_share self", S3_PEER }, 0, ECDSA },
	{ "server", { S3, TLS1_2, S3_CIPHER, "cipher.exchange 1", S3_SIGNS }, 0, 0 },
};

START_TEST(is_in_another_object)
{
	struct layout layout = fake_layout;
	const struct event *event;

	layout.s3 = FAKE_S3;
	layout.message_type = FAKE_S3_MESSAGE_TYPE;
	layout.new_cipher = FAKE_S3_NEW_CIPHER;
	layout.group_id = FAKE_S3_GROUP_ID;
	layout.peer_share = FAKE_S3_PEER_SHARE;
	layout.sigalg = FAKE_S3_SIGALG;
	layout.peer_sigalg = FAKE_S3_PEER_SIGALG;
	layout.did_kex = layout.session_group = LAYOUT_NONE;
	event = play(&of_s3[_i], &layout);
	ck_assert_uint_eq(event->group, of_s3[_i].group);
	ck_assert_uint_eq(event->signature, of_s3[_i].signature);
}
END_TEST

#define LAYOUT(field) offsetof(struct layout, field)
#define BEFORE_1_3    7 /* of cases: up to TLS 1.2 */

/* What goes when a field is not known, of a server's handshake in which both are. */
static const struct {
	size_t place;
	int agreed; /* of cases */
	bool group, signature;
} unknown[] = {
	{ LAYOUT(group_id), 0, true, false },
	{ LAYOUT(did_kex), 0, true, true },
	{ LAYOUT(sigalg), 0, false, true },
	{ LAYOUT(sigalg_number), 0, false, true },
	{ LAYOUT(new_cipher), 0, false, false }, /* in TLS 1.3 the cipher does not decide who signs */
	{ LAYOUT(cipher_exchange), 0, false, false },
	{ LAYOUT(hit), 0, false, true },
	{ LAYOUT(peer_sigalg), 0, false, false },
	{ LAYOUT(session_group), 0, false, false },
	{ LAYOUT(session_group), BEFORE_1_3, true, false },
	{ LAYOUT(session), BEFORE_1_3, true, false },
	{ LAYOUT(new_cipher), BEFORE_1_3, true, true },
	{ LAYOUT(cipher_exchange), BEFORE_1_3, false, true },
	{ LAYOUT(hit), BEFORE_1_3, true, true },
	{ LAYOUT(server), BEFORE_1_3, false, true },
	{ LAYOUT(group_id), BEFORE_1_3, false, false },
	{ LAYOUT(did_kex), BEFORE_1_3, false, false },
};

START_TEST(a_field_is_unknown)
{
	const struct agreement_case *agreement = &cases[unknown[_i].agreed];
	struct layout layout = fake_layout;
	const uint16_t none = LAYOUT_NONE;
	const struct event *event;

	memcpy((char *)&layout + unknown[_i].place, &none, sizeof(none));
	event = play(agreement, &layout);
	ck_assert_uint_eq(event->group, unknown[_i].group ? 0 : agreement->group);
	ck_assert_uint_eq(event->signature, unknown[_i].signature ? 0 : agreement->signature);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_agreement(void)
{
	Suite *suite = suite_create("agreement");
	TCase *tests = tcase_create("agreement");

	tcase_add_unchecked_fixture(tests, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_loop_test(tests, is_this_handshake_s, 0, COUNT(cases));
	tcase_add_test(tests, of_a_failure);
	tcase_add_loop_test(tests, is_in_another_object, 0, COUNT(of_s3));
	tcase_add_loop_test(tests, a_field_is_unknown, 0, COUNT(unknown));
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	return suite;
}
