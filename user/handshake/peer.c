/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers: from an event's addresses to a value, and from the value to text.
 *
 * Invariant: two events of one peer give the same bytes, whichever way its address was known.
 * Must not know: counting.
 */
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

static size_t address_text(int family, const uint8_t *address, char text[PEER_TEXT_BYTES])
{
	char terminated[INET6_ADDRSTRLEN];

	_Static_assert(INET6_ADDRSTRLEN <= PEER_TEXT_BYTES, "every address fits");
	if (!inet_ntop(family, address, terminated, sizeof(terminated)))
		return 0;
	return bytes_text(terminated, strlen(terminated), text);
}

size_t peer_text(const struct peer *peer, char text[PEER_TEXT_BYTES])
{
	switch ((enum peer_kind)peer->bytes[0]) {
	case PEER_IPV4:
		return address_text(AF_INET, &peer->bytes[1], text);
	case PEER_IPV6:
		return address_text(AF_INET6, &peer->bytes[1], text);
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
