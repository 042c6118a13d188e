/* SPDX-License-Identifier: BSD-2-Clause */
/* The workers of windows: adding, merging, and completing those of a snapshot. Contract: window.h. */
#include <errno.h>
#include <stdlib.h>

#include "recording/window.h"

static struct window_worker *worker_of(const struct window *window, uint32_t pid)
{
	for (size_t i = 0; i < window->worker_count; i++)
		if (window->workers[i].pid == pid)
			return &window->workers[i];
	return NULL;
}

int window_add_worker(struct window *window, const struct window_worker *worker)
{
	struct window_worker *row = worker_of(window, worker->pid), *workers;

	if (row) {
		*row = *worker;
		return 0;
	}
	workers = reallocarray(window->workers, window->worker_count + 1, sizeof(*workers));
	if (!workers)
		return -ENOMEM;
	window->workers = workers;
	workers[window->worker_count++] = *worker;
	return 0;
}

static double weighted(double a, uint64_t a_ns, double b, uint64_t b_ns)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a_ns + b_ns ? (a * (double)a_ns + b * (double)b_ns) / (double)(a_ns + b_ns) : a;
}

static double higher(double a, double b)
{
	return a > b ? a : b;
}

/* Where one is unknown it is what the other one is. */
static double added(double a, double b)
{
	return a < 0 || b < 0 ? higher(a, b) : a + b;
}

static void merge_samples(struct window_worker *row, const struct window_worker *worker)
{
	row->cpu_ratio = weighted(row->cpu_ratio, row->watched_ns, worker->cpu_ratio, worker->watched_ns);
	row->run_delay_ratio =
		weighted(row->run_delay_ratio, row->watched_ns, worker->run_delay_ratio, worker->watched_ns);
	row->cpu_ratio_peak = higher(row->cpu_ratio_peak, worker->cpu_ratio_peak);
	row->run_delay_peak = higher(row->run_delay_peak, worker->run_delay_peak);
	row->cpu_seconds = added(row->cpu_seconds, worker->cpu_seconds);
	row->saturated_seconds = added(row->saturated_seconds, worker->saturated_seconds);
	row->sampled_seconds = added(row->sampled_seconds, worker->sampled_seconds);
	row->watched_ns += worker->watched_ns;
	row->gone |= worker->gone;
}

/* One pid of two boots is two processes in one row: whose samples it would have is not known. */
int window_merge_worker(struct window *into, const struct window_worker *worker, bool same_boot)
{
	struct window_worker *row = worker_of(into, worker->pid);

	if (!row)
		return window_add_worker(into, worker);
	if (same_boot)
		merge_samples(row, worker);
	else
		*row = (struct window_worker){ .pid = row->pid, WORKER_UNSAMPLED };
	return 0;
}

static void complete_row(struct snapshot_worker *row, const struct window_worker *worker)
{
	row->master_pid = worker->master_pid;
	if (!row->generation)
		row->generation = worker->generation;
	row->gone = worker->gone;
	row->cpu_ratio = worker->cpu_ratio;
	row->run_delay_ratio = worker->run_delay_ratio;
	row->cpu_ratio_peak = worker->cpu_ratio_peak;
	row->run_delay_peak = worker->run_delay_peak;
	row->cpu_seconds = worker->cpu_seconds;
	row->saturated_seconds = worker->saturated_seconds;
	row->sampled_seconds = worker->sampled_seconds;
}

/* Those of workers without a handshake are added. */
static int add_row(struct snapshot *snapshot, const struct window_worker *worker)
{
	struct snapshot_worker *rows =
		reallocarray(snapshot->workers, snapshot->worker_count + 1, sizeof(*snapshot->workers));

	if (!rows)
		return -ENOMEM;
	snapshot->workers = rows;
	rows[snapshot->worker_count] = (struct snapshot_worker){ .pid = worker->pid };
	complete_row(&rows[snapshot->worker_count++], worker);
	return 0;
}

/* A pid has a row for each generation in which it had handshakes. Returns how many. */
static size_t complete_rows(struct snapshot *snapshot, const struct window_worker *worker)
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->worker_count; i++) {
		if (snapshot->workers[i].pid != worker->pid)
			continue;
		complete_row(&snapshot->workers[i], worker);
		count++;
	}
	return count;
}

int window_complete_workers(const struct window *window, struct snapshot *snapshot)
{
	const struct window_worker unsampled = { WORKER_UNSAMPLED };

	for (size_t i = 0; i < snapshot->worker_count; i++)
		complete_row(&snapshot->workers[i], &unsampled);
	for (size_t i = 0; i < window->worker_count; i++)
		if (!complete_rows(snapshot, &window->workers[i]) && add_row(snapshot, &window->workers[i]))
			return -ENOMEM;
	return 0;
}
