/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of struct recording_reader, for the files that make it: reader.c reads the stream, reader_header.c what
 * frames it, reader_fields.c the layout of its structs, reader_backlog.c what waited before accept(). Must not be
 * included by anything else.
 */
#ifndef TLSWHY_RECORDING_READER_PRIVATE_H
#define TLSWHY_RECORDING_READER_PRIVATE_H

#include <stdbool.h>

#include "recording/fields.h"
#include "recording/format.h"
#include "recording/reader.h"

#define BODY_STEP (64u << 10)

struct recording_reader {
	FILE *stream; /* borrowed */
	uint64_t offset;
	struct window window;
	struct translation translations[FRAME_STRUCT_SPILL_VALUE + 1]; /* by enum frame_struct */
	bool in_header, has_start;
	uint64_t records, spill_rows;
	uint64_t spilled; /* handshakes of the spill rows */

	/* The frame that was read last. */
	uint64_t frame_offset;
	unsigned int kind;
	uint8_t *body;
	size_t body_bytes, room, at;
	uint8_t record[sizeof(struct event) + UINT16_MAX]; /* a translated one; a tail's length has 16 bits */

	int error; /* stays */
	struct recording_problem problem;
};

/* Notes what is wrong and where. Returns error. */
int reader_fail(struct recording_reader *reader, int error, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Reads exactly count bytes. what: of what the file may end in the middle. */
int reader_read(struct recording_reader *reader, void *bytes, size_t count, const char *what);
/* Reads the next frame whole. */
int reader_frame(struct recording_reader *reader);
/* Takes bytes of the frame. */
int reader_take(struct recording_reader *reader, void *out, size_t bytes);

int reader_take_fields(struct recording_reader *reader);
int reader_take_target(struct recording_reader *reader);
int reader_take_worker(struct recording_reader *reader);
int reader_take_listener(struct recording_reader *reader);
int reader_take_namespace(struct recording_reader *reader);
int reader_take_end(struct recording_reader *reader);

#endif
