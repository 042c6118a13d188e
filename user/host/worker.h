/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU facts of a process, from /proc/PID/stat and /proc/PID/schedstat. Both are readable without privileges.
 * A pid is reused one day: a process is the pair of pid and start time.
 */
#ifndef TLSWHY_HOST_WORKER_H
#define TLSWHY_HOST_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What of /proc/PID/stat is used; ticks are 1/sysconf(_SC_CLK_TCK) s. */
struct worker_stat {
	pid_t parent;
	uint64_t user_ticks;   /* all threads */
	uint64_t system_ticks; /* all threads */
	uint64_t start_ticks;  /* since boot */
};

struct worker_sample {
	pid_t pid;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	struct worker_stat stat;
	bool has_run_delay;    /* false: the kernel keeps no schedstat */
	uint64_t run_delay_ns; /* main thread, the one that runs nginx's event loop: runnable without a CPU */
};

/*
 * Parses the text of /proc/PID/stat; need not end with NUL. The command name in it may hold anything, ')' and
 * newlines included. Returns 0, or -EBADMSG with *out untouched.
 */
int worker_stat_parse(const char *text, size_t bytes, struct worker_stat *out);
/* Parses /proc/PID/schedstat ("cpu_ns run_delay_ns slices"). Returns 0, or -EBADMSG with *run_delay_ns untouched. */
int worker_schedstat_parse(const char *text, size_t bytes, uint64_t *run_delay_ns);

/* Reads /proc/PID/stat. Returns 0, -ESRCH when there is no such process, or another negative errno. */
int worker_stat_read(pid_t pid, struct worker_stat *out);
/* Takes a sample now. Errors as worker_stat_read(). */
int worker_sample_take(pid_t pid, struct worker_sample *out);

/*
 * Between two samples of one process: the share of one CPU it used (above 1 with several threads), and the share of
 * the time it was runnable without a CPU (negative: unknown). Ticks are 10 ms: over 1 s the first is good to 0.01.
 * Returns 0; -ESTALE when the samples are of different processes, -EINVAL when no time passed; outputs untouched
 * then.
 */
int worker_ratio(const struct worker_sample *before, const struct worker_sample *after, double *cpu_ratio,
		 double *run_delay_ratio);

#endif
