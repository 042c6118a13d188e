/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixtures are below the directory of the test program, where the Makefile puts them. */
#define _GNU_SOURCE /* O_PATH, FTW_DEPTH */
#include "dwarf_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "attach/library.h"

void fixture_path(const char *name, char out[FIXTURE_PATH_BYTES])
{
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(out, FIXTURE_PATH_BYTES, "%s/dwarf/%s", self, name);
}

int fixture_open(const char *name)
{
	char path[FIXTURE_PATH_BYTES];
	int fd;

	fixture_path(name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "'%s'", path);
	return fd;
}

static struct library *open_library(const char *name)
{
	struct library *library = NULL;
	int fd = fixture_open(name);

	ck_assert_int_eq(library_open_fd(fd, &library), 0);
	close(fd);
	return library;
}

void fixture_expected(const char *name, uint16_t out[LAYOUT_FIELD_COUNT + DWARF_STATE_COUNT])
{
	autolibrary struct library *library = open_library(name);
	size_t bytes = (LAYOUT_FIELD_COUNT + DWARF_STATE_COUNT) * sizeof(*out);
	struct symbol symbol;

	ck_assert_int_eq(library_symbol(library, "dwarf_expected", &symbol), 0);
	ck_assert_uint_eq(symbol.size, bytes);
	ck_assert_int_eq(library_read(library, symbol.value, out, bytes), 0);
}

void fixture_compare(const char *name, const struct dwarf_layout *layout)
{
	uint16_t expected[LAYOUT_FIELD_COUNT + DWARF_STATE_COUNT];

	fixture_expected(name, expected);
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		ck_assert_msg(layout->values[i] == expected[i], "%s: %s is at %u, not at %u", name,
			      layout_field_name((enum layout_field)i), expected[i], layout->values[i]);
	for (int i = 0; i < DWARF_STATE_COUNT; i++)
		ck_assert_uint_eq(layout->states[i], expected[LAYOUT_FIELD_COUNT + i]);
}

void fixture_id_path(const char *name, char out[FIXTURE_PATH_BYTES])
{
	autolibrary struct library *library = open_library(name);
	char hex[LIBRARY_BUILD_ID_HEX];

	ck_assert_int_eq(library_build_id(library, hex), 0);
	snprintf(out, FIXTURE_PATH_BYTES, "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
}

void sandbox_make(struct sandbox *sandbox)
{
	snprintf(sandbox->directory, sizeof(sandbox->directory), "/tmp/tlswhy-dwarf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(sandbox->directory));
	sandbox->root = open(sandbox->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(sandbox->root, 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

void sandbox_remove(struct sandbox *sandbox)
{
	close(sandbox->root);
	nftw(sandbox->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void sandbox_path(const struct sandbox *sandbox, const char *path, char out[FIXTURE_PATH_BYTES])
{
	size_t start = strlen(sandbox->directory) + 1;

	ck_assert_int_lt(snprintf(out, FIXTURE_PATH_BYTES, "%s/%s", sandbox->directory, path), FIXTURE_PATH_BYTES);
	for (char *slash = strchr(out + start, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(out, 0700);
		*slash = '/';
	}
}

void sandbox_put(const struct sandbox *sandbox, const char *fixture, const char *path)
{
	char target[FIXTURE_PATH_BYTES], buffer[4096];
	int from = fixture_open(fixture), to;
	ssize_t n;

	sandbox_path(sandbox, path, target);
	to = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_msg(to >= 0, "'%s'", target);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		ck_assert_int_eq(write(to, buffer, (size_t)n), n);
	ck_assert_int_eq(n, 0);
	close(from);
	close(to);
}
