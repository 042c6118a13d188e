/* SPDX-License-Identifier: BSD-2-Clause */
/* Where time went, in the JSON report: every key, and null for what was not measured. */
#include <check.h>
#include <string.h>

#include <jansson.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"

#include "json_document.h"
#include "sample.h"
#include "sample_time.h"

Suite *suite_json_time(void);

/* Where time went, of a snapshot that knows. */
static const char *const keys_of_time[] = {
	"causes.0.parts.count",
	"causes.0.parts.whole_seconds",
	"causes.0.parts.lag_before_seconds",
	"causes.0.parts.connect",
	"causes.0.parts.lag.sum",
	"causes.0.parts.lag.share",
	"causes.0.parts.lag.coarse",
	"causes.0.parts.lag.count",
	"causes.0.parts.lag.p50",
	"causes.0.parts.lag.p90",
	"causes.0.parts.lag.p99",
	"causes.0.parts.lag.max",
	"causes.0.parts.lag.buckets.0.le",
	"causes.0.parts.peer.share",
	"causes.0.parts.cpu.share",
	"causes.0.parts.cpu.coarse",
	"causes.0.parts.round_trip.p50",
	"causes.0.parts.resent",
	"causes.0.parts.preempted.share",
	"causes.0.parts.unattributed.share",
	"causes.0.waited_for.worker",
	"causes.0.waited_for.peer",
	"ok.0.cpu_seconds",
	"ok.0.parts.peer.p99",
	"groups.0.direction",
	"groups.0.group",
	"groups.0.count",
	"costs.0.direction",
	"costs.0.version",
	"costs.0.resumed",
	"costs.0.authentication",
	"costs.0.count",
	"costs.0.cpu_seconds",
	"costs.0.mean_cpu_seconds",
	"costs.0.cpu.p50",
	"resumption.0.direction",
	"resumption.0.full",
	"resumption.0.resumed",
	"resumption.0.ratio",
	"resumption.0.full_cpu_seconds",
	"resumption.0.resumed_cpu_seconds",
	"resumption.0.saving_seconds",
	"servers.0.direction",
	"servers.0.name",
	"servers.0.is_rest",
	"servers.0.ok",
	"servers.0.failed",
	"servers.0.resumed",
	"servers.0.full_cpu_seconds",
	"servers.0.resumed_cpu_seconds",
	"servers.0.versions.0.version",
	"servers.0.ciphers.0.cipher",
	"servers.0.groups.0.group",
	"servers.0.groups.0.count",
	"workers.0.cpu_ratio_peak",
	"workers.0.run_delay_ratio_peak",
	"workers.0.cpu_seconds",
	"workers.0.saturated_seconds",
	"workers.0.sampled_seconds",
	"workers.0.handshake_cpu_seconds",
	"workers.0.handshake_cpu_share",
	"workers.0.resumed",
	"workers.0.given_up",
	"workers.0.given_up_late",
	"workers.0.lag_seconds.p99",
	"workers.0.latency_seconds.p99",
	"workers.0.whole_seconds",
	"workers.0.parts.lag.sum",
	"workers.0.parts.lag.share",
	"workers.0.parts.unattributed",
	"workers.0.versions.0.count",
	"workers.0.ciphers.0.count",
	"workers.0.groups.0.count",
	"generations.1.master_pid",
	"generations.1.generation",
	"generations.1.workers",
	"generations.1.handshakes",
	"generations.1.failed",
	"generations.1.resumed",
	"generations.1.given_up",
	"generations.1.given_up_late",
	"generations.1.lag_seconds.p99",
	"generations.1.latency_seconds.p99",
	"generations.1.whole_seconds",
	"generations.1.parts.lag",
	"generations.1.versions",
	"generations.1.ciphers",
	"generations.1.groups",
};

START_TEST(has_every_key)
{
	struct snapshot snapshot;
	json_t *document;

	sample_saturated(&snapshot);
	document = json_document(&snapshot);
	for (size_t i = 0; i < sizeof(keys_of_time) / sizeof(keys_of_time[0]); i++)
		json_at(document, keys_of_time[i]);
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

static void assert_number(json_t *document, const char *path, double number)
{
	ck_assert_msg(json_is_number(json_at(document, path)), "'%s' is no number", path);
	ck_assert_double_eq_tol(json_number_value(json_at(document, path)), number, 1e-9);
}

static void assert_null(json_t *document, const char *path)
{
	ck_assert_msg(json_is_null(json_at(document, path)), "'%s' is not null", path);
}

START_TEST(says_where_the_time_went)
{
	struct snapshot snapshot;
	json_t *document;

	sample_saturated(&snapshot);
	snapshot.causes[0].parts.coarse = 7;
	snapshot.causes[0].parts.slept = 3;
	snapshot.causes[0].parts.resent = 5;
	document = json_document(&snapshot);
	assert_number(document, "causes.0.parts.lag.coarse", 7);
	assert_number(document, "causes.0.parts.peer.coarse", 7);
	assert_number(document, "causes.0.parts.cpu.coarse", 3);
	assert_number(document, "causes.0.parts.resent", 5);
	assert_number(document, "causes.0.parts.count", 100);
	assert_number(document, "causes.0.parts.whole_seconds", 71.14);
	assert_number(document, "causes.0.parts.lag_before_seconds", 24);
	assert_number(document, "causes.0.parts.lag.sum", 27.202);
	assert_number(document, "causes.0.parts.lag.share", 27.202 / 71.14);
	assert_number(document, "causes.0.parts.lag.p99", 0.34);
	assert_number(document, "causes.0.parts.unattributed.sum", 0.008);
	assert_null(document, "causes.0.parts.connect");
	assert_number(document, "causes.0.waited_for.worker", 80);
	assert_number(document, "causes.0.waited_for.peer", 20);
	assert_number(document, "costs.0.mean_cpu_seconds", 0.02);
	ck_assert_str_eq(json_string_value(json_at(document, "costs.0.authentication")), "rsa");
	assert_number(document, "resumption.0.saving_seconds", 9.05);
	assert_number(document, "resumption.0.ratio", 0.5);
	assert_number(document, "workers.0.handshake_cpu_share", 18 / 29.4);
	assert_number(document, "workers.0.parts.lag.share", 0.5);
	assert_number(document, "resolution.tick_seconds", 0.004);
	ck_assert_str_eq(json_string_value(json_at(document, "groups.0.group")), "x25519");
	ck_assert_uint_eq(json_array_size(json_at(document, "servers.0.versions")), 2);
	ck_assert_uint_eq(json_array_size(json_at(document, "servers.0.ciphers")), 1);
	assert_null(document, "servers.1.name");
	ck_assert(json_is_false(json_at(document, "servers.1.is_rest")) &&
		  json_is_true(json_at(document, "servers.2.is_rest")));
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

/* What was not measured is null, and a sum of spilled ones is there without a distribution. */
START_TEST(does_not_guess_time)
{
	static const uint64_t us[PART_COUNT] = { [PART_CPU] = 250 };
	struct snapshot snapshot;
	json_t *document;

	sample_saturated(&snapshot);
	snapshot.ok[DIRECTION_CLIENT].parts = (struct parts_row){ 0 };
	sample_add_parts(&snapshot.ok[DIRECTION_CLIENT].parts, 1, us, 1000);
	snapshot.ok[DIRECTION_CLIENT].parts.us[PART_CONNECT] = 7;
	snapshot.workers[0].sampled_seconds = 0;
	snapshot.workers[0].cpu_ratio = -1;
	snapshot.workers[0].lag = (struct histogram){ 0 };
	snapshot.workers[0].us[PART_LAG] = 0;
	snapshot.workers[1].cpu_us = 9000000; /* more than it used, by another clock */
	snapshot.costs[1].resumed = snapshot.costs[3].resumed = false;
	snapshot.tick_seconds = 0;
	snapshot.generations[0].master_pid = 0;
	document = json_document(&snapshot);
	assert_null(document, "ok.0.parts.lag");
	assert_null(document, "ok.0.parts.peer");
	assert_null(document, "ok.0.parts.lag_before_seconds");
	assert_number(document, "ok.0.parts.connect.sum", 7e-6);
	assert_number(document, "ok.0.parts.connect.count", 0);
	assert_null(document, "ok.0.parts.connect.p50");
	assert_null(document, "workers.0.cpu_ratio");
	assert_null(document, "workers.0.cpu_ratio_peak");
	assert_null(document, "workers.0.saturated_seconds");
	assert_null(document, "workers.0.cpu_seconds");
	assert_null(document, "workers.0.handshake_cpu_share");
	assert_null(document, "workers.0.parts.lag");
	assert_null(document, "workers.0.parts.peer");
	assert_number(document, "workers.0.parts.cpu.sum", 0);
	assert_number(document, "workers.1.handshake_cpu_share", 1);
	assert_null(document, "workers.1.parts.cpu");
	assert_null(document, "resumption.0.saving_seconds");
	assert_null(document, "resolution.tick_seconds");
	assert_null(document, "generations.0.master_pid");
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(escapes_foreign_bytes)
{
	static const char expected[] = "\033[31mevil\0\\xff\"\\\\\xe2\x80\xae\n.test";
	struct snapshot snapshot;
	json_t *document, *name;

	sample_saturated(&snapshot);
	document = json_document(&snapshot);
	name = json_at(document, "servers.0.name");
	ck_assert_uint_eq(json_string_length(name), sizeof(expected) - 1);
	ck_assert_mem_eq(json_string_value(name), expected, sizeof(expected));
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_json_time(void)
{
	Suite *suite = suite_create("json_time");
	TCase *tcase = tcase_create("json_time");

	tcase_add_test(tcase, has_every_key);
	tcase_add_test(tcase, says_where_the_time_went);
	tcase_add_test(tcase, does_not_guess_time);
	tcase_add_test(tcase, escapes_foreign_bytes);
	suite_add_tcase(suite, tcase);
	return suite;
}
