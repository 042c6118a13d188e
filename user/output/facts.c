/* SPDX-License-Identifier: BSD-2-Clause */
/* What an observation vouches for. Contract: facts.h. */
#include <string.h>
#include <sys/socket.h>

#include "output/facts.h"

bool facts_is_handshake(const struct observation *observation)
{
	uint8_t kind = observation->event.header.kind;

	return kind == EVENT_SETTLED || kind == EVENT_AMENDED;
}

bool facts_has_latency(const struct observation *observation)
{
	return !(observation->event.verdict.flags & VERDICT_UNMEASURED);
}

bool facts_object_readable(const struct observation *observation)
{
	return !(observation->event.verdict.flags & VERDICT_OBJECT_UNREADABLE);
}

bool facts_has_verify_result(const struct observation *observation)
{
	const struct verdict *verdict = &observation->event.verdict;

	if (verdict->rejection == REJECTION_UPSTREAM_VERIFY)
		return true; /* from the argument of nginx's own call, whatever the layout */
	return facts_object_readable(observation) &&
	       (verdict->rejection != REJECTION_NONE || verdict->flags & VERDICT_PEER_CERTIFICATE);
}

void facts_peer(const struct observation *observation, struct facts_peer *peer)
{
	struct event event = observation->event;
	struct peer known;

	*peer = (struct facts_peer){ 0 };
	if (!peer_from_event(&known, &event))
		return;
	peer->address_bytes = peer_text(&known, peer->address);
	peer->port_known = event.proxy_bytes || event.family != AF_UNIX;
	peer->port = event.proxy_bytes ? event.proxy_port : event.peer_port;
	if (!event.proxy_bytes)
		return;
	event.proxy_bytes = 0;
	if (peer_from_event(&known, &event))
		peer->proxy_bytes = peer_text(&known, peer->proxy);
}

unsigned int facts_errors(const struct observation *observation, uint32_t codes[EVENT_ERRORS])
{
	const struct event *event = &observation->event;
	unsigned int count = event->error_count;

	if (count) {
		memcpy(codes, event->errors, count * sizeof(codes[0]));
		return count;
	}
	if (event->verdict.other_error)
		codes[count++] = event->verdict.other_error;
	if (event->verdict.error)
		codes[count++] = event->verdict.error;
	return count;
}
