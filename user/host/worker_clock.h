/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running account of one process, read again and again while it lives.
 *
 * Sources: the process's CPU clock (clock_getcpuclockid(3): what utime and stime of /proc/PID/stat are made of, of
 * all threads, without their rounding to 10 ms), and /proc/PID/schedstat of the main thread. A pid is reused one day:
 * what is read is of the process that was there at the start, or an error.
 * The clock keeps /proc/PID/schedstat open: an open file of /proc never becomes another process's, and reading it
 * again costs a fifth of finding it by name. Without a descriptor everything is found by name each time.
 */
#ifndef TLSWHY_HOST_WORKER_CLOCK_H
#define TLSWHY_HOST_WORKER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/worker_meter.h"

struct worker_clock {
	pid_t pid, parent;
	uint64_t start_ticks;
	int fd;    /* -1: none is kept */
	bool gone; /* the process ended: nothing comes any more */
	struct worker_meter meter;
};

/*
 * Takes the first reading. keep: a descriptor may be kept. Returns 0 and a clock for worker_clock_release(), or a
 * negative errno, -ESRCH where there is no such process, with *out untouched.
 */
int worker_clock_start(pid_t pid, bool keep, struct worker_clock *out);
/* Takes the next reading. What was measured stays when the process is gone. */
void worker_clock_read(struct worker_clock *clock);
/* Begins anew with the last reading as the first one. */
void worker_clock_restart(struct worker_clock *clock);
void worker_clock_release(struct worker_clock *clock);

#endif
