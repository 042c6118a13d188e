/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers: from an event's addresses to a value, and from the value to text.
 *
 * Invariant: two events of one peer give the same bytes, whichever way its address was known.
 * Must not know: counting.
 */
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "handshake/hash.h"
#include "handshake/peer.h"

enum peer_kind {
	PEER_IPV4 = 4,
	PEER_IPV6 = 6,
	PEER_UNIX = 1,
	PEER_TEXT = 2, /* of a PROXY protocol header, not an address */
};

static void peer_set(struct peer *peer, enum peer_kind kind, const void *bytes, size_t count)
{
	peer->bytes[0] = (uint8_t)kind;
	memcpy(&peer->bytes[1], bytes, count);
	peer->count = (uint8_t)(1 + count);
}

static void peer_set_ipv6(struct peer *peer, const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		peer_set(peer, PEER_IPV4, address + sizeof(mapped), 4);
	else
		peer_set(peer, PEER_IPV6, address, 16);
}

static void peer_set_proxy(struct peer *peer, const char *text, size_t bytes)
{
	char terminated[EVENT_PROXY_BYTES + 1] = { 0 };
	uint8_t address[16];

	if (bytes > EVENT_PROXY_BYTES)
		bytes = EVENT_PROXY_BYTES;
	memcpy(terminated, text, bytes);
	if (inet_pton(AF_INET, terminated, address) == 1)
		peer_set(peer, PEER_IPV4, address, 4);
	else if (inet_pton(AF_INET6, terminated, address) == 1)
		peer_set_ipv6(peer, address);
	else
		peer_set(peer, PEER_TEXT, text, bytes);
}

bool peer_from_event(struct peer *peer, const struct event *event)
{
	if (event->proxy_bytes > 0) {
		peer_set_proxy(peer, event->proxy, event->proxy_bytes);
		return true;
	}
	if (!(event->flags & EVENT_SOCKET))
		return false;
	if (event->family == AF_INET)
		peer_set(peer, PEER_IPV4, event->peer, 4);
	else if (event->family == AF_INET6)
		peer_set_ipv6(peer, event->peer);
	else if (event->family == AF_UNIX)
		peer_set(peer, PEER_UNIX, "", 0);
	else
		return false;
	return true;
}

static size_t bytes_text(const void *bytes, size_t count, char text[PEER_TEXT_BYTES])
{
	memcpy(text, bytes, count);
	return count;
}

void peer_add_port(struct peer *peer, uint16_t port)
{
	if (port == 0 || (peer->bytes[0] != PEER_IPV4 && peer->bytes[0] != PEER_IPV6))
		return;
	peer->bytes[peer->count++] = (uint8_t)(port >> 8);
	peer->bytes[peer->count++] = (uint8_t)port;
}

static size_t address_text(int family, const struct peer *peer, size_t address_bytes, char text[PEER_TEXT_BYTES])
{
	const uint8_t *port = &peer->bytes[1 + address_bytes];
	char address[INET6_ADDRSTRLEN], terminated[PEER_TEXT_BYTES + 1];
	int length;

	_Static_assert(INET6_ADDRSTRLEN + sizeof("[]:65535") - 2 <= PEER_TEXT_BYTES,
		       "every address fits, with its port");
	if (!inet_ntop(family, &peer->bytes[1], address, sizeof(address)))
		return 0;
	if (peer->count <= 1 + address_bytes)
		return bytes_text(address, strlen(address), text);
	length = snprintf(terminated, sizeof(terminated), family == AF_INET6 ? "[%s]:%d" : "%s:%d", address,
			  port[0] << 8 | port[1]);
	return bytes_text(terminated, (size_t)length, text);
}

size_t peer_text(const struct peer *peer, char text[PEER_TEXT_BYTES])
{
	switch ((enum peer_kind)peer->bytes[0]) {
	case PEER_IPV4:
		return address_text(AF_INET, peer, 4, text);
	case PEER_IPV6:
		return address_text(AF_INET6, peer, 16, text);
	case PEER_UNIX:
		return bytes_text("unix:", 5, text);
	case PEER_TEXT:
		return bytes_text(&peer->bytes[1], peer->count - 1u, text);
	}
	return 0;
}

uint64_t peer_hash(const struct peer *peer, unsigned int direction, uint64_t seed)
{
	return hash_bytes(peer->bytes, peer->count, seed + direction);
}
