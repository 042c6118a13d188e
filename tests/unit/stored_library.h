/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries made of stored machine code, of any version and instruction set: what is under test reads files and runs
 * nothing of them. The code is tests/unit/accessors.txt and sites.txt, taken from Debian's files by
 * tests/layouts/store and sites. Must not know: what is tested with it.
 */
#ifndef TLSWHY_TESTS_STORED_LIBRARY_H
#define TLSWHY_TESTS_STORED_LIBRARY_H

#include <stddef.h>

#include "attach/library.h"

#define STORED_FUNCTIONS      32
#define STORED_FUNCTION_BYTES 1024

struct stored_function {
	char name[48];
	unsigned char code[STORED_FUNCTION_BYTES];
	size_t bytes;
};

/* libssl and libcrypto in one, as where OpenSSL is linked in. */
struct stored_library {
	enum library_machine machine;
	char text[64]; /* "OpenSSL 3.5.7 9 Jun 2026"; "" is none */
	struct stored_function functions[STORED_FUNCTIONS];
	size_t count;
};

/* Reads the stored library whose text begins so. Aborts the test when there is none. */
void stored_library_read(struct stored_library *stored, enum library_machine machine, const char *text);
/* The same of another file than accessors.txt. */
void stored_library_read_from(const char *path, struct stored_library *stored, enum library_machine machine,
			      const char *text);
/* The function of a name, which is added when there is none. */
struct stored_function *stored_library_function(struct stored_library *stored, const char *name);
/* Replaces a function's code; bytes 0 removes the function. */
void stored_library_set(struct stored_library *stored, const char *name, const void *code, size_t bytes);
/* Makes a file of it and opens that. */
struct library *stored_library_open(const struct stored_library *stored);

#endif
