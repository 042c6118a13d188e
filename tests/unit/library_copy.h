/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TLS library of this host as test material, and copies of it in memory that a test may damage.
 * Must not know: what is tested with it.
 */
#ifndef TLSWHY_TESTS_LIBRARY_COPY_H
#define TLSWHY_TESTS_LIBRARY_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "attach/library.h"

#define SKIPPED 77 /* exit code of a test that this host cannot run */

/* A file's copy, writable. */
struct library_copy {
	int fd;               /* a memfd */
	unsigned char *bytes; /* mapped, shared with fd */
	size_t size;
};

/* Path of libssl.so.3 or libcrypto.so.3 as the loader finds it; exits with SKIPPED when there is none. */
void library_find(const char *name, char path[4096]);
/* Aborts the test on failure. */
void library_copy_make(struct library_copy *copy, const char *name);
void library_copy_release(struct library_copy *copy);
/* Opens the copy as it is now. */
struct library *library_copy_open(const struct library_copy *copy);
/* Overwrites the code of a function. */
void library_copy_patch(struct library_copy *copy, const char *function, const void *code, size_t bytes);

#endif
