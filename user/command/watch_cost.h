/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a watch costs a handshake: the arithmetic of `check --cost`.
 *
 * A hit costs the trap into the kernel and the program's run time. Programs of tracepoints have no trap and run at
 * whatever happens on the host, so they are no part of a handshake's cost and are told apart. Pure.
 */
#ifndef TLSWHY_COMMAND_WATCH_COST_H
#define TLSWHY_COMMAND_WATCH_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/trap.h"

#define WATCH_COST_ROWS 32

/* One program in the time that was watched. */
struct watch_cost_row {
	char name[48];        /* of the function, or of the tracepoint's program */
	bool is_probe;        /* else of a tracepoint */
	bool is_return;       /* of a return probe */
	bool alone;           /* a return probe without one at the entry, which pays the entry's trap too */
	bool stepped;         /* the instruction at the entry runs by itself */
	uint64_t runs, ns;    /* as BPF statistics have them */
	double program_ns;    /* a run, without what the clock of statistics takes */
	double trap_ns;       /* a hit; negative: unknown; 0 of a tracepoint */
	double per_handshake; /* runs */
};

struct watch_cost {
	struct watch_cost_row rows[WATCH_COST_ROWS];
	size_t count;
	struct trap_costs traps;
	double seconds;
	uint64_t ok, failed; /* handshakes that were decided */
	uint64_t foreign;    /* hits in processes that are not watched; in runs too */
	double cpu_ns;       /* of a handshake that was ok, in the library; 0: unknown */

	/* What watch_cost_sum() makes of the above. Negative: unknown. */
	double hits;                   /* a handshake, without foreign ones */
	double programs_ns, traps_ns;  /* a handshake */
	double share;                  /* of cpu_ns */
	double foreign_ns;             /* a foreign hit costs who makes it */
	double tracepoints_ns;         /* a second, of the host */
	double tracepoints_per_second; /* runs */
};

void watch_cost_sum(struct watch_cost *account);

#endif
