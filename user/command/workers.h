/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU of the watched workers, sampled while what they do is observed.
 *
 * One second lies between two samples of a process, as exactly as ticks of 100 ms allow. A sample costs 2.5 us of a
 * CPU: with more than WORKERS_EACH_SECOND living processes two seconds lie between them, with more than twice as many
 * three, and so on, and peaks are of that time. The first sample is taken when a process is taken in, the last one at
 * the end of the watch.
 * Must not know: what the processes do.
 */
#ifndef TLSWHY_COMMAND_WORKERS_H
#define TLSWHY_COMMAND_WORKERS_H

#include "attach/watch.h"
#include "host/worker_clock.h"
#include "recording/window.h"

#define WORKERS_MAX         1024 /* as many as a report tells apart: nginx may be reloaded every minute for days */
#define WORKERS_EACH_SECOND 64
#define WORKERS_OPEN_MAX    512 /* descriptors at most, and no more than half of what the process may have */

/* `= { 0 }` is empty. */
struct workers {
	struct worker_clock *clocks;
	size_t count;
	size_t open_max;  /* descriptors; 0: not asked yet */
	uint64_t next_ns; /* when the next samples are due */
};

/* Samples the workers that are there; now_ns is when the watch began. */
void workers_start(struct workers *workers, const struct watch_targets *targets, uint64_t now_ns);
/* Samples one that came later; one that is known already is left alone. */
void workers_add(struct workers *workers, pid_t pid);
/* Call often: samples where that is due. */
void workers_tick(struct workers *workers, uint64_t now_ns);
/* Samples all, due or not. */
void workers_read(struct workers *workers);
/* Adds each worker with its master, its generation and its figures. Returns 0 or -ENOMEM. */
int workers_describe(const struct workers *workers, const struct watch_targets *targets, struct window *window);
void workers_forget_gone(struct workers *workers);
/* Begins anew: what is described next is of the time from the last samples on. */
void workers_restart(struct workers *workers);
void workers_release(struct workers *workers);

#endif
