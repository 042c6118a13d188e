/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the probe on nginx's special responses within its budget: it also runs for every redirect and error page.
 *
 * Above ANSWERS_PER_SECOND it is taken away for the rest of the watch, and from then on requests that were lost are
 * not counted, which every output says.
 */
#ifndef TLSWHY_COMMAND_ANSWER_BUDGET_H
#define TLSWHY_COMMAND_ANSWER_BUDGET_H

#include <stdint.h>

#include "attach/tracer.h"

#define ANSWERS_PER_SECOND 1000 /* at about 1 us a hit 0.1 % of a core */

/* `= { 0 }` before the watch. */
struct answer_budget {
	uint64_t hits;       /* when it was last looked */
	uint64_t checked_ns; /* CLOCK_MONOTONIC */
	uint64_t off_ns;     /* since when the probe is away; 0: it is there */
};

/* To be called often; looks once a second. */
void answer_budget_check(struct answer_budget *answers, struct tracer *tracer, uint64_t now_ns);

#endif
