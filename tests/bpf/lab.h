/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tracer on the victim's program, and everything that came out of it.
 *
 * Order: lab_open, lab_watch, lab_arm, scripts, lab_finish, look, lab_close. Placing probes and taking them away
 * takes most of a second, so tests that need nothing special share one lab: lab_share_open, lab_share_close are a
 * fixture that runs outside of the tests, lab_share begins one. Every function fails the test when something is not
 * as it must be. Must not know: scripts.
 */
#ifndef TLSWHY_TESTS_BPF_LAB_H
#define TLSWHY_TESTS_BPF_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/tracer.h"
#include "handshake/observation.h"

#define LAB_GENERATION 7 /* of every target */

struct lab_record {
	struct observation seen;
	uint8_t *tail; /* seen.event.header.tail_bytes of them */
};

struct lab_spill {
	struct spill_key key;
	struct spill_value value;
};

/* How many handshakes there are of each cause: amendments take their ok back. */
struct tally {
	int64_t count[DIRECTION_COUNT][CAUSE_COUNT];
};

struct lab {
	struct tracer *tracer;
	bool count_only; /* set it for bursts: records are tallied and not kept */
	struct lab_record *records;
	size_t record_count;
	struct lab_spill *spills;
	size_t spill_count;
	pid_t ignored;                  /* its handshakes are in no tally */
	struct tally recorded, spilled; /* from the ring, from the spill map */
	uint64_t counters[COUNTER_ROWS];
	uint64_t open[DIRECTION_COUNT], evicted[DIRECTION_COUNT];
	uint64_t counters_before[COUNTER_ROWS], open_before[DIRECTION_COUNT]; /* of earlier tests: not in the above */
};

/* Loads, attaches all probes to the victim's program and arms nothing. options may be NULL. */
void lab_open(struct lab *lab, const struct tracer_options *options);
void lab_watch(struct lab *lab, pid_t pid);
/* The same, with another layout than the others. */
void lab_watch_as(struct lab *lab, pid_t pid, const struct layout *layout);
/* The same, with a library of which nothing is known. */
void lab_watch_connections(struct lab *lab, pid_t pid);
void lab_arm(struct lab *lab);
/* Takes what is in the ring. An EVENT_EXIT evicts, as the program does. */
void lab_drain(struct lab *lab);
/* Drains, and reads spill map, counters and open handshakes. Nothing may be running. */
void lab_read(struct lab *lab);
/* The same after disarming. */
void lab_finish(struct lab *lab);
void lab_close(struct lab *lab);

void lab_share_open(void);
void lab_share_open_adopting(void);
void lab_share_open_by_events(void);
void lab_share_close(void);
/* The shared lab, armed, with EVENT_FINAL, and with nothing in it. Read it by lab_read(). */
struct lab *lab_share(void);

/* The sum of a counter's rows, or one direction of it. */
uint64_t lab_sum(const struct lab *lab, enum counter counter);
uint64_t lab_of(const struct lab *lab, enum counter counter, enum direction direction);
/* Kept records of a kind. */
size_t lab_count(const struct lab *lab, enum event_kind kind);
/* The only record of a kind: there must be exactly one. */
const struct lab_record *lab_only(const struct lab *lab, enum event_kind kind);
/* Reads; there must have been one handshake, counted exactly and without a fault, and it is settled. */
const struct event *lab_settled_one(struct lab *lab);
/* begun = ok + failed + open + evicted + unmatched, where open is what it is said to be. */
bool lab_balances(const struct lab *lab, enum direction direction, uint64_t open);
/* Fails unless the balance holds with the open handshakes that were counted and nothing was lost without a number. */
void lab_assert_exact(const struct lab *lab);

#endif
