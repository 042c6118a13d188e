/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the two it is. Contract: source.h. */
#include "command/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "command/live.h"
#include "command/replay.h"

struct source {
	bool is_live;
	struct live live;
	struct replay replay;
};

int source_open(struct source **out, const struct options *options, bool final_marks)
{
	struct source *source = calloc(1, sizeof(*source));
	int code;

	if (!source) {
		log_error("cannot start: %s", strerror(ENOMEM));
		return EXIT_RUNTIME;
	}
	source->is_live = options->input_count == 0;
	if (source->is_live)
		code = live_open(&source->live, options, final_marks);
	else
		code = replay_open(&source->replay, options);
	if (code == EXIT_FINE)
		*out = source;
	else
		source_free(source);
	return code;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	if (source->is_live)
		live_release(&source->live);
	else
		replay_release(&source->replay);
	free(source);
}

bool source_run(struct source *source, const struct source_handlers *handlers, void *context)
{
	return source->is_live ? live_run(&source->live, handlers, context)
			       : replay_run(&source->replay, handlers, context);
}

void source_stop(struct source *source)
{
	if (source->is_live)
		live_stop();
	else
		replay_stop(&source->replay);
}

const struct window *source_window(const struct source *source)
{
	return source->is_live ? &source->live.window : &source->replay.window;
}

int source_code(const struct source *source)
{
	bool failed = source->is_live ? source->live.recorder.failed : source->replay.failed;

	return failed ? EXIT_RUNTIME : EXIT_FINE;
}

bool source_is_live(const struct source *source)
{
	return source->is_live;
}
