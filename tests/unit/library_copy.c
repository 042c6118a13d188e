/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds this host's TLS library by loading it, and copies it into memory files. */
#define _GNU_SOURCE /* memfd_create() */
#include "library_copy.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "attach/procmaps.h"

void library_find(const char *name, char path[4096])
{
	void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
	FILE *maps = procmaps_open(getpid());
	struct procmap map;

	if (!handle) {
		fprintf(stderr, "no '%s' on this host\n", name);
		exit(SKIPPED);
	}
	ck_assert_ptr_nonnull(maps);
	while (procmaps_next(maps, &map) == 1) {
		const char *slash = strrchr(map.path, '/');

		if (!slash || strncmp(slash + 1, name, strlen(name)))
			continue;
		snprintf(path, 4096, "%s", map.path);
		fclose(maps);
		return;
	}
	ck_abort_msg("'%s' is loaded and not mapped", name);
}

void library_copy_make(struct library_copy *copy, const char *name)
{
	char path[4096];
	struct stat st;
	size_t done = 0;
	int fd;

	library_find(name, path);
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	copy->size = (size_t)st.st_size;
	copy->fd = memfd_create(name, MFD_CLOEXEC);
	ck_assert_int_ge(copy->fd, 0);
	ck_assert_int_eq(ftruncate(copy->fd, st.st_size), 0);
	copy->bytes = mmap(NULL, copy->size, PROT_READ | PROT_WRITE, MAP_SHARED, copy->fd, 0);
	ck_assert(copy->bytes != MAP_FAILED);
	while (done < copy->size) {
		ssize_t n = read(fd, copy->bytes + done, copy->size - done);

		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
	close(fd);
}

void library_copy_release(struct library_copy *copy)
{
	munmap(copy->bytes, copy->size);
	close(copy->fd);
}

struct library *library_copy_open(const struct library_copy *copy)
{
	struct library *library = NULL;

	ck_assert_int_eq(library_open_fd(copy->fd, &library), 0);
	return library;
}

void library_copy_patch(struct library_copy *copy, const char *function, const void *code, size_t bytes)
{
	struct library *library = library_copy_open(copy);
	struct symbol symbol;

	ck_assert_int_eq(library_symbol(library, function, &symbol), 0);
	ck_assert(symbol.file_offset < copy->size && bytes <= copy->size - symbol.file_offset);
	memcpy(copy->bytes + symbol.file_offset, code, bytes);
	library_close(library);
}
