/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the files of one instance: which functions are where, which layout holds, what speaks against probing it. */
#ifndef TLSWHY_ATTACH_EXAMINE_H
#define TLSWHY_ATTACH_EXAMINE_H

#include "attach/library.h"
#include "attach/site.h"
#include "attach/watch.h"

/* A place for a probe, and the file it is in. */
struct examined_site {
	struct probe_site site; /* its path is path */
	struct symbol function;
	struct site where; /* in the function; set by examine_sites() */
	struct file_id file;
	char path[PROCESS_OPEN_PATH_BYTES];
	char display_path[256];
};

struct examined_sites {
	struct examined_site *items;
	size_t count;
};

/*
 * Fills in library, layout, usable and problem of a target whose instance is there. Returns 0 also when it is not
 * usable; -ENOMEM.
 */
int examine_target(struct watch_target *target);

/*
 * Finds the cheapest safe places of all probes, as examine_target() has found them once already. A required function
 * that is not there is an error. Returns 0 and sites for examined_sites_release(), or a negative errno with *problem
 * filled in.
 */
int examine_sites(const struct watch_target *target, struct examined_sites *sites, struct watch_problem *problem);
void examined_sites_release(struct examined_sites *sites);

/*
 * Reads the debug information of an instance's library at once, where the library's own code tells too little, and
 * adds it to the report. Returns 0 and *out; -ENOENT where there is none, or another negative errno.
 */
int refine_layout(const struct nginx_instance *instance, struct layout_report *report, struct layout *out);

/* Reads the globals and numbers the generations of the workers that are there, the oldest first. Returns 0 or
 * -ENOMEM. */
int examine_generations(struct watch_target *target);

#endif
