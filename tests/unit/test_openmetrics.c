/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics: both text formats, every series from the start, exact buckets, counters that never fall. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/names.h"
#include "output/openmetrics.h"

#include "sample.h"

Suite *suite_openmetrics(void);

static char *text_of(struct openmetrics_counters *highest, const struct snapshot *snapshot,
		     enum openmetrics_form form, const char *version)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	if (highest)
		ck_assert_int_eq(openmetrics_write_raised(highest, snapshot, form, version, stream), 0);
	else
		ck_assert_int_eq(openmetrics_write(snapshot, form, version, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "'%s' is missing", part);
}

static unsigned int occurrences(const char *text, const char *part)
{
	unsigned int count = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

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
#define GOLDEN(t, s_duration, s_cpu, r, build_suffix, build_type, eof) \
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
	HEAD("tlswhy_lost", t, "counter", "", \
	     "What could not be recorded, by stage; ring_full alone costs identities and no counts.") \
	ROW("tlswhy_lost_total", "stage=\"ring_full\"", "5") \
	HEAD("tlswhy_build", build_suffix, build_type, "", "The version of tlswhy that made these metrics.") \
	ROW("tlswhy_build_info", "version=\"1.2.3\"", "1") eof

static const char golden_text[] = GOLDEN("_total", "", "", "", "_info", "gauge", "");
static const char golden_openmetrics[] =
	GOLDEN("", "# UNIT tlswhy_handshake_duration_seconds seconds\n",
	       "# UNIT tlswhy_handshake_cpu_seconds seconds\n",
	       "# UNIT tlswhy_worker_cpu_ratio ratio\n", "", "info", "# EOF\n");

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
}

START_TEST(golden)
{
	struct snapshot snapshot;
	char *text;

	sample_golden(&snapshot);
	text = text_of(NULL, &snapshot, PROMETHEUS_0_0_4, "1.2.3");
	drop_zeros(text);
	ck_assert_str_eq(text, golden_text);
	free(text);
	text = text_of(NULL, &snapshot, OPENMETRICS_1_0, "1.2.3");
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
	};
	struct snapshot snapshot;
	char *text, line[256];

	sample_nothing(&snapshot);
	text = text_of(NULL, &snapshot, OPENMETRICS_1_0, "1");
	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++) {
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
			snprintf(line, sizeof(line), "\ntlswhy_handshakes_total{direction=\"%s\",cause=\"%s\"} 0\n",
				 direction_name(direction), cause_id((enum cause)cause));
			assert_has(text, line);
			snprintf(line, sizeof(line), "_seconds_count{direction=\"%s\",cause=\"%s\"} 0\n",
				 direction_name(direction), cause_id((enum cause)cause));
			ck_assert_uint_eq(occurrences(text, line), direction != DIRECTION_UNKNOWN);
		}
	}
	ck_assert_uint_eq(occurrences(text, "_seconds_bucket{"), 2 * CAUSE_COUNT * (OPENMETRICS_BOUNDS + 1));
	ck_assert_uint_eq(occurrences(text, "tlswhy_lost_total{"), OPENMETRICS_STAGES);
	ck_assert_uint_eq(occurrences(text, "tlswhy_negotiated_total{"), SNAPSHOT_DIRECTIONS * OPENMETRICS_VERSIONS);
	ck_assert_uint_eq(occurrences(text, "tlswhy_upstream_requests_total{"), 2 * (CAUSE_COUNT - 1));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_has(text, others[i]);
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
	text = text_of(NULL, &snapshot, PROMETHEUS_0_0_4, "1");
	assert_has(text, "tlswhy_handshakes_total{direction=\"unknown\",cause=\"unknown\"} 2\n");
	assert_has(text, "_bucket{direction=\"unknown\",cause=\"unknown\",le=\"+Inf\"} 2\n");
	ck_assert_uint_eq(occurrences(text, "_bucket{direction=\"unknown\""), OPENMETRICS_BOUNDS + 1);
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
	free(text_of(&counters, &snapshot, OPENMETRICS_1_0, "1"));
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
	free(text_of(&highest, &snapshot, OPENMETRICS_1_0, "1"));
	snapshot_release(&snapshot);
	/* One of them was rejected after the scrape. */
	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 9);
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_CERTIFICATE_EXPIRED, 1, 0);
	text = text_of(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_has(text, "tlswhy_handshakes_total{direction=\"client\",cause=\"ok\"} 10\n");
	assert_has(text, "tlswhy_handshakes_total{direction=\"client\",cause=\"peer_certificate_expired\"} 1\n");
	assert_has(text, "_bucket{direction=\"client\",cause=\"ok\",le=\"+Inf\"} 10\n");
	assert_has(text, "_count{direction=\"client\",cause=\"ok\"} 10\n");
	assert_has(text, "_sum{direction=\"client\",cause=\"ok\"} 0.02\n");
	assert_has(text, "tlswhy_session_resumed_total{direction=\"client\"} 5\n");
	assert_has(text, "tlswhy_negotiated_total{direction=\"client\",version=\"TLSv1.3\"} 10\n");
	free(text);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 4);
	text = text_of(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_has(text, "tlswhy_handshakes_total{direction=\"client\",cause=\"ok\"} 13\n");
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
	free(text_of(&highest, &snapshot, OPENMETRICS_1_0, "1"));
	row->requests_rescued = 1;
	row->requests_lost = 1;
	text = text_of(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_has(text, "\ntlswhy_upstream_requests_total{cause=\"peer_reset\",result=\"lost\"} 1\n");
	assert_has(text, "\ntlswhy_upstream_requests_total{cause=\"peer_reset\",result=\"rescued\"} 2\n");
	assert_has(text, "\ntlswhy_upstream_requests_total{cause=\"not_tls\",result=\"lost\"} 0\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(label_values_are_escaped)
{
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	text = text_of(NULL, &snapshot, OPENMETRICS_1_0, "a\\b\"c\nd");
	assert_has(text, "\ntlswhy_build_info{version=\"a\\\\b\\\"c\\nd\"} 1\n# EOF\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(nobody_is_named)
{
	struct snapshot snapshot;
	char *text;

	sample_golden(&snapshot);
	text = text_of(NULL, &snapshot, OPENMETRICS_1_0, "1");
	ck_assert_ptr_null(strstr(text, "192.0.2.1"));
	ck_assert_ptr_null(strstr(text, "2001:db8"));
	ck_assert_ptr_null(strstr(text, "evil"));
	ck_assert_ptr_null(strstr(text, "host.test"));
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

/* A process has a row a generation, and not all ratios are known: no series twice, none without a number. */
START_TEST(a_worker_is_one_series)
{
	const struct snapshot_worker rows[] = {
		{ .pid = 0, .cpu_ratio = -1 },
		{ .pid = 7, .generation = 1, .cpu_ratio = 1.25 },
		{ .pid = 7, .generation = 2, .cpu_ratio = 1.25 },
		{ .pid = 8, .cpu_ratio = -1 },
		{ .pid = 9, .cpu_ratio = 0 },
	};
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	snapshot.workers = malloc(sizeof(rows));
	ck_assert_ptr_nonnull(snapshot.workers);
	memcpy(snapshot.workers, rows, sizeof(rows));
	snapshot.worker_count = 5;
	text = text_of(NULL, &snapshot, OPENMETRICS_1_0, "1");
	ck_assert_uint_eq(occurrences(text, "{worker="), 2);
	assert_has(text,
		   "\ntlswhy_worker_cpu_ratio{worker=\"7\"} 1.2500\ntlswhy_worker_cpu_ratio{worker=\"9\"} 0.0000\n");
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
	tcase_add_test(tcase, a_worker_is_one_series);
	tcase_add_test(tcase, reports_a_full_disk);
	suite_add_tcase(suite, tcase);
	return suite;
}
