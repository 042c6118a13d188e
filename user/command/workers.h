/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU of the watched workers over the window, brought together with what they did. */
#ifndef TLSWHY_COMMAND_WORKERS_H
#define TLSWHY_COMMAND_WORKERS_H

#include "attach/watch.h"
#include "handshake/snapshot.h"
#include "host/worker.h"

/* First samples; a process that is gone at the end has no ratios. */
struct workers {
	struct worker_sample *first;
	size_t count;
};

/* Samples the workers that are there. */
void workers_start(struct workers *workers, const struct watch_targets *targets);
/* Samples one that came later. */
void workers_add(struct workers *workers, pid_t pid);
/*
 * Fills in masters and ratios of the snapshot's workers and adds those without a handshake. Returns 0 or -ENOMEM.
 */
int workers_fill(const struct workers *workers, const struct watch_targets *targets, struct snapshot *snapshot);
void workers_release(struct workers *workers);

#endif
