/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel side has counted and kept: counters, spilled verdicts, handshakes in flight; see tracer.h.
 *
 * Invariant: a walk sees every entry that stays, once, whatever comes and goes meanwhile.
 * Must not know: probes.
 */
#include "attach/tracer_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define WALK_BATCH 4096

int tracer_counters(const struct tracer *tracer, uint64_t rows[COUNTER_ROWS])
{
	const struct bpf_map *map = tracer->skeleton->maps.counters;
	int cpus = libbpf_num_possible_cpus();
	autofree uint64_t *values = NULL;
	uint64_t sums[COUNTER_ROWS] = { 0 };

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t row = 0; row < COUNTER_ROWS; row++) {
		int error = bpf_map__lookup_elem(map, &row, sizeof(row), values, (size_t)cpus * sizeof(*values), 0);

		if (error)
			return error;
		for (int cpu = 0; cpu < cpus; cpu++)
			sums[row] += values[cpu];
	}
	memcpy(rows, sums, sizeof(sums));
	return 0;
}

/* Called for each entry of a map during a walk. */
typedef void walk_fn(void *context, const void *key, const void *value);

/*
 * Walks a hash map bucket by bucket: unlike next-key iteration this neither repeats nor skips entries that stay while
 * others come and go (bpf_map_lookup_batch, Linux 5.6).
 */
static int walk_map(const struct bpf_map *map, walk_fn *visit, void *context)
{
	size_t key_bytes = bpf_map__key_size(map), value_bytes = bpf_map__value_size(map);
	autofree char *keys = calloc(WALK_BATCH, key_bytes);
	autofree char *values = calloc(WALK_BATCH, value_bytes);
	bool first = true, last = false;
	uint32_t position = 0;

	if (!keys || !values)
		return -ENOMEM;
	while (!last) {
		uint32_t count = WALK_BATCH, next = 0;
		int error = bpf_map_lookup_batch(bpf_map__fd(map), first ? NULL : &position, &next, keys, values,
						 &count, NULL);

		last = error == -ENOENT;
		if (error && !last)
			return error;
		for (uint32_t i = 0; i < count; i++)
			visit(context, keys + i * key_bytes, values + i * value_bytes);
		position = next;
		first = false;
	}
	return 0;
}

struct spill_walk {
	tracer_spill_fn *spilled;
	void *context;
};

static void visit_spill(void *context, const void *key, const void *value)
{
	const struct spill_walk *walk = context;

	walk->spilled(walk->context, key, value);
}

int tracer_spilled(const struct tracer *tracer, tracer_spill_fn *spilled, void *context)
{
	struct spill_walk walk = { .spilled = spilled, .context = context };

	return walk_map(tracer->skeleton->maps.spill, visit_spill, &walk);
}

static unsigned int direction_of(const struct handshake *handshake)
{
	return handshake->direction < DIRECTION_COUNT ? handshake->direction : DIRECTION_UNKNOWN;
}

static void visit_open(void *context, const void *key, const void *value)
{
	uint64_t *open = context;

	(void)key;
	open[direction_of(value)]++;
}

int tracer_open_handshakes(const struct tracer *tracer, uint64_t open[DIRECTION_COUNT])
{
	uint64_t counted[DIRECTION_COUNT] = { 0 };
	int error = walk_map(tracer->skeleton->maps.handshakes, visit_open, counted);

	if (!error)
		memcpy(open, counted, sizeof(counted));
	return error;
}

/* Dead entries found by a walk; deleted after it. */
struct eviction {
	bool (*alive)(uint32_t tgid); /* NULL: tgid alone is dead */
	uint32_t tgid;
	uint32_t checked_tgid; /* the answer of alive() is asked once a run of keys */
	bool checked_alive;
	struct object_key *keys;
	size_t count, capacity;
	uint64_t *evicted; /* NULL: not counted */
	bool out_of_memory;
};

static bool is_dead(struct eviction *eviction, uint32_t tgid)
{
	if (!eviction->alive)
		return tgid == eviction->tgid;
	if (eviction->checked_tgid != tgid) {
		eviction->checked_tgid = tgid;
		eviction->checked_alive = eviction->alive(tgid);
	}
	return !eviction->checked_alive;
}

static void visit_eviction(void *context, const void *key, const void *value)
{
	struct eviction *eviction = context;
	const struct object_key *object = key;

	if (!is_dead(eviction, object->tgid))
		return;
	if (eviction->count == eviction->capacity) {
		size_t capacity = eviction->capacity ? eviction->capacity * 2 : 256;
		struct object_key *keys = reallocarray(eviction->keys, capacity, sizeof(*keys));

		if (!keys) {
			eviction->out_of_memory = true;
			return;
		}
		eviction->keys = keys;
		eviction->capacity = capacity;
	}
	eviction->keys[eviction->count++] = *object;
	if (eviction->evicted)
		eviction->evicted[direction_of(value)]++;
}

static int evict_from(const struct bpf_map *map, struct eviction *eviction)
{
	int error = walk_map(map, visit_eviction, eviction);

	for (size_t i = 0; i < eviction->count; i++)
		bpf_map__delete_elem(map, &eviction->keys[i], sizeof(eviction->keys[i]), 0);
	free(eviction->keys);
	eviction->keys = NULL;
	eviction->count = eviction->capacity = 0;
	if (error)
		return error;
	return eviction->out_of_memory ? -ENOMEM : 0;
}

static int evict(struct tracer *tracer, struct eviction *eviction, uint64_t evicted[DIRECTION_COUNT])
{
	int error;

	eviction->evicted = evicted;
	error = evict_from(tracer->skeleton->maps.handshakes, eviction);
	if (error)
		return error;
	eviction->evicted = NULL; /* settled ones are counted already */
	return evict_from(tracer->skeleton->maps.settled_objects, eviction);
}

int tracer_evict(struct tracer *tracer, uint32_t tgid, uint64_t evicted[DIRECTION_COUNT])
{
	struct eviction eviction = { .tgid = tgid };

	return evict(tracer, &eviction, evicted);
}

int tracer_evict_dead(struct tracer *tracer, bool (*alive)(uint32_t tgid), uint64_t evicted[DIRECTION_COUNT])
{
	struct eviction eviction = { .alive = alive };

	return evict(tracer, &eviction, evicted);
}
