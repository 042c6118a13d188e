/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where records come from: a watch of this host, or recordings (-i). Commands that use a source cannot tell the two
 * apart, but for waiting; so that a recording gives the very report and trace that its watch gave.
 *
 * Order of calls: open, run, window.
 * Must not know: what is done with the records.
 */
#ifndef TLSWHY_COMMAND_SOURCE_H
#define TLSWHY_COMMAND_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "command/options.h"
#include "handshake/observation.h"
#include "recording/window.h"

struct source_handlers {
	/* Each record, marks too. */
	void (*observe)(void *context, const struct observation *observation);
	/* The watch has come to this moment, CLOCK_MONOTONIC, after what came before was observed. May be NULL. */
	void (*tick)(void *context, uint64_t now_ns);
	/* Each row of the spill map, after all records. May be NULL. */
	void (*spilled)(void *context, const struct spill_key *key, const struct spill_value *value);
};

struct source;

/*
 * Attaches, or opens the recordings. final_marks: EVENT_FINAL is wanted. Returns EXIT_FINE and a source for
 * source_free(), or an exit code after having told the user.
 */
int source_open(struct source **out, const struct options *options, bool final_marks);
/* Detaches, which is slow: print first. NULL is allowed. */
void source_free(struct source *source);

/*
 * Hands out everything until the watch or the recordings end. Returns true where there is something to report, also
 * when not all could be read or recorded; false after having told the user that there is not.
 */
bool source_run(struct source *source, const struct source_handlers *handlers, void *context);
/* From a handler: no more is wanted. */
void source_stop(struct source *source);

/* Clock, tick, seed and targets from source_open() on; the rest after source_run(). */
const struct window *source_window(const struct source *source);
/* EXIT_FINE, or EXIT_RUNTIME where something failed and was told. */
int source_code(const struct source *source);
/* Whether somebody waits for time to pass. */
bool source_is_live(const struct source *source);

#endif
