/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a public accessor of a library ("return s->field") reads from, found by following its instructions
 * without running them.
 */
#ifndef TLSWHY_ATTACH_ACCESSOR_H
#define TLSWHY_ATTACH_ACCESSOR_H

#include <stdint.h>

struct library;

/*
 * The offset, in the object that is the accessor's first argument, of the field that it returns. The walk takes the
 * branches that a non-NULL object takes whose first int is 0 (since OpenSSL 3.2 that is the type of a connection;
 * before, no accessor of a field branches on it). Anything but a few plain instructions ends it: a wrong offset is
 * worse than none.
 * Returns 0, -ENOENT when there is no such function, -ENOTSUP when it is not understood; *offset is untouched then.
 */
int accessor_offset(const struct library *library, const char *name, uint32_t *offset);

#endif
