/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which workers belong together: those with the same cycle were forked for the same configuration.
 *
 * A generation's number says order only: 1 is the oldest that is still there when the watch begins. Where the cycle
 * cannot be read, workers that are not shutting down are of one generation.
 */
#include <errno.h>
#include <stdlib.h>

#include "attach/examine.h"

struct member {
	uint64_t cycle;
	uint64_t start_ticks;
	size_t index;
};

/* By birth: a generation is younger than another if its first worker is. */
static int compare_birth(const void *a, const void *b)
{
	const struct member *one = a, *other = b;

	return one->start_ticks < other->start_ticks ? -1 : one->start_ticks > other->start_ticks;
}

/* The generation of an earlier member with the same cycle, or 0. */
static uint32_t known_generation(const struct member *members, size_t before, const uint32_t *generations)
{
	for (size_t i = 0; i < before; i++)
		if (members[i].cycle == members[before].cycle)
			return generations[members[i].index];
	return 0;
}

int examine_generations(struct watch_target *target)
{
	const struct nginx_instance *instance = &target->instance;
	size_t count = instance->worker_count;
	struct member *members = calloc(count + 1, sizeof(*members));

	nginx_globals_read(instance, &target->globals);
	target->generation = 1;
	target->worker_generations = calloc(count + 1, sizeof(*target->worker_generations));
	if (!members || !target->worker_generations) {
		free(members);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		const struct nginx_worker *worker = &instance->workers[i];

		members[i] = (struct member){ .cycle = nginx_cycle(&target->globals, worker->pid),
					      .start_ticks = worker->start_ticks,
					      .index = i };
		if (!members[i].cycle)
			members[i].cycle = worker->shutting_down;
	}
	qsort(members, count, sizeof(*members), compare_birth);
	for (size_t i = 0; i < count; i++) {
		uint32_t *generation = &target->worker_generations[members[i].index];

		*generation = known_generation(members, i, target->worker_generations);
		if (!*generation)
			*generation = i ? ++target->generation : 1;
	}
	free(members);
	return 0;
}
