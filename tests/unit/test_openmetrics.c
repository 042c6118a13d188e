/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics: both text formats, every series from the start, exact buckets, counters that never fall. Workers are in
 * test_metrics_workers.c. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/names.h"
#include "output/openmetrics.h"

#include "metrics_text.h"
#include "sample.h"
#include "sample_time.h"

Suite *suite_openmetrics(void);

/* Drops the lines of samples that are 0. */
static void drop_zeros(char *text)
{
	char *to = text;

	for (char *line = text, *end; *line; line = end) {
		size_t bytes;

		end = strchr(line, '\n') + 1;
		bytes = (size_t)(end - line);
		if (bytes > 4 && strncmp(end - 4, "} 0\n", 4) == 0)
			continue;
		memmove(to, line, bytes);
		to += bytes;
	}
	*to = '\0';
}

/* clang-format off */
#define HEAD(name, suffix, kind, unit, help) \
	"# HELP " name suffix " " help "\n# TYPE " name suffix " " kind "\n" unit
#define ROW(name, labels, value) name "{" labels "} " value "\n"
#define OK                       "direction=\"client\",cause=\"ok\""
#define NOT_TLS                  "direction=\"upstream\",cause=\"not_tls\""
#define BUCKET(labels, le, value) "tlswhy_handshake_duration_seconds_bucket{" labels ",le=\"" le "\"} " value "\n"
#define COUNT(labels, count, sum) \
	"tlswhy_handshake_duration_seconds_count{" labels "} " count "\n" \
	"tlswhy_handshake_duration_seconds_sum{" labels "} " sum "\n"
#define FROM_4_MS(labels, n) \
	BUCKET(labels, "0.004194304", n) BUCKET(labels, "0.008388608", n) BUCKET(labels, "0.016777216", n) \
	BUCKET(labels, "0.033554432", n) BUCKET(labels, "0.067108864", n) BUCKET(labels, "0.134217728", n) \
	BUCKET(labels, "0.268435456", n) BUCKET(labels, "1.073741824", n) BUCKET(labels, "4.294967296", n) \
	BUCKET(labels, "17.179869184", n) BUCKET(labels, "68.719476736", n) BUCKET(labels, "+Inf", n)
/* What sample_golden() must look like; t is the suffix of a counter's family, s and r the lines of units. */
#define GOLDEN(t, s_duration, s_cpu, s_part, r, s_lag, build_suffix, build_type, eof) \
	HEAD("tlswhy_handshakes", t, "counter", "", \
	     "TLS handshakes that ended, by side of nginx and cause; ok is success.") \
	ROW("tlswhy_handshakes_total", OK, "3") \
	ROW("tlswhy_handshakes_total", NOT_TLS, "2") \
	HEAD("tlswhy_handshake_duration_seconds", "", "histogram", s_duration, \
	     "Time from a handshake's first step to its end; those seen from the middle on are left out.") \
	BUCKET(OK, "0.002097152", "3") FROM_4_MS(OK, "3") COUNT(OK, "3", "0.006") \
	BUCKET(NOT_TLS, "0.001048576", "2") BUCKET(NOT_TLS, "0.002097152", "2") FROM_4_MS(NOT_TLS, "2") \
	COUNT(NOT_TLS, "2", "0.0016") \
	HEAD("tlswhy_handshake_cpu_seconds", t, "counter", s_cpu, \
	     "Time of workers inside SSL_do_handshake, less the time they waited for a CPU.") \
	ROW("tlswhy_handshake_cpu_seconds_total", "direction=\"client\"", "0.000000001") \
	ROW("tlswhy_handshake_cpu_seconds_total", "direction=\"upstream\"", "0.75") \
	HEAD("tlswhy_handshake_part_seconds", t, "counter", s_part, \
	     "Where the time of handshakes went; unattributed is what no part accounts for.") \
	ROW("tlswhy_handshake_part_seconds_total", "direction=\"client\",part=\"peer\"", "0.0045") \
	ROW("tlswhy_handshake_part_seconds_total", "direction=\"client\",part=\"unattributed\"", "0.0015") \
	ROW("tlswhy_handshake_part_seconds_total", "direction=\"upstream\",part=\"connect\"", "2.000002") \
	ROW("tlswhy_handshake_part_seconds_total", "direction=\"upstream\",part=\"lag\"", "0.5") \
	HEAD("tlswhy_session_resumed", t, "counter", "", "Handshakes that were ok and resumed a session.") \
	ROW("tlswhy_session_resumed_total", "direction=\"client\"", "1") \
	HEAD("tlswhy_negotiated", t, "counter", "", "Handshakes that were ok, by protocol version.") \
	ROW("tlswhy_negotiated_total", "direction=\"client\",version=\"TLSv1.3\"", "3") \
	HEAD("tlswhy_upstream_requests", t, "counter", "", \
	     "Requests whose upstream handshake failed: lost ones got 502 or 504, rescued ones the next upstream.") \
	ROW("tlswhy_upstream_requests_total", "cause=\"not_tls\",result=\"lost\"", "7") \
	ROW("tlswhy_upstream_requests_total", "cause=\"not_tls\",result=\"rescued\"", "4") \
	HEAD("tlswhy_worker_cpu_ratio", "", "gauge", r, \
	     "Share of one CPU that an nginx process used during the last seconds.") \
	ROW("tlswhy_worker_cpu_ratio", "worker=\"101\"", "0.9700") \
	HEAD("tlswhy_worker_lag_seconds", "", "summary", s_lag, \
	     "How long data of a handshake lay in the socket before the worker read it; since the watch began.") \
	ROW("tlswhy_worker_lag_seconds", "worker=\"101\",quantile=\"0.5\"", "0.001048576") \
	ROW("tlswhy_worker_lag_seconds", "worker=\"101\",quantile=\"0.99\"", "0.3") \
	ROW("tlswhy_worker_lag_seconds_count", "worker=\"101\"", "3") \
	ROW("tlswhy_worker_lag_seconds_sum", "worker=\"101\"", "0.302") \
	HEAD("tlswhy_lost", t, "counter", "", \
	     "What could not be recorded, by stage; ring_full alone costs identities and no counts.") \
	ROW("tlswhy_lost_total", "stage=\"ring_full\"", "5") \
	HEAD("tlswhy_build", build_suffix, build_type, "", "The version of tlswhy that made these metrics.") \
	ROW("tlswhy_build_info", "version=\"1.2.3\"", "1") eof

static const char golden_text[] = GOLDEN("_total", "", "", "", "", "", "_info", "gauge", "");
static const char golden_openmetrics[] =
	GOLDEN("", "# UNIT tlswhy_handshake_duration_seconds seconds\n",
	       "# UNIT tlswhy_handshake_cpu_seconds seconds\n",
	       "# UNIT tlswhy_handshake_part_seconds seconds\n",
	       "# UNIT tlswhy_worker_cpu_ratio ratio\n",
	       "# UNIT tlswhy_worker_lag_seconds seconds\n", "", "info", "# EOF\n");

/* clang-format on */

static void sample_golden(struct snapshot *snapshot)
{
	struct cause_row *row;

	sample_nothing(snapshot);
	sample_add_target(snapshot);
	sample_add_ok(snapshot, DIRECTION_CLIENT, 3);
	snapshot->ok[DIRECTION_CLIENT].cpu_seconds = 1e-9;
	row = sample_add_cause(snapshot, DIRECTION_UPSTREAM, CAUSE_NOT_TLS, 2, 1);
	row->requests_lost = 7;
	row->requests_rescued = 4;
	sample_add_hostile_name(row);
	snapshot->ok[DIRECTION_UPSTREAM].cpu_seconds = 0.25;
	snapshot->losses.ring_full = 5;
	sample_add_parts(&snapshot->ok[DIRECTION_CLIENT].parts, 3, (const uint64_t[PART_COUNT]){ [PART_PEER] = 1500 },
			 2000);
	row->parts.us[PART_CONNECT] = 1000001;
	snapshot->ok[DIRECTION_UPSTREAM].parts.us[PART_CONNECT] = 1000001;
	row->parts.us[PART_LAG] = 500000;
	histogram_add(&snapshot->workers[0].lag, 1000000);
	histogram_add(&snapshot->workers[0].lag, 1000000);
	histogram_add(&snapshot->workers[0].lag, 300000000);
}

START_TEST(golden)
{
	struct snapshot snapshot;
	char *text;

	sample_golden(&snapshot);
	text = metrics_text(NULL, &snapshot, PROMETHEUS_0_0_4, "1.2.3");
	drop_zeros(text);
	ck_assert_str_eq(text, golden_text);
	free(text);
	text = metrics_text(NULL, &snapshot, OPENMETRICS_1_0, "1.2.3");
	drop_zeros(text);
	ck_assert_str_eq(text, golden_openmetrics);
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(every_series_is_there_from_the_start)
{
	static const char *const others[] = {
		"tlswhy_handshake_cpu_seconds_total{direction=\"upstream\"} 0\n",
		"tlswhy_session_resumed_total{direction=\"client\"} 0\n",
		"tlswhy_negotiated_total{direction=\"client\",version=\"TLSv1\"} 0\n",
		"tlswhy_negotiated_total{direction=\"upstream\",version=\"other\"} 0\n",
		"tlswhy_upstream_requests_total{cause=\"peer_version_too_old\",result=\"lost\"} 0\n",
		"tlswhy_upstream_requests_total{cause=\"unknown\",result=\"rescued\"} 0\n",
		"tlswhy_lost_total{stage=\"undecodable\"} 0\n",
		"tlswhy_handshake_part_seconds_total{direction=\"upstream\",part=\"connect\"} 0\n",
		"tlswhy_handshake_part_seconds_total{direction=\"unknown\",part=\"unattributed\"} 0\n",
	};
	struct snapshot snapshot;
	char *text, line[256];

	sample_nothing(&snapshot);
	text = metrics_text(NULL, &snapshot, OPENMETRICS_1_0, "1");
	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++) {
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
			snprintf(line, sizeof(line), "\ntlswhy_handshakes_total{direction=\"%s\",cause=\"%s\"} 0\n",
				 direction_name(direction), cause_id((enum cause)cause));
			assert_metrics(text, line);
			snprintf(line, sizeof(line), "_seconds_count{direction=\"%s\",cause=\"%s\"} 0\n",
				 direction_name(direction), cause_id((enum cause)cause));
			ck_assert_uint_eq(metrics_count(text, line), direction != DIRECTION_UNKNOWN);
		}
	}
	ck_assert_uint_eq(metrics_count(text, "_seconds_bucket{"), 2 * CAUSE_COUNT * (OPENMETRICS_BOUNDS + 1));
	ck_assert_uint_eq(metrics_count(text, "tlswhy_lost_total{"), OPENMETRICS_STAGES);
	ck_assert_uint_eq(metrics_count(text, "tlswhy_negotiated_total{"),
			  SNAPSHOT_DIRECTIONS * OPENMETRICS_VERSIONS);
	ck_assert_uint_eq(metrics_count(text, "tlswhy_upstream_requests_total{"), 2 * (CAUSE_COUNT - 1));
	ck_assert_uint_eq(metrics_count(text, "_part_seconds_total{"), SNAPSHOT_DIRECTIONS * PARTS_SHOWN);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_metrics(text, others[i]);
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(unknown_direction_appears_when_counted)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_cause(&snapshot, DIRECTION_UNKNOWN, CAUSE_UNKNOWN, 2, -1);
	text = metrics_text(NULL, &snapshot, PROMETHEUS_0_0_4, "1");
	assert_metrics(text, "tlswhy_handshakes_total{direction=\"unknown\",cause=\"unknown\"} 2\n");
	assert_metrics(text, "_bucket{direction=\"unknown\",cause=\"unknown\",le=\"+Inf\"} 2\n");
	ck_assert_uint_eq(metrics_count(text, "_bucket{direction=\"unknown\""), OPENMETRICS_BOUNDS + 1);
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(bounds_split_no_bucket)
{
	uint64_t last_ns = 0;

	for (unsigned int i = 0; i < OPENMETRICS_BOUNDS; i++) {
		uint64_t bound_ns = openmetrics_bound_ns(i);

		ck_assert_uint_eq(latency_bucket_bound_ns(latency_bucket(bound_ns)), bound_ns);
		ck_assert_uint_gt(bound_ns, last_ns);
		last_ns = bound_ns;
	}
}
END_TEST

/* At a bound, just above it, below all and above all: the exported numbers are those of the latencies themselves. */
START_TEST(buckets_are_exact)
{
	struct openmetrics_counters counters = { 0 };
	uint64_t latencies[2 * OPENMETRICS_BOUNDS + 2] = { 1, 400000000000 };
	struct histogram *latency;
	struct snapshot snapshot;
	size_t count = 2;

	sample_nothing(&snapshot);
	latency = &snapshot.ok[DIRECTION_CLIENT].latency;
	for (unsigned int i = 0; i < OPENMETRICS_BOUNDS; i++) {
		latencies[count++] = openmetrics_bound_ns(i);
		latencies[count++] = openmetrics_bound_ns(i) + 1;
	}
	for (size_t i = 0; i < count; i++)
		histogram_add(latency, latencies[i]);
	free(metrics_text(&counters, &snapshot, OPENMETRICS_1_0, "1"));
	for (unsigned int bound = 0; bound < OPENMETRICS_BOUNDS; bound++) {
		uint64_t expected = 0;

		for (size_t i = 0; i < count; i++)
			expected += latencies[i] <= openmetrics_bound_ns(bound);
		ck_assert_uint_eq(counters.durations[DIRECTION_CLIENT][CAUSE_OK].counts[bound], expected);
	}
	ck_assert_uint_eq(counters.durations[DIRECTION_CLIENT][CAUSE_OK].counts[OPENMETRICS_BOUNDS], count);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(counters_never_fall)
{
	struct openmetrics_counters highest = { 0 };
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 10);
	free(metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1"));
	snapshot_release(&snapshot);
	/* One of them was rejected after the scrape. */
	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 9);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_CERTIFICATE_EXPIRED, 1, 0);
	text = metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_metrics(text, "tlswhy_handshakes_total{direction=\"client\",cause=\"ok\"} 10\n");
	assert_metrics(text, "tlswhy_handshakes_total{direction=\"client\",cause=\"peer_certificate_expired\"} 1\n");
	assert_metrics(text, "_bucket{direction=\"client\",cause=\"ok\",le=\"+Inf\"} 10\n");
	assert_metrics(text, "_count{direction=\"client\",cause=\"ok\"} 10\n");
	assert_metrics(text, "_sum{direction=\"client\",cause=\"ok\"} 0.02\n");
	assert_metrics(text, "tlswhy_session_resumed_total{direction=\"client\"} 5\n");
	assert_metrics(text, "tlswhy_negotiated_total{direction=\"client\",version=\"TLSv1.3\"} 10\n");
	free(text);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 4);
	text = metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_metrics(text, "tlswhy_handshakes_total{direction=\"client\",cause=\"ok\"} 13\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

/* A rescue is taken back when nginx rejects its handshake; a client's cause costs no upstream request. */
START_TEST(requests_never_fall)
{
	struct openmetrics_counters highest = { 0 };
	struct snapshot snapshot;
	struct cause_row *row;
	char *text;

	sample_nothing(&snapshot);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_NOT_TLS, 1, 0)->requests_lost = 99;
	row = sample_add_cause(&snapshot, DIRECTION_UPSTREAM, CAUSE_PEER_RESET, 3, 0);
	row->requests_rescued = 2;
	free(metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1"));
	row->requests_rescued = 1;
	row->requests_lost = 1;
	text = metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_metrics(text, "\ntlswhy_upstream_requests_total{cause=\"peer_reset\",result=\"lost\"} 1\n");
	assert_metrics(text, "\ntlswhy_upstream_requests_total{cause=\"peer_reset\",result=\"rescued\"} 2\n");
	assert_metrics(text, "\ntlswhy_upstream_requests_total{cause=\"not_tls\",result=\"lost\"} 0\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(label_values_are_escaped)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	text = metrics_text(NULL, &snapshot, OPENMETRICS_1_0, "a\\b\"c\nd");
	assert_metrics(text, "\ntlswhy_build_info{version=\"a\\\\b\\\"c\\nd\"} 1\n# EOF\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(nobody_is_named)
{
	struct snapshot snapshot;
	char *text;

	sample_golden(&snapshot);
	text = metrics_text(NULL, &snapshot, OPENMETRICS_1_0, "1");
	ck_assert_ptr_null(strstr(text, "192.0.2.1"));
	ck_assert_ptr_null(strstr(text, "2001:db8"));
	ck_assert_ptr_null(strstr(text, "evil"));
	ck_assert_ptr_null(strstr(text, "host.test"));
	free(text);
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
	ck_assert_int_eq(openmetrics_write(&snapshot, PROMETHEUS_0_0_4, "1", full), -EIO);
	fclose(full);
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_openmetrics(void)
{
	Suite *suite = suite_create("openmetrics");
	TCase *tcase = tcase_create("openmetrics");

	tcase_add_test(tcase, golden);
	tcase_add_test(tcase, every_series_is_there_from_the_start);
	tcase_add_test(tcase, unknown_direction_appears_when_counted);
	tcase_add_test(tcase, bounds_split_no_bucket);
	tcase_add_test(tcase, buckets_are_exact);
	tcase_add_test(tcase, counters_never_fall);
	tcase_add_test(tcase, requests_never_fall);
	tcase_add_test(tcase, label_values_are_escaped);
	tcase_add_test(tcase, nobody_is_named);
	tcase_add_test(tcase, reports_a_full_disk);
	suite_add_tcase(suite, tcase);
	return suite;
}
