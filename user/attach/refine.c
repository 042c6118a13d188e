/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layouts after attaching: debug information is read in a thread beside the watch, and swaps a target's row where it
 * knows better.
 *
 * Invariants: what a thread works on is its own until it is done; a watch that ends does not wait for it. Descriptors
 * are opened before privileges are dropped. Must not know: DWARF.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/dwarf.h"
#include "attach/examine.h"
#include "attach/watch_private.h"
#include "base/log.h"

enum job_state { JOB_RUNNING, JOB_DONE, JOB_ABANDONED };

struct refinement {
	struct refinement *next;
	pid_t master;
	uint64_t start_ticks;
	char *paths[2]; /* of libssl and libcrypto, below the process's root */
	int fds[2], root;
	struct dwarf_layout found;
	int error;
	_Atomic int state; /* enum job_state; whoever comes last frees */
};

static void job_free(struct refinement *job)
{
	for (size_t i = 0; i < 2; i++) {
		if (job->fds[i] >= 0)
			close(job->fds[i]);
		free(job->paths[i]);
	}
	if (job->root >= 0)
		close(job->root);
	free(job);
}

static void *job_run(void *argument)
{
	struct refinement *job = argument;
	const struct dwarf_source libssl = { .fd = job->fds[0], .root = job->root, .path = job->paths[0] };
	const struct dwarf_source libcrypto = { .fd = job->fds[1], .root = job->root, .path = job->paths[1] };
	int running = JOB_RUNNING;

	job->error = dwarf_layout(&libssl, &libcrypto, &job->found);
	if (!atomic_compare_exchange_strong(&job->state, &running, JOB_DONE))
		job_free(job);
	return NULL;
}

static int job_open_file(struct refinement *job, size_t i, const char *open_path, const char *path)
{
	job->fds[i] = open(open_path, O_RDONLY | O_CLOEXEC);
	if (job->fds[i] < 0)
		return -errno;
	job->paths[i] = strdup(path);
	return job->paths[i] ? 0 : -ENOMEM;
}

/* OpenSSL's two files, or the executable where it is linked in. */
static int job_open(struct refinement *job, const struct nginx_instance *instance)
{
	__attribute__((cleanup(nginx_libraries_release))) struct nginx_libraries libraries = { 0 };
	char path[PROCESS_OPEN_PATH_BYTES];
	int error = nginx_libraries(instance, &libraries);

	for (size_t i = 0; i < libraries.count && !error; i++) {
		const struct nginx_library *library = &libraries.items[i];
		size_t which = library->kind == NGINX_LIBSSL ? 0 : 1;

		if (job->fds[which] < 0)
			error = job_open_file(job, which, library->open_path, library->path);
	}
	process_exe_open_path(instance->master, path);
	for (size_t i = 0; i < 2 && !error; i++)
		if (job->fds[i] < 0)
			error = job_open_file(job, i, path, instance->exe.path);
	snprintf(path, sizeof(path), "/proc/%d/root", (int)instance->master);
	job->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* -1: this host's files are looked at alone */
	return error;
}

static struct refinement *job_new(const struct nginx_instance *instance)
{
	struct refinement *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->fds[0] = job->fds[1] = job->root = -1;
	job->master = instance->master;
	job->start_ticks = instance->start_ticks;
	return job;
}

void refine_begin(struct watch *watch, const struct watch_target *target)
{
	struct refinement *job;
	pthread_t thread;
	int error;

	if (target->by_connection || target->layout.source == LAYOUT_SOURCE_DWARF)
		return;
	job = job_new(&target->instance);
	if (!job)
		return;
	error = job_open(job, &target->instance);
	if (!error)
		error = -pthread_create(&thread, NULL, job_run, job);
	if (error) {
		log_debug("debug information is not looked for: %s", strerror(-error));
		job_free(job);
		return;
	}
	pthread_detach(thread);
	job->next = watch->refinements;
	watch->refinements = job;
}

/* Adds what debug information says to a report, and settles the row anew. Returns as layout_add_dwarf(). */
static int add_found(struct layout_report *report, const struct dwarf_layout *found, struct layout *offsets)
{
	int error = layout_add_dwarf(report, found->values, offsets);

	if (error || !found->states[DWARF_STATE_hello_server])
		return error;
	offsets->state_hello_server = found->states[DWARF_STATE_hello_server];
	offsets->state_early_data = found->states[DWARF_STATE_early_data];
	offsets->state_write_hello = found->states[DWARF_STATE_write_hello];
	offsets->state_write_finished = found->states[DWARF_STATE_write_finished];
	return 0;
}

int refine_layout(const struct nginx_instance *instance, struct layout_report *report, struct layout *out)
{
	struct refinement *job = job_new(instance);
	int error = job ? job_open(job, instance) : -ENOMEM;

	if (!error) {
		job_run(job);
		error = job->error;
	}
	if (!error)
		error = add_found(report, &job->found, out);
	if (job)
		job_free(job);
	return error;
}

/* The row of the target as debug information has it. */
static void apply(struct watch *watch, struct watch_target *target, const struct dwarf_layout *found)
{
	struct layout offsets;
	struct watch_problem problem = { .fault = WATCH_FAULT_NONE };

	if (add_found(&target->layout, found, &offsets))
		return;
	log_debug("layout of '%s' from %s", target->library_path, dwarf_origin_name(found->libssl));
	if (!memcmp(&offsets, &target->offsets, sizeof(offsets)))
		return;
	target->offsets = offsets;
	target->has_row = false;
	watch_targets_assign_row(&watch->targets, target);
	if (target->has_row && attachment_make(watch, target, &problem))
		log_info("%s", problem.sentence);
}

static struct watch_target *target_of(struct watch *watch, const struct refinement *job)
{
	for (size_t i = 0; i < watch->targets.count; i++) {
		struct watch_target *target = &watch->targets.items[i];

		if (target->attached && target->instance.master == job->master &&
		    target->instance.start_ticks == job->start_ticks)
			return target;
	}
	return NULL;
}

void refine_tick(struct watch *watch)
{
	struct refinement **link = &watch->refinements;

	while (*link) {
		struct refinement *job = *link;
		struct watch_target *target;

		if (atomic_load(&job->state) == JOB_RUNNING) {
			link = &job->next;
			continue;
		}
		target = job->error ? NULL : target_of(watch, job);
		if (target)
			apply(watch, target, &job->found);
		*link = job->next;
		job_free(job);
	}
}

void refine_release(struct watch *watch)
{
	while (watch->refinements) {
		struct refinement *job = watch->refinements;
		int running = JOB_RUNNING;

		watch->refinements = job->next;
		if (!atomic_compare_exchange_strong(&job->state, &running, JOB_ABANDONED))
			job_free(job);
	}
}
