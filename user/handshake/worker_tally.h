/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted for each worker, in each generation.
 *
 * Every handshake is counted once, with its time, when it is settled. An amendment counts a failure and takes back
 * what is counted of kept oks alone (resumed, codes); of the time it takes nothing, for the worker has spent it. So
 * the order of the two does not matter.
 * Memory: a row of 2.5 KB a worker and generation, taken as they come.
 * Must not know: processes.
 */
#ifndef TLSWHY_HANDSHAKE_WORKER_TALLY_H
#define TLSWHY_HANDSHAKE_WORKER_TALLY_H

#include "handshake/codes.h"
#include "handshake/keyrows.h"
#include "handshake/parts_tally.h"

/* A row of the table. */
struct worker_tally {
	uint64_t handshakes, failed, given_up, given_up_late;
	int64_t resumed;
	uint64_t cpu_us;
	struct parts_sums parts;
	struct histogram latency, lag;
	struct code_tally codes;
};

/* limit: workers told apart; the others share one row, of pid 0. Returns 0 or -ENOMEM. */
int worker_tallies_init(struct keyrows *workers, size_t limit);
/* Returns 0, or -ENOMEM with nothing counted. */
int worker_tallies_add(struct keyrows *workers, const struct batch *batch);
/* Returns 0, or -ENOMEM: rows are missing. */
int worker_tallies_merge(struct keyrows *into, const struct keyrows *from);
/* Makes the snapshot's workers, ordered by pid and generation. Returns 0, or -ENOMEM with what there is in it. */
int worker_tallies_rows(const struct keyrows *workers, struct snapshot *snapshot);

#endif
