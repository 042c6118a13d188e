/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beginning and the end of a watch: see watch.h.
 *
 * Invariant: nothing is armed before everything required is attached.
 */
#include "attach/watch_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/clock.h"

static void free_watch(struct watch **watch)
{
	watch_free(*watch);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	if (watch->armed)
		tracer_disarm(watch->tracer);
	refine_release(watch);
	tracer_free(watch->tracer);
	watch_targets_release(&watch->targets);
	attachment_release_files(watch);
	free(watch);
}

struct tracer *watch_tracer(struct watch *watch)
{
	return watch->tracer;
}

const struct watch_targets *watch_targets(const struct watch *watch)
{
	return &watch->targets;
}

bool watch_follows(const struct watch *watch)
{
	return watch->follows;
}

size_t watch_usable(const struct watch *watch)
{
	size_t usable = 0;

	for (size_t i = 0; i < watch->targets.count; i++)
		usable += watch->targets.items[i].usable && !watch->targets.items[i].gone_ns;
	return usable;
}

static int start_tracer(struct watch *watch, const struct watch_options *options, struct watch_problem *problem)
{
	struct tracer_options tracer = options->tracer;
	int error;

	watch->follows = !options->pid_count;
	tracer.tell_execs = watch->follows;
	tracer.adopt = true;
	for (size_t i = 0; i < watch->targets.count; i++)
		tracer.connections |= watch->targets.items[i].usable && watch->targets.items[i].by_connection;
	/* A worker that was named alone stays alone. */
	for (size_t i = 0; i < watch->targets.count; i++)
		if (watch->targets.items[i].instance.only_worker)
			tracer.adopt = false;
	error = tracer_new(&watch->tracer, &tracer);
	if (!error)
		error = tracer_attach_processes(watch->tracer);
	if (!error)
		return 0;
	*problem = (struct watch_problem){ .fault = WATCH_FAULT_REQUIREMENT };
	snprintf(problem->sentence, sizeof(problem->sentence), "cannot load the kernel side: %s", strerror(-error));
	snprintf(problem->hint, sizeof(problem->hint),
		 "tlswhy check says what is missing; -v shows what the kernel said");
	return error;
}

/* One that cannot be attached does not stop the others. */
static void attach_all(struct watch *watch)
{
	for (size_t i = 0; i < watch->targets.count; i++) {
		struct watch_target *target = &watch->targets.items[i];

		if (target->usable && attachment_make(watch, target, &target->problem))
			target->usable = false;
	}
}

/* None is usable: the first one's problem speaks for all. */
static int nothing_to_watch(const struct watch_targets *targets, struct watch_problem *problem)
{
	if (targets->count) {
		*problem = targets->items[0].problem;
		return -ENOTSUP;
	}
	*problem = (struct watch_problem){
		.fault = WATCH_FAULT_REQUIREMENT,
		.sentence = "no nginx is running",
		.hint = "start nginx, or name one of its processes with -p PID",
	};
	return -ESRCH;
}

int watch_open(const struct watch_options *options, struct watch **out, struct watch_problem *problem)
{
	__attribute__((cleanup(free_watch))) struct watch *watch = calloc(1, sizeof(*watch));
	int error;

	*problem = (struct watch_problem){ .fault = WATCH_FAULT_NONE };
	if (!watch)
		return -ENOMEM;
	error = watch_examine(options, &watch->targets, problem);
	if (!error && watch_usable(watch) == 0)
		error = nothing_to_watch(&watch->targets, problem);
	if (!error)
		error = start_tracer(watch, options, problem);
	if (error)
		return error;
	attach_all(watch);
	if (watch_usable(watch) == 0)
		return nothing_to_watch(&watch->targets, problem);
	tracer_arm(watch->tracer);
	watch->armed = true;
	if (watch->follows)
		rescan_start(watch, clock_monotonic_ns());
	*out = take_pointer(watch);
	return 0;
}
