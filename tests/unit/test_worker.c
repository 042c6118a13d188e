/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU facts of processes: the parsers on hostile names, the clock on processes of the test's own. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "host/clock.h"
#include "host/worker.h"
#include "host/worker_clock.h"

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
	struct worker_schedstat schedstat = { .run_delay_ns = 7 };

	ck_assert_int_eq(worker_schedstat_parse("123456 789 42\n", 14, &schedstat), 0);
	ck_assert_uint_eq(schedstat.cpu_ns, 123456);
	ck_assert_uint_eq(schedstat.run_delay_ns, 789);
	ck_assert_int_eq(worker_schedstat_parse("123456\n", 7, &schedstat), -EBADMSG);
	ck_assert_int_eq(worker_schedstat_parse("", 0, &schedstat), -EBADMSG);
	ck_assert_int_eq(worker_schedstat_parse("0 0 0\n", 6, &schedstat), -ENODATA);
	ck_assert_uint_eq(schedstat.run_delay_ns, 789);
}
END_TEST

static double own_cpu_seconds(void)
{
	struct timespec time;

	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* How long it takes is the host's affair; how much CPU it takes is not. */
START_TEST(samples_itself)
{
	struct worker_clock clock;
	struct worker_usage usage;
	double end;

	ck_assert_int_eq(worker_clock_start(getpid(), true, &clock), 0);
	ck_assert_int_eq(clock.parent, getppid());
	ck_assert_int_ge(clock.fd, 0);
	end = own_cpu_seconds() + 0.3;
	while (own_cpu_seconds() < end)
		;
	worker_clock_read(&clock);
	usage = worker_meter_usage(&clock.meter);
	ck_assert_msg(usage.cpu_seconds >= 0.3 && usage.cpu_seconds < 0.4, "%f", usage.cpu_seconds);
	ck_assert_msg(usage.cpu_seconds < usage.sampled_seconds * 1.1, "%f", usage.sampled_seconds);
	worker_clock_restart(&clock);
	usage = worker_meter_usage(&clock.meter);
	ck_assert(usage.cpu_seconds < 0 && usage.sampled_seconds < 0.001);
	worker_clock_release(&clock);
	worker_clock_release(&clock);
}
END_TEST

static pid_t fork_sleeper(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* With a descriptor and without one. */
START_TEST(outlives_the_process)
{
	pid_t pid = fork_sleeper();
	struct worker_usage usage;
	struct worker_clock clock;
	double seconds;

	ck_assert_int_eq(worker_clock_start(pid, _i, &clock), 0);
	ck_assert_int_eq(clock.parent, getpid());
	ck_assert_int_eq(clock.fd >= 0, _i);
	usleep(1000);
	worker_clock_read(&clock);
	seconds = worker_meter_usage(&clock.meter).sampled_seconds;
	ck_assert(seconds >= 0.001 && !clock.gone);
	end(pid);
	worker_clock_read(&clock);
	worker_clock_read(&clock);
	usage = worker_meter_usage(&clock.meter);
	ck_assert(clock.gone && clock.fd < 0);
	ck_assert_double_eq(usage.sampled_seconds, seconds);
	ck_assert(usage.cpu_ratio >= 0 && usage.cpu_seconds >= 0);
}
END_TEST

/* The pid is another process's by now: by name its start tells, a descriptor is of the one before. */
START_TEST(is_not_fooled_by_the_pid)
{
	pid_t before = fork_sleeper(), after = fork_sleeper();
	struct worker_clock clock;

	ck_assert_int_eq(worker_clock_start(before, _i, &clock), 0);
	end(before);
	clock.pid = after;
	if (!_i)
		clock.start_ticks--;
	worker_clock_read(&clock);
	ck_assert(clock.gone);
	end(after);
}
END_TEST

START_TEST(starts_no_clock_of_nobody)
{
	struct worker_clock clock = { .pid = 4711 };

	ck_assert_int_eq(worker_clock_start(0x7fffffff, true, &clock), -ESRCH);
	ck_assert_int_eq(clock.pid, 4711);
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
	tcase_add_test(samples, samples_itself);
	tcase_add_loop_test(samples, outlives_the_process, 0, 2);
	tcase_add_loop_test(samples, is_not_fooled_by_the_pid, 0, 2);
	tcase_add_test(samples, starts_no_clock_of_nobody);
	tcase_add_test(samples, clocks);
	suite_add_tcase(suite, parsers);
	suite_add_tcase(suite, samples);
	return suite;
}
