/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding debug files: see debug_file.h.
 *
 * Invariant: a path of the process is resolved inside its root, so that no symbolic link of a container leads to a
 * file of this host. Must not know: what is in them.
 */
#define _GNU_SOURCE /* O_PATH */
#include "attach/debug_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "attach/process.h"
#include "base/cleanup.h"

/* O_NONBLOCK: a FIFO in its place must not hang us before it is refused. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

int debug_file_path(const struct library *library, char out[DEBUG_FILE_PATH_BYTES])
{
	char id[LIBRARY_BUILD_ID_HEX];

	/* The first byte is the directory. */
	if (library_build_id(library, id) || strlen(id) < 4)
		return -ENOENT;
	snprintf(out, DEBUG_FILE_PATH_BYTES, "/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2);
	return 0;
}

static int open_in_root_of(pid_t pid, const char *path)
{
	struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char root[PROCESS_OPEN_PATH_BYTES];
	autoclose int directory = -1;
	int fd;

	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

static int open_here(const char *path)
{
	int fd = open(path, OPEN_FLAGS);

	return fd < 0 ? -errno : fd;
}

int debug_file_add(struct library *library, pid_t pid)
{
	char path[DEBUG_FILE_PATH_BYTES];
	int error = debug_file_path(library, path), first = -ENOENT;

	for (int i = 0; i < 2 && !error; i++) {
		autoclose int fd = i == 0 ? open_in_root_of(pid, path) : open_here(path);
		int result = fd < 0 ? fd : library_add_debug_file(library, fd);

		if (!result)
			return 0;
		/* Of two that fail the one that was there is worth telling. */
		if (first == -ENOENT)
			first = result;
	}
	return error ? error : first;
}
