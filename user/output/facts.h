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

struct facts_peer {
	char address[PEER_TEXT_BYTES];
	size_t address_bytes; /* 0: not known. Foreign bytes where it is from a PROXY protocol header. */
	bool port_known;
	uint16_t port;
	char proxy[PEER_TEXT_BYTES]; /* the socket's own peer, where address and port are of a header */
	size_t proxy_bytes;
};

/* False for marks, which have no line of their own. */
bool facts_is_handshake(const struct observation *observation);
/* False where the handshake was first seen in the middle: its latency and parts are too short. */
bool facts_has_latency(const struct observation *observation);
/* False where the library's object could not be read. */
bool facts_object_readable(const struct observation *observation);
/* Whether verdict.verify_result is meant: after a rejection, or where the peer showed a certificate. */
bool facts_has_verify_result(const struct observation *observation);
void facts_peer(const struct observation *observation, struct facts_peer *peer);

/*
 * The queued errors, oldest first: those of the record, else the verdict's first ones. Writes at most EVENT_ERRORS
 * codes and returns how many.
 */
unsigned int facts_errors(const struct observation *observation, uint32_t codes[EVENT_ERRORS]);

#endif
