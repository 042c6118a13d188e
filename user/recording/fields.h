/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the members of the kernel side's structs lie: in this program, and in a file that another version wrote.
 *
 * Members are known by name. A member the file lacks is zero, one this program does not know is left out; numbers
 * may be wider or narrower, lists longer or shorter.
 * Must not know: files, frames.
 */
#ifndef TLSWHY_RECORDING_FIELDS_H
#define TLSWHY_RECORDING_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recording/format.h"

/* No struct of the kernel side is or may become larger, in this program or in a file. */
#define FIELDS_STRUCT_MAX 4096
#define FIELDS_MAX        256
#define FIELD_NAME_BYTES  48

struct field {
	const char *name;
	uint16_t offset, bytes;
	uint8_t element_bytes; /* 1, 2, 4, 8; bytes is a multiple of it */
};

/* A struct of this program. */
struct field_table {
	enum frame_struct which;
	uint16_t version; /* of an event */
	uint32_t bytes;
	const struct field *fields;
	size_t count;
};

/* Static storage. */
const struct field_table *field_table(enum frame_struct which);

/* One copy that a translation makes. */
struct field_move {
	uint16_t from, to;
	uint16_t count; /* elements */
	uint8_t from_bytes, to_bytes;
};

/* From a file's struct to this program's. `= { 0 }` translates nothing. */
struct translation {
	uint32_t file_bytes; /* of the file's struct; 0: the file has not described it */
	bool identical;      /* nothing is to be done */
	struct field_move moves[FIELDS_MAX];
	size_t count;
};

/* Begins a translation. Returns 0, or -EBADMSG where no struct can be of that size. */
int translation_begin(struct translation *translation, const struct field_table *table, uint32_t file_bytes);
/*
 * Takes one member of the file's struct. name need not end with NUL. Returns 0, or -EBADMSG where it does not lie
 * within the struct or is no number or list of numbers.
 */
int translation_add(struct translation *translation, const struct field_table *table, const char *name,
		    size_t name_bytes, uint16_t offset, uint16_t bytes, uint8_t element_bytes);
/* After all members. Returns 0, or -EBADMSG where one is missing without which nothing can be read. */
int translation_end(struct translation *translation, const struct field_table *table);

/* from: translation->file_bytes bytes; to: the table's bytes. */
void translate(const struct translation *translation, const struct field_table *table, const void *from, void *to);

#endif
