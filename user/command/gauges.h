/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU of the watched processes during the last seconds, for a watch that goes on for weeks: the dead are
 * forgotten, and how much is kept is bounded.
 *
 * A ratio is of the last whole period, however often it is asked for.
 * Must not know: what the processes do.
 */
#ifndef TLSWHY_COMMAND_GAUGES_H
#define TLSWHY_COMMAND_GAUGES_H

#include "attach/watch.h"
#include "handshake/snapshot.h"
#include "host/worker.h"

#define GAUGES_MAX       256
#define GAUGES_PERIOD_NS 5000000000ull

struct gauge {
	struct worker_sample last;
	double cpu_ratio, run_delay_ratio; /* negative: not known yet */
};

/* `= { 0 }` is empty. It owns nothing. */
struct gauges {
	struct gauge items[GAUGES_MAX];
	size_t count;
	uint64_t next_ns;
};

/* Samples the workers that are there. */
void gauges_start(struct gauges *gauges, const struct watch_targets *targets, uint64_t now_ns);
/* Takes in a process. Beyond GAUGES_MAX, or where there is no such process any more, nothing happens. */
void gauges_add(struct gauges *gauges, pid_t pid);
/* Call often: when a period is over it samples again. The first one lasts 1 s, so that something is known soon. */
void gauges_tick(struct gauges *gauges, uint64_t now_ns);
/* Sets the ratios of the snapshot's workers and adds those without a handshake. Returns 0 or -ENOMEM. */
int gauges_fill(const struct gauges *gauges, struct snapshot *snapshot);

#endif
