/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From "watch this nginx" to an armed tracer: finds the instances, reads their libraries, makes sure that probes do
 * no harm, places them, arms; and then follows what comes and goes.
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

#define WATCH_FILES 3 /* executable, libssl, libcrypto: two or all may be one */

struct examined_site;

/* One nginx and what is known of its library. */
struct watch_target {
	struct nginx_instance instance;
	struct examined_site *sites; /* where its probes go, until they are placed; NULL: not known; owned */
	size_t site_count;
	char *library_path; /* for display; the executable's where OpenSSL is linked in */
	struct layout_report layout;
	struct layout offsets;
	bool by_connection;          /* nothing is known of its library */
	struct watch_problem unseen; /* why that is so; no fault */
	uint32_t row;                /* of the kernel side's layouts */
	struct nginx_globals globals;
	uint32_t generation;          /* of the newest workers; the first one seen is 1 */
	uint32_t *worker_generations; /* of instance.workers, by index; owned */
	bool usable;                  /* false: problem says why */
	struct watch_problem problem;
	uint32_t groups[WATCH_FILES]; /* of the files that hold its probes */
	size_t group_count;
	bool has_row, attached;
	bool starting;    /* just seen: not nginx's title yet, or not its libraries; it may become another process */
	uint64_t came_ns; /* when it was seen first, CLOCK_MONOTONIC */
	uint64_t gone_ns; /* 0: it is there */
};

struct watch_targets {
	struct watch_target *items;
	size_t count;
};

enum watch_change {
	WATCH_CAME,
	WATCH_GONE,
	WATCH_REFUSED, /* it came and cannot be watched: its problem says why */
};

typedef void watch_change_fn(void *context, const struct watch_target *target, enum watch_change change);

struct watch_options {
	const pid_t *pids; /* masters or workers; none: every nginx */
	size_t pid_count;
	struct tracer_options tracer; /* adopt and tell_execs are set by watch_open() */
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
/* Of a watch that follows what comes and goes, those that went too, but for the oldest of very many. */
const struct watch_targets *watch_targets(const struct watch *watch);
/* How many targets are watched. */
size_t watch_usable(const struct watch *watch);

/* Whether nginx that comes later is watched too: no process was named. */
bool watch_follows(const struct watch *watch);
/* An EVENT_EXEC came. */
void watch_saw_exec(struct watch *watch, const struct event *mark, uint64_t now_ns);
/* An EVENT_TARGET came. */
void watch_saw_target(struct watch *watch, pid_t pid, uint64_t now_ns);
/*
 * To be called about every 100 ms: attaches what came, lets go what went, and tells of both. Costs next to nothing
 * where no program was started and none has ended.
 */
void watch_tick(struct watch *watch, uint64_t now_ns, watch_change_fn *changed, void *context);

#endif
