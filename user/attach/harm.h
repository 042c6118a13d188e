/* SPDX-License-Identifier: BSD-2-Clause */
/* First, do no harm: would a return probe kill these processes? Found out on a child of our own, never on them. */
#ifndef TLSWHY_ATTACH_HARM_H
#define TLSWHY_ATTACH_HARM_H

#include "attach/selftest.h"
#include "attach/watch.h"

/* What a return probe does to a process. */
enum harm {
	HARM_NONE,   /* the child lived */
	HARM_KILLS,  /* the child died */
	HARM_UNSURE, /* the test could not be made */
};

/*
 * Places a return probe, in the way that this kernel's probes are placed, on a child with these traits (bits of enum
 * process_trait), lets it run and looks. The answer is kept for the process's life.
 */
enum harm harm_of_return_probe(unsigned int traits);

/* What follows for an instance with these traits. Returns 0, or -EPERM with *problem filled in. */
int harm_judge(pid_t master, unsigned int traits, enum harm harm, struct watch_problem *problem);

/*
 * Whether the instance may be probed. Returns 0, or -EPERM with *problem filled in. Asks for the test only if one of
 * its processes has a seccomp filter or a shadow stack.
 */
int harm_examine(const struct nginx_instance *instance, struct watch_problem *problem);

#endif
