/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The libraries that tests/unit/dwarf/build made, and a directory that stands for the root of a container.
 * Must not know: what is tested with them.
 */
#ifndef TLSWHY_TESTS_DWARF_FIXTURE_H
#define TLSWHY_TESTS_DWARF_FIXTURE_H

#include <stddef.h>

#include "attach/dwarf.h"

#define FIXTURE_PATH_BYTES 4096

/* Path of a file of the fixtures: "v5.so". */
void fixture_path(const char *name, char out[FIXTURE_PATH_BYTES]);
/* Opens one for reading; aborts the test on failure. */
int fixture_open(const char *name);
/* What a fixture says its layout is: the fields, then the states. */
void fixture_expected(const char *name, uint16_t out[LAYOUT_FIELD_COUNT + DWARF_STATE_COUNT]);
/* Aborts the test unless a layout is what the fixture says. */
void fixture_compare(const char *name, const struct dwarf_layout *layout);
/* Where a fixture's debug file is looked for by build-id: "/usr/lib/debug/.build-id/xx/y.debug". */
void fixture_id_path(const char *name, char out[FIXTURE_PATH_BYTES]);

/* A root directory that goes with the test's process group: removed by sandbox_remove(). */
struct sandbox {
	char directory[64];
	int root; /* O_PATH */
};

void sandbox_make(struct sandbox *sandbox);
void sandbox_remove(struct sandbox *sandbox);
/* The path on the host of a path in the root, whose directories are made. */
void sandbox_path(const struct sandbox *sandbox, const char *path, char out[FIXTURE_PATH_BYTES]);
/* Copies a fixture to a path in the root. */
void sandbox_put(const struct sandbox *sandbox, const char *fixture, const char *path);

#endif
