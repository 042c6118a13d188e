/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy export -i: the metrics of recordings, once.
 *
 * Invariant: a sum that the report of the same recordings has as well is the same here.
 * Must not know: the formats, where the metrics go.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "command/export.h"
#include "command/source.h"
#include "handshake/aggregate.h"

static void on_observation(void *context, const struct observation *observation)
{
	struct aggregate *aggregate = context;

	switch ((enum event_kind)observation->event.header.kind) {
	case EVENT_SETTLED:
	case EVENT_AMENDED:
	case EVENT_ANSWERED:
		aggregate_add(aggregate, observation);
		break;
	case EVENT_FINAL:
	case EVENT_EXIT:
	case EVENT_TARGET:
	case EVENT_EXEC:
		break;
	}
}

static void on_spilled(void *context, const struct spill_key *key, const struct spill_value *value)
{
	struct aggregate *aggregate = context;

	aggregate_add_spilled(aggregate, key, value);
}

static int finish(struct aggregate *aggregate, const struct window *window, const struct options *options)
{
	__attribute__((cleanup(snapshot_release))) struct snapshot snapshot;
	int error;

	snapshot_init(&snapshot);
	if (window->has_totals)
		aggregate_set_totals(aggregate, window->totals, &window->losses);
	error = aggregate_snapshot(aggregate, &snapshot);
	if (!error)
		error = window_complete(window, &snapshot);
	if (error) {
		log_error("cannot make the metrics: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	return export_snapshot(options, &snapshot);
}

static int run_and_export(struct source *source, const struct options *options)
{
	static const struct source_handlers handlers = { .observe = on_observation, .spilled = on_spilled };
	/* Peers and names are never exported: as little of them is kept as can be. */
	const struct aggregate_options few = {
		.seed = source_window(source)->seed, .top_peers = 1, .top_names = 1, .tracked_keys = 1
	};
	struct aggregate *aggregate = aggregate_new(&few);
	int code = EXIT_RUNTIME;

	if (!aggregate)
		log_error("cannot start: %s", strerror(ENOMEM));
	else if (source_run(source, &handlers, aggregate))
		code = finish(aggregate, source_window(source), options);
	aggregate_free(aggregate);
	/* Metrics of a part are no success. */
	return source_code(source) != EXIT_FINE ? source_code(source) : code;
}

int export_recordings(const struct options *options)
{
	struct source *source = NULL;
	int code = source_open(&source, options, false);

	if (code == EXIT_FINE)
		code = run_and_export(source, options);
	source_free(source);
	return code;
}
