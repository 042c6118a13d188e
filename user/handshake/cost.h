/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kinds of handshake cost: CPU time inside the TLS library, by direction, version, resumption and the server's
 * key.
 *
 * Of handshakes that were ok and seen from their beginning. An amendment takes nothing back: the time was spent.
 * Memory: a row of 1 KB a kind, taken as they come, 128 at most; kinds beyond share a row a direction and resumption,
 * of version 0. There are not that many: a version and a key are what the library has agreed to, not what a stranger
 * says.
 * Must not know: how a server's key is found out (authentication.h).
 */
#ifndef TLSWHY_HANDSHAKE_COST_H
#define TLSWHY_HANDSHAKE_COST_H

#include "handshake/batch.h"
#include "handshake/histogram.h"
#include "handshake/keyrows.h"
#include "handshake/snapshot.h"

/* A row of the table. */
struct cost {
	uint64_t count;
	uint64_t cpu_us;
	struct histogram cpu; /* of records */
};

/* Returns 0 or -ENOMEM. */
int costs_init(struct keyrows *costs);
/* Returns 0, or -ENOMEM with nothing counted. */
int costs_add(struct keyrows *costs, const struct batch *batch);
/* Returns 0, or -ENOMEM: rows are missing. */
int costs_merge(struct keyrows *into, const struct keyrows *from);
/* Makes the snapshot's costs, by direction, most CPU time first. Returns 0, or -ENOMEM with what there is in it. */
int costs_rows(const struct keyrows *costs, struct snapshot *snapshot);

#endif
