/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a recording.
 *
 * Invariant: the bytes may be a stranger's: every length is checked against what holds it, memory is bounded by
 * FRAME_BYTES_MAX and the header's targets, and what is wrong is told with the offset at which it is. What came
 * before damage has been handed out. Must not know: what is done with the records.
 */
#ifndef TLSWHY_RECORDING_READER_H
#define TLSWHY_RECORDING_READER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/types.h>

#include "tlswhy/event.h"
#include "recording/window.h"

#define RECORDING_SENTENCE_BYTES 160

struct recording_problem {
	uint64_t offset;                         /* from the file's start */
	char sentence[RECORDING_SENTENCE_BYTES]; /* what is wrong there, without file and offset; no foreign bytes */
};

enum recording_item_kind {
	RECORDING_RECORD, /* bytes, size: for decode_record() */
	RECORDING_TICK,   /* now_ns */
	RECORDING_SPILL,  /* key, value */
};

struct recording_item {
	enum recording_item_kind kind;
	const void *bytes; /* the reader's, until the next call */
	size_t size;
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	struct spill_key key;
	struct spill_value value;
};

struct recording_reader;

/*
 * Reads the header from a stream, which stays the caller's and is read by nobody else meanwhile. Returns 0 and a
 * reader, or a negative errno, *out untouched and *problem filled in: -ENODATA          the file ends too early
 *   -EPROTONOSUPPORT  it is no recording, of a later version, or of a host of the other byte order
 *   -EBADMSG          it contradicts itself
 *   -ENOMEM, or what read(2) said
 */
int recording_reader_new(FILE *stream, struct recording_reader **out, struct recording_problem *problem);
/* NULL is allowed. */
void recording_reader_free(struct recording_reader *reader);

/*
 * The next thing. Returns 1 and an item; 0 after the closing frame, where the file ends as it should; or a negative
 * errno as above, again and again, with *problem filled in.
 */
int recording_next(struct recording_reader *reader, struct recording_item *item, struct recording_problem *problem);

/*
 * The window, the reader's own. After recording_next() returned 0 it is whole; before that, and where the file is
 * cut, it has no totals, and ends with the last moment known.
 */
const struct window *recording_window(const struct recording_reader *reader);

#endif
