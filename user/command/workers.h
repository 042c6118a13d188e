/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU of the watched workers over the window, brought together with what they did. */
#ifndef TLSWHY_COMMAND_WORKERS_H
#define TLSWHY_COMMAND_WORKERS_H

#include "attach/watch.h"
#include "host/worker.h"
#include "recording/window.h"

#define WORKERS_MAX 1024 /* as many as a report tells apart: nginx may be reloaded every minute for days */

/* First samples; a process that is gone at the end has no ratios. */
struct workers {
	struct worker_sample *first;
	size_t count;
};

/* Samples the workers that are there. */
void workers_start(struct workers *workers, const struct watch_targets *targets);
/* Samples one that came later; one that is known already is left alone. */
void workers_add(struct workers *workers, pid_t pid);
/* Samples again, and adds each worker with its master, its generation and its ratios. Returns 0 or -ENOMEM. */
int workers_end(const struct workers *workers, const struct watch_targets *targets, struct window *window);
void workers_release(struct workers *workers);

#endif
