/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second half of nginx.h: what a found nginx has mapped and what it holds in memory. Files are taken as the
 * process maps them, deleted ones included: after a library upgrade the running nginx still has the old one.
 * Must not know: how nginx is found.
 */
#include "attach/nginx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/library.h"
#include "attach/procmaps.h"
#include "base/cleanup.h"

#define MAPPINGS_MAX  65536 /* vm.max_map_count is 65530 unless raised */
#define LIBRARIES_MAX 16

bool nginx_library_kind_of(const char *path, enum nginx_library_kind *kind)
{
	static const struct {
		const char *stem;
		enum nginx_library_kind kind;
	} names[] = {
		{ .stem = "libssl", .kind = NGINX_LIBSSL },
		{ .stem = "libcrypto", .kind = NGINX_LIBCRYPTO },
	};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i].stem);

		/* libssl.so.3, libssl-1_1.so; not libssl3.so, which is NSS's. */
		if (strncmp(name, names[i].stem, n) || (name[n] != '.' && name[n] != '-'))
			continue;
		if (!strstr(name + n, ".so"))
			continue;
		*kind = names[i].kind;
		return true;
	}
	return false;
}

void nginx_libraries_release(struct nginx_libraries *libraries)
{
	for (size_t i = 0; i < libraries->count; i++)
		free(libraries->items[i].path);
	free(libraries->items);
	memset(libraries, 0, sizeof(*libraries));
}

static bool is_listed(const struct nginx_libraries *libraries, struct file_id id)
{
	for (size_t i = 0; i < libraries->count; i++) {
		if (file_id_equal(libraries->items[i].id, id))
			return true;
	}
	return false;
}

/* Adds the mapping's file if it is one that matters and is not there yet. */
static int add_library(struct nginx_libraries *libraries, pid_t pid, const struct procmap *map)
{
	struct nginx_library library = {
		.id = { .device = (uint64_t)map->dev_major << 20 | map->dev_minor, .inode = map->inode },
		.deleted = map->deleted,
	};
	struct nginx_library *moved;

	if (!map->inode || !nginx_library_kind_of(map->path, &library.kind) || is_listed(libraries, library.id))
		return 0;
	if (libraries->count == LIBRARIES_MAX)
		return -E2BIG;
	moved = reallocarray(libraries->items, libraries->count + 1, sizeof(*moved));
	if (!moved)
		return -ENOMEM;
	libraries->items = moved;
	library.path = strdup(map->path);
	if (!library.path)
		return -ENOMEM;
	snprintf(library.open_path, sizeof(library.open_path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid,
		 map->start, map->end);
	libraries->items[libraries->count++] = library;
	return 0;
}

static int read_libraries(pid_t pid, struct nginx_libraries *libraries)
{
	autofclose FILE *maps = procmaps_open(pid);
	struct procmap map;
	int error = 0;

	if (!maps)
		return -errno;
	for (int i = 0; i < MAPPINGS_MAX && !error; i++) {
		int result = procmaps_next(maps, &map);

		if (!result)
			break;
		if (result > 0)
			error = add_library(libraries, pid, &map);
	}
	return error;
}

/* A process that will stay: the master, which lives longest, unless it is a worker that was asked for. */
static pid_t representative(const struct nginx_instance *instance)
{
	return instance->only_worker ? instance->only_worker : instance->master;
}

int nginx_libraries(const struct nginx_instance *instance, struct nginx_libraries *out)
{
	struct nginx_libraries libraries = { 0 };
	int error = read_libraries(representative(instance), &libraries);

	if (error)
		nginx_libraries_release(&libraries);
	else
		*out = libraries;
	return error;
}

static uint64_t global_address(const struct nginx_instance *instance, const struct library *exe, const char *name)
{
	struct symbol symbol;

	return library_symbol(exe, name, &symbol) ? 0 : symbol.value + instance->exe.load_bias;
}

void nginx_globals_read(const struct nginx_instance *instance, struct nginx_globals *out)
{
	autolibrary struct library *exe = NULL;
	char path[PROCESS_OPEN_PATH_BYTES];
	uint64_t index;

	*out = (struct nginx_globals){ .connection_index = NGINX_NO_INDEX };
	process_exe_open_path(instance->master, path);
	if (!instance->exe.has_load_bias || library_open(path, &exe))
		return;
	index = global_address(instance, exe, "ngx_ssl_connection_index");
	if (index)
		process_read(representative(instance), index, &out->connection_index, sizeof(out->connection_index));
	out->cycle_address = global_address(instance, exe, "ngx_cycle");
	out->http_handler = global_address(instance, exe, "ngx_http_init_connection");
}

uint64_t nginx_cycle(const struct nginx_globals *globals, pid_t pid)
{
	uint64_t cycle = 0;

	if (globals->cycle_address)
		process_read(pid, globals->cycle_address, &cycle, sizeof(cycle));
	return cycle;
}
