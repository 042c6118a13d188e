/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings as a source. Contract: replay.h. */
#include "command/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "handshake/decode.h"

#define LAST (~(uint64_t)0)

static void tell(struct replay *replay, const struct replay_input *input, const struct recording_problem *problem)
{
	replay->failed = true;
	log_error("'%s', offset %" PRIu64 ": %s", input->path, problem->offset, problem->sentence);
}

static int open_input(struct replay *replay, const char *path)
{
	struct replay_input *input = &replay->inputs[replay->count++];
	struct recording_problem problem;

	input->path = path;
	input->stream = strcmp(path, OPTIONS_STDIN) == 0 ? stdin : fopen(path, "re");
	if (!input->stream) {
		log_error("cannot open '%s': %s", path, strerror(errno));
		return EXIT_RUNTIME;
	}
	if (recording_reader_new(input->stream, &input->reader, &problem)) {
		tell(replay, input, &problem);
		return EXIT_RUNTIME;
	}
	return EXIT_FINE;
}

static uint64_t start_unix_ns(const struct replay_input *input)
{
	const struct window *window = recording_window(input->reader);

	return window->start_ns + (uint64_t)window->unix_offset_ns;
}

/* The clock is that of the recording that began first, so that no moment is before its beginning. */
static int take_clock(struct replay *replay)
{
	const struct replay_input *first = &replay->inputs[0];
	const struct window *from;

	for (size_t i = 1; i < replay->count; i++)
		if (start_unix_ns(&replay->inputs[i]) < start_unix_ns(first))
			first = &replay->inputs[i];
	from = recording_window(first->reader);
	replay->window.start_ns = replay->window.end_ns = from->start_ns;
	replay->window.unix_offset_ns = from->unix_offset_ns;
	replay->window.seed = from->seed;
	replay->window.tick_ns = from->tick_ns;
	replay->window.has_totals = true;
	replay->window.boot_id = strdup(from->boot_id);
	if (!replay->window.boot_id) {
		log_error("cannot read recordings: %s", strerror(ENOMEM));
		return EXIT_RUNTIME;
	}
	for (size_t i = 0; i < replay->count; i++)
		replay->inputs[i].shift_ns =
			window_shift_ns(&replay->window, recording_window(replay->inputs[i].reader));
	return EXIT_FINE;
}

int replay_open(struct replay *replay, const struct options *options)
{
	int code = EXIT_FINE;

	for (size_t i = 0; i < options->input_count && code == EXIT_FINE; i++)
		code = open_input(replay, options->inputs[i]);
	return code == EXIT_FINE ? take_clock(replay) : code;
}

void replay_release(struct replay *replay)
{
	for (size_t i = 0; i < replay->count; i++) {
		recording_reader_free(replay->inputs[i].reader);
		if (replay->inputs[i].stream)
			fclose(replay->inputs[i].stream);
	}
	window_release(&replay->window);
}

void replay_stop(struct replay *replay)
{
	replay->stopped = true;
}

/* A moment before all moments is none. */
static uint64_t shifted(const struct replay_input *input, uint64_t time_ns)
{
	uint64_t moment = time_ns + (uint64_t)input->shift_ns;

	return input->shift_ns < 0 && moment > time_ns ? 0 : moment;
}

/* Takes an item over with its times in the replay's clock. Returns false where nothing is left of it. */
static bool take_item(struct replay *replay, struct replay_input *input)
{
	uint64_t due_ns = LAST;

	switch (input->item.kind) {
	case RECORDING_RECORD:
		if (decode_record(input->item.bytes, input->item.size, &input->observation)) {
			replay->undecodable++;
			return false;
		}
		due_ns = input->observation.event.time_ns = shifted(input, input->observation.event.time_ns);
		break;
	case RECORDING_TICK:
		due_ns = input->item.now_ns = shifted(input, input->item.now_ns);
		break;
	case RECORDING_SPILL:
		break;
	}
	if (due_ns > input->order_ns)
		input->order_ns = due_ns;
	return true;
}

static void fetch(struct replay *replay, struct replay_input *input)
{
	struct recording_problem problem;
	int result;

	do {
		result = recording_next(input->reader, &input->item, &problem);
	} while (result > 0 && !take_item(replay, input));
	input->has_item = result > 0;
	if (result < 0)
		tell(replay, input, &problem);
}

/* The input whose item is due next; of equals the one named first. NULL: all have ended. */
static struct replay_input *next_input(struct replay *replay)
{
	struct replay_input *next = NULL;

	for (size_t i = 0; i < replay->count; i++) {
		struct replay_input *input = &replay->inputs[i];

		if (input->has_item && (!next || input->order_ns < next->order_ns))
			next = input;
	}
	return next;
}

static void deliver(const struct replay_input *input, const struct source_handlers *handlers, void *context)
{
	switch (input->item.kind) {
	case RECORDING_RECORD:
		handlers->observe(context, &input->observation);
		break;
	case RECORDING_TICK:
		if (handlers->tick)
			handlers->tick(context, input->item.now_ns);
		break;
	case RECORDING_SPILL:
		if (handlers->spilled)
			handlers->spilled(context, &input->item.key, &input->item.value);
		break;
	}
}

static bool share_a_master(const struct window *a, const struct window *b)
{
	for (size_t i = 0; i < a->target_count; i++)
		for (size_t j = 0; j < b->target_count; j++)
			if (a->targets[i].master_pid == b->targets[j].master_pid)
				return true;
	return false;
}

/* Two recordings of one nginx at one time hold the same handshakes, and nothing tells them apart. */
static void tell_overlaps(const struct replay *replay)
{
	for (size_t i = 0; i < replay->count; i++) {
		const struct window *a = recording_window(replay->inputs[i].reader);

		for (size_t j = i + 1; j < replay->count; j++) {
			const struct window *b = recording_window(replay->inputs[j].reader);

			if (window_same_clock(a, b) && a->start_ns < b->end_ns && b->start_ns < a->end_ns &&
			    share_a_master(a, b))
				log_info(
					"'%s' and '%s' are of the same nginx at the same time: handshakes in both are "
					"counted twice",
					replay->inputs[i].path, replay->inputs[j].path);
		}
	}
}

static bool merge_windows(struct replay *replay)
{
	int error = 0;

	for (size_t i = 0; i < replay->count && !error; i++)
		error = window_merge(&replay->window, recording_window(replay->inputs[i].reader));
	replay->window.losses.undecodable += replay->undecodable;
	if (error)
		log_error("cannot read recordings: %s", strerror(-error));
	return !error;
}

bool replay_run(struct replay *replay, const struct source_handlers *handlers, void *context)
{
	struct replay_input *input;

	for (size_t i = 0; i < replay->count; i++)
		fetch(replay, &replay->inputs[i]);
	while (!replay->stopped && (input = next_input(replay))) {
		deliver(input, handlers, context);
		fetch(replay, input);
	}
	tell_overlaps(replay);
	return merge_windows(replay);
}
