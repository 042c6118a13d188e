/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function that the compiler has split: the part that decides stays, the rest is a function without a name, which
 * callers in the same file enter directly (gcc: -fpartial-inlining, NAME.part.0). A probe must be in both.
 */
#ifndef TLSWHY_ATTACH_TAILS_H
#define TLSWHY_ATTACH_TAILS_H

#include <stddef.h>

#include "attach/library.h"

#define TAILS_MAX 2

/* Where a split function goes on; `= { 0 }` is nowhere. */
struct tails {
	struct symbol items[TAILS_MAX]; /* value and file_offset are meant */
	size_t count;
};

/*
 * Follows the jumps that leave the function, except to `known`, a function that is not a part of it (NULL: none). A
 * function that is not small is whole. Returns 0 and fills *out in, -ENOTSUP when it goes on in more places than
 * TAILS_MAX or cannot be decoded, or a negative errno; *out is untouched then.
 */
int tails_find(const struct library *library, const struct symbol *function, const struct symbol *known,
	       struct tails *out);

#endif
