/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a recording.
 *
 * Invariant: what could be a secret is blanked before its record is in the file or in any buffer of it; a record
 * whose tail is not understood is not written at all. Order of calls: new, begin, then records and ticks, then spill
 * rows, then end. Errors stay: after the first one every call does nothing and returns it again, and what was written
 * before can be read. Must not know: where records come from, how files are named and opened.
 */
#ifndef TLSWHY_RECORDING_WRITER_H
#define TLSWHY_RECORDING_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/event.h"
#include "recording/window.h"

/* A record as it may leave the process. */
struct kept_record {
	size_t size;
	uint8_t bytes[EVENT_FIXED_MAX + EVENT_TAIL_LARGE];
};

/*
 * Copies what is meant of a record, and blanks its ClientHello (clienthello_blank()). Returns 0; -EMSGSIZE or
 * -EBADMSG, *kept untouched, where its lengths do not fit or the tail is of no known kind. bytes need no alignment.
 */
int record_keep(struct kept_record *kept, const void *bytes, size_t size);

struct recording_writer;

/* Writes to fd, which stays the caller's. Returns NULL when memory is short. */
struct recording_writer *recording_writer_new(int fd);
/* Writes nothing any more. NULL is allowed. */
void recording_writer_free(struct recording_writer *writer);

/* The header: clocks, names, fields, targets. As all below: 0 or a negative errno of write(2). */
int recording_write_begin(struct recording_writer *writer, const struct window *window);
int recording_write_record(struct recording_writer *writer, const struct kept_record *record);
/* The watch has come to this moment; writes out what waits. */
int recording_write_tick(struct recording_writer *writer, uint64_t now_ns);
int recording_write_spill(struct recording_writer *writer, const struct spill_key *key,
			  const struct spill_value *value);
/* Workers, listeners, totals, losses, the end; writes all out. */
int recording_write_end(struct recording_writer *writer, const struct window *window);

/* How many bytes are in the file. */
uint64_t recording_written_bytes(const struct recording_writer *writer);

#endif
