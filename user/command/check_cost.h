/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy check --cost: what a watch costs the handshakes of this host, measured while it watches them for a while.
 *
 * Must not know: how a cost is made up (watch_cost.h).
 */
#ifndef TLSWHY_COMMAND_CHECK_COST_H
#define TLSWHY_COMMAND_CHECK_COST_H

#include <jansson.h>
#include <stdio.h>

#include "command/watch_cost.h"
#include "command/options.h"

struct check_cost {
	struct watch_cost account;
	int traps_error;      /* why traps could not be measured; 0: they were */
	int statistics_error; /* why BPF statistics could not be switched on; 0: they were */
};

/*
 * Measures traps, attaches as report does, watches and detaches: for -d seconds, or a few, or until there is enough.
 * Returns EXIT_FINE and *out, or an exit code after having told the user. Drops privileges.
 */
int check_cost_measure(const struct options *options, bool with_returns, struct check_cost *out);

void check_cost_print(const struct check_cost *cost, FILE *stream);
/* A reference for the caller; NULL when memory is short. */
json_t *check_cost_json(const struct check_cost *cost);

#endif
