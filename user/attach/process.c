/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Readers of /proc/PID. Everything in it can vanish between two calls, and what it names belongs to the process's
 * own mount namespace: files are opened through /proc's magic links alone, paths are only shown.
 * Must not know: nginx, OpenSSL.
 */
#include "attach/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "attach/procmaps.h"

#define MAPPINGS_MAX 65536 /* vm.max_map_count is 65530 unless raised */

static const char deleted_suffix[] = " (deleted)";

static void proc_path(pid_t pid, const char *name, char out[PROCESS_OPEN_PATH_BYTES])
{
	snprintf(out, PROCESS_OPEN_PATH_BYTES, "/proc/%d/%s", (int)pid, name);
}

/* A file of /proc/PID that is not there means that the process is not. */
static int proc_errno(int number)
{
	return number == ENOENT ? -ESRCH : -number;
}

ssize_t process_command_line(pid_t pid, char *out, size_t bytes)
{
	char path[PROCESS_OPEN_PATH_BYTES];
	autoclose int fd = -1;
	ssize_t n;

	proc_path(pid, "cmdline", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return proc_errno(errno);
	n = read(fd, out, bytes);
	return n < 0 ? -errno : n;
}

int process_name(pid_t pid, char out[PROCESS_NAME_BYTES])
{
	char path[PROCESS_OPEN_PATH_BYTES];
	autoclose int fd = -1;
	ssize_t n;

	proc_path(pid, "comm", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return proc_errno(errno);
	n = read(fd, out, PROCESS_NAME_BYTES);
	if (n <= 0)
		return n ? -errno : -ESRCH;
	out[n - 1] = '\0'; /* the kernel ends it with a newline */
	return 0;
}

int process_exe_id(pid_t pid, struct file_id *out)
{
	char path[PROCESS_OPEN_PATH_BYTES];
	struct stat st;

	process_exe_open_path(pid, path);
	if (stat(path, &st))
		return -errno;
	out->device = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	out->inode = st.st_ino;
	return 0;
}

int process_access(pid_t pid)
{
	char path[PROCESS_OPEN_PATH_BYTES];
	struct file_id id;
	int error;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (pid <= 0 || access(path, F_OK))
		return -ESRCH;
	error = process_exe_id(pid, &id);
	return error == -EACCES || error == -EPERM ? -EACCES : 0;
}

void process_exe_open_path(pid_t pid, char out[PROCESS_OPEN_PATH_BYTES])
{
	proc_path(pid, "exe", out);
}

void process_exe_release(struct process_exe *exe)
{
	if (!exe)
		return;
	free(exe->path);
	memset(exe, 0, sizeof(*exe));
}

static int read_exe_path(pid_t pid, char **out)
{
	char link[PROCESS_OPEN_PATH_BYTES], path[PATH_MAX + 1];
	ssize_t n;
	char *copy;

	process_exe_open_path(pid, link);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return proc_errno(errno);
	path[n] = '\0';
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	*out = copy;
	return 0;
}

/* Whether a mapping is of the file that the link names; the link has its suffix where the mapping has a flag. */
static bool is_path_of(const struct procmap *map, const char *link)
{
	size_t bytes = strlen(map->path);

	if (!map->inode || map->path_cut || strncmp(link, map->path, bytes))
		return false;
	return !strcmp(link + bytes, map->deleted ? deleted_suffix : "");
}

/* The lowest mapping of the executable. Returns 0, -ENOENT or a negative errno. */
static int find_exe_mapping(pid_t pid, const char *link, struct procmap *out)
{
	autofclose FILE *maps = procmaps_open(pid);

	if (!maps)
		return -errno;
	for (int i = 0; i < MAPPINGS_MAX; i++) {
		int result = procmaps_next(maps, out);

		if (!result)
			break;
		if (result > 0 && is_path_of(out, link))
			return 0;
	}
	return -ENOENT;
}

/* Completes what needs the file's own headers; stays incomplete where they cannot be read. */
static void locate_exe(pid_t pid, struct process_exe *exe)
{
	autolibrary struct library *file = NULL;
	char path[PROCESS_OPEN_PATH_BYTES];
	struct procmap map;

	if (find_exe_mapping(pid, exe->path, &map))
		return;
	exe->by_maps.device = (uint64_t)map.dev_major << 20 | map.dev_minor;
	exe->by_maps.inode = map.inode;
	process_exe_open_path(pid, path);
	if (!library_open(path, &file) && !library_load_bias(file, map.start, map.offset, &exe->load_bias))
		exe->has_load_bias = true;
}

int process_exe_read(pid_t pid, struct process_exe *out)
{
	struct process_exe exe = { 0 };
	int error = read_exe_path(pid, &exe.path);

	if (error)
		return error;
	error = process_exe_id(pid, &exe.by_stat);
	if (error) {
		process_exe_release(&exe);
		return error == -ENOENT ? -ESRCH : error;
	}
	locate_exe(pid, &exe);
	*out = exe;
	return 0;
}

int process_read(pid_t pid, uint64_t address, void *value, size_t bytes)
{
	char path[PROCESS_OPEN_PATH_BYTES], read_value[PROCESS_READ_BYTES];
	autoclose int fd = -1;
	ssize_t n;

	if (bytes > sizeof(read_value))
		return -EINVAL;
	proc_path(pid, "mem", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return proc_errno(errno);
	if (address > INT64_MAX)
		return -EIO;
	n = pread(fd, read_value, bytes, (off_t)address);
	if (n != (ssize_t)bytes)
		return n < 0 ? -errno : -EIO; /* 0: the process has ended */
	memcpy(value, read_value, bytes);
	return 0;
}
