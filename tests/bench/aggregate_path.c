/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a live `tlswhy report` does with a record between the ring and the next one, less what only a mark leads to:
 * on_record() of command/session.c, on_raw() and on_observation() of command/live.c, on_observation() of
 * command/report.c.
 */
#include "aggregate_bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "handshake/decode.h"
#include "handshake/hash.h"

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The listeners are known: there is no tracer that could be told. */
static void know_listener(struct listeners *listeners, const struct event *event)
{
	struct listener_key key = { .netns = event->netns, .port = event->local_port };

	memcpy(key.address, event->local, sizeof(key.address));
	for (size_t i = 0; i < 2; i++) {
		key.family = i ? AF_INET6 : AF_INET;
		listeners->known[hash_bytes(&key, sizeof(key), 0) % LISTENERS_KNOWN] = key;
	}
}

void path_init(struct path *path, const struct stretch *stretch)
{
	static const struct aggregate_options options = { .seed = 0x243f6a8885a308d3u };

	memset(path, 0, sizeof(*path));
	know_listener(&path->listeners, (const struct event *)(const void *)stretch->bytes);
	path->aggregate = aggregate_new(&options);
	if (!path->aggregate)
		abort();
}

void path_release(struct path *path)
{
	aggregate_free(path->aggregate);
	path->aggregate = NULL;
}

static bool is_exec(const void *bytes, size_t size)
{
	struct event_header header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	return header.kind == EVENT_EXEC;
}

static void count(struct path *path, const struct observation *observation)
{
	if (observation->event.header.kind == EVENT_ANSWERED)
		return;
	if (observation->event.header.kind == EVENT_AMENDED)
		path->ok--;
	if (observation->cause == CAUSE_OK)
		path->ok++;
	else
		path->failed++;
}

static void take(struct path *path, const void *bytes, size_t size)
{
	struct observation observation;

	if (is_exec(bytes, size))
		return;
	if (record_keep(&path->kept, bytes, size) || decode_record(path->kept.bytes, path->kept.size, &observation)) {
		path->refused++;
		return;
	}
	listeners_learn(&path->listeners, NULL, &observation);
	if (aggregate_add(path->aggregate, &observation) < 0)
		path->refused++;
	count(path, &observation);
}

uint64_t path_feed(struct path *path, struct stretch *stretch, uint64_t records, uint64_t *making_ns)
{
	uint64_t taking_ns = 0;

	while (records > 0) {
		size_t n = records < stretch->count ? (size_t)records : stretch->count;
		uint64_t start_ns = cpu_ns(), made_ns;

		stretch_renew(stretch, n);
		made_ns = cpu_ns();
		for (size_t i = 0; i < n; i++)
			take(path, stretch->bytes + stretch->slots[i].at, stretch->slots[i].bytes);
		taking_ns += cpu_ns() - made_ns;
		*making_ns += made_ns - start_ns;
		records -= n;
	}
	return taking_ns;
}
