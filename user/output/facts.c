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

bool facts_parts(const struct observation *observation, struct facts_parts *parts)
{
	const struct event *event = &observation->event;
	uint64_t sum_us = 0;

	*parts = (struct facts_parts){ 0 };
	/* Every handshake uses some CPU: a recording of before there were parts has none. */
	if (!facts_has_latency(observation) || !event->parts.us[PART_CPU])
		return false;
	parts->known[PART_CONNECT] = event->flags & EVENT_CONNECT;
	parts->known[PART_LAG] = parts->known[PART_PEER] = event->flags & EVENT_WAITS;
	parts->known[PART_CPU] = parts->known[PART_PREEMPTED] = parts->known[PART_UNATTRIBUTED] = true;
	parts->coarse[PART_LAG] = parts->coarse[PART_PEER] = parts->known[PART_LAG] && event->flags & EVENT_COARSE;
	parts->coarse[PART_CPU] = event->flags & EVENT_SLEPT;
	for (unsigned int part = 0; part < PART_COUNT; part++) {
		parts->us[part] = parts->known[part] ? event->parts.us[part] : 0;
		sum_us += parts->us[part];
	}
	parts->before_us = parts->known[PART_LAG] ? event->parts.before_us : 0;
	parts->whole_us = (event->latency_ns + 500) / 1000 + parts->us[PART_CONNECT] + parts->before_us;
	parts->us[PART_UNATTRIBUTED] = parts->whole_us > sum_us ? parts->whole_us - sum_us : 0;
	return true;
}

bool facts_has_tcp(const struct observation *observation)
{
	const struct event *event = &observation->event;

	if (!(event->flags & EVENT_SOCKET) || event->flags & EVENT_QUIC)
		return false;
	if (event->family != AF_INET && event->family != AF_INET6)
		return false;
	return event->srtt_us || event->min_rtt_us || event->retransmits;
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
