/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of struct watch, for the files that make it up: watch.c begins and ends it, watch_targets.c finds
 * targets, attachment.c attaches one and lets it go, rescan.c follows what comes and goes, refine.c reads layouts
 * again when probes are placed.
 */
#ifndef TLSWHY_ATTACH_WATCH_PRIVATE_H
#define TLSWHY_ATTACH_WATCH_PRIVATE_H

#include "attach/watch.h"

/* A file with probes in it. */
struct watched_file {
	struct file_id file; /* as who mapped it first knows it */
	int fd;              /* O_PATH: it is compared with others as it is now */
	uint32_t group;      /* of the tracer's sites */
	bool placed[PROBE_COUNT];
};

/* When to look for nginx: see rescan.c. */
struct rescan {
	uint64_t begin_ns;    /* what the steps count from */
	size_t step, steps;   /* the next one; how many */
	uint64_t earliest_ns; /* not before */
	uint64_t check_ns;    /* when to see next who is still there */
	uint64_t second_ns;   /* of asked */
	unsigned int asked;   /* programs in this second */
	uint64_t execs_lost;  /* as last seen */
};

struct watch {
	struct tracer *tracer;
	struct watch_targets targets;
	struct watched_file *files;
	size_t file_count;
	uint32_t last_group;
	bool armed;
	bool follows;
	struct rescan rescan;
	struct refinement *refinements; /* under way */
};

/* Adds what is to be watched to an empty list. Returns as watch_examine(), the list's items are owed in any case. */
int watch_targets_find(const struct watch_options *options, struct watch_targets *targets,
		       struct watch_problem *problem);
/* Reads their files. Returns 0, also when none is usable, or -ENOMEM. */
int watch_targets_examine(struct watch_targets *targets);
/* Takes the instance over. Returns 0 or -ENOMEM. */
int watch_targets_add(struct watch_targets *targets, struct nginx_instance *instance);
/* Gives a usable target, of the list or not, a row; where there is none it is not usable. */
void watch_targets_assign_row(const struct watch_targets *targets, struct watch_target *target);
void watch_target_release(struct watch_target *target);

/*
 * Attaches a usable target of the watch that has a row; one that is attached has its processes told again. On failure
 * it is as before and *problem says why.
 */
int attachment_make(struct watch *watch, struct watch_target *target, struct watch_problem *problem);
/* Lets a target go: its processes, its row, and each file that no other target has. NULL-safe for one never attached.
 */
void attachment_drop(struct watch *watch, struct watch_target *target);

/* Closes and frees what is known of probed files; their probes stay. */
void attachment_release_files(struct watch *watch);

/* Has the debug information of a target's library looked for, in a thread of its own; what fails is no error. */
void refine_begin(struct watch *watch, const struct watch_target *target);
/* Swaps the rows of those that were found. */
void refine_tick(struct watch *watch);
/* Lets go of what is under way. */
void refine_release(struct watch *watch);

/* Begins to look for what came while the watch was being attached, and again at what was being started then. */
void rescan_start(struct watch *watch, uint64_t now_ns);

#endif
