/* SPDX-License-Identifier: BSD-2-Clause */
/* The text report: its answer in every situation, its width, and that it says nothing that is not known. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "output/paragraph.h"
#include "output/text.h"

#include "report_text.h"
#include "sample.h"

Suite *suite_text(void);

START_TEST(answers_a_failure)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 900);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_VERSION_TOO_OLD, 100, 1);
	text = report_as_text(&snapshot, NULL);
	assert_begins(text,
		      "client: 10.0 % fail, peer_version_too_old since 05:06:12Z; ~1 of ~2 peers also ok; see "
		      "ssl_protocols\n  100 of 1000 settled handshakes: the peer's newest TLS version is below");
	assert_has(text, "peers: ~2 distinct, ~1 of them also ok; most: 192.0.2.1 (67), 2001:db8::1 (33)");
	assert_has(text, "library errors: 0A0000C1 no shared cipher (100)");
	assert_has(text, "look at: ssl_protocols: allow the older version");
	assert_has(text, "client: 900 ok, p50 2.00 ms");
	assert_has(text, "client versions: TLSv1.3 900");
	assert_has(text, "client: 1000 begun, 900 ok, 100 failed, 0 still open");
	assert_has(text, "The counts are exact");
	assert_plain(text, 100);
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

/* More peers were ok than can be remembered: neither line says how many of these were. */
START_TEST(tells_no_returning_peers_that_nobody_knows)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 900);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_VERSION_TOO_OLD, 100, 1)->peers_returning =
		RETURNING_UNKNOWN;
	text = report_as_text(&snapshot, NULL);
	assert_begins(text,
		      "client: 10.0 % fail, peer_version_too_old since 05:06:12Z; ~2 peers; see ssl_protocols\n");
	assert_has(text, "peers: ~2 distinct, most: 192.0.2.1 (67), 2001:db8::1 (33)");
	ck_assert_ptr_null(strstr(text, "also ok"));
	ck_assert_ptr_null(strstr(text, "also\nok"));
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

static void add_over_quic(struct cause_row *row, uint64_t count)
{
	row->evidence = calloc(1, sizeof(*row->evidence));
	ck_assert_ptr_nonnull(row->evidence);
	row->evidence[0] =
		(struct evidence_count){ .kind = EVIDENCE_TRANSPORT, .code = EVIDENCE_OVER_QUIC, .count = count };
	row->evidence_count = 1;
}

/* What a client said when it left is unknown over QUIC, and only there; in the finding too, which scripts read. */
START_TEST(tells_what_quic_hides)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	add_over_quic(sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_CLOSED_MID_HANDSHAKE, 9, 1), 7);
	add_over_quic(sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_NO_SHARED_GROUP, 5, 1), 4);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_CLOSED_BEFORE_HELLO, 3, 1);
	text = report_as_text(&snapshot, NULL);
	assert_has(text, "over QUIC: 7; why these left is in their CONNECTION_CLOSE, which tlswhy does not see\n");
	assert_has(text, "over QUIC: 4\n");
	assert_has_not(text, "over QUIC: 0");
	ck_assert_str_eq(
		report_findings.items[0].evidence.text[report_findings.items[0].evidence.count - 3],
		"7 of them over QUIC; why these left is in their CONNECTION_CLOSE, which tlswhy does not see");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(answers_no_failure)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 10);
	text = report_as_text(&snapshot, NULL);
	assert_begins(text, "TLS is not your problem: 10 ok, p99 2.00 ms, resumption 50.0 %\n");
	assert_has(text, "Look next");
	free(text);
	/* Never with a hole in the counts. */
	snapshot.exact = false;
	snapshot.inexact_reason = strdup("3 records could not be decoded");
	text = report_as_text(&snapshot, NULL);
	assert_begins(text, "no failure was seen, but the counts are not exact: 10 ok");
	assert_has(text, "The counts are not exact: 3 records could not be decoded.");
	assert_has_not(text, "not your problem");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(answers_little_failure)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 9999);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_NOT_TLS, 1, 0);
	text = report_as_text(&snapshot, NULL);
	assert_begins(text, "no failure reaches a warning: 9999 of 10000 ok");
	assert_has(text, "not_tls, 0.01 % (1)");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(answers_nothing_seen)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	text = report_as_text(&snapshot, NULL);
	assert_begins(text, "no TLS handshake was seen in 30.0 s\n");
	assert_has(text, "That can mean");
	free(text);
	snapshot.totals[DIRECTION_UPSTREAM].begun = 4;
	snapshot.totals[DIRECTION_UPSTREAM].open = 4;
	text = report_as_text(&snapshot, NULL);
	assert_begins(text, "no TLS handshake has ended in 30.0 s: 4 wait\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(says_only_what_is_known)
{
	struct snapshot snapshot;
	struct cause_row *row;
	char *text;

	sample_nothing(&snapshot);
	row = sample_add_cause(&snapshot, DIRECTION_UPSTREAM, CAUSE_MISSING_SNI, 50, -1);
	row->first_ns = 0;
	row->error_count = 0;
	row->latency = (struct histogram){ 0 };
	text = report_as_text(&snapshot, NULL);
	assert_begins(text, "upstream: 100.0 % fail, missing_sni; peers not known; see proxy_ssl_server_name\n");
	assert_has(text, "identities missing for 50 handshakes: ring was full");
	assert_has_not(text, "since");
	assert_has_not(text, "distinct");
	assert_has_not(text, "library errors");
	assert_has_not(text, "until it failed");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

/* Strangers' bytes, every cause, every width: printable, and within it. */
START_TEST(stays_within_the_width)
{
	static const unsigned int widths[] = { 1, 40, 60, 80, 100, 200 };
	unsigned int width = widths[_i];
	struct text_options options = { .width = width };
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 1);
	sample_add_target(&snapshot);
	for (unsigned int i = 1; i <= 30; i++) {
		struct cause_row *row = sample_add_cause(&snapshot, 1 + i % 2, (enum cause)i, 100, 1);

		sample_add_hostile_name(row);
		row->incomplete = true;
	}
	snapshot.losses = (struct losses){ 1, 2, 3, 4, 5, 6, 7, 8 };
	text = report_as_text(&snapshot, &options);
	assert_plain(text, width < 40 ? 40 : width);
	if (width >= 100)
		assert_has(text, "server names: \\x1b[31mevil\\x00\\xff\"\\\\\\u{202e}\\x0a.test (100)");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(colors_when_asked)
{
	struct text_options options = { .color = true };
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_NO_SHARED_CIPHER, 50, 1);
	text = report_as_text(&snapshot, &options);
	assert_begins(text, "\033[1;31mclient: 100.0 % fail");
	free(text);
	text = report_as_text(&snapshot, NULL);
	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(paragraph_is_bounded)
{
	struct paragraph paragraph = { 0 };
	char foreign[PARAGRAPH_BYTES];

	memset(foreign, 'x', sizeof(foreign));
	for (int i = 0; i < 5; i++) {
		paragraph_add(&paragraph, "%s", "own ");
		paragraph_add_foreign(&paragraph, foreign, 700, 700);
	}
	paragraph_add_foreign(&paragraph, foreign, sizeof(foreign), 2 * sizeof(foreign));
	ck_assert_uint_eq(strlen(paragraph.text), paragraph.used);
	ck_assert_uint_lt(paragraph.used, sizeof(paragraph.text));
	ck_assert_str_eq(paragraph.text + paragraph.used - 4, "x...");
}
END_TEST

START_TEST(reports_a_full_disk)
{
	struct snapshot snapshot;
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	setvbuf(full, NULL, _IONBF, 0);
	sample_nothing(&snapshot);
	ck_assert_int_eq(text_report(&snapshot, NULL, 0, NULL, full), -EIO);
	fclose(full);
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_text(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, tells_no_returning_peers_that_nobody_knows);
	tcase_add_test(tcase, answers_a_failure);
	tcase_add_test(tcase, answers_no_failure);
	tcase_add_test(tcase, tells_what_quic_hides);
	tcase_add_test(tcase, answers_little_failure);
	tcase_add_test(tcase, answers_nothing_seen);
	tcase_add_test(tcase, says_only_what_is_known);
	tcase_add_loop_test(tcase, stays_within_the_width, 0, 6);
	tcase_add_test(tcase, colors_when_asked);
	tcase_add_test(tcase, paragraph_is_bounded);
	tcase_add_test(tcase, reports_a_full_disk);
	suite_add_tcase(suite, tcase);
	return suite;
}
