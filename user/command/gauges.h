/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU of the watched processes during the last seconds, for a watch that goes on for weeks: the dead are
 * forgotten, and how much is kept is bounded.
 *
 * A ratio is of the last whole period, however often it is asked for. A period is one sample long: what is exported
 * does not tell its seconds apart, and idle processes are not looked at more often than that.
 * Must not know: what the processes do.
 */
#ifndef TLSWHY_COMMAND_GAUGES_H
#define TLSWHY_COMMAND_GAUGES_H

#include "attach/watch.h"
#include "command/workers.h"
#include "handshake/snapshot.h"

#define GAUGES_PERIOD_NS 5000000000ull

/* `= { 0 }` is empty; gauges_release(). */
struct gauges {
	struct workers workers;
	struct window shown; /* its workers: of the last whole period */
	uint64_t next_ns;
};

/* Samples the workers that are there. */
void gauges_start(struct gauges *gauges, const struct watch_targets *targets, uint64_t now_ns);
/* Takes in a process. Beyond WORKERS_MAX, or where there is no such process any more, nothing happens. */
void gauges_add(struct gauges *gauges, pid_t pid);
/*
 * Call often: when a period is over it samples again. The first one lasts 1 s, so that something is known soon.
 * Where memory is short some ratios are unknown until the next period is over.
 */
void gauges_tick(struct gauges *gauges, const struct watch_targets *targets, uint64_t now_ns);
/* Sets what is known of the snapshot's workers and adds those without a handshake. Returns 0 or -ENOMEM. */
int gauges_fill(const struct gauges *gauges, struct snapshot *snapshot);
void gauges_release(struct gauges *gauges);

#endif
