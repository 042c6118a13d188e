/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows: the samples of their workers, merged and brought into a snapshot. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "recording/window.h"

Suite *suite_window(void);

static const struct window_worker quiet = {
	.pid = 7,
	.master_pid = 1,
	.cpu_ratio = 0.1,
	.run_delay_ratio = 0.2,
	.cpu_ratio_peak = 0.5,
	.run_delay_peak = 0.25,
	.cpu_seconds = 1,
	.saturated_seconds = 0,
	.sampled_seconds = 10,
	.watched_ns = 10000000000,
};
static const struct window_worker busy = {
	.pid = 7,
	.master_pid = 1,
	.gone = true,
	.cpu_ratio = 0.5,
	.run_delay_ratio = 0.4,
	.cpu_ratio_peak = 0.75,
	.run_delay_peak = 0.125,
	.cpu_seconds = 15,
	.saturated_seconds = 4,
	.sampled_seconds = 30,
	.watched_ns = 30000000000,
};
static const struct window_worker unsampled = { .pid = 7, .master_pid = 1, WORKER_UNSAMPLED };

/* Of two windows with one worker each. */
static struct window_worker merged(const struct window_worker *a, const struct window_worker *b, bool same_boot)
{
	struct window into, from;
	struct window_worker row;

	window_init(&into);
	window_init(&from);
	into.boot_id = strdup("boot");
	from.boot_id = strdup(same_boot ? "boot" : "another boot");
	ck_assert_int_eq(window_add_worker(&into, a), 0);
	ck_assert_int_eq(window_add_worker(&from, b), 0);
	ck_assert_int_eq(window_merge(&into, &from), 0);
	ck_assert_uint_eq(into.worker_count, 1);
	row = into.workers[0];
	window_release(&into);
	window_release(&from);
	return row;
}

START_TEST(seconds_add_up_and_peaks_stay)
{
	struct window_worker row = _i ? merged(&quiet, &busy, true) : merged(&busy, &quiet, true);

	ck_assert(row.gone);
	ck_assert_double_eq_tol(row.cpu_ratio, 0.4, 1e-9);
	ck_assert_double_eq_tol(row.run_delay_ratio, 0.35, 1e-9);
	ck_assert_double_eq(row.cpu_ratio_peak, 0.75);
	ck_assert_double_eq(row.run_delay_peak, 0.25);
	ck_assert_double_eq(row.cpu_seconds, 16);
	ck_assert_double_eq(row.saturated_seconds, 4);
	ck_assert_double_eq(row.sampled_seconds, 40);
}
END_TEST

START_TEST(unknown_adds_nothing)
{
	struct window_worker row = _i ? merged(&quiet, &unsampled, true) : merged(&unsampled, &quiet, true);

	ck_assert_double_eq(row.cpu_ratio, quiet.cpu_ratio);
	ck_assert_double_eq(row.cpu_ratio_peak, quiet.cpu_ratio_peak);
	ck_assert_double_eq(row.cpu_seconds, quiet.cpu_seconds);
	ck_assert_double_eq(row.saturated_seconds, 0);
	ck_assert_double_eq(row.sampled_seconds, quiet.sampled_seconds);
	ck_assert_double_eq(merged(&unsampled, &unsampled, true).saturated_seconds, -1);
}
END_TEST

/* One pid, two processes. */
START_TEST(boots_do_not_add_up)
{
	struct window_worker row = merged(&quiet, &busy, false);

	ck_assert_uint_eq(row.master_pid, 0);
	ck_assert_double_eq(row.cpu_ratio, -1);
	ck_assert_double_eq(row.run_delay_ratio, -1);
	ck_assert_double_eq(row.cpu_ratio_peak, -1);
	ck_assert_double_eq(row.run_delay_peak, -1);
	ck_assert_double_eq(row.cpu_seconds, -1);
	ck_assert_double_eq(row.saturated_seconds, -1);
	ck_assert_double_eq(row.sampled_seconds, -1);
}
END_TEST

static void complete(const struct window_worker *workers, size_t count, struct snapshot *snapshot)
{
	struct snapshot_target target = { .master_pid = 1, .workers = calloc(1, sizeof(uint32_t)) };
	struct window window;

	window_init(&window);
	ck_assert_int_eq(window_add_target(&window, &target), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(window_add_worker(&window, &workers[i]), 0);
	ck_assert_int_eq(window_complete(&window, snapshot), 0);
	window_release(&window);
}

/* As aggregate_snapshot() makes them: 0 where nothing was counted. */
static void set_rows(struct snapshot *snapshot, const struct snapshot_worker *rows, size_t count)
{
	snapshot_init(snapshot);
	snapshot->workers = calloc(count, sizeof(*rows));
	ck_assert_ptr_nonnull(snapshot->workers);
	memcpy(snapshot->workers, rows, count * sizeof(*rows));
	snapshot->worker_count = count;
}

START_TEST(every_generation_has_the_samples_of_its_process)
{
	const struct snapshot_worker rows[] = {
		{ .pid = 7, .generation = 1, .handshakes = 3 },
		{ .pid = 7, .generation = 2, .handshakes = 4 },
		{ .pid = 8, .generation = 2, .handshakes = 5 },
	};
	struct window_worker idle = quiet;
	struct snapshot snapshot;

	idle.pid = 9;
	idle.generation = 3;
	set_rows(&snapshot, rows, 3);
	complete((const struct window_worker[]){ quiet, idle }, 2, &snapshot);
	ck_assert_uint_eq(snapshot.worker_count, 4);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(snapshot.workers[i].generation, rows[i].generation);
		ck_assert_uint_eq(snapshot.workers[i].handshakes, rows[i].handshakes);
		ck_assert_uint_eq(snapshot.workers[i].master_pid, 1);
		ck_assert_double_eq(snapshot.workers[i].cpu_ratio, quiet.cpu_ratio);
		ck_assert_double_eq(snapshot.workers[i].run_delay_ratio, quiet.run_delay_ratio);
		ck_assert_double_eq(snapshot.workers[i].cpu_ratio_peak, quiet.cpu_ratio_peak);
		ck_assert_double_eq(snapshot.workers[i].run_delay_peak, quiet.run_delay_peak);
		ck_assert_double_eq(snapshot.workers[i].cpu_seconds, quiet.cpu_seconds);
		ck_assert_double_eq(snapshot.workers[i].saturated_seconds, quiet.saturated_seconds);
		ck_assert_double_eq(snapshot.workers[i].sampled_seconds, quiet.sampled_seconds);
	}
	ck_assert_double_eq(snapshot.workers[2].cpu_ratio, -1);
	ck_assert_double_eq(snapshot.workers[2].cpu_seconds, -1);
	ck_assert_double_eq(snapshot.workers[2].sampled_seconds, -1);
	ck_assert_uint_eq(snapshot.workers[3].pid, 9);
	ck_assert_uint_eq(snapshot.workers[3].generation, 3);
	ck_assert_double_eq(snapshot.workers[3].cpu_ratio_peak, quiet.cpu_ratio_peak);
	ck_assert_uint_eq(snapshot.targets[0].generation, 3);
	snapshot_release(&snapshot);
}
END_TEST

/* What was measured of a worker that is gone stays; a target's workers are those that live, each once. */
START_TEST(the_gone_are_no_workers_of_a_target)
{
	const struct snapshot_worker rows[] = {
		{ .pid = 7, .generation = 1 },
		{ .pid = 8, .generation = 1 },
		{ .pid = 8, .generation = 2 },
	};
	struct window_worker living = quiet;
	struct snapshot snapshot;

	living.pid = 8;
	set_rows(&snapshot, rows, 3);
	complete((const struct window_worker[]){ busy, living }, 2, &snapshot);
	ck_assert_double_eq(snapshot.workers[0].cpu_ratio, busy.cpu_ratio);
	ck_assert(snapshot.workers[0].gone);
	ck_assert(!snapshot.workers[1].gone);
	ck_assert_uint_eq(snapshot.targets[0].worker_count, 1);
	ck_assert_uint_eq(snapshot.targets[0].workers[0], 8);
	ck_assert_uint_eq(snapshot.targets[0].generation, 2);
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_window(void)
{
	Suite *suite = suite_create("window");
	TCase *tests = tcase_create("window");

	tcase_add_loop_test(tests, seconds_add_up_and_peaks_stay, 0, 2);
	tcase_add_loop_test(tests, unknown_adds_nothing, 0, 2);
	tcase_add_test(tests, boots_do_not_add_up);
	tcase_add_test(tests, every_generation_has_the_samples_of_its_process);
	tcase_add_test(tests, the_gone_are_no_workers_of_a_target);
	suite_add_tcase(suite, tests);
	return suite;
}
