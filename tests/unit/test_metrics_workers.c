/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics of workers and of where time went: series that come and go, and sums that never fall. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"

#include "metrics_text.h"
#include "sample.h"
#include "sample_time.h"

Suite *suite_metrics_workers(void);

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
	text = metrics_text(NULL, &snapshot, OPENMETRICS_1_0, "1");
	ck_assert_uint_eq(metrics_count(text, "cpu_ratio{worker="), 2);
	assert_metrics(
		text,
		"\ntlswhy_worker_cpu_ratio{worker=\"7\"} 1.2500\ntlswhy_worker_cpu_ratio{worker=\"9\"} 0.0000\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

/* Sum and count of a worker are counters, while it lives; those of one that is gone or unknown are not written. */
START_TEST(lag_of_a_worker_never_falls)
{
	struct openmetrics_counters highest = { 0 };
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_worker(&snapshot, 7, 0.5, 0, 1000);
	sample_add_worker(&snapshot, 7, 0.5, 0, 3000)->generation = 3;
	sample_add_worker(&snapshot, 8, -1, 0, 1000);
	sample_add_worker(&snapshot, 9, 0, 0, 2000);
	text = metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_metrics(text, "\ntlswhy_worker_lag_seconds_count{worker=\"7\"} 200\n"
			     "tlswhy_worker_lag_seconds_sum{worker=\"7\"} 0.4\n");
	assert_metrics(text, "\ntlswhy_worker_lag_seconds{worker=\"7\",quantile=\"0.99\"} 0.003\n");
	ck_assert_uint_eq(metrics_count(text, "worker=\"8\""), 0);
	free(text);
	/* Records of the second were lost, 7 has lost two to an amendment whose record found the ring full. */
	snapshot.workers[0].lag.count -= 2;
	snapshot.workers[0].lag.sum_ns -= 2000000;
	snapshot.workers[3] = snapshot.workers[2];
	snapshot.worker_count = 3;
	text = metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_metrics(text, "\ntlswhy_worker_lag_seconds_count{worker=\"7\"} 200\n"
			     "tlswhy_worker_lag_seconds_sum{worker=\"7\"} 0.4\n");
	ck_assert_uint_eq(metrics_count(text, "worker=\"9\""), 0);
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

/* What was ok and is not moves its parts to its cause; a part may come out smaller then, and may not fall. */
START_TEST(parts_never_fall)
{
	static const uint64_t us[PART_COUNT] = { [PART_PEER] = 1000, [PART_CPU] = 500 };
	struct openmetrics_counters highest = { 0 };
	struct snapshot snapshot;
	char *text;

	sample_nothing(&snapshot);
	sample_add_ok(&snapshot, DIRECTION_CLIENT, 10);
	sample_add_parts(&snapshot.ok[DIRECTION_CLIENT].parts, 10, us, 1600);
	free(metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1"));
	snapshot.ok[DIRECTION_CLIENT].parts.us[PART_CPU] = 4500;
	snapshot.ok[DIRECTION_CLIENT].parts.us[PART_PEER] = 9000;
	sample_add_cause(&snapshot, DIRECTION_CLIENT, CAUSE_PEER_CERTIFICATE_EXPIRED, 1, 0)->parts.us[PART_PEER] =
		1500;
	text = metrics_text(&highest, &snapshot, OPENMETRICS_1_0, "1");
	assert_metrics(text, "part_seconds_total{direction=\"client\",part=\"cpu\"} 0.005\n");
	assert_metrics(text, "part_seconds_total{direction=\"client\",part=\"peer\"} 0.0105\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_metrics_workers(void)
{
	Suite *suite = suite_create("metrics_workers");
	TCase *tcase = tcase_create("metrics_workers");

	tcase_add_test(tcase, a_worker_is_one_series);
	tcase_add_test(tcase, lag_of_a_worker_never_falls);
	tcase_add_test(tcase, parts_never_fall);
	suite_add_tcase(suite, tcase);
	return suite;
}
