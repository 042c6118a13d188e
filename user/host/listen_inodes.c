/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets that a process has open, by /proc/PID/fd. Contract: listen_space.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/listen_space.h"

/* The kernel lists them from the lowest number on: what listens is opened before what it accepts. */
#define DESCRIPTORS_MAX 16384
#define SOCKET          "socket:["

static void close_directory(DIR **directory)
{
	int saved = errno;

	if (*directory)
		closedir(*directory);
	errno = saved;
}

/* 0: it is no socket. */
static uint32_t inode_of(int directory, const char *name)
{
	char target[64], *end;
	ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);
	unsigned long inode;

	if (n < (ssize_t)strlen(SOCKET) || memcmp(target, SOCKET, strlen(SOCKET)) != 0)
		return 0;
	target[n] = '\0';
	inode = strtoul(target + strlen(SOCKET), &end, 10);
	return *end == ']' && inode <= UINT32_MAX ? (uint32_t)inode : 0;
}

static int rising(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

ssize_t listen_inodes_of(pid_t pid, uint32_t **out)
{
	__attribute__((cleanup(close_directory))) DIR *directory = NULL;
	autofree uint32_t *inodes = NULL;
	size_t count = 0, seen = 0, room = 0;
	const struct dirent *entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	if (!directory)
		return errno == ENOENT ? -ESRCH : -errno;
	while (seen++ < DESCRIPTORS_MAX && (entry = readdir(directory))) {
		uint32_t inode = inode_of(dirfd(directory), entry->d_name);

		if (!inode)
			continue;
		if (count == room) {
			uint32_t *more = reallocarray(inodes, room = room * 2 + 64, sizeof(*more));

			if (!more)
				return -ENOMEM;
			inodes = more;
		}
		inodes[count++] = inode;
	}
	if (count)
		qsort(inodes, count, sizeof(*inodes), rising);
	*out = take_pointer(inodes);
	return (ssize_t)count;
}
