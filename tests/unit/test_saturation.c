/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers that are short of time: who they are, why, how bad it is, and that the answer is about them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "diagnose/accept_queue.h"
#include "diagnose/resumption.h"
#include "diagnose/saturation.h"

#include "sample.h"
#include "sample_time.h"

Suite *suite_saturation(void);

static struct findings findings; /* too large for the stack of a test */

static const struct finding *find(const char *id)
{
	for (size_t i = 0; i < findings.count; i++)
		if (strcmp(findings.items[i].id, id) == 0)
			return &findings.items[i];
	return NULL;
}

static void assert_line(const struct finding_lines *lines, const char *part)
{
	for (size_t i = 0; i < lines->count; i++)
		if (strstr(lines->text[i], part))
			return;
	ck_abort_msg("'%s' is in no line", part);
}

/* What makes a worker short of CPU, starved, or blocked; each rule at its edge. */
static const struct {
	double cpu, delay, saturated_seconds, sampled_seconds;
	uint64_t lag_us;
	enum shortage expected;
} shortages[] = {
	{ .cpu = 0.9, .delay = 0, .sampled_seconds = 30, .expected = SHORTAGE_BUSY },
	{ .cpu = 0.89, .delay = 0, .sampled_seconds = 30, .expected = SHORTAGE_NONE },
	{ .cpu = 0.5, .delay = 0.24, .saturated_seconds = 2, .sampled_seconds = 30, .expected = SHORTAGE_BUSY },
	{ .cpu = 0.5, .delay = 0.24, .saturated_seconds = 1, .sampled_seconds = 30, .expected = SHORTAGE_NONE },
	{ .cpu = 0.6, .delay = 0.31, .sampled_seconds = 30, .expected = SHORTAGE_STARVED },
	{ .cpu = 0.62, .delay = 0.29, .sampled_seconds = 30, .expected = SHORTAGE_BUSY },
	{ .cpu = 0.5, .delay = 0.3, .sampled_seconds = 30, .expected = SHORTAGE_NONE },
	{ .cpu = 0.95, .delay = -1, .sampled_seconds = 30, .expected = SHORTAGE_BUSY },
	/* Nothing but ratios, as an old recording has it. */
	{ .cpu = 0.5, .delay = 0.1, .expected = SHORTAGE_BUSY },
	{ .cpu = 0.5, .delay = 0.09, .expected = SHORTAGE_NONE },
	{ .cpu = -1, .delay = 0.2, .expected = SHORTAGE_BUSY },
	{ .cpu = -1, .delay = -1, .expected = SHORTAGE_NONE },
	/* Late, and what else it is. */
	{ .cpu = 0.1, .delay = 0, .sampled_seconds = 30, .lag_us = 120000, .expected = SHORTAGE_BLOCKED },
	{ .cpu = 0.1, .delay = 0, .sampled_seconds = 30, .lag_us = 90000, .expected = SHORTAGE_NONE },
	{ .cpu = 0.95, .delay = 0, .sampled_seconds = 30, .lag_us = 120000, .expected = SHORTAGE_BUSY },
	{ .cpu = -1, .delay = -1, .lag_us = 120000, .expected = SHORTAGE_NONE },
};

START_TEST(tells_shortages_apart)
{
	struct snapshot snapshot;
	struct snapshot_worker *worker;

	sample_nothing(&snapshot);
	worker = sample_add_worker(&snapshot, 7, shortages[_i].cpu, shortages[_i].delay, shortages[_i].lag_us);
	worker->saturated_seconds = shortages[_i].saturated_seconds;
	worker->sampled_seconds = shortages[_i].sampled_seconds;
	ck_assert_int_eq(worker_shortage(worker), shortages[_i].expected);
	snapshot_release(&snapshot);
}
END_TEST

/* One slow moment is no trouble: 20 handshakes or more, and three of them late. */
START_TEST(a_moment_is_no_trouble)
{
	struct snapshot_worker worker = { .cpu_ratio = 0.1, .run_delay_ratio = 0, .sampled_seconds = 30 };
	struct snapshot_worker other = worker;

	for (int i = 0; i < 16; i++)
		histogram_add(&worker.lag, 1000);
	for (int i = 0; i < 3; i++)
		histogram_add(&worker.lag, 500000000);
	ck_assert_int_eq(worker_shortage(&worker), SHORTAGE_NONE);
	histogram_add(&worker.lag, 1000);
	ck_assert_int_eq(worker_shortage(&worker), SHORTAGE_BLOCKED);
	for (int i = 0; i < 20; i++)
		histogram_add(&other.lag, i < 2 ? 500000000 : 1000);
	ck_assert_int_eq(worker_shortage(&other), SHORTAGE_NONE);
}
END_TEST

START_TEST(names_the_worker)
{
	struct snapshot snapshot;
	const struct finding *finding;

	sample_saturated(&snapshot);
	diagnose(&snapshot, &findings);
	finding = find("workers_saturated");
	ck_assert_ptr_nonnull(finding);
	ck_assert_str_eq(finding->title,
			 "worker 2449 at 98 % of a CPU: its handshakes waited 340 ms (p99) before nginx "
			 "read them; 92 % of the timeouts and abandoned handshakes are on it");
	assert_line(&finding->evidence,
		    "worker 2449: 98 % of a CPU, 12 % waiting for one, short of it for 28 of 30 s");
	assert_line(&finding->evidence,
		    "of 92 timeouts and abandoned handshakes there, 80 waited longer for the worker");
	assert_line(&finding->evidence, "[::]:443: up to 511 connections waited for accept(), of 511 allowed, 1200");
	assert_line(&finding->change, "worker_processes");
	assert_line(&finding->change, "net.core.somaxconn");
	/* The listener's drops have their reason there. */
	ck_assert_ptr_null(find("accept_queue_overflow"));
	ck_assert_ptr_null(find("workers_blocked"));
	snapshot_release(&snapshot);
}
END_TEST

/* Critical is what costs handshakes: 20 that were given up late, and a tenth of all. */
START_TEST(weighs_by_what_it_costs)
{
	struct snapshot snapshot;

	sample_saturated(&snapshot);
	snapshot.workers[0].given_up_late = 99;
	diagnose(&snapshot, &findings);
	ck_assert_int_eq(find("workers_saturated")->severity, SEVERITY_WARNING);
	snapshot.workers[0].given_up_late = 100;
	diagnose(&snapshot, &findings);
	ck_assert_int_eq(find("workers_saturated")->severity, SEVERITY_CRITICAL);
	snapshot.workers[0].given_up_late = 19;
	snapshot.totals[DIRECTION_CLIENT].begun = 100;
	diagnose(&snapshot, &findings);
	ck_assert_int_eq(find("workers_saturated")->severity, SEVERITY_WARNING);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(others_use_the_cpu)
{
	struct snapshot snapshot;
	const struct finding *finding;

	sample_saturated(&snapshot);
	snapshot.workers[0].cpu_ratio = 0.5;
	snapshot.workers[0].run_delay_ratio = 0.48;
	diagnose(&snapshot, &findings);
	finding = find("workers_saturated");
	ck_assert_ptr_nonnull(
		strstr(finding->title, "worker 2449 waits for a CPU 48 % of the time, others use it: its"));
	assert_line(&finding->change, "the CPU limit of nginx's service or container");
	ck_assert_uint_eq(finding->change.count, 2); /* cheaper handshakes are not what is missing */
	ck_assert_ptr_eq(strstr(workers_advice(&snapshot), "the CPU limit"), workers_advice(&snapshot));
	snapshot_release(&snapshot);
}
END_TEST

/* Some seconds of many, and what an old recording has: the words are about what was seen. */
START_TEST(words_fit_the_shortage)
{
	struct snapshot snapshot;
	struct snapshot_worker *worker;
	char title[FINDING_TEXT_BYTES];

	sample_nothing(&snapshot);
	worker = sample_add_worker(&snapshot, 7, 0.1, 0.01, 1000);
	worker->lag = (struct histogram){ 0 };
	worker->saturated_seconds = 3;
	ck_assert(workers_title(&snapshot, title));
	ck_assert_str_eq(title, "worker 7 was short of CPU for 3 of 30 s");
	worker->run_delay_ratio = 0.06;
	ck_assert(workers_title(&snapshot, title));
	ck_assert_str_eq(title, "worker 7 was short of CPU for 3 of 30 s, others used it");
	worker->sampled_seconds = worker->saturated_seconds = 0;
	worker->cpu_ratio = 0.4;
	worker->run_delay_ratio = 0.15;
	ck_assert(workers_title(&snapshot, title));
	ck_assert_str_eq(title, "worker 7 waits for a CPU 15 % of the time");
	worker->run_delay_ratio = 0;
	ck_assert(!workers_title(&snapshot, title));
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(blocked_is_not_busy)
{
	struct snapshot snapshot;
	const struct finding *finding;
	char title[FINDING_TEXT_BYTES];

	sample_saturated(&snapshot);
	snapshot.workers[0].cpu_ratio = 0.05;
	snapshot.workers[0].run_delay_ratio = 0.01;
	snapshot.workers[0].saturated_seconds = 0;
	diagnose(&snapshot, &findings);
	finding = find("workers_blocked");
	ck_assert_ptr_nonnull(finding);
	ck_assert_ptr_null(find("workers_saturated"));
	ck_assert_ptr_null(find("accept_queue_overflow"));
	ck_assert_ptr_nonnull(strstr(finding->title, "is late and not short of CPU: something else blocks it; its"));
	assert_line(&finding->change, "SIGSTOP");
	ck_assert(workers_title(&snapshot, title));
	ck_assert_str_eq(title, finding->title);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(many_workers_are_counted)
{
	struct snapshot snapshot;
	const struct finding *finding;

	sample_nothing(&snapshot);
	for (uint32_t i = 0; i < 5; i++)
		sample_add_worker(&snapshot, 10 + i, i < 4 ? 0.91 + i / 100.0 : 0.1, 0, 1000);
	diagnose(&snapshot, &findings);
	finding = find("workers_saturated");
	ck_assert_str_eq(finding->title,
			 "4 of 5 workers are short of CPU: their handshakes waited 1.00 ms (p99) before "
			 "nginx read them");
	ck_assert_ptr_eq(strstr(finding->evidence.text[0], "worker 13: 94 %"), finding->evidence.text[0]);
	ck_assert_ptr_eq(strstr(finding->evidence.text[1], "worker 12: 93 %"), finding->evidence.text[1]);
	assert_line(&finding->evidence, "2 more workers are like these");
	for (uint32_t i = 0; i < 4; i++)
		snapshot.workers[i].run_delay_ratio = 0.6;
	diagnose(&snapshot, &findings);
	ck_assert_ptr_eq(strstr(find("workers_saturated")->title, "4 of 5 workers wait for a CPU that others use: "),
			 find("workers_saturated")->title);
	snapshot_release(&snapshot);
}
END_TEST

/* Giving up after waiting for us is ours to fix, whoever the peers are; other causes are not. */
START_TEST(late_workers_are_ours)
{
	struct snapshot snapshot;
	struct cause_row *row;

	sample_saturated(&snapshot);
	row = &snapshot.causes[0];
	ck_assert(cause_is_of_workers(row));
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_CRITICAL);
	ck_assert_str_eq(diagnose_advice(&snapshot, row), workers_advice(&snapshot));
	diagnose(&snapshot, &findings);
	assert_line(&find("client.timeout_mid_handshake")->evidence, "80 of them waited longer for nginx's worker");
	assert_line(&find("client.timeout_mid_handshake")->change, "worker_processes");
	row->waited_for_worker = 50;
	ck_assert(!cause_is_of_workers(row));
	ck_assert_int_eq(diagnose_severity(row), SEVERITY_WARNING);
	ck_assert_str_eq(diagnose_advice(&snapshot, row), cause_advice(row->cause, row->direction));
	row->waited_for_worker = 100;
	row->cause = CAUSE_NO_SHARED_CIPHER;
	ck_assert(!cause_is_of_workers(row));
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(drops_without_a_busy_worker)
{
	struct snapshot snapshot;
	const struct finding *finding;

	sample_saturated(&snapshot);
	snapshot.worker_count = 0;
	free(snapshot.workers[0].codes.items);
	diagnose(&snapshot, &findings);
	finding = find("accept_queue_overflow");
	ck_assert_ptr_nonnull(finding);
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	/* Nobody knows how busy the workers were: it is not said. */
	ck_assert_str_eq(finding->title, "1200 connections were dropped before nginx accepted them");
	assert_line(&finding->evidence, "network namespace 4026531840: 1200 times an accept queue was full");
	ck_assert_uint_eq(finding->evidence.count, 2);
	assert_line(&finding->change, "backlog=");
	snapshot.listeners[0].drops = -1;
	diagnose(&snapshot, &findings);
	ck_assert_ptr_null(find("accept_queue_overflow"));
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(knows_a_notable_listener)
{
	struct snapshot_listener listener = {
		.queue_limit = 511, .queue_peak = 51, .drops = -1, .half_open_peak = -1
	};

	ck_assert(!listener_is_notable(&listener));
	listener.queue_peak = 52;
	ck_assert(listener_is_notable(&listener));
	listener.queue_peak = 0;
	listener.half_open_peak = 60;
	ck_assert(listener_is_notable(&listener));
	listener.half_open_peak = -1;
	listener.drops = 1;
	ck_assert(listener_is_notable(&listener));
	listener = (struct snapshot_listener){ .queue_limit = 5, .queue_peak = 1 };
	ck_assert(!listener_is_notable(&listener));
}
END_TEST

START_TEST(says_what_resumption_would_save)
{
	struct resumption resumption;
	struct snapshot snapshot;

	sample_saturated(&snapshot);
	resumption_of(&snapshot, DIRECTION_CLIENT, &resumption);
	ck_assert_uint_eq(resumption.full, 450);
	ck_assert_uint_eq(resumption.resumed, 450);
	ck_assert_uint_eq(resumption.full_cpu_us, 9500000);
	ck_assert(resumption.saving_known);
	ck_assert_uint_eq(resumption.saving_us, 9050000);
	/* A version of which none was resumed: nothing to compare with. */
	snapshot.costs[3].version = 0x0302;
	resumption_of(&snapshot, DIRECTION_CLIENT, &resumption);
	ck_assert_uint_eq(resumption.saving_us, 6650000);
	snapshot.costs[1].resumed = snapshot.costs[3].resumed = false;
	resumption_of(&snapshot, DIRECTION_CLIENT, &resumption);
	ck_assert(!resumption.saving_known);
	ck_assert_uint_eq(resumption.saving_us, 0);
	snapshot_release(&snapshot);
}
END_TEST

/* From a fifth of the workers' CPU on, and a second. */
START_TEST(finds_low_resumption)
{
	struct snapshot snapshot;
	const struct finding *finding;

	sample_saturated(&snapshot);
	ck_assert_double_eq_tol(workers_cpu_seconds(&snapshot), 30.9, 1e-9);
	diagnose(&snapshot, &findings);
	finding = find("resumption_low");
	ck_assert_int_eq(finding->severity, SEVERITY_INFO);
	ck_assert_ptr_nonnull(strstr(finding->title, "up to 29 % of the workers' CPU"));
	assert_line(&finding->evidence,
		    "client: 450 full handshakes and 450 resumed; as many resumed ones would have");
	snapshot.workers[0].cpu_seconds = 9.05 * 5 - 1.5 + 0.1;
	diagnose(&snapshot, &findings);
	ck_assert_ptr_null(find("resumption_low"));
	snapshot.workers[0].cpu_seconds = 3;
	diagnose(&snapshot, &findings);
	ck_assert_ptr_nonnull(strstr(find("resumption_low")->title, "up to 100 % "));
	snapshot.workers[1].sampled_seconds = 0; /* of what all use nothing is known then */
	ck_assert_double_lt(workers_cpu_seconds(&snapshot), 0);
	diagnose(&snapshot, &findings);
	ck_assert_ptr_null(find("resumption_low"));
	snapshot.workers[1].sampled_seconds = 30;
	for (size_t i = 0; i < snapshot.cost_count; i++)
		snapshot.costs[i].cpu_us /= 10;
	diagnose(&snapshot, &findings);
	ck_assert_ptr_null(find("resumption_low"));
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_saturation(void)
{
	Suite *suite = suite_create("saturation");
	TCase *workers = tcase_create("workers"), *other = tcase_create("other");

	tcase_add_loop_test(workers, tells_shortages_apart, 0, (int)(sizeof(shortages) / sizeof(shortages[0])));
	tcase_add_test(workers, a_moment_is_no_trouble);
	tcase_add_test(workers, names_the_worker);
	tcase_add_test(workers, weighs_by_what_it_costs);
	tcase_add_test(workers, others_use_the_cpu);
	tcase_add_test(workers, words_fit_the_shortage);
	tcase_add_test(workers, blocked_is_not_busy);
	tcase_add_test(workers, many_workers_are_counted);
	tcase_add_test(workers, late_workers_are_ours);
	suite_add_tcase(suite, workers);
	tcase_add_test(other, drops_without_a_busy_worker);
	tcase_add_test(other, knows_a_notable_listener);
	tcase_add_test(other, says_what_resumption_would_save);
	tcase_add_test(other, finds_low_resumption);
	suite_add_tcase(suite, other);
	return suite;
}
