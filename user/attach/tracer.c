/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side through libbpf: see tracer.h.
 *
 * Invariants: every API of libbpf used here is in 1.1; the ring's callback always returns 0, for another value ends the
 * poll (libbpf, ringbuf.c). Must not know: what a record says.
 */
#include "attach/tracer.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "tlswhy.skel.h"

#define WALK_BATCH  4096
#define SITES_MAX   256
#define TRACEPOINTS 2

struct tracer {
	struct tlswhy_bpf *skeleton;
	struct ring_buffer *ring;
	struct bpf_link *links[SITES_MAX + TRACEPOINTS];
	size_t link_count;
	tracer_record_fn *record;
	void *context;
};

__attribute__((format(printf, 2, 0))) static int print_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char line[1024];

	if (level == LIBBPF_DEBUG || vsnprintf(line, sizeof(line), format, arguments) <= 0)
		return 0;
	line[strcspn(line, "\n")] = '\0';
	log_debug("%s", line);
	return 0;
}

static int on_record(void *context, void *bytes, size_t size)
{
	struct tracer *tracer = context;

	tracer->record(tracer->context, bytes, size);
	return 0;
}

static void free_tracer(struct tracer **tracer)
{
	tracer_free(*tracer);
}

static uint32_t page_bytes(void)
{
	return (uint32_t)sysconf(_SC_PAGESIZE);
}

static int configure(struct tlswhy_bpf *skeleton, const struct tracer_options *options)
{
	uint32_t ring_bytes = options->ring_bytes ? options->ring_bytes : TRACER_RING_BYTES;
	uint32_t spill_entries = options->spill_entries ? options->spill_entries : TRACER_SPILL_ENTRIES;
	int error;

	if (ring_bytes < page_bytes() || (ring_bytes & (ring_bytes - 1)) != 0)
		return -EINVAL;
	/* Half of a small ring, a batch of a large one: about 64 records. */
	skeleton->rodata->knobs.ring_wakeup_bytes = ring_bytes / 2 < 32768 ? ring_bytes / 2 : 32768;
	skeleton->rodata->knobs.adopt_children = options->adopt;
	skeleton->rodata->knobs.adopt_binaries = options->adopt;
	skeleton->rodata->knobs.final_marks = options->final_marks;
	error = bpf_map__set_max_entries(skeleton->maps.ring, ring_bytes);
	return error ? error : bpf_map__set_max_entries(skeleton->maps.spill, spill_entries);
}

int tracer_new(struct tracer **out, const struct tracer_options *options)
{
	__attribute__((cleanup(free_tracer))) struct tracer *tracer = calloc(1, sizeof(*tracer));
	int error;

	if (!tracer)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	tracer->skeleton = tlswhy_bpf__open();
	if (!tracer->skeleton)
		return -errno;
	error = configure(tracer->skeleton, options);
	if (!error)
		error = tlswhy_bpf__load(tracer->skeleton);
	if (error)
		return error;
	tracer->ring = ring_buffer__new(bpf_map__fd(tracer->skeleton->maps.ring), on_record, tracer, NULL);
	if (!tracer->ring)
		return -errno;
	*out = take_pointer(tracer);
	return 0;
}

static void *detach(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/*
 * Closing a uprobe's descriptor waits for grace periods, about 110 ms each: side by side they wait for the same ones.
 * Where a thread cannot be had, one after the other.
 */
static void detach_all(struct tracer *tracer)
{
	pthread_t threads[SITES_MAX + TRACEPOINTS];
	bool started[SITES_MAX + TRACEPOINTS];

	for (size_t i = 0; i < tracer->link_count; i++) {
		started[i] = pthread_create(&threads[i], NULL, detach, tracer->links[i]) == 0;
		if (!started[i])
			detach(tracer->links[i]);
	}
	for (size_t i = 0; i < tracer->link_count; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
	tracer->link_count = 0;
}

void tracer_free(struct tracer *tracer)
{
	if (!tracer)
		return;
	detach_all(tracer);
	ring_buffer__free(tracer->ring);
	tlswhy_bpf__destroy(tracer->skeleton);
	free(tracer);
}

int tracer_set_layout(struct tracer *tracer, uint32_t row, const struct layout *layout)
{
	return bpf_map__update_elem(tracer->skeleton->maps.layouts, &row, sizeof(row), layout, sizeof(*layout), BPF_ANY);
}

int tracer_add_target(struct tracer *tracer, uint32_t tgid, const struct target *target)
{
	return bpf_map__update_elem(tracer->skeleton->maps.targets, &tgid, sizeof(tgid), target, sizeof(*target),
				    BPF_ANY);
}

int tracer_add_binary(struct tracer *tracer, const struct binary_key *key, const struct target *target)
{
	return bpf_map__update_elem(tracer->skeleton->maps.binaries, key, sizeof(*key), target, sizeof(*target),
				    BPF_ANY);
}

int tracer_add_cycle(struct tracer *tracer, const struct cycle_key *key, uint32_t generation)
{
	return bpf_map__update_elem(tracer->skeleton->maps.cycles, key, sizeof(*key), &generation, sizeof(generation),
				    BPF_ANY);
}

static struct bpf_program *program_of(const struct tlswhy_bpf *skeleton, enum probe probe)
{
	switch (probe) {
#define X(symbol, number, program, ...) \
	case PROBE_##symbol:             \
		return skeleton->progs.program;
		PROBES(X)
#undef X
	case PROBE_COUNT:
		break;
	}
	return NULL;
}

static int keep_link(struct tracer *tracer, struct bpf_link *link)
{
	if (!link)
		return -errno;
	tracer->links[tracer->link_count++] = link;
	return 0;
}

int tracer_attach(struct tracer *tracer, const struct probe_site *site)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = probe_spec(site->probe)->is_return);
	struct bpf_program *program = program_of(tracer->skeleton, site->probe);

	if (!program)
		return -EINVAL;
	if (tracer->link_count >= SITES_MAX)
		return -ENOSPC;
	return keep_link(tracer,
			 bpf_program__attach_uprobe_opts(program, -1, site->path, site->file_offset, &options));
}

int tracer_attach_processes(struct tracer *tracer)
{
	const struct tlswhy_bpf *skeleton = tracer->skeleton;
	int error = keep_link(tracer, bpf_program__attach(skeleton->progs.process_exit));

	return error ? error : keep_link(tracer, bpf_program__attach(skeleton->progs.process_exec));
}

void tracer_arm(struct tracer *tracer)
{
	__atomic_store_n(&tracer->skeleton->bss->armed, 1, __ATOMIC_SEQ_CST);
}

int tracer_disarm(struct tracer *tracer)
{
	int inner = bpf_map__fd(tracer->skeleton->maps.quiesce_inner);
	uint32_t zero = 0;

	__atomic_store_n(&tracer->skeleton->bss->armed, 0, __ATOMIC_SEQ_CST);
	return bpf_map__update_elem(tracer->skeleton->maps.quiesce, &zero, sizeof(zero), &inner, sizeof(inner), BPF_ANY);
}

int tracer_fd(const struct tracer *tracer)
{
	return ring_buffer__epoll_fd(tracer->ring);
}

int tracer_drain(struct tracer *tracer, tracer_record_fn *record, void *context)
{
	tracer->record = record;
	tracer->context = context;
	return ring_buffer__consume(tracer->ring);
}

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
		int error = bpf_map_lookup_batch(bpf_map__fd(map), first ? NULL : &position, &next, keys, values, &count,
						 NULL);

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
