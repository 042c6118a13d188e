/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says of the programs and maps that are loaded: runs, run time, memory. See tracer.h.
 * Must not know: what follows from it.
 */
#include "attach/tracer_private.h"

#include <stdio.h>
#include <string.h>

/* The first probe that feeds the program. */
static enum probe probe_of(const char *program)
{
	static const char *const names[PROBE_COUNT] = {
#define X(symbol, number, name, ...) [PROBE_##symbol] = #name,
		PROBES(X)
#undef X
	};
	enum probe probe = 0;

	while (probe < PROBE_COUNT && strcmp(names[probe], program) != 0)
		probe++;
	return probe;
}

int tracer_runs(const struct tracer *tracer, struct tracer_run rows[TRACER_RUNS_MAX])
{
	struct bpf_program *program;
	int count = 0;

	bpf_object__for_each_program(program, tracer->skeleton->obj)
	{
		struct bpf_prog_info info = { 0 };
		__u32 bytes = sizeof(info);
		int fd = bpf_program__fd(program), error;

		if (fd < 0 || count == TRACER_RUNS_MAX)
			continue;
		error = bpf_obj_get_info_by_fd(fd, &info, &bytes);
		if (error)
			return error;
		rows[count] = (struct tracer_run){ .probe = probe_of(bpf_program__name(program)),
						   .runs = info.run_cnt,
						   .ns = info.run_time_ns };
		snprintf(rows[count++].program, TRACER_NAME_BYTES, "%s", bpf_program__name(program));
	}
	return count;
}
