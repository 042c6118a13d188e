/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beginning and the end of a watch: see watch.h.
 *
 * Invariant: nothing is armed before everything required is attached.
 */
#include "attach/watch_private.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
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

/* The kernel side on its way: it is loaded by a thread while targets are looked for and examined. */
struct loading {
	pthread_t thread;
	bool has_thread;
	struct tracer_options options;
	struct tracer *tracer;
	int error;
};

static void *load(void *argument)
{
	struct loading *loading = argument;

	loading->error = tracer_new(&loading->tracer, &loading->options);
	return NULL;
}

static void loading_begin(struct loading *loading, const struct watch *watch, const struct watch_options *options)
{
	*loading = (struct loading){ .options = options->tracer };
	loading->options.tell_execs = watch->follows;
	loading->options.adopt = true;
	/* A worker that was named alone stays alone. */
	for (size_t i = 0; i < watch->targets.count; i++)
		if (watch->targets.items[i].instance.only_worker)
			loading->options.adopt = false;
	loading->has_thread = pthread_create(&loading->thread, NULL, load, loading) == 0;
}

/* Returns 0 and the tracer, or a negative errno. */
static int loading_end(struct loading *loading, bool connections, struct tracer **out)
{
	if (loading->has_thread)
		pthread_join(loading->thread, NULL);
	/* Known too late: few need it, and the others shall not pay for it. */
	if (!loading->has_thread || (connections && !loading->error)) {
		tracer_free(loading->tracer);
		loading->tracer = NULL;
		loading->options.connections = connections;
		load(loading);
	}
	if (!loading->error)
		*out = loading->tracer;
	return loading->error;
}

static bool need_connections(const struct watch_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->items[i].usable && targets->items[i].by_connection)
			return true;
	return false;
}

static int cannot_load(int error, struct watch_problem *problem)
{
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

static int find(struct watch *watch, const struct watch_options *options, struct watch_problem *problem)
{
	int error = watch_targets_find(options, &watch->targets, problem);

	return !error && !watch->targets.count ? nothing_to_watch(&watch->targets, problem) : error;
}

/*
 * Finds and examines what there is, and loads the kernel side meanwhile. Who is named is found at once, and decides
 * how it is loaded.
 */
static int find_and_load(struct watch *watch, const struct watch_options *options, struct watch_problem *problem)
{
	struct loading loading;
	int found = 0, error;

	if (options->pid_count)
		found = find(watch, options, problem);
	if (found)
		return found;
	loading_begin(&loading, watch, options);
	if (!options->pid_count)
		found = find(watch, options, problem);
	if (!found)
		found = watch_targets_examine(&watch->targets);
	error = loading_end(&loading, need_connections(&watch->targets), &watch->tracer);
	if (found)
		return found;
	if (watch_usable(watch) == 0)
		return nothing_to_watch(&watch->targets, problem);
	if (!error)
		error = tracer_attach_processes(watch->tracer);
	return error ? cannot_load(error, problem) : 0;
}

int watch_open(const struct watch_options *options, struct watch **out, struct watch_problem *problem)
{
	__attribute__((cleanup(free_watch))) struct watch *watch = calloc(1, sizeof(*watch));
	int error;

	*problem = (struct watch_problem){ .fault = WATCH_FAULT_NONE };
	if (!watch)
		return -ENOMEM;
	/* An arena a thread would stay for ever: an nginx that comes and goes must not make us grow. */
	mallopt(M_ARENA_MAX, 1);
	watch->follows = !options->pid_count;
	error = find_and_load(watch, options, problem);
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
