/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From readings of one process to figures: what it used over all of them, and how that was in its worst second.
 *
 * Two things are told apart. CPU is of the whole process, so that it agrees with /proc/PID/stat; run delay, and with
 * it saturation, is of the main thread: nginx's event loop waits for that one alone.
 * Resolution: the kernel counts in nanoseconds, but a thread that runs at the moment of a reading is counted up to
 * the last tick (1 to 10 ms): a second's ratio is good to 0.01, ten seconds' to 0.001; on a core without ticks
 * (nohz_full) a second's is good for nothing. A delay is counted when it ends: of one that is longer than the time
 * between two readings, no more than that time is taken for it.
 * Pure: no system call, no clock.
 */
#ifndef TLSWHY_HOST_WORKER_METER_H
#define TLSWHY_HOST_WORKER_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/worker.h"

/* Readings that are closer say little of a second: of them no peak is made. */
#define WORKER_PEAK_NS 500000000ull
/* From this share of the time on, running or waiting for a CPU, an event loop has no reserve left. */
#define WORKER_SATURATED 0.9

struct worker_reading {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t cpu_ns;  /* all threads, those that ended too */
	bool has_schedstat;
	struct worker_schedstat schedstat;
};

/* What a process used in a time; negative: unknown. */
struct worker_usage {
	double cpu_ratio;       /* of one CPU; above 1 with several threads */
	double run_delay_ratio; /* runnable without a CPU */
	double cpu_ratio_peak;  /* between two readings, at most */
	double run_delay_peak;
	double cpu_seconds;
	double saturated_seconds; /* of sampled_seconds: between readings that were WORKER_SATURATED */
	double sampled_seconds;   /* never negative */
};

struct worker_meter {
	struct worker_reading first, last;
	double cpu_peak, run_delay_peak; /* negative: not known yet */
	bool knows_saturated;
	uint64_t saturated_ns;
};

void worker_meter_start(struct worker_meter *meter, const struct worker_reading *reading);
/* A later reading of the same process; one that is not later is left out. */
void worker_meter_add(struct worker_meter *meter, const struct worker_reading *reading);
/* Of the time from the first reading to the last one. */
struct worker_usage worker_meter_usage(const struct worker_meter *meter);

#endif
