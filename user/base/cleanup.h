/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ownership that can be checked in one function.
 *
 * A local that owns something carries one of these attributes and is initialised where it is declared: NULL for
 * a pointer, -1 for a descriptor. What leaves the function leaves through take_pointer() or take_fd(), which empty
 * the local, so that the attribute then finds nothing to do.
 * errno survives the clean-up: a function may end in `return -errno;`.
 * Must not know: any type of this project; a module's own type gets its attribute beside its S_free().
 */
#ifndef TLSWHY_BASE_CLEANUP_H
#define TLSWHY_BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The argument is the address of a pointer of any type; memcpy, for void ** may not alias them all. */
static inline void cleanup_free(void *owner)
{
	void *owned;
	int saved = errno;

	memcpy(&owned, owner, sizeof(owned));
	free(owned);
	errno = saved;
}

static inline void cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/* For streams that are read, or whose errors were looked at before: the result of fclose() is lost here. */
static inline void cleanup_fclose(FILE **stream)
{
	int saved = errno;

	if (*stream)
		fclose(*stream);
	errno = saved;
}

#define autofree   __attribute__((cleanup(cleanup_free)))
#define autoclose  __attribute__((cleanup(cleanup_close)))
#define autofclose __attribute__((cleanup(cleanup_fclose)))

/* Empties a pointer variable and gives what it held: return take_pointer(buffer); */
#define take_pointer(pointer)                            \
	({                                               \
		__typeof__(pointer) *from_ = &(pointer); \
		__typeof__(pointer) taken_ = *from_;     \
		*from_ = NULL;                           \
		taken_;                                  \
	})

/* Empties a descriptor variable and gives what it held. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
