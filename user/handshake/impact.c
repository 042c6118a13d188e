/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and their failed upstreams. Contract: impact.h. */
#include "handshake/impact.h"

#include <stddef.h>

/* Connection numbers count up in a worker: neighbours get neighbouring places. */
static struct impact_request *place_of(struct impact *impact, uint32_t tgid, uint64_t connection)
{
	return &impact->requests[(connection + tgid * 2654435761u) % IMPACT_REQUESTS];
}

static bool is_request(const struct impact_request *place, uint32_t tgid, uint64_t connection)
{
	return connection != 0 && place->connection == connection && place->tgid == tgid;
}

/* The place is needed, or its request is over. */
static void let_go(struct impact *impact, struct impact_request *place)
{
	if (place->connection && place->completed)
		impact->rescued[place->cause]++;
	place->connection = 0;
}

void impact_failed(struct impact *impact, uint32_t tgid, uint64_t connection, enum cause cause, bool amends)
{
	struct impact_request *place = place_of(impact, tgid, connection);

	if (connection == 0)
		return;
	/* A completed one that is not taken back is over: this is the next request of a kept client connection. */
	if (!amends || !is_request(place, tgid, connection))
		let_go(impact, place);
	*place = (struct impact_request){ .connection = connection, .tgid = tgid, .cause = cause };
}

void impact_completed(struct impact *impact, uint32_t tgid, uint64_t connection)
{
	struct impact_request *place = place_of(impact, tgid, connection);

	if (!is_request(place, tgid, connection))
		return;
	/* Completed twice: the first was not taken back, and this is the next request of a kept client connection. */
	if (place->completed)
		let_go(impact, place);
	else
		place->completed = true;
}

void impact_answered(struct impact *impact, uint32_t tgid, uint64_t connection)
{
	struct impact_request *place = place_of(impact, tgid, connection);

	if (!is_request(place, tgid, connection))
		return;
	if (!place->completed)
		impact->lost[place->cause]++;
	let_go(impact, place);
}

uint64_t impact_rescued(const struct impact *impact, enum cause cause)
{
	uint64_t rescued = impact->rescued[cause];

	for (size_t i = 0; i < IMPACT_REQUESTS; i++) {
		const struct impact_request *place = &impact->requests[i];

		rescued += place->connection && place->completed && place->cause == cause;
	}
	return rescued;
}

void impact_merge(struct impact *into, const struct impact *from)
{
	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
		into->lost[cause] += from->lost[cause];
		into->rescued[cause] += impact_rescued(from, (enum cause)cause);
	}
}
