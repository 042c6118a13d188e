/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a public accessor of a library ("return s->field") reads from, found by following its instructions
 * without running them.
 */
#ifndef TLSWHY_ATTACH_ACCESSOR_H
#define TLSWHY_ATTACH_ACCESSOR_H

#include <stdbool.h>
#include <stdint.h>

struct library;

#define ACCESSOR_DIRECT UINT32_MAX

/* What the object's pointers are when a branch asks: an accessor that does not ask needs nothing. */
enum accessor_pointers { ACCESSOR_POINTERS_UNKNOWN, ACCESSOR_POINTERS_NULL, ACCESSOR_POINTERS_SET };

/*
 * The walk takes the branches of a non-NULL object whose first int is 0 (since OpenSSL 3.2 that is the type of a
 * connection; before, no accessor of a field branches on it), whose pointers and ints are as said here. The second
 * argument is 0.
 */
struct accessor_query {
	const char *function;
	enum accessor_pointers pointers;
	bool passed_on; /* asked for is where in the object the address points that a last call hands on */
	unsigned int known_count;
	struct {
		uint32_t offset;
		int32_t value;
	} known[2]; /* ints */
};

/* Where the returned value is. */
struct accessor_place {
	uint32_t offset;
	uint32_t through; /* the offset of the pointer to the object that it is in; ACCESSOR_DIRECT: in the object */
};

/*
 * Anything but a few plain instructions ends the walk: a wrong offset is worse than none. Returns 0, -ENOENT when
 * there is no such function, -ENOTSUP when it is not understood; *place is untouched then.
 */
int accessor_find(const struct library *library, const struct accessor_query *query, struct accessor_place *place);

/* The offset, in the object that is the accessor's first argument, of the field that it returns. Errors as above. */
int accessor_offset(const struct library *library, const char *name, uint32_t *offset);

#endif
