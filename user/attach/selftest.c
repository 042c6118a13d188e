/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process side of the self-test: a child with a filter as strict as a container's, and what /proc says of the
 * processes that the answer is for.
 * Must not know: how probes are placed (tracer.c).
 */
#define _GNU_SOURCE /* pipe2() */
#include "attach/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/procmaps.h"
#include "base/cleanup.h"

#define STATUS_BYTES 8192 /* /proc/PID/status is 1.5 kB; groups and CPU lists make it longer */
#define MAPPINGS_MAX 65536

#define SECCOMP_MODE_FILTER_DIGIT '2' /* of "Seccomp:"; 1 is the old strict mode, in which nginx could not run */

#define ARCH_SHSTK_ENABLE 0x5001 /* arch_prctl(2), Linux 6.6; older headers lack it */
#define ARCH_SHSTK_SHSTK  1ul

/* noipa: no clone, no constant folded into the caller, a real call at one place. */
#if defined(__clang__)
#define REAL_FUNCTION __attribute__((noinline, optnone, used, visibility("default")))
#else
#define REAL_FUNCTION __attribute__((noinline, noipa, used, visibility("default")))
#endif

REAL_FUNCTION int tlswhy_selftest_victim(int argument)
{
	/* Never a five-byte nop as the first instruction: probing those is what tlswhy promises not to do. */
	__asm__ volatile("" : "+r"(argument) : : "memory");
	return argument + 1;
}

/* The calls that a waiting child makes, and rt_sigreturn, without which no signal handler could end. */
static int make_filter(scmp_filter_ctx *out)
{
	static const int allowed[] = { SCMP_SYS(read), SCMP_SYS(exit_group), SCMP_SYS(exit), SCMP_SYS(rt_sigreturn) };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (error) {
		seccomp_release(filter);
		return error;
	}
	*out = filter;
	return 0;
}

/*
 * Gives the calling thread a shadow stack, empty: whoever returns from the function it is in from then on dies. So
 * this is part of its caller, which must never return, and the system call is no function's.
 */
static inline __attribute__((always_inline)) bool shadow_stack_enable(void)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_arch_prctl), "D"(ARCH_SHSTK_ENABLE), "S"(ARCH_SHSTK_SHSTK)
			 : "rcx", "r11", "memory");
	return result == 0;
#else
	return false;
#endif
}

/* AddressSanitizer puts system calls of its own before calls that do not return; the filter would not like them. */
__attribute__((noreturn, no_sanitize("address"))) static void child_main(int wait_fd, pid_t parent,
									 scmp_filter_ctx filter, bool shadow)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	if (shadow && !shadow_stack_enable())
		_exit(SELFTEST_EXIT_SHADOW);
	if (filter && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || seccomp_load(filter)))
		_exit(SELFTEST_EXIT_FILTER);
	while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(tlswhy_selftest_victim(1) == 2 ? 0 : SELFTEST_EXIT_VICTIM);
}

static int start_with(struct selftest_child *child, scmp_filter_ctx filter, bool shadow)
{
	pid_t parent = getpid(), pid;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		child_main(ends[0], parent, filter, shadow);
	}
	close(ends[0]);
	if (pid < 0) {
		int error = -errno;

		close(ends[1]);
		return error;
	}
	child->pid = pid;
	child->go_fd = ends[1];
	return 0;
}

int selftest_child_start(struct selftest_child *child, unsigned int traits)
{
	bool strict = traits & PROCESS_BELOW_FILTER;
	/* Where we have one the child inherits it; the C library may have locked that, and enabling it would fail. */
	bool shadow = (traits & PROCESS_SHADOW_STACK) && !(process_traits(getpid()) & PROCESS_SHADOW_STACK);
	scmp_filter_ctx filter = NULL;
	int error;

	if (strict && prctl(PR_GET_SECCOMP) < 0)
		return -ENOTSUP;
	/* Made here: between fork() and its end the child should not allocate. */
	error = strict ? make_filter(&filter) : 0;
	if (!error)
		error = start_with(child, filter, shadow);
	if (filter)
		seccomp_release(filter);
	return error;
}

int selftest_child_go(struct selftest_child *child)
{
	/* Closing says "go" as a byte would, and cannot raise SIGPIPE. */
	if (child->go_fd < 0)
		return -EINVAL;
	close(child->go_fd);
	child->go_fd = -1;
	return 0;
}

int selftest_child_wait(struct selftest_child *child, int *status, int timeout_ms)
{
	struct pollfd ended = { .events = POLLIN };
	autoclose int fd = -1;
	int n, result;

	if (child->pid <= 0)
		return -EINVAL;
	fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (fd < 0)
		return -errno;
	ended.fd = fd;
	n = poll(&ended, 1, timeout_ms);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	if (waitpid(child->pid, &result, 0) < 0)
		return -errno;
	child->pid = 0;
	*status = result;
	return 0;
}

void selftest_child_release(struct selftest_child *child)
{
	/* Killed before its pipe closes, or it would still run the victim. */
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (child->go_fd >= 0)
		close(child->go_fd);
	child->pid = 0;
	child->go_fd = -1;
}

int selftest_symbol_offset(uint64_t *file_offset)
{
	return selftest_offset_of((uint64_t)(uintptr_t)tlswhy_selftest_victim, file_offset);
}

int selftest_offset_of(uint64_t address, uint64_t *file_offset)
{
	autofclose FILE *maps = procmaps_open(getpid());
	struct procmap map;

	if (!maps)
		return -errno;
	for (int i = 0; i < MAPPINGS_MAX; i++) {
		int result = procmaps_next(maps, &map);

		if (!result)
			break;
		if (result < 0 || !map.inode || address < map.start || address >= map.end)
			continue;
		*file_offset = address - map.start + map.offset;
		return 0;
	}
	return -ENOENT;
}

/* Reads /proc/PID/status as a string. */
static int read_status(pid_t pid, char *out, size_t bytes)
{
	char path[64];
	autoclose int fd = -1;
	size_t done = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (done < bytes - 1) {
		ssize_t n = read(fd, out + done, bytes - 1 - done);

		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	out[done] = '\0';
	return 0;
}

/*
 * What follows "name:\t" at the beginning of a line; NULL when there is none. The kernel escapes newlines in the
 * process's own name, so a line is not forged.
 */
static const char *status_field(const char *status, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, name, n) && line[n] == ':' && line[n + 1] == '\t')
			return line + n + 2;
	}
	return NULL;
}

static bool field_has(const char *status, const char *name, const char *word)
{
	const char *value = status_field(status, name);
	const char *found = value ? strstr(value, word) : NULL;

	return found && !memchr(value, '\n', (size_t)(found - value));
}

unsigned int process_traits_parse(const char *status)
{
	const char *seccomp = status_field(status, "Seccomp");
	unsigned int traits = 0;

	if (seccomp && *seccomp == SECCOMP_MODE_FILTER_DIGIT)
		traits |= PROCESS_BELOW_FILTER;
	/* Not the line of locked features: those may be locked off. */
	if (field_has(status, "x86_Thread_features", "shstk"))
		traits |= PROCESS_SHADOW_STACK;
	return traits;
}

unsigned int process_traits(pid_t pid)
{
	char status[STATUS_BYTES];

	return read_status(pid, status, sizeof(status)) ? 0 : process_traits_parse(status);
}
