/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy trace: one line a handshake, when it is settled, live or from recordings.
 *
 * A handshake that is ok while nginx may still refuse it waits for nginx's check, the end of its object or one
 * second; with --live nothing waits and a refusal is a second line that says it amends. What waits is bounded: the
 * oldest line is printed early when there is no room.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "command/command.h"
#include "command/source.h"
#include "output/trace_json.h"
#include "output/trace_text.h"

#define HELD_MAX    1024
#define HELD_FOR_NS 1000000000ull

/* Lines that wait, oldest first: a ring of slots; an empty slot is a line that was printed or replaced meanwhile. */
struct held {
	struct observation observation;
	bool waits;
};

struct trace {
	const struct options *options;
	struct source *source;
	struct trace_clock clock;
	struct held *held;
	size_t first, count;
	bool failed; /* the output is gone */
};

static void print_line(struct trace *trace, const struct observation *observation)
{
	int error = trace->options->format == FORMAT_JSON ? trace_json(observation, &trace->clock, stdout)
							  : trace_text(observation, &trace->clock, stdout);

	if (error)
		trace->failed = true;
}

static void print_oldest(struct trace *trace)
{
	struct held *oldest = &trace->held[trace->first];

	if (oldest->waits)
		print_line(trace, &oldest->observation);
	oldest->waits = false;
	trace->first = (trace->first + 1) % HELD_MAX;
	trace->count--;
}

static void hold(struct trace *trace, const struct observation *observation)
{
	struct held *slot;

	if (trace->count == HELD_MAX)
		print_oldest(trace);
	slot = &trace->held[(trace->first + trace->count) % HELD_MAX];
	slot->observation = *observation;
	slot->waits = true;
	trace->count++;
}

/* The line that waits for this handshake, newest first: an object's address is reused. NULL: none. */
static struct held *held_find(struct trace *trace, const struct event *event)
{
	for (size_t i = trace->count; i-- > 0;) {
		struct held *slot = &trace->held[(trace->first + i) % HELD_MAX];
		const struct event *other = &slot->observation.event;

		if (slot->waits && other->object == event->object && other->begin_ns == event->begin_ns &&
		    other->header.tgid == event->header.tgid)
			return slot;
	}
	return NULL;
}

/* Refused after it was ok: this replaces the line that waits, or amends the one that was printed. */
static void print_amended(struct trace *trace, const struct observation *observation)
{
	struct held *slot = held_find(trace, &observation->event);
	struct observation only = *observation;

	if (slot) {
		slot->waits = false;
		only.event.header.kind = EVENT_SETTLED;
	}
	print_line(trace, &only);
}

static void print_final(struct trace *trace, const struct event *event)
{
	struct held *slot = held_find(trace, event);

	if (!slot)
		return;
	slot->waits = false;
	print_line(trace, &slot->observation);
}

static void on_observation(void *context, const struct observation *observation)
{
	struct trace *trace = context;

	switch ((enum event_kind)observation->event.header.kind) {
	case EVENT_SETTLED:
		if (observation->event.flags & EVENT_MAY_AMEND && !trace->options->live)
			hold(trace, observation);
		else
			print_line(trace, observation);
		break;
	case EVENT_AMENDED:
		print_amended(trace, observation);
		break;
	case EVENT_FINAL:
		print_final(trace, &observation->event);
		break;
	case EVENT_EXIT:
	case EVENT_TARGET:
	case EVENT_EXEC:
	case EVENT_ANSWERED:
		break;
	}
}

static void on_tick(void *context, uint64_t now_ns)
{
	struct trace *trace = context;

	while (trace->count) {
		const struct held *oldest = &trace->held[trace->first];

		if (oldest->waits && oldest->observation.event.time_ns + HELD_FOR_NS > now_ns)
			break;
		print_oldest(trace);
	}
	if (fflush(stdout) || trace->failed)
		source_stop(trace->source); /* the reader has left: end as if asked to */
}

/* What the lines do not show. */
static void tell_losses(const struct window *window)
{
	if (window->losses.ring_full)
		log_info("%llu handshakes were counted and not printed: the ring was full (--ring-bytes)",
			 (unsigned long long)window->losses.ring_full);
}

static int trace_all(struct trace *trace)
{
	static const struct source_handlers handlers = { .observe = on_observation, .tick = on_tick };
	bool done;

	trace->clock.unix_offset_ns = (uint64_t)source_window(trace->source)->unix_offset_ns;
	trace->clock.tick_ns = source_window(trace->source)->tick_ns;
	if (trace->options->format == FORMAT_TEXT)
		trace_text_header(stdout);
	fflush(stdout);
	done = source_run(trace->source, &handlers, trace);
	while (trace->count)
		print_oldest(trace);
	if (fflush(stdout) || trace->failed || ferror(stdout)) {
		log_error("cannot write to standard output");
		return EXIT_RUNTIME;
	}
	if (!done)
		return EXIT_RUNTIME;
	tell_losses(source_window(trace->source));
	return source_code(trace->source);
}

int command_trace(const struct options *options)
{
	struct trace trace = { .options = options };
	int code;

	trace.held = calloc(HELD_MAX, sizeof(*trace.held));
	if (!trace.held)
		return EXIT_RUNTIME;
	code = source_open(&trace.source, options, !options->live);
	if (code == EXIT_FINE)
		code = trace_all(&trace);
	source_free(trace.source);
	free(trace.held);
	return code;
}
