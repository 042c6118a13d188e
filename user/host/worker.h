/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc says of a process: /proc/PID/stat and /proc/PID/schedstat. Both are readable without privileges.
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

/* /proc/PID/schedstat: the main thread, the one that runs nginx's event loop. */
struct worker_schedstat {
	uint64_t cpu_ns;
	uint64_t run_delay_ns; /* runnable without a CPU */
};

/*
 * Parses the text of /proc/PID/stat; need not end with NUL. The command name in it may hold anything, ')' and
 * newlines included. Returns 0, or -EBADMSG with *out untouched.
 */
int worker_stat_parse(const char *text, size_t bytes, struct worker_stat *out);
/*
 * Parses /proc/PID/schedstat ("cpu_ns run_delay_ns slices"). Returns 0, -EBADMSG, or -ENODATA where the kernel keeps
 * no such account and says so with zeros; *out untouched then.
 */
int worker_schedstat_parse(const char *text, size_t bytes, struct worker_schedstat *out);

/* Reads /proc/PID/stat. Returns 0, -ESRCH when there is no such process, or another negative errno. */
int worker_stat_read(pid_t pid, struct worker_stat *out);

/* Opens /proc/PID/name for reading. Returns a descriptor or a negative errno as worker_stat_read(). */
int worker_open(pid_t pid, const char *name);
/* Reads an open file of /proc from its beginning. Returns the bytes read or a negative errno, -ESRCH after death. */
ssize_t worker_read(int fd, char *out, size_t bytes);

#endif
