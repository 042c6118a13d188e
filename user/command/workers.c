/* SPDX-License-Identifier: BSD-2-Clause */
/* Worker samples: see workers.h. What cannot be sampled is left out: its figures are then unknown. */
#include "command/workers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SECOND_NS 1000000000ull

static size_t open_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur / 2 >= WORKERS_OPEN_MAX)
		return WORKERS_OPEN_MAX;
	return (size_t)limit.rlim_cur / 2;
}

static size_t open_count(const struct workers *workers)
{
	size_t count = 0;

	for (size_t i = 0; i < workers->count; i++)
		count += workers->clocks[i].fd >= 0;
	return count;
}

static size_t living_count(const struct workers *workers)
{
	size_t count = 0;

	for (size_t i = 0; i < workers->count; i++)
		count += !workers->clocks[i].gone;
	return count;
}

/* A process is known by its start: of a pid whose process is gone there may be another one. */
static bool is_known(const struct workers *workers, const struct worker_clock *clock)
{
	for (size_t i = 0; i < workers->count; i++)
		if (workers->clocks[i].pid == clock->pid && workers->clocks[i].start_ticks == clock->start_ticks)
			return true;
	return false;
}

void workers_add(struct workers *workers, pid_t pid)
{
	struct worker_clock clock, *clocks;

	if (!workers->open_max)
		workers->open_max = open_limit();
	if (workers->count >= WORKERS_MAX || worker_clock_start(pid, open_count(workers) < workers->open_max, &clock))
		return;
	clocks = is_known(workers, &clock) ? NULL
					   : reallocarray(workers->clocks, workers->count + 1, sizeof(*clocks));
	if (!clocks) {
		worker_clock_release(&clock);
		return;
	}
	workers->clocks = clocks;
	clocks[workers->count++] = clock;
}

static uint64_t period_ns(const struct workers *workers)
{
	size_t seconds = (living_count(workers) + WORKERS_EACH_SECOND - 1) / WORKERS_EACH_SECOND;

	return SECOND_NS * (seconds ? seconds : 1);
}

void workers_start(struct workers *workers, const struct watch_targets *targets, uint64_t now_ns)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct nginx_instance *instance = &targets->items[i].instance;

		for (size_t j = 0; targets->items[i].usable && j < instance->worker_count; j++)
			if (!instance->only_worker || instance->workers[j].pid == instance->only_worker)
				workers_add(workers, instance->workers[j].pid);
	}
	workers->next_ns = now_ns + SECOND_NS;
}

/* One that was taken in just now is sampled the next time: of less than half a second no peak is made. */
void workers_tick(struct workers *workers, uint64_t now_ns)
{
	if (now_ns < workers->next_ns)
		return;
	for (size_t i = 0; i < workers->count; i++)
		if (now_ns >= workers->clocks[i].meter.last.time_ns + WORKER_PEAK_NS)
			worker_clock_read(&workers->clocks[i]);
	workers->next_ns += period_ns(workers);
	/* After a standstill of this program missed seconds are not made up for. */
	if (workers->next_ns <= now_ns)
		workers->next_ns = now_ns + SECOND_NS;
}

void workers_read(struct workers *workers)
{
	for (size_t i = 0; i < workers->count; i++)
		worker_clock_read(&workers->clocks[i]);
}

void workers_forget_gone(struct workers *workers)
{
	size_t kept = 0;

	for (size_t i = 0; i < workers->count; i++)
		if (!workers->clocks[i].gone)
			workers->clocks[kept++] = workers->clocks[i];
	workers->count = kept;
}

void workers_restart(struct workers *workers)
{
	for (size_t i = 0; i < workers->count; i++)
		worker_clock_restart(&workers->clocks[i]);
}

void workers_release(struct workers *workers)
{
	for (size_t i = 0; i < workers->count; i++)
		worker_clock_release(&workers->clocks[i]);
	free(workers->clocks);
	*workers = (struct workers){ 0 };
}

/* Of a worker that was there from the start; 0: it came later and had no handshake. */
static uint32_t generation_of(const struct watch_targets *targets, pid_t pid)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct watch_target *target = &targets->items[i];

		for (size_t j = 0; target->worker_generations && j < target->instance.worker_count; j++)
			if (target->instance.workers[j].pid == pid)
				return target->worker_generations[j];
	}
	return 0;
}

/* A worker is its master's child; those that came later were taken in for being so. */
static uint32_t master_of(const struct watch_targets *targets, const struct worker_clock *clock)
{
	for (size_t i = 0; i < targets->count; i++) {
		pid_t master = targets->items[i].instance.master;

		if (master == clock->parent || master == clock->pid)
			return (uint32_t)master;
	}
	return 0;
}

int workers_describe(const struct workers *workers, const struct watch_targets *targets, struct window *window)
{
	for (size_t i = 0; i < workers->count; i++) {
		const struct worker_clock *clock = &workers->clocks[i];
		struct worker_usage usage = worker_meter_usage(&clock->meter);
		const struct window_worker worker = {
			.pid = (uint32_t)clock->pid,
			.master_pid = master_of(targets, clock),
			.generation = generation_of(targets, clock->pid),
			.gone = clock->gone,
			.cpu_ratio = usage.cpu_ratio,
			.run_delay_ratio = usage.run_delay_ratio,
			.cpu_ratio_peak = usage.cpu_ratio_peak,
			.run_delay_peak = usage.run_delay_peak,
			.cpu_seconds = usage.cpu_seconds,
			.saturated_seconds = usage.saturated_seconds,
			.sampled_seconds = usage.sampled_seconds,
		};

		if (window_add_worker(window, &worker))
			return -ENOMEM;
	}
	return 0;
}
