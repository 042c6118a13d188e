/* SPDX-License-Identifier: BSD-2-Clause */
/* From readings of a process to figures, on numbers that can be checked by hand. */
#include <math.h>

#include <check.h>

#include "host/worker_meter.h"

Suite *suite_worker_meter(void);

#define ck_assert_near(value, wanted) ck_assert_msg(fabs((value) - (wanted)) < 1e-9, #value " is %f", (value))

static struct worker_meter meter;
static struct worker_reading reading;

static void set_up(void)
{
	reading = (struct worker_reading){
		.time_ns = 5000000000,
		.cpu_ns = 7000000000,
		.has_schedstat = true,
		.schedstat = { .cpu_ns = 6000000000, .run_delay_ns = 3000000000 },
	};
	worker_meter_start(&meter, &reading);
}

static uint64_t ns(double seconds)
{
	return (uint64_t)llround(seconds * 1e9);
}

/* The process is one thread; after so long it ran and waited so long. */
static void pass(double seconds, double cpu_seconds, double delay_seconds)
{
	reading.time_ns += ns(seconds);
	reading.cpu_ns += ns(cpu_seconds);
	reading.schedstat.cpu_ns += ns(cpu_seconds);
	reading.schedstat.run_delay_ns += ns(delay_seconds);
	worker_meter_add(&meter, &reading);
}

START_TEST(adds_up)
{
	struct worker_usage usage;

	pass(1, 0.25, 0.05);
	pass(1, 0.9, 0); /* as much as is saturated */
	pass(1, 0.5, 0.45);
	pass(1.1, 0.35, 0.6);
	pass(1, 0.89, 0);
	usage = worker_meter_usage(&meter);
	ck_assert_near(usage.sampled_seconds, 5.1);
	ck_assert_near(usage.cpu_seconds, 2.89);
	ck_assert_near(usage.cpu_ratio, 2.89 / 5.1);
	ck_assert_near(usage.run_delay_ratio, 1.1 / 5.1);
	ck_assert_near(usage.cpu_ratio_peak, 0.9);
	ck_assert_near(usage.run_delay_peak, 0.6 / 1.1);
	ck_assert_near(usage.saturated_seconds, 2.0);
}
END_TEST

/* What other threads do is CPU of the process, and does not saturate its event loop. */
START_TEST(threads_do_not_saturate)
{
	struct worker_usage usage;

	reading.time_ns += ns(1);
	reading.cpu_ns += ns(1.75);
	reading.schedstat.cpu_ns += ns(0.5);
	worker_meter_add(&meter, &reading);
	usage = worker_meter_usage(&meter);
	ck_assert_near(usage.cpu_ratio, 1.75);
	ck_assert_near(usage.cpu_ratio_peak, 1.75);
	ck_assert_near(usage.saturated_seconds, 0.0);
}
END_TEST

START_TEST(nothing_is_known_of_one_reading)
{
	struct worker_usage usage = worker_meter_usage(&meter);

	ck_assert(usage.cpu_ratio < 0 && usage.run_delay_ratio < 0 && usage.cpu_seconds < 0);
	ck_assert(usage.cpu_ratio_peak < 0 && usage.run_delay_peak < 0 && usage.saturated_seconds < 0);
	ck_assert_near(usage.sampled_seconds, 0.0);
	pass(0, 0.1, 0.1); /* not later */
	reading.time_ns -= ns(1);
	pass(0, 0.1, 0.1);
	usage = worker_meter_usage(&meter);
	ck_assert(usage.cpu_ratio < 0 && usage.cpu_seconds < 0);
	ck_assert_near(usage.sampled_seconds, 0.0);
}
END_TEST

/* Of a moment no peak is made, however busy it was; it is part of the whole all the same. */
START_TEST(moments_are_no_peaks)
{
	struct worker_usage usage;

	pass(0.4, 0.4, 0.4);
	usage = worker_meter_usage(&meter);
	ck_assert(usage.cpu_ratio_peak < 0 && usage.run_delay_peak < 0);
	ck_assert_near(usage.cpu_ratio, 1.0);
	ck_assert_near(usage.saturated_seconds, 0.4);
	pass(0.5, 0.1, 0);
	usage = worker_meter_usage(&meter);
	ck_assert_near(usage.cpu_ratio_peak, 0.2);
	ck_assert_near(usage.run_delay_peak, 0.0);
	ck_assert_near(usage.cpu_seconds, 0.5);
}
END_TEST

/* A kernel without schedstat: CPU is known, run delay and saturation are not. */
START_TEST(without_schedstat)
{
	struct worker_usage usage;

	reading.has_schedstat = false;
	worker_meter_start(&meter, &reading);
	pass(1, 0.5, 0.5);
	usage = worker_meter_usage(&meter);
	ck_assert_near(usage.cpu_ratio, 0.5);
	ck_assert_near(usage.cpu_ratio_peak, 0.5);
	ck_assert(usage.run_delay_ratio < 0 && usage.run_delay_peak < 0 && usage.saturated_seconds < 0);
}
END_TEST

/* A delay is counted when it ends, and sums that step back add nothing. */
START_TEST(bounds)
{
	struct worker_usage usage;

	pass(1, 0, 0);
	pass(1, 0.1, 1.8);
	usage = worker_meter_usage(&meter);
	ck_assert_near(usage.run_delay_peak, 1.0);
	ck_assert_near(usage.run_delay_ratio, 0.9);
	ck_assert_near(usage.saturated_seconds, 1.0);
	reading.cpu_ns -= ns(0.2);
	reading.schedstat.run_delay_ns -= ns(2);
	pass(1, 0, 0);
	usage = worker_meter_usage(&meter);
	ck_assert_near(usage.cpu_ratio, 0.0);
	ck_assert_near(usage.run_delay_ratio, 0.0);
	ck_assert_near(usage.cpu_ratio_peak, 0.1);
}
END_TEST

Suite *suite_worker_meter(void)
{
	Suite *suite = suite_create("worker_meter");
	TCase *tests = tcase_create("worker_meter");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, adds_up);
	tcase_add_test(tests, threads_do_not_saturate);
	tcase_add_test(tests, nothing_is_known_of_one_reading);
	tcase_add_test(tests, moments_are_no_peaks);
	tcase_add_test(tests, without_schedstat);
	tcase_add_test(tests, bounds);
	suite_add_tcase(suite, tests);
	return suite;
}
