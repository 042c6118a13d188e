/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source that is a watch of this host: a session, and what is known besides its records, in one window; recorded
 * where that is asked for.
 *
 * Invariant: what handlers see and what is recorded are the same bytes, blanked.
 */
#ifndef TLSWHY_COMMAND_LIVE_H
#define TLSWHY_COMMAND_LIVE_H

#include "command/backlog.h"
#include "command/listeners.h"
#include "command/recorder.h"
#include "command/session.h"
#include "command/source.h"
#include "command/workers.h"

struct live {
	const struct options *options; /* borrowed */
	struct session session;
	bool opened; /* the session */
	struct workers workers;
	struct backlog backlog;
	struct window window;
	struct recorder recorder;
	struct listeners listeners;
	struct kept_record kept; /* of the record that is being observed */
	const struct source_handlers *handlers;
	void *context;
};

/* Returns EXIT_FINE, or an exit code after having told the user; live_release() in both cases. */
int live_open(struct live *live, const struct options *options, bool final_marks);
void live_release(struct live *live);
/* As source_run(). */
bool live_run(struct live *live, const struct source_handlers *handlers, void *context);
/* Ends the watch as SIGTERM does. */
void live_stop(void);

#endif
