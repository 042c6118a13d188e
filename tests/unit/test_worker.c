/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU facts of processes: the parsers on hostile names, the ratios on numbers that can be checked by hand. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "host/clock.h"
#include "host/worker.h"

Suite *suite_worker(void);

#define STAT_TAIL \
	" S 21725 21725 21725 0 -1 4194624 130 0 0 0 17 25 3 4 20 0 1 0 235813 12345 1399 18446744073709551615\n"

static const char *const comms[] = { "nginx", "a b", "a) S 1 2 3", ") R 9 9 9 9 9", "(((", "", "a\nb) S 1" };

START_TEST(names_do_not_move_fields)
{
	char text[512];
	struct worker_stat stat;
	int n = snprintf(text, sizeof(text), "21853 (%s)" STAT_TAIL, comms[_i]);

	ck_assert_int_eq(worker_stat_parse(text, (size_t)n, &stat), 0);
	ck_assert_int_eq(stat.parent, 21725);
	ck_assert_uint_eq(stat.user_ticks, 17);
	ck_assert_uint_eq(stat.system_ticks, 25);
	ck_assert_uint_eq(stat.start_ticks, 235813);
}
END_TEST

START_TEST(every_cut_is_refused_or_whole)
{
	static const char text[] = "21853 (nginx)" STAT_TAIL;
	size_t start_field_end = (size_t)(strstr(text, "235813") - text) + 1;
	struct worker_stat stat = { .user_ticks = 4711 };

	for (size_t n = 0; n < start_field_end; n++)
		ck_assert_msg(worker_stat_parse(text, n, &stat) == -EBADMSG, "%zu", n);
	ck_assert_uint_eq(stat.user_ticks, 4711);
}
END_TEST

START_TEST(refuses_stat)
{
	static const char *const bad[] = {
		"",
		"1 nginx S 1 2 3",
		"1 (nginx) S x 21725 21725 0 -1 4194624 130 0 0 0 17 25 3 4 20 0 1 0 235813 ",
		"1 (nginx) S 1 21725 21725 0 -1 4194624 130 0 0 0 -17 25 3 4 20 0 1 0 235813 ",
		"1 (nginx) S 99999999999 1 1 0 -1 4194624 130 0 0 0 17 25 3 4 20 0 1 0 235813 ",
		"1 (nginx) S 1 1 1 0 -1 4194624 130 0 0 0 99999999999999999999 25 3 4 20 0 1 0 235813 ",
	};
	struct worker_stat stat;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(worker_stat_parse(bad[i], strlen(bad[i]), &stat) == -EBADMSG, "'%s'", bad[i]);
}
END_TEST

START_TEST(reads_schedstat)
{
	uint64_t delay = 7;

	ck_assert_int_eq(worker_schedstat_parse("123456 789 42\n", 14, &delay), 0);
	ck_assert_uint_eq(delay, 789);
	ck_assert_int_eq(worker_schedstat_parse("123456\n", 7, &delay), -EBADMSG);
	ck_assert_int_eq(worker_schedstat_parse("", 0, &delay), -EBADMSG);
	ck_assert_uint_eq(delay, 789);
}
END_TEST

static struct worker_sample sample_at(double seconds, double cpu_seconds, uint64_t run_delay_ns)
{
	uint64_t ticks = (uint64_t)(cpu_seconds * (double)sysconf(_SC_CLK_TCK));

	return (struct worker_sample){
		.pid = 42,
		.time_ns = (uint64_t)(seconds * 1e9),
		.stat = { .user_ticks = ticks / 2, .system_ticks = ticks - ticks / 2, .start_ticks = 9 },
		.has_run_delay = true,
		.run_delay_ns = run_delay_ns,
	};
}

START_TEST(ratios)
{
	struct worker_sample before = sample_at(100, 10, 1000000000), after = sample_at(104, 13, 1500000000);
	double cpu = 0, delay = 0;

	ck_assert_int_eq(worker_ratio(&before, &after, &cpu, &delay), 0);
	ck_assert(fabs(cpu - 0.75) < 1e-9);
	ck_assert(fabs(delay - 0.125) < 1e-9);
	after.has_run_delay = false;
	ck_assert_int_eq(worker_ratio(&before, &after, &cpu, &delay), 0);
	ck_assert(delay < 0);
}
END_TEST

START_TEST(ratios_of_nothing)
{
	struct worker_sample before = sample_at(100, 10, 1000), after = sample_at(104, 13, 2000), reused = after;
	double cpu = 4711, delay = 4711;

	reused.stat.start_ticks++;
	ck_assert_int_eq(worker_ratio(&before, &reused, &cpu, &delay), -ESTALE);
	reused = after;
	reused.pid++;
	ck_assert_int_eq(worker_ratio(&before, &reused, &cpu, &delay), -ESTALE);
	ck_assert_int_eq(worker_ratio(&after, &after, &cpu, &delay), -EINVAL);
	ck_assert_int_eq(worker_ratio(&after, &before, &cpu, &delay), -EINVAL);
	ck_assert(cpu > 4710 && delay > 4710);
}
END_TEST

START_TEST(samples_itself)
{
	struct worker_sample before, after;
	double cpu, delay;
	uint64_t end;

	ck_assert_int_eq(worker_sample_take(getpid(), &before), 0);
	ck_assert_int_eq(before.stat.parent, getppid());
	end = clock_monotonic_ns() + 300000000;
	while (clock_monotonic_ns() < end)
		;
	ck_assert_int_eq(worker_sample_take(getpid(), &after), 0);
	ck_assert_int_eq(worker_ratio(&before, &after, &cpu, &delay), 0);
	/* Busy all the time, but the kernel counts in ticks and the host may be loaded. */
	ck_assert_msg(cpu > 0.02 && cpu < 1.2, "%f", cpu);
	ck_assert_int_eq(worker_sample_take(0x7fffffff, &after), -ESRCH);
}
END_TEST

START_TEST(clocks)
{
	char host[256], small[1] = { 'x' };
	int64_t unix_ns = (int64_t)clock_monotonic_ns() + clock_unix_offset_ns();

	ck_assert_int_lt(llabs(unix_ns / 1000000000 - (int64_t)time(NULL)), 3);
	ck_assert_int_eq(clock_hostname(host, sizeof(host)), 0);
	ck_assert_uint_gt(strlen(host), 0);
	ck_assert_int_eq(clock_hostname(small, sizeof(small)), -ENAMETOOLONG);
	ck_assert_int_eq(small[0], 'x');
}
END_TEST

Suite *suite_worker(void)
{
	Suite *suite = suite_create("worker");
	TCase *parsers = tcase_create("parsers"), *samples = tcase_create("samples");

	tcase_add_loop_test(parsers, names_do_not_move_fields, 0, sizeof(comms) / sizeof(comms[0]));
	tcase_add_test(parsers, every_cut_is_refused_or_whole);
	tcase_add_test(parsers, refuses_stat);
	tcase_add_test(parsers, reads_schedstat);
	tcase_add_test(samples, ratios);
	tcase_add_test(samples, ratios_of_nothing);
	tcase_add_test(samples, samples_itself);
	tcase_add_test(samples, clocks);
	suite_add_tcase(suite, parsers);
	suite_add_tcase(suite, samples);
	return suite;
}
