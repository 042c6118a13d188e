/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an observation says about its handshake, and whether anybody vouches for it. Shared by the trace's forms,
 * so that they never differ in what they hold to be known.
 *
 * Must not know: output forms.
 */
#ifndef TLSWHY_OUTPUT_FACTS_H
#define TLSWHY_OUTPUT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "handshake/names.h"
#include "handshake/observation.h"
#include "handshake/peer.h"
#include "handshake/snapshot.h"

/* What a trace must know of its watch. */
struct trace_clock {
	uint64_t unix_offset_ns; /* what to add to CLOCK_MONOTONIC to get nanoseconds since 1970 */
	uint64_t tick_ns;        /* the kernel's tick; 0: unknown */
};

struct facts_peer {
	char address[PEER_TEXT_BYTES];
	size_t address_bytes; /* 0: not known. Foreign bytes where it is from a PROXY protocol header. */
	bool port_known;
	uint16_t port;
	char proxy[PEER_TEXT_BYTES]; /* the socket's own peer, where address and port are of a header */
	size_t proxy_bytes;
};

/* Where a handshake's time went; 0 where it is not known. */
struct facts_parts {
	bool known[PARTS_SHOWN];
	bool coarse[PARTS_SHOWN]; /* good to a tick only */
	uint64_t us[PARTS_SHOWN];
	uint64_t before_us; /* of lag */
	uint64_t whole_us;  /* latency, and what was measured before the first call */
};

/* False for marks, which have no line of their own. */
bool facts_is_handshake(const struct observation *observation);
/* False where the handshake was first seen in the middle: its latency and parts are too short. */
bool facts_has_latency(const struct observation *observation);
/* False where the library's object could not be read. */
bool facts_object_readable(const struct observation *observation);
/* Whether verdict.verify_result is meant: after a rejection, or where the peer showed a certificate. */
bool facts_has_verify_result(const struct observation *observation);
/* False where the latency is not known: then no part is. */
bool facts_parts(const struct observation *observation, struct facts_parts *parts);
/* Whether the socket's round trip and retransmissions are meant: it is TCP, and was read. */
bool facts_has_tcp(const struct observation *observation);
void facts_peer(const struct observation *observation, struct facts_peer *peer);

/*
 * The queued errors, oldest first: those of the record, else the verdict's first ones. Writes at most EVENT_ERRORS
 * codes and returns how many.
 */
unsigned int facts_errors(const struct observation *observation, uint32_t codes[EVENT_ERRORS]);

#endif
