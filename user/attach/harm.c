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

#include "attach/selftest.h"
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

static enum harm probe_child(struct tracer *tracer, struct selftest_child *child)
{
	struct probe_site site = { .probe = PROBE_HANDSHAKE_RETURN, .path = "/proc/self/exe" };

	if (selftest_symbol_offset(&site.file_offset) || tracer_attach(tracer, &site))
		return HARM_UNSURE;
	return outcome_of(child);
}

static enum harm run_test(void)
{
	struct selftest_child child = SELFTEST_CHILD_INIT;
	const struct tracer_options options = { .ring_bytes = 4096, .spill_entries = 1 };
	struct tracer *tracer = NULL;
	enum harm harm = HARM_UNSURE;

	if (selftest_child_start(&child, true))
		return HARM_UNSURE;
	if (tracer_new(&tracer, &options) == 0)
		harm = probe_child(tracer, &child);
	selftest_child_release(&child);
	tracer_free(tracer);
	return harm;
}

enum harm harm_of_return_probe(void)
{
	static enum harm known;
	static bool tested;

	if (!tested) {
		known = run_test();
		tested = true;
		log_debug("return probe below a seccomp filter: %s", known == HARM_NONE    ? "harmless"
								     : known == HARM_KILLS ? "kills"
											   : "could not be tested");
	}
	return known;
}

static bool any_seccomp(const struct nginx_instance *instance)
{
	for (size_t i = 0; i < instance->worker_count; i++)
		if (process_seccomp_mode(instance->workers[i].pid) == PROCESS_SECCOMP_FILTER)
			return true;
	return process_seccomp_mode(instance->master) == PROCESS_SECCOMP_FILTER;
}

static int refuse(struct watch_problem *problem, const struct nginx_instance *instance, const char *why,
		  const char *hint)
{
	*problem = (struct watch_problem){ .fault = WATCH_FAULT_REQUIREMENT };
	snprintf(problem->sentence, sizeof(problem->sentence), "probing nginx (master %d) could kill it: %s",
		 (int)instance->master, why);
	snprintf(problem->hint, sizeof(problem->hint), "%s", hint);
	return -EPERM;
}

int harm_examine(const struct nginx_instance *instance, struct watch_problem *problem)
{
	if (!any_seccomp(instance))
		return 0;
	switch (harm_of_return_probe()) {
	case HARM_NONE:
		return 0;
	case HARM_KILLS:
		return refuse(problem, instance,
			      "it runs below a seccomp filter, and on this kernel a return probe dies of that",
			      "update the kernel (fixed by commit cf6cb56ef244), or run nginx without the filter");
	case HARM_UNSURE:
		break;
	}
	return refuse(problem, instance, "it runs below a seccomp filter, and the self-test could not be made",
		      "-v shows what failed");
}
