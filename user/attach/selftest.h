/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do no harm: whether a return probe would kill a process of this host, found out on a child of our own.
 *
 * Since Linux 6.11 a return probe on x86-64 ends in a system call (uretprobe, 335) that the probed process makes;
 * until the kernel let it pass seccomp (commit cf6cb56ef244, 2025), a filter that does not know it killed the
 * process, as container runtimes' profiles did to nginx. Shadow stacks (6.6) were a second such trap: a return probe
 * replaces the return address, and only kernels that replace it there too let the process live. The tracer places its
 * probe on tlswhy_selftest_victim() while a child waits, lets it go and looks at how it ended.
 */
#ifndef TLSWHY_ATTACH_SELFTEST_H
#define TLSWHY_ATTACH_SELFTEST_H

#include <stdint.h>
#include <sys/types.h>

struct selftest_child {
	pid_t pid; /* 0: none */
	int go_fd; /* -1: none; the child waits for a byte or the end of this pipe */
};

#define SELFTEST_CHILD_INIT           \
	{                             \
		.pid = 0, .go_fd = -1 \
	}

/* What of a process a return probe may stumble over; bits. */
enum process_trait {
	PROCESS_BELOW_FILTER = 1 << 0, /* it runs below a seccomp filter */
	PROCESS_SHADOW_STACK = 1 << 1,
};

/* Exit codes of the child other than 0. */
enum selftest_exit {
	SELFTEST_EXIT_FILTER = 3, /* no filter could be loaded */
	SELFTEST_EXIT_VICTIM = 4, /* the victim's answer was wrong */
	SELFTEST_EXIT_SHADOW = 5, /* neither CPU, kernel nor this architecture gives it a shadow stack */
};

/*
 * Starts a child that waits, then calls the victim once and exits with 0. It has all of the traits (bits): its filter
 * kills on every system call but the few the child makes. It dies with us. Returns 0, -ENOTSUP when the kernel has no
 * seccomp filters and one is wanted, or a negative errno. On success selftest_child_release() is owed.
 */
int selftest_child_start(struct selftest_child *child, unsigned int traits);
/* Lets the child run. Returns 0 or a negative errno (-EPIPE: it is dead already). */
int selftest_child_go(struct selftest_child *child);
/*
 * Waits for its end, at most timeout_ms. Returns 0 and the status as waitpid(2) gives it (0: it called the victim and
 * lives on; WIFSIGNALED: a probe there kills); -ETIMEDOUT, or another negative errno, with *status untouched.
 */
int selftest_child_wait(struct selftest_child *child, int *status, int timeout_ms);
/* Kills the child if it is still there. Once after every start; harmless twice. */
void selftest_child_release(struct selftest_child *child);

/* The function to probe. Returns its argument plus one. */
int tlswhy_selftest_victim(int argument);
/*
 * Where the victim is in /proc/self/exe, bytes: what a uprobe takes. From the mapping it runs in, so a stripped
 * program has it too. Returns 0 or a negative errno.
 */
int selftest_symbol_offset(uint64_t *file_offset);
/* The same of any place in our own code, by its address. */
int selftest_offset_of(uint64_t address, uint64_t *file_offset);

/* Bits of enum process_trait, from the text of /proc/PID/status; what the kernel does not say is not set. */
unsigned int process_traits_parse(const char *status);
/* The same of a process. One that is gone, or cannot be read, has none. */
unsigned int process_traits(pid_t pid);

#endif
