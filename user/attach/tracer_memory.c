/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel side takes of the kernel's memory: see tracer.h.
 *
 * Since Linux 6.4 (commit 90a5527d7686) the kernel says what a map takes at the moment; an entry of a hash that is
 * not allocated beforehand is then what a small map of the same kind grows by. Before, it said what a full map would
 * hold, and what is here follows from the map's definition. The allocator's rounding is added: it is in no figure of
 * the kernel's. Left out: the allocator's reserve for each CPU, some kilobytes.
 */
#include "attach/tracer_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TRIAL_ENTRIES 64
#define BUCKET_BYTES  16 /* struct bucket of kernel/bpf/hashtab.c */
#define ELEMENT_BYTES 56 /* struct htab_elem, and since 6.1 a list's node (commit fba1a1c6c912) */
#define VALUE_BYTES   1024
#define KEY_BYTES     64

/* What the kernel says in fdinfo. */
static int said_bytes(int fd, uint64_t *out)
{
	char path[64], line[128];
	autofclose FILE *file = NULL;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "memlock:", 8) != 0)
			continue;
		*out = strtoull(line + 8, NULL, 10);
		return 0;
	}
	return -ENODATA;
}

/* What kmalloc() hands out for so many bytes. */
static uint32_t allocated_bytes(uint64_t bytes)
{
	static const uint32_t odd[] = { 96, 192 };
	uint32_t size = 8;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (bytes <= odd[i] && bytes > odd[i] / 3 * 2)
			return odd[i];
	while (size < bytes && size < 1u << 30)
		size *= 2;
	return size;
}

static uint64_t rounded(uint64_t bytes)
{
	return (bytes + 7) / 8 * 8;
}

static uint32_t defined_entry(const struct bpf_map *map)
{
	return allocated_bytes(ELEMENT_BYTES + rounded(bpf_map__key_size(map)) + rounded(bpf_map__value_size(map)));
}

static int fill(int fd, size_t key_bytes)
{
	char key[KEY_BYTES] = { 0 }, value[VALUE_BYTES] = { 0 };

	for (uint32_t i = 0; i < TRIAL_ENTRIES; i++) {
		memcpy(key, &i, sizeof(i) < key_bytes ? sizeof(i) : key_bytes);
		if (bpf_map_update_elem(fd, key, value, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* What a map of the same kind grows by an entry; 0 where the kernel does not say what a map takes. */
static int tried_entry(const struct bpf_map *map, uint32_t *out)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = bpf_map__map_flags(map));
	uint64_t before = 0, after = 0;
	autoclose int fd = -1;
	int error;

	if (bpf_map__key_size(map) > KEY_BYTES || bpf_map__value_size(map) > VALUE_BYTES)
		return -E2BIG;
	fd = bpf_map_create(bpf_map__type(map), "trial", bpf_map__key_size(map), bpf_map__value_size(map),
			    TRIAL_ENTRIES, &options);
	if (fd < 0)
		return -errno;
	error = said_bytes(fd, &before);
	if (!error)
		error = fill(fd, bpf_map__key_size(map));
	if (!error)
		error = said_bytes(fd, &after);
	if (!error)
		*out = after > before ? allocated_bytes((after - before) / TRIAL_ENTRIES) : 0;
	return error;
}

static uint64_t buckets_bytes(const struct bpf_map *map)
{
	uint64_t buckets = 1;

	while (buckets < bpf_map__max_entries(map))
		buckets *= 2;
	return buckets * BUCKET_BYTES;
}

static bool is_hash(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_HASH || bpf_map__type(map) == BPF_MAP_TYPE_LRU_HASH;
}

/* Before 6.4: the kernel says what keys and values of a full map take, and nothing of a ring. */
static int defined_bytes(const struct bpf_map *map, uint64_t *out)
{
	uint64_t buckets, entries = bpf_map__max_entries(map);
	int error;

	if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF) {
		*out = entries;
		return 0;
	}
	buckets = is_hash(map) ? buckets_bytes(map) : 0;
	if (is_hash(map) && (bpf_map__map_flags(map) & BPF_F_NO_PREALLOC)) {
		*out = buckets;
		return 0;
	}
	error = said_bytes(bpf_map__fd(map), out);
	if (!error && is_hash(map))
		*out += buckets + entries * ELEMENT_BYTES;
	return error;
}

static int sum_rest(const struct tracer *tracer, bool is_said, uint64_t *sum)
{
	const struct bpf_program *program = NULL;
	const struct bpf_map *map = NULL;
	uint64_t bytes = 0;
	int error = 0;

	*sum = 0;
	while (!error && (map = bpf_object__next_map(tracer->skeleton->obj, map))) {
		error = is_said ? said_bytes(bpf_map__fd(map), &bytes) : defined_bytes(map, &bytes);
		*sum += bytes;
	}
	while (!error && (program = bpf_object__next_program(tracer->skeleton->obj, (struct bpf_program *)program))) {
		if (bpf_program__fd(program) < 0)
			continue;
		error = said_bytes(bpf_program__fd(program), &bytes);
		*sum += bytes;
	}
	return error;
}

int tracer_memory(const struct tracer *tracer, struct tracer_memory *out)
{
	const struct bpf_map *settled = tracer->skeleton->maps.settled_objects;
	const struct bpf_map *flight = tracer->skeleton->maps.handshakes;
	struct tracer_memory memory = { .settled_max = bpf_map__max_entries(settled) };
	int error = tried_entry(settled, &memory.settled_bytes);
	bool is_said = memory.settled_bytes > 0;

	if (!error)
		error = tried_entry(flight, &memory.flight_bytes);
	if (!error)
		error = sum_rest(tracer, is_said, &memory.rest_bytes);
	if (error)
		return error;
	if (!is_said) {
		memory.settled_bytes = defined_entry(settled);
		memory.flight_bytes = defined_entry(flight);
	}
	*out = memory;
	return 0;
}
