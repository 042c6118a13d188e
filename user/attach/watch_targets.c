/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding what is to be watched: every nginx of the host, or those that were named.
 *
 * Invariant: one row of the layouts for each set of offsets; instances that have the same ones share it.
 */
#include "attach/watch_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/examine.h"
#include "base/cleanup.h"

void watch_target_release(struct watch_target *target)
{
	nginx_instance_release(&target->instance);
	free(target->sites);
	free(target->library_path);
	free(target->worker_generations);
	*target = (struct watch_target){ 0 };
}

void watch_targets_release(struct watch_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		watch_target_release(&targets->items[i]);
	free(targets->items);
	*targets = (struct watch_targets){ 0 };
}

int watch_targets_add(struct watch_targets *targets, struct nginx_instance *instance)
{
	struct watch_target *items = reallocarray(targets->items, targets->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	targets->items = items;
	items[targets->count++] = (struct watch_target){ .instance = *instance };
	*instance = (struct nginx_instance){ 0 };
	return 0;
}

static int not_nginx(struct watch_problem *problem, pid_t pid, int error)
{
	*problem = (struct watch_problem){ .fault = WATCH_FAULT_USAGE };
	if (error == -ESRCH) {
		snprintf(problem->sentence, sizeof(problem->sentence), "no process with PID %d", (int)pid);
		snprintf(problem->hint, sizeof(problem->hint), "tlswhy check lists every nginx of this host");
	} else if (error == -ENOEXEC) {
		snprintf(problem->sentence, sizeof(problem->sentence), "process %d is not nginx", (int)pid);
		snprintf(problem->hint, sizeof(problem->hint),
			 "name a master or a worker; tlswhy check lists every nginx of this host");
	} else {
		problem->fault = WATCH_FAULT_REQUIREMENT;
		snprintf(problem->sentence, sizeof(problem->sentence), "cannot look at process %d: %s", (int)pid,
			 strerror(-error));
		snprintf(problem->hint, sizeof(problem->hint), "run tlswhy as root");
	}
	return error;
}

static int find_named(const struct watch_options *options, struct watch_targets *targets,
		      struct watch_problem *problem)
{
	for (size_t i = 0; i < options->pid_count; i++) {
		struct nginx_instance instance;
		int error = nginx_find_pid(options->pids[i], &instance);

		if (error)
			return not_nginx(problem, options->pids[i], error);
		error = watch_targets_add(targets, &instance);
		if (error) {
			nginx_instance_release(&instance);
			return error;
		}
	}
	return 0;
}

static int find_all(struct watch_targets *targets, struct watch_problem *problem)
{
	__attribute__((cleanup(nginx_list_release))) struct nginx_list list = { 0 };
	int error = nginx_find(&list);

	for (size_t i = 0; i < list.count && !error; i++)
		error = watch_targets_add(targets, &list.items[i]);
	if (error) {
		*problem = (struct watch_problem){ .fault = WATCH_FAULT_RUNTIME };
		snprintf(problem->sentence, sizeof(problem->sentence), "cannot look for nginx in /proc: %s",
			 strerror(-error));
	}
	return error;
}

static bool same_offsets(const struct watch_target *a, const struct watch_target *b)
{
	return memcmp(&a->offsets, &b->offsets, sizeof(a->offsets)) == 0;
}

/* The lowest row that nobody has; LAYOUT_ROW_NONE where all are taken. */
static uint32_t free_row(const struct watch_targets *targets)
{
	bool taken[LAYOUT_ROW_NONE] = { false };
	uint32_t row = 0;

	for (size_t i = 0; i < targets->count; i++)
		if (targets->items[i].has_row)
			taken[targets->items[i].row] = true;
	while (row < LAYOUT_ROW_NONE && taken[row])
		row++;
	return row;
}

void watch_targets_assign_row(const struct watch_targets *targets, struct watch_target *target)
{
	uint32_t row = LAYOUT_ROW_NONE;

	for (size_t i = 0; i < targets->count && row == LAYOUT_ROW_NONE; i++)
		if (targets->items[i].has_row && same_offsets(&targets->items[i], target))
			row = targets->items[i].row;
	if (row == LAYOUT_ROW_NONE)
		row = free_row(targets);
	target->row = row;
	target->has_row = row < LAYOUT_ROW_NONE;
	if (target->has_row)
		return;
	target->row = 0;
	target->usable = false;
	target->problem = (struct watch_problem){
		.fault = WATCH_FAULT_RUNTIME,
		.sentence = "too many different OpenSSL libraries on this host",
		.hint = "choose with -p PID",
	};
}

int watch_targets_find(const struct watch_options *options, struct watch_targets *targets,
		       struct watch_problem *problem)
{
	*problem = (struct watch_problem){ .fault = WATCH_FAULT_NONE };
	return options->pid_count ? find_named(options, targets, problem) : find_all(targets, problem);
}

int watch_targets_examine(struct watch_targets *targets)
{
	int error = 0;

	for (size_t i = 0; i < targets->count && !error; i++) {
		error = examine_target(&targets->items[i]);
		if (!error && targets->items[i].usable)
			watch_targets_assign_row(targets, &targets->items[i]);
	}
	return error;
}

int watch_examine(const struct watch_options *options, struct watch_targets *targets, struct watch_problem *problem)
{
	__attribute__((cleanup(watch_targets_release))) struct watch_targets found = { 0 };
	int error = watch_targets_find(options, &found, problem);

	if (!error)
		error = watch_targets_examine(&found);
	if (error)
		return error;
	*targets = found;
	found = (struct watch_targets){ 0 };
	return 0;
}
