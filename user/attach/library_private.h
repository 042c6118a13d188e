/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of library.h that know libelf: an opened file and its sections.
 *
 * Invariant: what these functions return was checked against the size of the file.
 */
#ifndef TLSWHY_ATTACH_LIBRARY_PRIVATE_H
#define TLSWHY_ATTACH_LIBRARY_PRIVATE_H

#include "attach/library.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>

#define LIBRARY_SEGMENTS_MAX 64 /* of type PT_LOAD; linkers make 2 to 6 */

struct segment {
	uint64_t address, memory_bytes; /* as linked */
	uint64_t offset, file_bytes;
};

struct library {
	int fd;
	Elf *elf;
	uint64_t file_bytes;
	enum library_machine machine;
	struct segment segments[LIBRARY_SEGMENTS_MAX]; /* none of a debug file */
	size_t segment_count;
	struct library *debug_file; /* owned; NULL: none was added */
};

/*
 * Opens a debug file, through a descriptor that stays the caller's. Its segments say where the library's bytes were,
 * not where they are in this file, and are not read. Returns as library_open().
 */
int library_open_debug_file(int fd, struct library **out);

/* Whether so many bytes from start on end at the limit or before. */
bool library_within(uint64_t start, uint64_t bytes, uint64_t limit);
/* The segment an address is loaded with; NULL: none. */
const struct segment *library_segment_of(const struct library *library, uint64_t address);

/* Contents of a section. Returns 0 or -EBADMSG. */
int library_section_data(const struct library *library, Elf_Scn *section, Elf_Data **out);
/* The first section of a type, or, where names are given, the first loaded one of a name. 0, -ENOENT, -EBADMSG. */
int library_find_section(const struct library *library, uint32_t type, const Elf_Data *names, const char *name,
			 GElf_Shdr *header, Elf_Scn **out);
/* Whether the string at an offset is the wanted one. */
bool library_string_is(const Elf_Data *strings, uint64_t offset, const char *wanted);

#endif
