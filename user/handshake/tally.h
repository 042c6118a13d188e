/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted for one cause of one direction, and for the handshakes of one direction that were ok.
 *
 * A share of handshakes arrives as a batch (batch.h).
 * Invariant: numbers only grow; an ok that is taken back is counted as taken, and subtracted when a row is made. So
 * the order in which oks and their amendments are read does not matter.
 * Must not know: how a cause is decided, the kernel's totals.
 */
#ifndef TLSWHY_HANDSHAKE_TALLY_H
#define TLSWHY_HANDSHAKE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "handshake/batch.h"
#include "handshake/distinct.h"
#include "handshake/histogram.h"
#include "handshake/parts_tally.h"
#include "handshake/peer.h"
#include "handshake/seen.h"
#include "handshake/snapshot.h"
#include "handshake/toplist.h"

/* Sums over handshakes. `= { 0 }` is none. */
struct tally_sums {
	uint64_t count;
	uint64_t resumed;
	uint64_t joined;
	uint64_t cpu_us; /* joined ones too, as parts are not */
	struct histogram latency;
	struct parts_tally parts;
};

struct ok_tally {
	struct tally_sums added;
	struct tally_sums taken; /* of added: amended later */
};

struct cause_tally {
	struct tally_sums sums;
	uint64_t without_identity;
	uint64_t waited_for_worker, waited_for_peer;
	uint64_t first_ns, last_ns;
	struct distinct peers_seen;          /* by peer_hash() */
	struct toplist peers, names, errors; /* peers by their bytes: a text is made of those that are shown */
};

struct tally_limits {
	size_t tracked_peers, tracked_names, tracked_errors; /* kept a cause and direction */
	size_t top_peers, top_names;                         /* of these, in a snapshot */
	uint64_t seed;
};

void tally_sums_add(struct tally_sums *sums, const struct batch *batch);
void tally_sums_merge(struct tally_sums *into, const struct tally_sums *from);

/* Who it was, and for whom. The hashes are seeded, for strangers choose both. */
struct identity {
	bool has_peer;
	struct peer peer;
	uint64_t peer_hash; /* peer_hash() */
	const void *name;   /* borrowed */
	size_t name_bytes;  /* 0: none */
	uint64_t name_hash;
};

/* Allocates nothing. */
void cause_tally_init(struct cause_tally *tally, const struct tally_limits *limits);
void cause_tally_release(struct cause_tally *tally);
/* Counts, with the errors. Returns 0, or -ENOMEM: counted, but an error is missing in the list. */
int cause_tally_add(struct cause_tally *tally, const struct batch *batch);
/* Adds what only a full record tells. Returns 0, or -ENOMEM: something is missing in a list. */
int cause_tally_add_identity(struct cause_tally *tally, uint64_t time_ns, const struct identity *identity);
/* Returns 0, or -ENOMEM: all counts are added, lists are not complete. */
int cause_tally_merge(struct cause_tally *into, const struct cause_tally *from);

/*
 * Makes rows, which own their memory. share and incomplete are left to the caller. Returns 0, or -ENOMEM with what
 * was allocated so far in *row, for the caller to free.
 */
int cause_tally_row(const struct cause_tally *tally, const struct tally_limits *limits,
		    const struct peer_filter *ok_peers, struct cause_row *row);
void ok_tally_row(const struct ok_tally *tally, struct ok_row *row);

#endif
