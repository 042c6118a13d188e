/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of struct aggregate, for the two files that make it: aggregate.c counts, aggregate_snapshot.c reads.
 * Must not be included by anything else.
 */
#ifndef TLSWHY_HANDSHAKE_AGGREGATE_PRIVATE_H
#define TLSWHY_HANDSHAKE_AGGREGATE_PRIVATE_H

#include "handshake/aggregate.h"
#include "handshake/cost.h"
#include "handshake/impact.h"
#include "handshake/keycount.h"
#include "handshake/keyrows.h"
#include "handshake/seen.h"
#include "handshake/servers.h"
#include "handshake/tally.h"
#include "handshake/worker_tally.h"

struct aggregate {
	struct tally_limits limits;
	struct cause_tally causes[DIRECTION_COUNT][CAUSE_COUNT];
	struct ok_tally ok[DIRECTION_COUNT];
	struct keycount versions; /* key: direction << 16 | version; of ok */
	struct keycount ciphers;  /* key: direction << 16 | cipher; of ok */
	struct keycount groups;   /* key: direction << 16 | group; of ok */
	struct keyrows workers;   /* of struct worker_tally */
	struct keyrows costs;     /* of struct cost */
	struct servers servers[DIRECTION_COUNT];
	struct peer_filter ok_peers;
	struct impact impact;
	uint64_t hellos_cut;
	bool has_input; /* anything was counted */
	bool has_totals;
	struct totals totals[DIRECTION_COUNT];
	struct losses losses;
};

_Static_assert(SNAPSHOT_DIRECTIONS == DIRECTION_COUNT, "one row a direction");

#endif
