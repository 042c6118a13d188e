/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision whether probing may harm: see harm.h.
 *
 * No kernel version is looked at: vendors backport both the uretprobe system call and its fixes.
 */
#include "attach/harm.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "attach/uprobe.h"
#include "base/cleanup.h"
#include "base/log.h"

#define CHILD_TIMEOUT_MS 10000 /* the child has microseconds of work, but a busy host may not let it run */

static enum harm outcome_of(struct selftest_child *child)
{
	int status = 0;

	if (selftest_child_go(child) || selftest_child_wait(child, &status, CHILD_TIMEOUT_MS))
		return HARM_UNSURE;
	if (WIFSIGNALED(status))
		return HARM_KILLS;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? HARM_NONE : HARM_UNSURE;
}

/* An empty program: it is the way back through the kernel that may kill. */
static enum harm probe_child(struct selftest_child *child)
{
	const enum uprobe_way way = uprobe_way_here();
	autoclose int program = uprobe_empty_program(way);
	struct uprobe uprobe = { .way = way, .program = program, .path = "/proc/self/exe", .is_return = true };
	enum harm harm;
	int fd;

	if (program < 0 || selftest_symbol_offset(&uprobe.file_offset))
		return HARM_UNSURE;
	fd = uprobe_open(&uprobe);
	if (fd < 0)
		return HARM_UNSURE;
	harm = outcome_of(child);
	uprobe_close_all(&fd, 1, false);
	return harm;
}

static enum harm run_test(unsigned int traits)
{
	struct selftest_child child = SELFTEST_CHILD_INIT;
	enum harm harm;

	if (selftest_child_start(&child, traits))
		return HARM_UNSURE;
	harm = probe_child(&child);
	selftest_child_release(&child);
	return harm;
}

#define TRAIT_SETS (2 * PROCESS_SHADOW_STACK)

/* Words for a set of traits, "below a seccomp filter with a shadow stack". */
static const char *const trait_words[TRAIT_SETS] = {
	[0] = "",
	[PROCESS_BELOW_FILTER] = " below a seccomp filter",
	[PROCESS_SHADOW_STACK] = " with a shadow stack",
	[PROCESS_BELOW_FILTER | PROCESS_SHADOW_STACK] = " below a seccomp filter with a shadow stack",
};

enum harm harm_of_return_probe(unsigned int traits)
{
	static enum harm known[TRAIT_SETS];
	static bool tested[TRAIT_SETS];

	if (!tested[traits]) {
		known[traits] = run_test(traits);
		tested[traits] = true;
		log_debug("return probe%s: %s", trait_words[traits],
			  known[traits] == HARM_NONE    ? "harmless"
			  : known[traits] == HARM_KILLS ? "kills"
							: "could not be tested");
	}
	return known[traits];
}

static int refuse(struct watch_problem *problem, pid_t master, unsigned int traits, const char *why, const char *hint)
{
	*problem = (struct watch_problem){ .fault = WATCH_FAULT_REQUIREMENT };
	snprintf(problem->sentence, sizeof(problem->sentence),
		 "probing nginx (master %d) could kill it: it runs%s, %s", (int)master, trait_words[traits], why);
	snprintf(problem->hint, sizeof(problem->hint), "%s", hint);
	return -EPERM;
}

int harm_judge(pid_t master, unsigned int traits, enum harm harm, struct watch_problem *problem)
{
	/* Said first where both may have killed: without the shadow stack the filter is told of next. */
	static const char *const shadow_hint = "update the kernel (fixed by commit 1713b63a07a2), or start nginx "
					       "without a shadow stack (GLIBC_TUNABLES=glibc.cpu.hwcaps=-SHSTK)";

	if (!traits || harm == HARM_NONE)
		return 0;
	if (harm == HARM_KILLS)
		return refuse(problem, master, traits, "and on this kernel a return probe dies of that",
			      traits & PROCESS_SHADOW_STACK ? shadow_hint
							    : "update the kernel (fixed by commit cf6cb56ef244), or "
							      "run nginx without the filter");
	return refuse(problem, master, traits, "and the self-test could not be made",
		      traits & PROCESS_SHADOW_STACK ? shadow_hint : "-v shows what failed");
}

static unsigned int traits_of(const struct nginx_instance *instance)
{
	unsigned int traits = process_traits(instance->master);

	for (size_t i = 0; i < instance->worker_count; i++)
		traits |= process_traits(instance->workers[i].pid);
	return traits;
}

int harm_examine(const struct nginx_instance *instance, struct watch_problem *problem)
{
	unsigned int traits = traits_of(instance);

	return traits ? harm_judge(instance->master, traits, harm_of_return_probe(traits), problem) : 0;
}
