/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child that calls two functions of ours in a loop, with and without a probe on them: see trap.h.
 *
 * CPU time is measured, of the child alone, and the best of some rounds is taken: what else runs on the host does not
 * count. Invariant: probes are placed on our own functions, and nobody but the child calls them.
 */
#define _GNU_SOURCE
#include "attach/trap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach/selftest.h"
#include "attach/uprobe.h"
#include "base/cleanup.h"

#define CALLS  100
#define ROUNDS 8

/*
 * The first instruction of each is what matters: one that every kernel since 5.8 emulates, and one that none does. A
 * function of C would not say which it has.
 */
int tlswhy_trap_emulated(void);
int tlswhy_trap_stepped(void);
#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".type tlswhy_trap_emulated, @function\n"
	"tlswhy_trap_emulated:\n\tpush %rbp\n\tpop %rbp\n\tret\n"
	".type tlswhy_trap_stepped, @function\n"
	"tlswhy_trap_stepped:\n\txor %eax, %eax\n\tret\n"
	".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n.balign 4\n"
	".type tlswhy_trap_emulated, %function\n"
	"tlswhy_trap_emulated:\n\tcbz xzr, 1f\n1:\n\tret\n"
	".type tlswhy_trap_stepped, %function\n"
	"tlswhy_trap_stepped:\n\tmov w0, #0\n\tret\n"
	".popsection\n");
#else
#error "what is emulated here?"
#endif

enum victim { VICTIM_EMULATED, VICTIM_STEPPED, VICTIM_COUNT };

static int (*const victims[VICTIM_COUNT])(void) = {
	[VICTIM_EMULATED] = tlswhy_trap_emulated,
	[VICTIM_STEPPED] = tlswhy_trap_stepped,
};

struct child {
	pid_t pid;          /* 0: none */
	int ask_fd, say_fd; /* -1: none */
};

static void child_release(struct child *child)
{
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (child->ask_fd >= 0)
		close(child->ask_fd);
	if (child->say_fd >= 0)
		close(child->say_fd);
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds a call, in the best round. */
static double time_calls(int (*volatile victim)(void))
{
	double best = -1;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_ns(), each;

		for (int i = 0; i < CALLS; i++)
			victim();
		each = (cpu_ns() - start) / CALLS;
		if (best < 0 || each < best)
			best = each;
	}
	return best;
}

__attribute__((noreturn)) static void child_main(int ask_fd, int say_fd, pid_t parent)
{
	unsigned char which;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent && read(ask_fd, &which, 1) == 1 && which < VICTIM_COUNT) {
		double each = time_calls(victims[which]);

		if (write(say_fd, &each, sizeof(each)) != sizeof(each))
			break;
	}
	_exit(0);
}

static int child_start(struct child *child)
{
	pid_t parent = getpid();
	int ask[2], say[2];

	if (pipe2(ask, O_CLOEXEC))
		return -errno;
	child->ask_fd = ask[1];
	if (pipe2(say, O_CLOEXEC)) {
		close(ask[0]);
		return -errno;
	}
	child->say_fd = say[0];
	child->pid = fork();
	if (child->pid == 0) {
		close(ask[1]);
		close(say[0]);
		child_main(ask[0], say[1], parent);
	}
	close(ask[0]);
	close(say[1]);
	return child->pid < 0 ? -errno : 0;
}

/* Negative where the child is dead. */
static double ask(const struct child *child, enum victim victim)
{
	unsigned char which = (unsigned char)victim;
	double each;

	if (write(child->ask_fd, &which, 1) != 1 || read(child->say_fd, &each, sizeof(each)) != sizeof(each))
		return -1;
	return each;
}

int trap_statistics_on(void)
{
	union bpf_attr attributes;
	long fd;

	memset(&attributes, 0, sizeof(attributes));
	attributes.enable_stats.type = BPF_STATS_RUN_TIME;
	fd = syscall(SYS_bpf, BPF_ENABLE_STATS, &attributes, sizeof(attributes));
	return fd < 0 ? -errno : (int)fd;
}

/* Mean time of an empty program, as statistics have it. */
static double counted_ns(int program)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.info.bpf_fd = (uint32_t)program;
	attributes.info.info_len = sizeof(info);
	attributes.info.info = (uint64_t)(uintptr_t)&info;
	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof(attributes)) || !info.run_cnt)
		return -1;
	return (double)info.run_time_ns / (double)info.run_cnt;
}

struct bench {
	struct child child;
	int program;
	int probes[VICTIM_COUNT + 1]; /* open ones */
	size_t probe_count;
};

static void bench_release(struct bench *bench)
{
	child_release(&bench->child);
	uprobe_close_all(bench->probes, bench->probe_count, false);
	if (bench->program >= 0)
		close(bench->program);
}

static int place(struct bench *bench, enum victim victim, bool is_return)
{
	struct uprobe uprobe = {
		.way = uprobe_way_here(), .program = bench->program, .path = "/proc/self/exe", .is_return = is_return
	};
	int error = selftest_offset_of((uint64_t)(uintptr_t)victims[victim], &uprobe.file_offset);
	int fd = error ? error : uprobe_open(&uprobe);

	if (fd < 0)
		return fd;
	bench->probes[bench->probe_count++] = fd;
	return 0;
}

/* What a probe at the entry adds to a call. */
static int measure_entry(struct bench *bench, enum victim victim, double *out)
{
	double bare = ask(&bench->child, victim), probed;
	int error = place(bench, victim, false);

	if (error)
		return error;
	probed = ask(&bench->child, victim);
	if (bare < 0 || probed < 0)
		return -EIO;
	*out = probed > bare ? probed - bare : 0;
	return 0;
}

static void measure_statistics(struct bench *bench, struct trap_costs *costs)
{
	double without = ask(&bench->child, VICTIM_EMULATED), with;
	autoclose int statistics = trap_statistics_on();

	if (statistics < 0)
		return;
	with = ask(&bench->child, VICTIM_EMULATED);
	if (without < 0 || with < 0)
		return;
	costs->statistics_ns = with > without ? with - without : 0;
	costs->clock_ns = counted_ns(bench->program);
}

int trap_measure(bool with_returns, struct trap_costs *out)
{
	__attribute__((cleanup(bench_release))) struct bench bench = {
		.child = { .ask_fd = -1, .say_fd = -1 }, .program = uprobe_empty_program(uprobe_way_here())
	};
	struct trap_costs costs = { -1, -1, -1, -1, -1 };
	double both;
	int error = bench.program < 0 ? bench.program : child_start(&bench.child);

	if (!error)
		error = measure_entry(&bench, VICTIM_EMULATED, &costs.emulated_ns);
	if (!error)
		error = measure_entry(&bench, VICTIM_STEPPED, &costs.stepped_ns);
	if (error)
		return error;
	measure_statistics(&bench, &costs);
	if (with_returns && !place(&bench, VICTIM_EMULATED, true)) {
		both = ask(&bench.child, VICTIM_EMULATED);
		costs.return_ns = both > costs.emulated_ns ? both - costs.emulated_ns : -1;
	}
	*out = costs;
	return 0;
}
