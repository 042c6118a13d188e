/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From "watch this nginx" to an armed tracer: finds the instances, reads their libraries, makes sure that probes do
 * no harm, places them, arms.
 *
 * An instance that cannot be watched does not stop the others; if none is left, the first one's problem is told.
 * Must not know: what is done with the records.
 */
#ifndef TLSWHY_ATTACH_WATCH_H
#define TLSWHY_ATTACH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/layout.h"
#include "attach/nginx.h"
#include "attach/tracer.h"

/* Whose fault it is that nothing can be watched. */
enum watch_fault {
	WATCH_FAULT_NONE,
	WATCH_FAULT_RUNTIME,     /* something failed */
	WATCH_FAULT_USAGE,       /* the process that was named is not nginx */
	WATCH_FAULT_REQUIREMENT, /* the host lacks something */
};

struct watch_problem {
	enum watch_fault fault;
	char sentence[512];
	char hint[512];
};

/* One nginx and what is known of its library. */
struct watch_target {
	struct nginx_instance instance;
	char *library_path; /* for display; the executable's where OpenSSL is linked in */
	struct layout_report layout;
	struct layout offsets;
	bool by_connection; /* nothing is known of its library: layout.reason or unseen says why */
	char unseen[512];   /* a sentence on that; "" where its objects can be read */
	uint32_t row;       /* of the kernel side's layouts */
	struct nginx_globals globals;
	uint32_t generation;          /* of the newest workers; the first one seen is 1 */
	uint32_t *worker_generations; /* of instance.workers, by index; owned */
	bool usable;                  /* false: problem says why */
	struct watch_problem problem;
};

struct watch_targets {
	struct watch_target *items;
	size_t count;
};

struct watch_options {
	const pid_t *pids; /* masters or workers; none: every nginx */
	size_t pid_count;
	struct tracer_options tracer; /* adopt is set by watch_open() */
};

struct watch;

/*
 * Finds and examines, attaches nothing: what `check` shows. Returns 0, also when nothing was found or usable, and
 * targets for watch_targets_release(); or a negative errno with *problem filled in.
 */
int watch_examine(const struct watch_options *options, struct watch_targets *targets, struct watch_problem *problem);
void watch_targets_release(struct watch_targets *targets);

/* Attaches and arms. Returns 0, or a negative errno with *problem filled in and *out untouched. */
int watch_open(const struct watch_options *options, struct watch **out, struct watch_problem *problem);
/* Disarms if need be, detaches, frees. NULL is allowed. */
void watch_free(struct watch *watch);

struct tracer *watch_tracer(struct watch *watch);
const struct watch_targets *watch_targets(const struct watch *watch);
/* How many targets are watched. */
size_t watch_usable(const struct watch *watch);

#endif
