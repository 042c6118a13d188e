/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU of the watched processes: see gauges.h. */
#include "command/gauges.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_PERIOD_NS 1000000000ull

void gauges_add(struct gauges *gauges, pid_t pid)
{
	struct gauge gauge = { .cpu_ratio = -1, .run_delay_ratio = -1 };

	for (size_t i = 0; i < gauges->count; i++)
		if (gauges->items[i].last.pid == pid)
			return;
	if (gauges->count < GAUGES_MAX && worker_sample_take(pid, &gauge.last) == 0)
		gauges->items[gauges->count++] = gauge;
}

void gauges_start(struct gauges *gauges, const struct watch_targets *targets, uint64_t now_ns)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct nginx_instance *instance = &targets->items[i].instance;

		for (size_t j = 0; targets->items[i].usable && j < instance->worker_count; j++)
			if (!instance->only_worker || instance->workers[j].pid == instance->only_worker)
				gauges_add(gauges, instance->workers[j].pid);
	}
	gauges->next_ns = now_ns + FIRST_PERIOD_NS;
}

/* Returns false where the process is gone, or its number is another's by now. */
static bool resample(struct gauge *gauge)
{
	struct worker_sample now;

	if (worker_sample_take(gauge->last.pid, &now))
		return false;
	if (worker_ratio(&gauge->last, &now, &gauge->cpu_ratio, &gauge->run_delay_ratio) == -ESTALE)
		return false;
	gauge->last = now;
	return true;
}

void gauges_tick(struct gauges *gauges, uint64_t now_ns)
{
	size_t kept = 0;

	if (now_ns < gauges->next_ns)
		return;
	for (size_t i = 0; i < gauges->count; i++)
		if (resample(&gauges->items[i]))
			gauges->items[kept++] = gauges->items[i];
	gauges->count = kept;
	gauges->next_ns = now_ns + GAUGES_PERIOD_NS;
}

/* A process has a row a generation; all get the ratio of the process. Returns whether there was one. */
static bool fill_rows(struct snapshot *snapshot, size_t rows, const struct gauge *gauge)
{
	bool found = false;

	for (size_t i = 0; i < rows; i++) {
		struct snapshot_worker *row = &snapshot->workers[i];

		if (row->pid != (uint32_t)gauge->last.pid)
			continue;
		row->cpu_ratio = gauge->cpu_ratio;
		row->run_delay_ratio = gauge->run_delay_ratio;
		found = true;
	}
	return found;
}

int gauges_fill(const struct gauges *gauges, struct snapshot *snapshot)
{
	size_t rows = snapshot->worker_count;
	struct snapshot_worker *workers = reallocarray(snapshot->workers, rows + gauges->count + 1, sizeof(*workers));

	if (!workers)
		return -ENOMEM;
	snapshot->workers = workers;
	for (size_t i = 0; i < gauges->count; i++) {
		const struct gauge *gauge = &gauges->items[i];

		if (fill_rows(snapshot, rows, gauge))
			continue;
		workers[snapshot->worker_count++] = (struct snapshot_worker){
			.pid = (uint32_t)gauge->last.pid,
			.cpu_ratio = gauge->cpu_ratio,
			.run_delay_ratio = gauge->run_delay_ratio,
		};
	}
	return 0;
}
