/* SPDX-License-Identifier: BSD-2-Clause */
/* Who else maps a watched library: see foreign.h. Files are compared as /proc/PID/maps names them on both sides. */
#include "attach/foreign.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach/nginx.h"
#include "attach/procmaps.h"
#include "base/cleanup.h"
#include "host/worker.h"

#define MAPPINGS_MAX  65536 /* vm.max_map_count is 65530 unless raised */
#define PROCESSES_MAX 65536

struct files {
	struct file_id *items; /* owned */
	size_t count;
};

static void files_release(struct files *files)
{
	free(files->items);
}

static bool files_have(const struct files *files, struct file_id id)
{
	for (size_t i = 0; i < files->count; i++)
		if (file_id_equal(files->items[i], id))
			return true;
	return false;
}

static int files_add(struct files *files, const struct nginx_libraries *libraries)
{
	struct file_id *items;

	if (!libraries->count)
		return 0;
	items = reallocarray(files->items, files->count + libraries->count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	files->items = items;
	for (size_t i = 0; i < libraries->count; i++)
		if (!files_have(files, libraries->items[i].id))
			items[files->count++] = libraries->items[i].id;
	return 0;
}

/* A target that has ended meanwhile is probed no more. */
static int collect_files(const struct watch_targets *targets, struct files *files)
{
	int error = 0;

	for (size_t i = 0; i < targets->count && !error; i++) {
		__attribute__((cleanup(nginx_libraries_release))) struct nginx_libraries libraries = { 0 };

		if (targets->items[i].usable && !nginx_libraries(&targets->items[i].instance, &libraries))
			error = files_add(files, &libraries);
	}
	return error;
}

static bool maps_any(pid_t pid, const struct files *files)
{
	autofclose FILE *maps = procmaps_open(pid);
	struct procmap map;

	for (int i = 0; maps && i < MAPPINGS_MAX; i++) {
		int result = procmaps_next(maps, &map);
		struct file_id id;

		if (!result)
			break;
		if (result < 0 || !map.inode)
			continue;
		id = (struct file_id){ .device = (uint64_t)map.dev_major << 20 | map.dev_minor, .inode = map.inode };
		if (files_have(files, id))
			return true;
	}
	return false;
}

/* The master and what it has forked: all of them inherit its entry on the kernel side, unless one was chosen. */
static bool belongs_to(const struct nginx_instance *instance, pid_t pid, pid_t parent)
{
	if (instance->only_worker)
		return pid == instance->only_worker;
	return pid == instance->master || parent == instance->master;
}

static bool is_watched(const struct watch_targets *targets, pid_t pid, pid_t parent)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->items[i].usable && belongs_to(&targets->items[i].instance, pid, parent))
			return true;
	return false;
}

static void look_at(pid_t pid, const struct watch_targets *targets, const struct files *files,
		    struct foreign_processes *found)
{
	struct foreign_process process = { .pid = pid };
	struct worker_stat stat;

	if (pid == getpid() || !maps_any(pid, files) || worker_stat_read(pid, &stat) ||
	    process_name(pid, process.name) || is_watched(targets, pid, stat.parent))
		return;
	if (found->count < FOREIGN_NAMED)
		found->named[found->count] = process;
	found->count++;
}

static int look_at_all(const struct watch_targets *targets, const struct files *files,
		       struct foreign_processes *found)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t looked = 0;

	if (!proc)
		return -errno;
	while (!found->cut && (entry = readdir(proc))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (*end || pid <= 0 || pid > INT32_MAX)
			continue;
		look_at((pid_t)pid, targets, files, found);
		found->cut = ++looked == PROCESSES_MAX;
	}
	closedir(proc);
	return 0;
}

int foreign_find(const struct watch_targets *targets, struct foreign_processes *out)
{
	__attribute__((cleanup(files_release))) struct files files = { 0 };
	struct foreign_processes found = { 0 };
	int error = collect_files(targets, &files);

	if (!error && files.count)
		error = look_at_all(targets, &files, &found);
	if (!error)
		*out = found;
	return error;
}
