/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON report: every key of the schema in every report, numbers in base units, foreign bytes safe. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "output/json.h"
#include "output/json_value.h"

#include "json_document.h"
#include "sample.h"

Suite *suite_json(void);

/* The contract: the keys every report has, whatever was seen. */
static const char *const keys[] = {
	"schema",
	"tool_version",
	"host",
	"window.start",
	"window.seconds",
	"targets",
	"totals.client.begun",
	"totals.client.ok",
	"totals.client.failed",
	"totals.client.open",
	"totals.client.evicted",
	"totals.client.resumed",
	"totals.client.joined",
	"totals.upstream.begun",
	"totals.unknown.begun",
	"exact",
	"exact_reason",
	"causes",
	"ok",
	"versions",
	"ciphers",
	"workers",
	"findings",
	"losses.ring_full",
	"losses.spill_full",
	"losses.state_full",
	"losses.evicted",
	"losses.read_faults",
	"losses.unmatched",
	"groups",
	"costs",
	"resumption",
	"servers",
	"generations",
	"resolution.tick_seconds",
};

static const char *const keys_of_something[] = {
	"targets.0.master_pid",
	"targets.0.exe",
	"targets.0.library",
	"targets.0.library_version",
	"targets.0.layout",
	"targets.0.generation",
	"targets.0.workers.1",
	"causes.0.direction",
	"causes.0.cause",
	"causes.0.incomplete",
	"causes.0.count",
	"causes.0.share",
	"causes.0.latency_seconds.count",
	"causes.0.latency_seconds.sum",
	"causes.0.latency_seconds.p50",
	"causes.0.latency_seconds.p90",
	"causes.0.latency_seconds.p99",
	"causes.0.latency_seconds.max",
	"causes.0.latency_seconds.buckets.0.le",
	"causes.0.latency_seconds.buckets.0.count",
	"causes.0.cpu_seconds",
	"causes.0.peers.distinct",
	"causes.0.peers.top.0.address",
	"causes.0.peers.top.0.count",
	"causes.0.server_names.0.name",
	"causes.0.server_names.0.count",
	"causes.0.errors.0.code",
	"causes.0.errors.0.text",
	"causes.0.errors.0.count",
	"ok.0.direction",
	"ok.0.count",
	"ok.0.latency_seconds.buckets",
	"versions.0.direction",
	"versions.0.version",
	"versions.0.count",
	"ciphers.0.direction",
	"ciphers.0.cipher",
	"ciphers.0.count",
	"workers.0.pid",
	"workers.0.master_pid",
	"workers.0.generation",
	"workers.0.cpu_ratio",
	"workers.0.run_delay_ratio",
	"workers.0.handshakes",
	"workers.0.failed",
	"workers.0.lag_seconds.buckets",
	"findings.0.id",
	"findings.0.severity",
	"findings.0.title",
	"findings.0.evidence",
	"findings.0.change",
	"findings.0.verify",
	"causes.0.without_identity",
	"causes.0.peers.returning",
};

static void sample_something(struct snapshot *snapshot)
{
	sample_nothing(snapshot);
	sample_add_ok(snapshot, DIRECTION_CLIENT, 90);
	sample_add_hostile_name(sample_add_cause(snapshot, DIRECTION_CLIENT, CAUSE_NO_SHARED_CIPHER, 10, 1));
	sample_add_target(snapshot);
}

START_TEST(has_every_key)
{
	struct snapshot snapshot;
	json_t *document;

	snapshot_init(&snapshot);
	document = json_document(&snapshot);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_at(document, keys[i]);
	ck_assert(json_is_null(json_at(document, "host")) && json_is_null(json_at(document, "window.start")));
	json_decref(document);

	sample_something(&snapshot);
	document = json_document(&snapshot);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_at(document, keys[i]);
	for (size_t i = 0; i < sizeof(keys_of_something) / sizeof(keys_of_something[0]); i++)
		json_at(document, keys_of_something[i]);
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(says_what_was_counted)
{
	struct snapshot snapshot;
	json_t *document;

	sample_something(&snapshot);
	document = json_document(&snapshot);
	ck_assert_str_eq(json_string_value(json_at(document, "schema")), "tlswhy.report/1");
	ck_assert_str_eq(json_string_value(json_at(document, "window.start")), "2026-03-04T05:06:07.000000Z");
	ck_assert_str_eq(json_string_value(json_at(document, "causes.0.first_seen")), "2026-03-04T05:06:12.000000Z");
	ck_assert_int_eq(json_integer_value(json_at(document, "totals.client.begun")), 100);
	ck_assert(json_is_true(json_at(document, "exact")) && json_is_null(json_at(document, "exact_reason")));
	ck_assert_str_eq(json_string_value(json_at(document, "causes.0.direction")), "client");
	ck_assert_str_eq(json_string_value(json_at(document, "causes.0.cause")), "no_shared_cipher");
	ck_assert_double_eq_tol(json_real_value(json_at(document, "causes.0.share")), 0.1, 1e-12);
	ck_assert_str_eq(json_string_value(json_at(document, "causes.0.errors.0.code")), "0A0000C1");
	ck_assert_str_eq(json_string_value(json_at(document, "causes.0.errors.0.text")), "no shared cipher");
	ck_assert_str_eq(json_string_value(json_at(document, "versions.0.version")), "TLSv1.3");
	ck_assert_double_eq_tol(json_real_value(json_at(document, "ok.0.latency_seconds.sum")), 0.18, 1e-12);
	ck_assert_double_eq_tol(json_real_value(json_at(document, "ok.0.latency_seconds.max")), 0.002, 1e-12);
	ck_assert(json_is_null(json_at(document, "workers.0.run_delay_ratio")));
	ck_assert(json_is_null(json_at(document, "workers.0.lag_seconds.p50")));
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

/* What came in can be told from what goes out, whatever bytes it had. */
START_TEST(escapes_foreign_bytes)
{
	static const char expected[] = "\033[31mevil\0\\xff\"\\\\\xe2\x80\xae\n.test";
	struct snapshot snapshot;
	json_t *document, *name;

	sample_something(&snapshot);
	document = json_document(&snapshot);
	name = json_at(document, "causes.0.server_names.0.name");
	ck_assert_uint_eq(json_string_length(name), sizeof(expected) - 1);
	ck_assert_mem_eq(json_string_value(name), expected, sizeof(expected));
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(histogram_is_cumulative)
{
	struct histogram histogram = { 0 };
	json_t *object, *bucket;
	json_int_t last = 0;
	double bound = 0;
	size_t i, count;

	object = json_histogram(&histogram);
	ck_assert(json_is_null(json_at(object, "p99")) && json_is_null(json_at(object, "max")));
	ck_assert_str_eq(json_string_value(json_at(object, "buckets.0.le")), "+Inf");
	ck_assert_int_eq(json_integer_value(json_at(object, "buckets.0.count")), 0);
	json_decref(object);

	histogram_add(&histogram, 500);
	histogram_add(&histogram, 2000000);
	histogram_add(&histogram, 2000000);
	histogram_add(&histogram, ~0ull >> 1);
	object = json_histogram(&histogram);
	count = json_array_size(json_at(object, "buckets"));
	ck_assert_uint_eq(count, 3);
	json_array_foreach(json_at(object, "buckets"), i, bucket)
	{
		ck_assert_int_gt(json_integer_value(json_at(bucket, "count")), last);
		last = json_integer_value(json_at(bucket, "count"));
		if (i + 1 == count) {
			ck_assert_str_eq(json_string_value(json_at(bucket, "le")), "+Inf");
			continue;
		}
		ck_assert(json_is_real(json_at(bucket, "le")) && json_real_value(json_at(bucket, "le")) > bound);
		bound = json_real_value(json_at(bucket, "le"));
	}
	ck_assert_int_eq(last, 4);
	ck_assert_int_eq(json_integer_value(json_at(object, "buckets.1.count")), 3);
	ck_assert_double_eq_tol(json_real_value(json_at(object, "buckets.0.le")), 1.024e-6, 1e-15);
	json_decref(object);
}
END_TEST

START_TEST(tells_what_is_missing)
{
	struct snapshot snapshot;
	json_t *document;

	sample_something(&snapshot);
	snapshot.exact = false;
	snapshot.inexact_reason = strdup("a reason");
	snapshot.causes[0].incomplete = true;
	snapshot.losses.ring_full = 3;
	snapshot.totals[DIRECTION_CLIENT].open = UINT64_MAX;
	document = json_document(&snapshot);
	ck_assert(json_is_false(json_at(document, "exact")));
	ck_assert_str_eq(json_string_value(json_at(document, "exact_reason")), "a reason");
	ck_assert_str_eq(json_string_value(json_at(document, "causes.0.incomplete.0.end")),
			 "2026-03-04T05:06:37.000000Z");
	ck_assert_int_eq(json_integer_value(json_at(document, "losses.ring_full")), 3);
	ck_assert_int_eq(json_integer_value(json_at(document, "totals.client.open")), INT64_MAX);
	json_decref(document);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(reports_a_full_disk)
{
	struct snapshot snapshot;
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	setvbuf(full, NULL, _IONBF, 0);
	sample_nothing(&snapshot);
	ck_assert_int_eq(json_report(&snapshot, NULL, 0, "0.1.0", full), -EIO);
	fclose(full);
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_json(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");

	tcase_add_test(tcase, has_every_key);
	tcase_add_test(tcase, says_what_was_counted);
	tcase_add_test(tcase, escapes_foreign_bytes);
	tcase_add_test(tcase, histogram_is_cumulative);
	tcase_add_test(tcase, tells_what_is_missing);
	tcase_add_test(tcase, reports_a_full_disk);
	suite_add_tcase(suite, tcase);
	return suite;
}
