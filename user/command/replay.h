/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source that is one or several recordings, as if one watch had seen it all: what they hold is handed out in the
 * order of time, with all times in the clock of the one that began first.
 *
 * Invariant: one recording is handed out exactly as its watch was. Damage ends the recording that has it, and no
 * other. Must not know: the files' format, what is done with the records.
 */
#ifndef TLSWHY_COMMAND_REPLAY_H
#define TLSWHY_COMMAND_REPLAY_H

#include "command/options.h"
#include "command/source.h"
#include "recording/reader.h"

struct replay_input {
	const char *path; /* borrowed */
	FILE *stream;
	struct recording_reader *reader;
	int64_t shift_ns;  /* from its clock to the replay's */
	uint64_t order_ns; /* when the item is due, never falling; ~0: after everything that has a time */
	bool has_item;
	struct recording_item item;
	struct observation observation; /* of a record */
};

struct replay {
	struct replay_input inputs[OPTIONS_INPUTS];
	size_t count;
	struct window window; /* of all: clock and seed from the start, the rest at the end */
	uint64_t undecodable; /* by this program; what the recording watch could not decode is in its losses */
	bool stopped;
	bool failed; /* something was wrong with a file, and told */
};

/* Returns EXIT_FINE, or EXIT_RUNTIME after having told the user; replay_release() in both cases. */
int replay_open(struct replay *replay, const struct options *options);
void replay_release(struct replay *replay);
/* As source_run(). */
bool replay_run(struct replay *replay, const struct source_handlers *handlers, void *context);
void replay_stop(struct replay *replay);

#endif
