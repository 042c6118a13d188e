/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU of the watched processes: see gauges.h. */
#include "command/gauges.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

#define FIRST_PERIOD_NS 1000000000ull

void gauges_add(struct gauges *gauges, pid_t pid)
{
	workers_add(&gauges->workers, pid);
}

void gauges_start(struct gauges *gauges, const struct watch_targets *targets, uint64_t now_ns)
{
	workers_start(&gauges->workers, targets, now_ns);
	gauges->next_ns = now_ns + FIRST_PERIOD_NS;
}

void gauges_tick(struct gauges *gauges, const struct watch_targets *targets, uint64_t now_ns)
{
	if (now_ns < gauges->next_ns)
		return;
	gauges->next_ns = now_ns + GAUGES_PERIOD_NS;
	workers_read(&gauges->workers);
	workers_forget_gone(&gauges->workers);
	window_release(&gauges->shown);
	if (workers_describe(&gauges->workers, targets, &gauges->shown))
		log_debug("the workers' CPU is not known: %s", strerror(ENOMEM));
	workers_restart(&gauges->workers);
}

int gauges_fill(const struct gauges *gauges, struct snapshot *snapshot)
{
	return window_complete_workers(&gauges->shown, snapshot);
}

void gauges_release(struct gauges *gauges)
{
	workers_release(&gauges->workers);
	window_release(&gauges->shown);
}
