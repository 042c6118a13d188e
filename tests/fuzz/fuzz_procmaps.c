/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as one line, and as a whole file, of /proc/PID/maps. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/procmaps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct procmap *map)
{
	size_t length = strnlen(map->path, sizeof(map->path));

	if (map->start >= map->end || length == sizeof(map->path) || (map->deleted && !map->inode))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct procmap map;
	FILE *maps;
	size_t results = 0;

	if (!procmaps_parse_line((const char *)data, size, &map))
		check(&map);
	maps = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	if (!maps)
		return 0;
	for (int result; (result = procmaps_next(maps, &map));) {
		if (result > 0)
			check(&map);
		/* Every call takes at least a byte. */
		if (++results > size)
			abort();
	}
	fclose(maps);
	return 0;
}
