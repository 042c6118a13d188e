/* SPDX-License-Identifier: BSD-2-Clause */
/* Worker samples: see workers.h. What cannot be sampled is left out: its ratios are then unknown. */
#include "command/workers.h"

#include <errno.h>
#include <stdlib.h>

void workers_add(struct workers *workers, pid_t pid)
{
	struct worker_sample *first = reallocarray(workers->first, workers->count + 1, sizeof(*first));

	if (!first)
		return;
	workers->first = first;
	if (worker_sample_take(pid, &first[workers->count]) == 0)
		workers->count++;
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

static struct snapshot_worker *row_of(struct snapshot *snapshot, pid_t pid)
{
	struct snapshot_worker *rows;

	for (size_t i = 0; i < snapshot->worker_count; i++)
		if (snapshot->workers[i].pid == (uint32_t)pid)
			return &snapshot->workers[i];
	rows = reallocarray(snapshot->workers, snapshot->worker_count + 1, sizeof(*rows));
	if (!rows)
		return NULL;
	snapshot->workers = rows;
	rows[snapshot->worker_count] =
		(struct snapshot_worker){ .pid = (uint32_t)pid, .cpu_ratio = -1, .run_delay_ratio = -1 };
	return &rows[snapshot->worker_count++];
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

int workers_fill(const struct workers *workers, const struct watch_targets *targets, struct snapshot *snapshot)
{
	for (size_t i = 0; i < workers->count; i++) {
		const struct worker_sample *first = &workers->first[i];
		struct snapshot_worker *row = row_of(snapshot, first->pid);
		struct worker_sample last;

		if (!row)
			return -ENOMEM;
		row->master_pid = master_of(targets, first);
		if (!row->generation)
			row->generation = generation_of(targets, first->pid);
		if (worker_sample_take(first->pid, &last) == 0)
			worker_ratio(first, &last, &row->cpu_ratio, &row->run_delay_ratio);
	}
	return 0;
}
