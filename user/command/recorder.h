/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that a watch is recorded in: made before anything is attached, filled while it runs.
 *
 * Invariant: an existing file is never written to: it may be the only evidence of another day. What goes wrong is
 * told once, with file and offset; the watch goes on without it. Must not know: the file's format.
 */
#ifndef TLSWHY_COMMAND_RECORDER_H
#define TLSWHY_COMMAND_RECORDER_H

#include <stdbool.h>

#include "recording/writer.h"

/* `= { .fd = -1 }` records nothing: the calls below do nothing then. */
struct recorder {
	int fd;
	const char *path; /* borrowed */
	struct recording_writer *writer;
	bool failed; /* and told */
};

/* Makes the file, mode 0600. Returns 0, or a negative errno after having told the user. */
int recorder_open(struct recorder *recorder, const char *path);
void recorder_begin(struct recorder *recorder, const struct window *window);
void recorder_record(struct recorder *recorder, const struct kept_record *record);
void recorder_tick(struct recorder *recorder, uint64_t now_ns);
void recorder_spill(struct recorder *recorder, const struct spill_key *key, const struct spill_value *value);
/* Closes the recording; it is on the disk afterwards. */
void recorder_end(struct recorder *recorder, const struct window *window);
/* Closes the file, and removes it where nothing was written. */
void recorder_release(struct recorder *recorder);

#endif
