/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fills a map of the same shape as a given one, so that what its entries weigh can be seen from outside.
 *
 *   fill MAP_ID ENTRIES         `made ID` on stdout; after a line on stdin `filled N`; held until stdin ends
 *
 * Invariant: the given map is only asked for its shape. Keys differ in all of their bytes; fewer entries than asked
 * for where the map takes no more.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define BATCH 4096u

static void make_key(unsigned char *key, size_t bytes, uint64_t number)
{
	for (size_t at = 0; at < bytes; at += sizeof(number)) {
		size_t rest = bytes - at < sizeof(number) ? bytes - at : sizeof(number);

		number = (number + 1) * 0x9e3779b97f4a7c15u; /* odd, so no two numbers become one */
		memcpy(key + at, &number, rest);
	}
}

/* How many entries went in. */
static uint32_t fill(int map, const struct bpf_map_info *shape, uint32_t entries)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	unsigned char *keys = calloc(BATCH, shape->key_size), *values = calloc(BATCH, shape->value_size);
	uint32_t done = 0;

	while (keys && values && done < entries) {
		uint32_t count = entries - done < BATCH ? entries - done : BATCH, asked = count;

		for (uint32_t i = 0; i < count; i++)
			make_key(keys + (size_t)i * shape->key_size, shape->key_size, (uint64_t)done + i);
		(void)bpf_map_update_batch(map, keys, values, &count, &options);
		done += count;
		if (count < asked)
			break;
	}
	free(keys);
	free(values);
	return done;
}

/* A map of the same shape; negative on failure. */
static int make_twin(uint32_t id, struct bpf_map_info *shape)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	uint32_t bytes = sizeof(*shape);
	int map = bpf_map_get_fd_by_id(id);

	if (map < 0 || bpf_obj_get_info_by_fd(map, shape, &bytes))
		return -1;
	(void)close(map);
	options.map_flags = shape->map_flags;
	return bpf_map_create(shape->type, "twin", shape->key_size, shape->value_size, shape->max_entries, &options);
}

int main(int argc, char **argv)
{
	struct bpf_map_info shape = { 0 }, twin_info = { 0 };
	uint32_t bytes = sizeof(twin_info);
	int twin;

	if (argc != 3) {
		(void)fputs("usage: fill MAP_ID ENTRIES\n", stderr);
		return 2;
	}
	twin = make_twin((uint32_t)strtoul(argv[1], NULL, 10), &shape);
	if (twin < 0 || bpf_obj_get_info_by_fd(twin, &twin_info, &bytes)) {
		(void)fprintf(stderr, "fill: no map like %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	(void)printf("made %u\n", twin_info.id);
	(void)fflush(stdout);
	if (getchar() == EOF)
		return 1;
	(void)printf("filled %u\n", fill(twin, &shape, (uint32_t)strtoul(argv[2], NULL, 10)));
	(void)fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
