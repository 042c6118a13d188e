/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is at the other end of a handshake, as one comparable value.
 *
 * Where nginx has the client's address from a PROXY protocol header, that is the peer: the socket's other end is the
 * load balancer. An IPv4 address is the same peer in an IPv6 socket (::ffff:192.0.2.1), in an IPv4 one and in a
 * header. A client's port is no part of it, for it says nothing; a backend is its address and port.
 * Must not know: counting.
 */
#ifndef TLSWHY_HANDSHAKE_PEER_H
#define TLSWHY_HANDSHAKE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/event.h"

#define PEER_TEXT_BYTES (EVENT_PROXY_BYTES + 8) /* without a NUL; brackets and a port beside the address */

struct peer {
	uint8_t bytes[1 + EVENT_PROXY_BYTES]; /* what it is, then the address, then perhaps the port */
	uint8_t count;                        /* of bytes[] */
};

/* Reads the peer out of an event. False, and *peer untouched, where the event has none. */
bool peer_from_event(struct peer *peer, const struct event *event);

/* Makes the port part of it, where it is an address and the port is not 0. Once. */
void peer_add_port(struct peer *peer, uint16_t port);

/*
 * Writes its text, without a NUL: an address, with a port ADDRESS:PORT or [ADDRESS]:PORT, "unix:", or what the PROXY
 * protocol header had. Returns its length.
 */
size_t peer_text(const struct peer *peer, char text[PEER_TEXT_BYTES]);

/* A hash with 64 uniform bits; the same peer hashes differently on the two sides of nginx. */
uint64_t peer_hash(const struct peer *peer, unsigned int direction, uint64_t seed);

#endif
