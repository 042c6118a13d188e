/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug files: what a package's debug symbols are when they are installed, found by the build-id of what they belong
 * to, in the process's own root first and then on this host.
 */
#ifndef TLSWHY_ATTACH_DEBUG_FILE_H
#define TLSWHY_ATTACH_DEBUG_FILE_H

#include <sys/types.h>

#include "attach/library.h"

#define DEBUG_FILE_PATH_BYTES (sizeof("/usr/lib/debug/.build-id/xx/.debug") + LIBRARY_BUILD_ID_HEX)

/* Where the debug file of a library would be. Returns 0, or -ENOENT when the library has no build-id. */
int debug_file_path(const struct library *library, char out[DEBUG_FILE_PATH_BYTES]);

/*
 * Adds its debug file to a library that the process runs. Returns 0; -ENOENT when there is none; -ESTALE when what
 * lies there is that of another build; another negative errno when it cannot be read.
 */
int debug_file_add(struct library *library, pid_t pid);

#endif
