/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile bytes as a file with debug information: opening, links, the walk. An input is an ELF file, or a length, in
 * four bytes, of a first file and then that file and one that it shares types with. Its answers must be all of a
 * structure or nothing of it; nothing may crash, hang or take more memory than there is.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/dwarf_private.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int files[2] = { -1, -1 };

static struct dwarf_file *open_bytes(int number, const uint8_t *data, size_t size)
{
	struct dwarf_file *file = NULL;

	if (files[number] < 0)
		files[number] = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(files[number], 0) || pwrite(files[number], data, size, 0) != (ssize_t)size)
		return NULL;
	return dwarf_file_open(files[number], &file) ? NULL : file;
}

static void judge(const struct dwarf_types *types)
{
	size_t states = 0;

	for (size_t i = 0; i < DWARF_STATE_COUNT; i++)
		states += types->states[i] != 0;
	if (states != 0 && states != DWARF_STATE_COUNT)
		abort();
	/* A field comes with the key field of its structure. */
	if (types->values[LAYOUT_FIELD_rbio] != LAYOUT_NONE && types->values[LAYOUT_FIELD_version] == LAYOUT_NONE)
		abort();
	if (types->values[LAYOUT_FIELD_bio_num] != LAYOUT_NONE &&
	    types->values[LAYOUT_FIELD_bio_flags] == LAYOUT_NONE)
		abort();
}

static void walk(const struct dwarf_file *file, const struct dwarf_file *shared)
{
	struct dwarf_types types;
	struct dwarf_view view;

	dwarf_file_view(file, shared, &view);
	if (!dwarf_walk(&view, DWARF_PART_SSL | DWARF_PART_BIO, &types))
		judge(&types);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autodwarf struct dwarf_file *file = NULL, *shared = NULL;
	const char *name, *link;
	struct dwarf_id id;
	uint32_t first = (uint32_t)size, crc;

	if (size < sizeof(first))
		return 0;
	if (memcmp(data, ELFMAG, SELFMAG)) {
		memcpy(&first, data, sizeof(first));
		data += sizeof(first);
		size -= sizeof(first);
		first = first < size ? first : (uint32_t)size;
	}
	file = open_bytes(0, data, first);
	if (!file)
		return 0;
	link = dwarf_file_link(file, &crc);
	if (link && strlen(link) > size)
		abort();
	if (!dwarf_file_has_types(file) || dwarf_file_load(file, &name, &id))
		return 0;
	/* As the search does: without the second file the first is not read. */
	if (name && first < size)
		shared = open_bytes(1, data + first, size - first);
	if (name && (!shared || dwarf_file_load(shared, &name, &id) || name))
		return 0;
	if (shared)
		dwarf_file_share(file, shared);
	walk(file, shared);
	return 0;
}
