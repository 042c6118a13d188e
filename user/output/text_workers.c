/* SPDX-License-Identifier: BSD-2-Clause */
/* The workers in the text report: what they did, and whether they had the time for it. */
#include <inttypes.h>

#include "output/text_parts.h"

#define WORKERS_SHOWN 16

static bool is_shown(const struct snapshot_worker *worker)
{
	return worker->cpu_ratio >= 0 || worker->run_delay_ratio >= 0 || worker->handshakes;
}

static double load(const struct snapshot_worker *worker)
{
	double delay = worker->run_delay_ratio > 0 ? worker->run_delay_ratio : 0;

	return worker->cpu_ratio < 0 ? delay - 1 : worker->cpu_ratio + delay;
}

static bool is_busier(const struct snapshot_worker *a, const struct snapshot_worker *b)
{
	return load(a) > load(b) || (load(a) >= load(b) && a->handshakes > b->handshakes);
}

/* The busiest first. Returns how many. */
static size_t pick(const struct snapshot *snapshot, const struct snapshot_worker *picked[WORKERS_SHOWN])
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct snapshot_worker *worker = &snapshot->workers[i];
		size_t at = count;

		if (!is_shown(worker))
			continue;
		if (count < WORKERS_SHOWN)
			count++;
		else if (!is_busier(worker, picked[--at]))
			continue;
		for (; at > 0 && is_busier(worker, picked[at - 1]); at--)
			picked[at] = picked[at - 1];
		picked[at] = worker;
	}
	return count;
}

static void add_cpu(struct paragraph *paragraph, const struct snapshot_worker *worker)
{
	double share = worker->cpu_seconds > 0 ? (double)worker->cpu_us / 1e6 / worker->cpu_seconds : 0;

	paragraph_add(paragraph, "%.0f %% of a CPU", worker->cpu_ratio * 100);
	if (worker->sampled_seconds > 0 && share > 0)
		paragraph_add(paragraph, " (%.0f %% of that in handshakes)", share < 1 ? share * 100 : 100);
}

static void add_load(struct paragraph *paragraph, const struct snapshot_worker *worker)
{
	if (worker->cpu_ratio < 0 && worker->run_delay_ratio < 0) {
		paragraph_add(paragraph, "CPU not measured");
		return;
	}
	if (worker->cpu_ratio >= 0)
		add_cpu(paragraph, worker);
	if (worker->run_delay_ratio >= 0)
		paragraph_add(paragraph, "%s%.0f %% waiting for one", worker->cpu_ratio >= 0 ? ", " : "",
			      worker->run_delay_ratio * 100);
	if (worker->sampled_seconds > 0 && worker->saturated_seconds > 0)
		paragraph_add(paragraph, ", short of it for %.0f s", worker->saturated_seconds);
}

static void add_lag(struct paragraph *paragraph, const struct histogram *lag)
{
	char p50[FIGURE_BYTES], p99[FIGURE_BYTES];

	if (lag->count)
		paragraph_add(paragraph, "; lag p50 %s, p99 %s", duration_text(histogram_quantile_ns(lag, 0.5), p50),
			      duration_text(histogram_quantile_ns(lag, 0.99), p99));
}

static void write_worker(const struct page *page, const struct snapshot_worker *worker, bool with_generation)
{
	struct paragraph paragraph = { 0 };

	paragraph_add(&paragraph, "worker %" PRIu32, worker->pid);
	if (with_generation)
		paragraph_add(&paragraph, " (generation %" PRIu32 ")", worker->generation);
	paragraph_add(&paragraph, ": ");
	add_load(&paragraph, worker);
	paragraph_add(&paragraph, "; %" PRIu64 " handshakes, %" PRIu64 " failed", worker->handshakes, worker->failed);
	add_lag(&paragraph, &worker->lag);
	paragraph_write(&paragraph, page, 2, 2);
	if (!worker->whole_us)
		return;
	paragraph = (struct paragraph){ 0 };
	paragraph_add(&paragraph, "where their time went: ");
	add_shares(&paragraph, worker->us, worker->whole_us);
	paragraph_write(&paragraph, page, 4, 2);
}

static void write_others(const struct page *page, const struct snapshot *snapshot,
			 const struct snapshot_worker *const *picked, size_t count)
{
	uint64_t handshakes = 0, failed = 0;
	struct paragraph paragraph = { 0 };
	size_t others = 0;

	for (size_t i = 0; i < snapshot->worker_count; i++) {
		others += is_shown(&snapshot->workers[i]);
		handshakes += snapshot->workers[i].handshakes;
		failed += snapshot->workers[i].failed;
	}
	for (size_t i = 0; i < count; i++) {
		handshakes -= picked[i]->handshakes;
		failed -= picked[i]->failed;
	}
	if (others <= count)
		return;
	paragraph_add(&paragraph, "%zu more, less busy: %" PRIu64 " handshakes, %" PRIu64 " failed", others - count,
		      handshakes, failed);
	paragraph_write(&paragraph, page, 2, 2);
}

static void write_generation(const struct page *page, const struct generation_row *row)
{
	struct paragraph paragraph = { 0 };
	char p99[FIGURE_BYTES];

	paragraph_add(&paragraph, "generation %" PRIu32, row->generation);
	if (row->master_pid)
		paragraph_add(&paragraph, " of master %" PRIu32, row->master_pid);
	paragraph_add(&paragraph, ": %zu worker%s, %" PRIu64 " handshakes, %" PRIu64 " failed", row->workers,
		      row->workers == 1 ? "" : "s", row->handshakes, row->failed);
	if (row->given_up_late)
		paragraph_add(&paragraph, ", %" PRIu64 " of these given up after waiting longer for the worker",
			      row->given_up_late);
	if (row->latency.count)
		paragraph_add(&paragraph, "; p99 %s", duration_text(histogram_quantile_ns(&row->latency, 0.99), p99));
	if (row->lag.count)
		paragraph_add(&paragraph, ", lag p99 %s", duration_text(histogram_quantile_ns(&row->lag, 0.99), p99));
	paragraph_write(&paragraph, page, 2, 2);
}

void write_workers(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	const struct snapshot_worker *picked[WORKERS_SHOWN];
	size_t count = pick(snapshot, picked);
	bool several = snapshot->generation_count > 1;

	if (!count)
		return;
	write_heading(page, style, "Workers, the busiest first");
	for (size_t i = 0; i < count; i++)
		write_worker(page, picked[i], several);
	write_others(page, snapshot, picked, count);
	for (size_t i = 0; several && i < snapshot->generation_count; i++)
		write_generation(page, &snapshot->generations[i]);
}
