/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One target's part of the kernel side: its layout, its processes, its binary, its probes.
 *
 * Invariants: a file is probed once a probe, whichever targets map it, and as long as one does; who a target is is
 * told before its probes are placed. Must not know: how targets are found.
 */
#define _GNU_SOURCE /* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "attach/examine.h"
#include "attach/watch_private.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "host/worker.h"

static struct binary_key key_of(struct file_id id)
{
	return (struct binary_key){ .inode = id.inode, .device = id.device };
}

static bool runs(const struct watch_target *target, struct file_id id)
{
	const struct process_exe *exe = &target->instance.exe;

	return target->attached && (file_id_equal(exe->by_stat, id) || file_id_equal(exe->by_maps, id));
}

/*
 * A process that runs a target's binary is taken in, so that an nginx that is started later is covered too: another
 * master, loaded at another address. Where targets of one binary have different libraries nobody knows which the next
 * one has: it waits until it is found.
 */
static int refresh_binary(struct watch *watch, struct file_id id)
{
	const struct binary_key key = key_of(id);
	const struct watch_target *holder = NULL;
	struct target entry;

	if (!watch->follows || !id.inode)
		return 0;
	for (size_t i = 0; i < watch->targets.count; i++) {
		const struct watch_target *target = &watch->targets.items[i];

		if (!runs(target, id))
			continue;
		if (holder && holder->row != target->row) {
			tracer_remove_binary(watch->tracer, &key);
			return 0;
		}
		holder = target;
	}
	if (!holder) {
		tracer_remove_binary(watch->tracer, &key);
		return 0;
	}
	entry = (struct target){ .row = holder->row,
				 .generation = 1,
				 .connection_index = holder->globals.connection_index };
	return tracer_add_binary(watch->tracer, &key, &entry);
}

static int refresh_binaries(struct watch *watch, const struct watch_target *target)
{
	int error = refresh_binary(watch, target->instance.exe.by_stat);

	return error ? error : refresh_binary(watch, target->instance.exe.by_maps);
}

/* One that ended meanwhile left no exit behind it that could take its entry away again. */
static int add_process(struct watch *watch, pid_t pid, uint64_t start_ticks, const struct target *entry)
{
	int error = tracer_add_target(watch->tracer, (uint32_t)pid, entry);
	struct worker_stat stat;

	if (!error && (worker_stat_read(pid, &stat) || stat.start_ticks != start_ticks))
		tracer_remove_target(watch->tracer, (uint32_t)pid);
	return error;
}

static bool is_meant(const struct nginx_instance *instance, size_t i)
{
	return !instance->only_worker || instance->only_worker == instance->workers[i].pid;
}

static int add_workers(struct watch *watch, const struct watch_target *target, struct target *entry)
{
	const struct nginx_instance *instance = &target->instance;
	int error = 0;

	for (size_t i = 0; i < instance->worker_count && !error; i++) {
		const struct nginx_worker *worker = &instance->workers[i];
		struct target own = *entry;

		if (!is_meant(instance, i))
			continue;
		own.generation = target->worker_generations[i];
		/* Only the newest cycle matters: a new worker has that one or a newer one. */
		if (own.generation == entry->generation)
			entry->cycle = nginx_cycle(&target->globals, worker->pid);
		error = add_process(watch, worker->pid, worker->start_ticks, &own);
	}
	return error;
}

/* Workers and master, or the one worker. A process that is its own master is told as one. */
static int add_processes(struct watch *watch, const struct watch_target *target)
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
	int error = add_workers(watch, target, &entry);
	struct cycle_key key = { .master = entry.master, .cycle = entry.cycle };

	if (!error && !instance->only_worker) {
		if (key.cycle)
			error = tracer_add_cycle(watch->tracer, &key, entry.generation);
		if (!error)
			error = add_process(watch, instance->master, instance->start_ticks, &entry);
	}
	return error;
}

static void remove_processes(struct watch *watch, const struct watch_target *target)
{
	const struct nginx_instance *instance = &target->instance;

	tracer_remove_target(watch->tracer, (uint32_t)instance->master);
	for (size_t i = 0; i < instance->worker_count; i++)
		tracer_remove_target(watch->tracer, (uint32_t)instance->workers[i].pid);
}

static bool is_on_overlay(int fd)
{
	struct statfs status;

	return !fstatfs(fd, &status) && status.f_type == OVERLAYFS_SUPER_MAGIC;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * Whether a probe in one file is a probe in the other. Containers of one image have its files on overlay file systems
 * of their own: each gives the file another device, and a probe is placed in the one file below (kernel:
 * d_real_inode()). Two probes would count everything twice. The number is that file's where the layers are on one
 * file system; its time of change tells it from a copy that a container made of it. Both are asked now: that time can
 * change.
 */
static bool same_file(const struct watched_file *known, struct file_id id, int fd)
{
	struct stat a, b;

	if (file_id_equal(known->file, id))
		return true;
	if (!is_on_overlay(known->fd) && !is_on_overlay(fd))
		return false;
	return !fstat(known->fd, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino && a.st_size == b.st_size &&
	       same_time(a.st_ctim, b.st_ctim) && same_time(a.st_mtim, b.st_mtim);
}

/* The file's entry, a new one where there is none. Returns 0 or a negative errno. */
static int watched_file(struct watch *watch, const struct examined_site *site, struct watched_file **out)
{
	autoclose int fd = open(site->path, O_PATH | O_CLOEXEC);
	struct watched_file *files;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < watch->file_count; i++) {
		if (same_file(&watch->files[i], site->file, fd)) {
			*out = &watch->files[i];
			return 0;
		}
	}
	files = reallocarray(watch->files, watch->file_count + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	watch->files = files;
	*out = &files[watch->file_count++];
	**out = (struct watched_file){ .file = site->file, .fd = fd, .group = ++watch->last_group };
	fd = -1;
	return 0;
}

static bool has_group(const struct watch_target *target, uint32_t group)
{
	for (size_t i = 0; i < target->group_count; i++)
		if (target->groups[i] == group)
			return true;
	return false;
}

static void drop_unused_files(struct watch *watch)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->file_count; i++) {
		struct watched_file *file = &watch->files[i];
		bool used = false;

		for (size_t j = 0; j < watch->targets.count && !used; j++)
			used = has_group(&watch->targets.items[j], file->group);
		if (used) {
			watch->files[kept++] = *file;
			continue;
		}
		tracer_detach_group(watch->tracer, file->group);
		close(file->fd);
	}
	watch->file_count = kept;
}

void attachment_release_files(struct watch *watch)
{
	for (size_t i = 0; i < watch->file_count; i++)
		close(watch->files[i].fd);
	free(watch->files);
	watch->files = NULL;
	watch->file_count = 0;
}

static int cannot_place(const struct examined_site *site, int error, struct watch_problem *problem)
{
	*problem = (struct watch_problem){ .fault = WATCH_FAULT_REQUIREMENT };
	snprintf(problem->sentence, sizeof(problem->sentence), "cannot attach to '%s' in '%s': %s",
		 probe_spec(site->site.probe)->function, site->display_path, strerror(-error));
	snprintf(problem->hint, sizeof(problem->hint),
		 "does this kernel allow uprobes (CONFIG_UPROBE_EVENTS), and may this process use them");
	return error;
}

static int place(struct watch *watch, struct watch_target *target, const struct examined_site *site,
		 struct watch_problem *problem)
{
	struct probe_site probe = site->site;
	struct watched_file *file = NULL;
	int error = watched_file(watch, site, &file);

	if (error)
		return cannot_place(site, error, problem);
	if (!has_group(target, file->group))
		target->groups[target->group_count++] = file->group;
	if (file->placed[probe.probe])
		return 0;
	probe.group = file->group;
	error = tracer_attach(watch->tracer, &probe);
	if (error && probe_spec(probe.probe)->required)
		return cannot_place(site, error, problem);
	if (error)
		log_debug("no probe on '%s': %s", probe_spec(probe.probe)->function, strerror(-error));
	file->placed[probe.probe] = !error;
	return 0;
}

/* Those that its examination has found; of one that is placed anew they are looked for anew. */
static int take_sites(struct watch_target *target, struct examined_sites *sites, struct watch_problem *problem)
{
	if (!target->sites)
		return examine_sites(target, sites, problem);
	*sites = (struct examined_sites){ .items = take_pointer(target->sites), .count = target->site_count };
	return 0;
}

int attachment_make(struct watch *watch, struct watch_target *target, struct watch_problem *problem)
{
	struct examined_sites sites = { 0 };
	bool before = target->attached;
	int error = take_sites(target, &sites, problem);

	if (!error)
		error = tracer_set_layout(watch->tracer, target->row, &target->offsets);
	if (!error)
		error = add_processes(watch, target);
	if (!error) {
		target->attached = true;
		error = refresh_binaries(watch, target);
	}
	for (size_t i = 0; i < sites.count && !error; i++)
		error = place(watch, target, &sites.items[i], problem);
	examined_sites_release(&sites);
	if (!error)
		drop_unused_files(watch);
	if (!error && !before)
		refine_begin(watch, target);
	if (error && !before)
		attachment_drop(watch, target);
	if (error && problem->fault == WATCH_FAULT_NONE) {
		problem->fault = WATCH_FAULT_RUNTIME;
		snprintf(problem->sentence, sizeof(problem->sentence), "cannot attach: %s", strerror(-error));
	}
	return error;
}

void attachment_drop(struct watch *watch, struct watch_target *target)
{
	remove_processes(watch, target);
	target->attached = false;
	target->has_row = false;
	target->group_count = 0;
	refresh_binaries(watch, target);
	drop_unused_files(watch);
}
