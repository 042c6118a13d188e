/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From single handshakes to numbers: counts by direction and cause, latencies and their parts, peers, names,
 * versions, ciphers, groups, costs and workers.
 *
 * Full records and spill rows go through the same counting and give the same counts, buckets and sums; a spill row
 * has no peer, name, time, cipher, group or key, and is in no histogram of a part. Whatever the order in which a set
 * of records and rows is added, and however it is split over aggregates that are merged, the snapshot is the same,
 * but for
 *   - which keys a list holds, where there are more than it can hold, and
 *   - peers_returning, where an amendment is added before its ok or to another aggregate: the peer then counts as
 *     one that had an ok. A ring keeps their order; it takes a full ring, or a handshake split over two recordings.
 *
 * An EVENT_AMENDED takes one ok back (its count, bucket, version, resumption, cipher, group, parts, and the same for
 * its server name) and counts a failure instead; what a kind of handshake costs and a worker's time are spent and
 * stay. It may be read before the ok it takes back, where that was spilled; until then ok rows are too low, never
 * below 0.
 *
 * Memory, with default options: 1.2 MB at once, 4 MiB for the filter of peers that were ok as they come, at most
 * 0.12 MB for each of the 3 * CAUSE_COUNT pairs that occur, 2.5 MB for the server names of each direction and 2.6 MB
 * for workers, however many peers, names and workers there are; 35 MB in all, and 10.5 MB more for a snapshot of all
 * that. A record costs a hash of its peer and one of its name, table probes that do not grow with what was seen
 * before, and no allocation once the lists are grown.
 * Must not know: how a cause is decided (classify.c), where records come from, the time.
 */
#ifndef TLSWHY_HANDSHAKE_AGGREGATE_H
#define TLSWHY_HANDSHAKE_AGGREGATE_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/observation.h"
#include "handshake/snapshot.h"

struct aggregate;

/* 0 is the default of each. */
struct aggregate_options {
	size_t top_peers;    /* listed a cause and direction; 20 */
	size_t top_names;    /* the same; 20 */
	size_t tracked_keys; /* peers and names kept a cause and direction, to find the top; 256, at least the listed
			      */
	size_t workers;      /* told apart; 1024; the others share one row, of pid 0 */
	uint64_t seed;       /* of the hashes: random where strangers choose the keys; to merge, the same */
};

/* The caller owns it. options may be NULL. Returns NULL when memory is short. */
struct aggregate *aggregate_new(const struct aggregate_options *options);
void aggregate_free(struct aggregate *aggregate);

/*
 * Counts one EVENT_SETTLED, EVENT_AMENDED or EVENT_ANSWERED. Returns 0; -EINVAL for another kind, with nothing
 * changed; -ENOMEM where it was counted and only its place in a list of peers, names or errors, in the filter, or in
 * a row of its worker or of costs, is missing.
 */
int aggregate_add(struct aggregate *aggregate, const struct observation *observation);

/*
 * Counts what a row of the spill map grew by since it was read last. A failure is without identity in the snapshot.
 * Returns 0, or -ENOMEM where it was counted and only its error code, or its place in a row of its worker or of
 * costs, is missing.
 */
int aggregate_add_spilled(struct aggregate *aggregate, const struct spill_key *key, const struct spill_value *value);

/*
 * Adds all of from to into, totals too. Returns 0; -EINVAL where they are the same or of different seeds, with
 * nothing changed; -ENOMEM where all counts were added and lists are not complete. Times are of one clock only where
 * both come from one boot of one host.
 */
int aggregate_merge(struct aggregate *into, const struct aggregate *from);

/*
 * Takes the kernel's counters, which replace what was given before: totals by direction, where ok is what was
 * completed and kept (the kernel's ok - amended) and failed is the kernel's failed + amended; resumed is of all
 * completed, and made one of the kept in the snapshot. For an exact snapshot they must be of the same moment as the
 * records: read after disarming, with ring and spill map drained.
 */
void aggregate_set_totals(struct aggregate *aggregate, const struct totals totals[SNAPSHOT_DIRECTIONS],
			  const struct losses *losses);

/*
 * Fills causes, ok, versions, ciphers, groups, costs, servers, workers, totals, losses, exact and inexact_reason, and
 * frees what *snapshot, which must be initialised, had there; the other fields are left alone. Without
 * aggregate_set_totals() the totals are what was counted. Of workers, master_pid is 0 and what is sampled is -1,
 * unknown. Returns 0, or -ENOMEM with *snapshot unchanged.
 */
int aggregate_snapshot(const struct aggregate *aggregate, struct snapshot *snapshot);

#endif
