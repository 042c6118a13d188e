/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A share of handshakes on its way into the counts: one of a full record, or as many as a spill row holds.
 *
 * Invariant: both are counted by the same code, so the two ways cannot differ; what a spill row does not know is 0.
 * Must not know: who counts it.
 */
#ifndef TLSWHY_HANDSHAKE_BATCH_H
#define TLSWHY_HANDSHAKE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/event.h"
#include "handshake/authentication.h"
#include "handshake/cause.h"

/* Handshakes that ended alike. */
struct batch {
	const struct verdict *verdict;
	enum cause cause;
	unsigned int direction;
	uint64_t count;
	uint64_t latency_ns; /* sum */
	uint32_t bucket;     /* where the latencies are not known one by one */
	bool spilled;        /* bucket is meant, and there is no identity */
	bool joined;         /* first seen in the middle */
	bool unmeasured;     /* the latencies are of a part of the handshake or of none, and not meant */
	bool amends;         /* each of them was ok before */
	bool resumed;
	uint16_t tls_version;
	uint16_t cipher;                    /* IANA number; 0: none, or not known */
	uint16_t group;                     /* 0: no keys were exchanged, or not known */
	enum authentication authentication; /* of spilled ones known only where they were resumed */
	uint32_t flags;                     /* EVENT_WAITS, EVENT_CONNECT: which parts of a record were measured */
	uint64_t part_us[PART_COUNT];       /* sums; PART_CPU is meant where unmeasured, too */
	uint64_t before_us;                 /* sum */
	uint32_t round_trip_us;             /* of the path, as its socket had smoothed it; 0: not known */
	bool resent;                        /* the kernel had sent something of the connection again */
	uint32_t tgid, generation;
};

/* What it adds to the handshakes that were ok and kept: what was ok and is amended is taken back. */
static inline int64_t batch_kept(const struct batch *batch)
{
	int64_t count = (int64_t)batch->count;

	if (batch->amends)
		return -count;
	return batch->cause == CAUSE_OK ? count : 0;
}

/* What is left of a count that something is taken from; never below 0. */
static inline uint64_t count_less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

/* What a count is at last, where what takes it back may have been read first. */
static inline uint64_t count_settled(int64_t count)
{
	return count > 0 ? (uint64_t)count : 0;
}

#endif
