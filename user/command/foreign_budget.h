/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps what the watch costs other processes within a budget: whoever maps a probed library traps at its handshakes
 * too, and tlswhy cannot choose whom a file's probes meet.
 *
 * Above the budget in two seconds one after the other the watch ends as Ctrl-C ends it: what was seen is reported.
 */
#ifndef TLSWHY_COMMAND_FOREIGN_BUDGET_H
#define TLSWHY_COMMAND_FOREIGN_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "attach/tracer.h"

/*
 * What a hit in a foreign process costs it. On a virtual machine a probe takes about 1 us where the kernel emulates
 * the instruction below it and 14 us where it single-steps it. A good handshake with OpenSSL 3.0 has three: entry and
 * return of SSL_do_handshake (push, 1.8 us together) and SSL_free (test, 13 us), so about 5 us each. Bare metal is
 * cheaper: there the budget is stricter than it says.
 */
#define FOREIGN_HIT_NS 5000
/* Seconds in a row: one burst, such as a program that opens its connections at once, is no load. */
#define FOREIGN_SECONDS 2

struct foreign_budget {
	double limit_percent; /* of one core; 0: no limit */
	uint64_t hits;        /* when it was last looked */
	uint64_t checked_ns;  /* CLOCK_MONOTONIC; 0: not yet */
	uint64_t per_second;  /* hits, in the time before */
	unsigned int seconds; /* in a row above the limit */
};

/* What hits a second cost, in percent of one core. */
double foreign_percent(uint64_t hits_per_second);
/* Takes the number of hits so far, about once a second. Returns whether the budget is used up. */
bool foreign_budget_count(struct foreign_budget *budget, uint64_t hits, uint64_t now_ns);
/* To be called often; looks once a second. Returns whether the watch is to end; the user was told why. */
bool foreign_budget_check(struct foreign_budget *budget, const struct tracer *tracer, uint64_t now_ns);

#endif
