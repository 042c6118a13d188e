/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the time of handshakes went, added up.
 *
 * Invariant: sums are kept as they come, latencies in nanoseconds; a whole is rounded and what is unattributed is
 * found when a row is made. So sums of spilled handshakes are those of the same ones as records, and merging is
 * adding. Of handshakes that were not measured from their beginning nothing is added.
 * Must not know: causes.
 */
#ifndef TLSWHY_HANDSHAKE_PARTS_TALLY_H
#define TLSWHY_HANDSHAKE_PARTS_TALLY_H

#include <stdint.h>

#include "handshake/batch.h"
#include "handshake/histogram.h"
#include "handshake/snapshot.h"

/* `= { 0 }` is none. */
struct parts_sums {
	uint64_t count;
	uint64_t latency_ns;
	uint64_t us[PART_COUNT];
	uint64_t before_us;
	uint64_t coarse, slept; /* of the records: those with a part that is good to a tick only */
};

/* The same with histograms of the records: of each part those in which it was measured. */
struct parts_tally {
	struct parts_sums sums;
	struct histogram parts[PARTS_SHOWN];
	struct histogram round_trip; /* nothing is taken back from these two: an amendment has later ones */
	uint64_t resent;
};

void parts_sums_add(struct parts_sums *sums, const struct batch *batch);
void parts_sums_merge(struct parts_sums *into, const struct parts_sums *from);
uint64_t parts_sums_whole_us(const struct parts_sums *sums);
/* The parts, and what of the whole is none of them. */
void parts_sums_shown_us(const struct parts_sums *sums, uint64_t us[PARTS_SHOWN]);
/* What whole_us leaves when us[] without its last is taken from it; never below 0. */
uint64_t parts_unattributed_us(uint64_t whole_us, const uint64_t *us);

void parts_tally_add(struct parts_tally *tally, const struct batch *batch);
void parts_tally_merge(struct parts_tally *into, const struct parts_tally *from);
/* Of what was added less what was taken of it; taken may be NULL. */
void parts_tally_row(const struct parts_tally *added, const struct parts_tally *taken, struct parts_row *row);

#endif
