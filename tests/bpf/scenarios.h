/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts for one victim and what each must be counted as: for the tests of counts and causes, and once more for the
 * comparison of the ways that a verdict travels.
 * Invariant: a script ends with its objects freed, except those it says are open.
 */
#ifndef TLSWHY_TESTS_BPF_SCENARIOS_H
#define TLSWHY_TESTS_BPF_SCENARIOS_H

#include <stddef.h>

#include <linux/types.h>

#include "handshake/cause.h"
#include "tlswhy/verdict.h"
#include "control.h"

struct scenario {
	const char *name;
	void (*run)(struct victim *victim);
	enum direction direction; /* all handshakes of a script have the same one */
	enum cause cause;         /* of those that are not ok in the end; they all have the same one */
	unsigned int begun, ok, failed, amended, joined, unmatched, open;
};

extern const struct scenario outcomes[], refusals[], lives[];
extern const size_t outcome_count, refusal_count, life_count;

#endif
