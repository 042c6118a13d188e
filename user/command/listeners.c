/* SPDX-License-Identifier: BSD-2-Clause */
/* Learning listeners. Contract: listeners.h. */
#include "command/listeners.h"

#include <string.h>

#include "base/log.h"
#include "handshake/hash.h"

void listeners_learn(struct listeners *listeners, struct tracer *tracer, const struct observation *observation)
{
	const struct event *event = &observation->event;
	const struct tls_listener listener = { .tgid = event->header.tgid, .generation = event->generation };
	struct listener_key key = { .netns = event->netns, .port = event->local_port, .family = event->family };
	struct listener_key *known;
	int error;

	if (event->header.kind != EVENT_SETTLED || !(event->flags & EVENT_HTTP) || !event->local_port)
		return;
	memcpy(key.address, event->local, sizeof(key.address));
	known = &listeners->known[hash_bytes(&key, sizeof(key), 0) % LISTENERS_KNOWN];
	if (!memcmp(known, &key, sizeof(key)))
		return;
	error = tracer_add_listener(tracer, &key, &listener);
	if (error)
		log_debug("a listener cannot be watched for who leaves: %s", strerror(-error));
	else
		*known = key;
}
