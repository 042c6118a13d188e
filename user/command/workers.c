/* SPDX-License-Identifier: BSD-2-Clause */
/* Worker samples: see workers.h. What cannot be sampled is left out: its ratios are then unknown. */
#include "command/workers.h"

#include <errno.h>
#include <stdlib.h>

static bool is_known(const struct workers *workers, const struct worker_sample *sample)
{
	for (size_t i = 0; i < workers->count; i++)
		if (workers->first[i].pid == sample->pid &&
		    workers->first[i].stat.start_ticks == sample->stat.start_ticks)
			return true;
	return false;
}

void workers_add(struct workers *workers, pid_t pid)
{
	struct worker_sample sample, *first;

	if (workers->count >= WORKERS_MAX || worker_sample_take(pid, &sample) || is_known(workers, &sample))
		return;
	first = reallocarray(workers->first, workers->count + 1, sizeof(*first));
	if (!first)
		return;
	workers->first = first;
	first[workers->count++] = sample;
}

void workers_start(struct workers *workers, const struct watch_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct nginx_instance *instance = &targets->items[i].instance;

		for (size_t j = 0; targets->items[i].usable && j < instance->worker_count; j++)
			if (!instance->only_worker || instance->workers[j].pid == instance->only_worker)
				workers_add(workers, instance->workers[j].pid);
	}
}

void workers_release(struct workers *workers)
{
	free(workers->first);
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
static uint32_t master_of(const struct watch_targets *targets, const struct worker_sample *sample)
{
	for (size_t i = 0; i < targets->count; i++) {
		pid_t master = targets->items[i].instance.master;

		if (master == sample->stat.parent || master == sample->pid)
			return (uint32_t)master;
	}
	return 0;
}

int workers_end(const struct workers *workers, const struct watch_targets *targets, struct window *window)
{
	for (size_t i = 0; i < workers->count; i++) {
		const struct worker_sample *first = &workers->first[i];
		struct window_worker worker = {
			.pid = (uint32_t)first->pid,
			.master_pid = master_of(targets, first),
			.generation = generation_of(targets, first->pid),
			WORKER_UNSAMPLED,
		};
		struct worker_sample last;

		worker.gone = worker_sample_take(first->pid, &last) != 0;
		if (!worker.gone)
			worker_ratio(first, &last, &worker.cpu_ratio, &worker.run_delay_ratio);
		if (window_add_worker(window, &worker))
			return -ENOMEM;
	}
	return 0;
}
