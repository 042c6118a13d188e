/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was negotiated for each server name of one direction, of full records: a spilled handshake has no name.
 *
 * The first 4,096 names are kept, the others share one row; handshakes without a name have a row of their own. First
 * come, first kept, and not the most frequent as found by Space-Saving (toplist.h), because every row is then exact
 * from its first handshake to its last, what an amendment takes back is there, and merging is adding. A name that
 * matters is not missed: one that is asked for in 0.1 % of handshakes is among the first 4,096 different ones with a
 * probability of 1 - 0.999^4096, 98 %, even where all the others differ. Who floods a server with made-up names from
 * the start can push late ones into the rest; their number is then in the rest, too, and lists of failures
 * (toplist.h) show them. Counts are signed, because what takes one back may be read before what it is taken from.
 * Memory: 0.4 KB a name and the name, taken as names come, by doubling; 2.5 MB at most.
 * Names are bytes with a length, foreign, may hold NUL.
 * Must not know: causes.
 */
#ifndef TLSWHY_HANDSHAKE_SERVERS_H
#define TLSWHY_HANDSHAKE_SERVERS_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/batch.h"
#include "handshake/codes.h"
#include "handshake/snapshot.h"

#define SERVERS_LIMIT 4096

struct server_tally {
	int64_t ok, resumed, full_cpu_us, resumed_cpu_us; /* of kept oks */
	uint64_t failed;
	struct code_tally codes;
};

struct server_entry;
struct server_slot;

struct servers {
	size_t limit;
	struct server_entry *entries; /* in the order they came */
	size_t count, room;
	struct server_slot *table; /* by hash, linear probing; 2 * room slots */
	uint8_t *names;            /* of all entries, one behind the other */
	size_t names_bytes, names_room;
	struct server_tally nameless, rest;
};

/* Allocates nothing. limit: names kept, at most 2^30. */
void servers_init(struct servers *servers, size_t limit);
void servers_release(struct servers *servers);
/*
 * Counts one handshake; name_bytes: at most 255. hash: of the name, by a function whose collisions a stranger cannot
 * find. A name for which there is no memory is of the rest.
 */
void servers_add(struct servers *servers, const struct batch *batch, const void *name, size_t name_bytes,
		 uint64_t hash);
/* Adds from to into, under into's limit; of the same hash function. */
void servers_merge(struct servers *into, const struct servers *from);
/* How many rows servers_rows() writes at most. */
size_t servers_rows_max(const struct servers *servers);
/*
 * Writes a row for each name with handshakes, for the nameless and for the rest, behind the snapshot's servers, for
 * which there is room. Returns 0, or -ENOMEM with what there is in it.
 */
int servers_rows(const struct servers *servers, unsigned int direction, struct snapshot *snapshot);

#endif
