/* SPDX-License-Identifier: BSD-2-Clause */
/* First, do no harm: would a return probe kill these processes? Found out on a child of our own, never on them. */
#ifndef TLSWHY_ATTACH_HARM_H
#define TLSWHY_ATTACH_HARM_H

#include "attach/watch.h"

/* What a return probe does to a process. */
enum harm {
	HARM_NONE,   /* the child lived */
	HARM_KILLS,  /* the child died */
	HARM_UNSURE, /* the test could not be made */
};

/*
 * Places a return probe on a child below a seccomp filter that knows few system calls, lets it run and looks. The
 * answer is kept for the process's life. Loads and unloads the kernel side once (about 25 ms).
 */
enum harm harm_of_return_probe(void);

/*
 * Whether the instance may be probed. Returns 0, or -EPERM with *problem filled in. Asks for the test only if one of
 * its processes has a seccomp filter.
 */
int harm_examine(const struct nginx_instance *instance, struct watch_problem *problem);

#endif
