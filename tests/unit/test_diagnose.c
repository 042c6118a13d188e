/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings: their severity at every threshold, their order, and that they say only what is known. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "diagnose/diagnose.h"

#include "sample.h"

Suite *suite_diagnose(void);

static struct findings findings; /* too large for the stack of a test */

static const struct {
	uint64_t failed, ok;
	enum severity expected;
} thresholds[] = {
	{ .failed = 20, .ok = 180, .expected = SEVERITY_CRITICAL },
	{ .failed = 19, .ok = 171, .expected = SEVERITY_WARNING },
	{ .failed = 20, .ok = 181, .expected = SEVERITY_WARNING },
	{ .failed = 5, .ok = 5, .expected = SEVERITY_CRITICAL },
	{ .failed = 5, .ok = 6, .expected = SEVERITY_WARNING },
	{ .failed = 4, .ok = 0, .expected = SEVERITY_WARNING },
	{ .failed = 10, .ok = 990, .expected = SEVERITY_WARNING },
	{ .failed = 9, .ok = 891, .expected = SEVERITY_INFO },
	{ .failed = 10, .ok = 991, .expected = SEVERITY_INFO },
	{ .failed = 3, .ok = 27, .expected = SEVERITY_WARNING },
	{ .failed = 2, .ok = 0, .expected = SEVERITY_INFO },
};

START_TEST(severity_at_thresholds)
{
	struct snapshot snapshot;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, thresholds[_i].ok);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_NO_SHARED_CIPHER, thresholds[_i].failed, 1);
	diagnose(&snapshot, &findings);
	ck_assert_uint_eq(findings.count, 1);
	ck_assert_int_eq(findings.items[0].severity, thresholds[_i].expected);
	ck_assert_str_eq(findings.items[0].id, "client.no_shared_cipher");
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(strangers_weigh_less)
{
	struct snapshot snapshot;
	struct cause_row *row;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 100);
	row = sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_NOT_TLS, 100, 0);
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_WARNING);
	row->peers_returning = 1;
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_CRITICAL);
	row->peers_returning = RETURNING_UNKNOWN;
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_CRITICAL);
	/* Nothing known of the peers: not lowered. */
	row->peers_returning = 0;
	row->peers_distinct = 0;
	row->without_identity = row->count;
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_CRITICAL);
	/* Ours to fix: whoever the peers are. */
	row->cause = CAUSE_OUR_CERTIFICATE_EXPIRED;
	row->peers_distinct = 2;
	row->without_identity = 0;
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_CRITICAL);
	row->cause = CAUSE_ABORTED_BY_NGINX;
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_WARNING);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(worst_first)
{
	struct snapshot snapshot;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 1000);
	sample_add_ok(&snapshot, DIRECTION_UPSTREAM, 10);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_RESET, 90, 0);
	sample_add_cause(&snapshot, DIRECTION_UPSTREAM, CAUSE_MISSING_SNI, 30, 1);
	diagnose(&snapshot, &findings);
	ck_assert_uint_eq(findings.count, 2);
	ck_assert_str_eq(findings.items[0].id, "upstream.missing_sni");
	ck_assert_int_eq(diagnose_leading_cause(&snapshot)->cause, CAUSE_MISSING_SNI);
	ck_assert_ptr_nonnull(strstr(findings.items[0].change.text[0], "proxy_ssl_server_name on"));
	ck_assert_uint_ge(findings.items[0].verify.count, 2);
	ck_assert_uint_eq(diagnose_settled(&snapshot, DIRECTION_UPSTREAM), 40);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(says_nothing_of_nothing)
{
	struct snapshot snapshot;

	sample_nothing(&snapshot);
	memset(&findings, 0x55, sizeof(findings));
	diagnose(&snapshot, &findings);
	ck_assert_uint_eq(findings.count, 0);
	ck_assert_ptr_null(diagnose_leading_cause(&snapshot));
	sample_add_cause(&snapshot, DIRECTION_UNKNOWN, CAUSE_OTHER_ERROR, 50, -1);
	diagnose(&snapshot, &findings);
	ck_assert_uint_eq(findings.items[0].change.count, 0); /* of an unknown side nothing can be advised */
	for (size_t i = 0; i < findings.items[0].evidence.count; i++)
		ck_assert_ptr_null(strstr(findings.items[0].evidence.text[i], "peers"));
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(finds_busy_workers_and_losses)
{
	struct snapshot snapshot;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 10);
	sample_add_target(&snapshot);
	snapshot.exact = false;
	snapshot.inexact_reason = strdup("7 records could not be decoded");
	diagnose(&snapshot, &findings);
	ck_assert_uint_eq(findings.count, 2);
	ck_assert_str_eq(findings.items[0].id, "workers_saturated");
	ck_assert_str_eq(findings.items[0].evidence.text[0], "worker 101: 97 % of a CPU");
	ck_assert_str_eq(findings.items[1].id, "counts_inexact");
	ck_assert_str_eq(findings.items[1].evidence.text[0], "7 records could not be decoded");
	snapshot.workers[0].cpu_ratio = -1;
	diagnose(&snapshot, &findings);
	ck_assert_uint_eq(findings.count, 1);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(is_bounded)
{
	struct snapshot snapshot;
	struct finding *finding;
	char text[2 * FINDING_TEXT_BYTES];

	sample_nothing(&snapshot);
	for (unsigned int i = 1; i <= 30; i++)
		sample_add_cause(&snapshot, DIRECTION_CLIENT, (enum cause)i, 1000, 1);
	diagnose(&snapshot, &findings);
	ck_assert_uint_eq(findings.count, FINDINGS_MAX - 6);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	finding = findings_add(&findings, text, SEVERITY_INFO);
	finding_title(finding, "%s", text);
	for (int i = 0; i < 2 * FINDING_LINES; i++)
		finding_evidence(finding, "%s", text);
	ck_assert_uint_eq(finding->evidence.count, FINDING_LINES);
	ck_assert_uint_eq(strlen(finding->title), FINDING_TEXT_BYTES - 1);
	while (findings.count < FINDINGS_MAX)
		findings_add(&findings, "x", SEVERITY_INFO);
	ck_assert_ptr_null(findings_add(&findings, "x", SEVERITY_INFO));
	finding_title(NULL, "nowhere");
	finding_change(NULL, "nowhere");
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_diagnose(void)
{
	Suite *suite = suite_create("diagnose");
	TCase *tcase = tcase_create("diagnose");

	tcase_add_loop_test(tcase, severity_at_thresholds, 0, (int)(sizeof(thresholds) / sizeof(thresholds[0])));
	tcase_add_test(tcase, strangers_weigh_less);
	tcase_add_test(tcase, worst_first);
	tcase_add_test(tcase, says_nothing_of_nothing);
	tcase_add_test(tcase, finds_busy_workers_and_losses);
	tcase_add_test(tcase, is_bounded);
	suite_add_tcase(suite, tcase);
	return suite;
}
