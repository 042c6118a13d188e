/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching: see watch.h.
 *
 * Invariant: a file is probed once a probe, whichever instances map it; nothing is armed before everything required
 * is attached.
 */
#include "attach/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/examine.h"
#include "base/cleanup.h"
#include "base/log.h"

struct watch {
	struct tracer *tracer;
	struct watch_targets targets;
	struct attached {
		struct file_id file;
		enum probe probe;
	} * attached; /* what is probed already */
	size_t attached_count;
	bool armed;
};

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
	tracer_free(watch->tracer);
	watch_targets_release(&watch->targets);
	free(watch->attached);
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

size_t watch_usable(const struct watch *watch)
{
	size_t usable = 0;

	for (size_t i = 0; i < watch->targets.count; i++)
		usable += watch->targets.items[i].usable;
	return usable;
}

static int start_tracer(struct watch *watch, const struct watch_options *options, struct watch_problem *problem)
{
	struct tracer_options tracer = options->tracer;
	int error;

	tracer.adopt = true;
	for (size_t i = 0; i < watch->targets.count; i++)
		tracer.connections |= watch->targets.items[i].usable && watch->targets.items[i].by_connection;
	/* A worker that was named alone stays alone. */
	for (size_t i = 0; i < watch->targets.count; i++)
		if (watch->targets.items[i].instance.only_worker)
			tracer.adopt = false;
	error = tracer_new(&watch->tracer, &tracer);
	if (!error)
		return 0;
	*problem = (struct watch_problem){ .fault = WATCH_FAULT_REQUIREMENT };
	snprintf(problem->sentence, sizeof(problem->sentence), "cannot load the kernel side: %s", strerror(-error));
	snprintf(problem->hint, sizeof(problem->hint),
		 "tlswhy check says what is missing; -v shows what the kernel said");
	return error;
}

/* The binary, so that an nginx that is started later is covered too: another master, loaded at another address. */
static int add_binaries(struct watch *watch, const struct process_exe *exe, struct target entry)
{
	struct binary_key by_stat = { .inode = exe->by_stat.inode, .device = exe->by_stat.device };
	struct binary_key by_maps = { .inode = exe->by_maps.inode, .device = exe->by_maps.device };
	int error;

	entry.master = 0;
	entry.cycle_address = 0;
	entry.http_handler = 0;
	entry.generation = 1;
	error = tracer_add_binary(watch->tracer, &by_stat, &entry);
	if (!error && by_maps.inode)
		error = tracer_add_binary(watch->tracer, &by_maps, &entry);
	return error;
}

static int add_worker(struct watch *watch, const struct watch_target *target, size_t i, struct target entry)
{
	pid_t pid = target->instance.workers[i].pid;
	struct cycle_key key = { .master = entry.master, .cycle = nginx_cycle(&target->globals, pid) };
	int error = 0;

	entry.generation = target->worker_generations[i];
	if (key.cycle)
		error = tracer_add_cycle(watch->tracer, &key, entry.generation);
	return error ? error : tracer_add_target(watch->tracer, (uint32_t)pid, &entry);
}

/* Workers and master, or the one worker. */
static int add_processes(struct watch *watch, const struct watch_target *target, const struct watch_options *options)
{
	const struct nginx_instance *instance = &target->instance;
	struct target entry = {
		.row = target->row,
		.generation = target->generation,
		.connection_index = target->globals.connection_index,
		.master = (uint32_t)instance->master,
		.cycle_address = target->globals.cycle_address,
		.http_handler = target->globals.http_handler,
	};
	int error = 0;

	if (!instance->only_worker)
		error = tracer_add_target(watch->tracer, entry.master, &entry);
	for (size_t i = 0; i < instance->worker_count && !error; i++)
		if (!instance->only_worker || instance->only_worker == instance->workers[i].pid)
			error = add_worker(watch, target, i, entry);
	if (error || options->pid_count)
		return error;
	return add_binaries(watch, &instance->exe, entry);
}

static bool is_attached(const struct watch *watch, struct file_id file, enum probe probe)
{
	for (size_t i = 0; i < watch->attached_count; i++)
		if (watch->attached[i].probe == probe && file_id_equal(watch->attached[i].file, file))
			return true;
	return false;
}

static int attach_site(struct watch *watch, const struct examined_site *site, struct watch_problem *problem)
{
	const struct probe_spec *spec = probe_spec(site->site.probe);
	struct attached *attached;
	int error;

	if (is_attached(watch, site->file, site->site.probe))
		return 0;
	attached = reallocarray(watch->attached, watch->attached_count + 1, sizeof(*attached));
	if (!attached)
		return -ENOMEM;
	watch->attached = attached;
	error = tracer_attach(watch->tracer, &site->site);
	if (error && spec->required) {
		*problem = (struct watch_problem){ .fault = WATCH_FAULT_REQUIREMENT };
		snprintf(problem->sentence, sizeof(problem->sentence), "cannot attach to '%s' in '%s': %s",
			 spec->function, site->display_path, strerror(-error));
		snprintf(problem->hint, sizeof(problem->hint),
			 "does this kernel allow uprobes (CONFIG_UPROBE_EVENTS), and may this process use them");
		return error;
	}
	if (error) {
		log_debug("no probe on '%s': %s", spec->function, strerror(-error));
		return 0;
	}
	watch->attached[watch->attached_count++] = (struct attached){ .file = site->file, .probe = site->site.probe };
	return 0;
}

static int attach_target(struct watch *watch, const struct watch_target *target, const struct watch_options *options,
			 struct watch_problem *problem)
{
	struct examined_sites sites = { 0 };
	int error = examine_sites(target, &sites, problem);

	if (!error)
		error = tracer_set_layout(watch->tracer, target->row, &target->offsets);
	if (!error)
		error = add_processes(watch, target, options);
	for (size_t i = 0; i < sites.count && !error; i++)
		error = attach_site(watch, &sites.items[i], problem);
	examined_sites_release(&sites);
	return error;
}

static int attach_all(struct watch *watch, const struct watch_options *options, struct watch_problem *problem)
{
	int error = tracer_attach_processes(watch->tracer);

	for (size_t i = 0; i < watch->targets.count && !error; i++)
		if (watch->targets.items[i].usable)
			error = attach_target(watch, &watch->targets.items[i], options, problem);
	if (error && problem->fault == WATCH_FAULT_NONE) {
		problem->fault = WATCH_FAULT_RUNTIME;
		snprintf(problem->sentence, sizeof(problem->sentence), "cannot attach: %s", strerror(-error));
	}
	return error;
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
	if (!error)
		error = attach_all(watch, options, problem);
	if (error)
		return error;
	tracer_arm(watch->tracer);
	watch->armed = true;
	*out = take_pointer(watch);
	return 0;
}
