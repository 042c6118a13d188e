/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a probe costs whoever runs into it, its program apart: measured with an empty program on a child of our own.
 *
 * Must not know: the kernel side.
 */
#ifndef TLSWHY_ATTACH_TRAP_H
#define TLSWHY_ATTACH_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CPU time; negative where it could not be measured. */
struct trap_costs {
	double emulated_ns;   /* a hit on an instruction that the kernel emulates */
	double stepped_ns;    /* on one that it runs by itself and traps behind */
	double return_ns;     /* what a return probe adds, on top of the trap at the function's entry */
	double statistics_ns; /* what BPF statistics add to a hit while they are on */
	double clock_ns;      /* of it: what they count as the program's time */
};

/*
 * Measures, in about 20 ms; return probes only where they do no harm, and what statistics add where they can be
 * switched on. Wants the privileges that attaching wants. Returns 0, or a negative errno with *out untouched.
 */
int trap_measure(bool with_returns, struct trap_costs *out);

/* Switches BPF statistics on, system-wide, for as long as the descriptor is open. Returns it or a negative errno. */
int trap_statistics_on(void);

#endif
