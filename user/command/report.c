/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy report: watches, or reads recordings, then says why handshakes fail.
 *
 * Invariant: what is printed depends on the records and the window alone, so that a recording gives the report its
 * watch gave. Printed before detaching, which is slow; Ctrl-C ends the watch and still reports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "command/command.h"
#include "command/session.h"
#include "command/source.h"
#include "diagnose/diagnose.h"
#include "handshake/aggregate.h"
#include "output/json.h"
#include "output/text.h"

#ifndef TLSWHY_VERSION
#define TLSWHY_VERSION "unknown"
#endif

#define REPORT_WIDTH 100

struct report {
	struct aggregate *aggregate;
	uint64_t start_ns, progress_ns;
	uint64_t ok, failed; /* for the progress line only */
	bool progress;
};

static void on_observation(void *context, const struct observation *observation)
{
	struct report *report = context;

	switch ((enum event_kind)observation->event.header.kind) {
	case EVENT_ANSWERED:
		aggregate_add(report->aggregate, observation);
		break;
	case EVENT_SETTLED:
	case EVENT_AMENDED:
		aggregate_add(report->aggregate, observation);
		if (observation->event.header.kind == EVENT_AMENDED)
			report->ok--;
		if (observation->cause == CAUSE_OK)
			report->ok++;
		else
			report->failed++;
		break;
	case EVENT_FINAL:
	case EVENT_EXIT:
	case EVENT_TARGET:
	case EVENT_EXEC:
		break;
	}
}

static void on_tick(void *context, uint64_t now_ns)
{
	struct report *report = context;

	if (!report->progress || now_ns < report->progress_ns)
		return;
	report->progress_ns = now_ns + 1000000000ull;
	fprintf(stderr, "\r\033[Kwatching, %llu s: %llu ok, %llu failed (Ctrl-C ends the watch and reports)",
		(unsigned long long)((now_ns - report->start_ns) / 1000000000ull), (unsigned long long)report->ok,
		(unsigned long long)report->failed);
}

static void on_spilled(void *context, const struct spill_key *key, const struct spill_value *value)
{
	struct report *report = context;

	aggregate_add_spilled(report->aggregate, key, value);
}

/* Everything that is known at the end, in one snapshot. */
static int make_snapshot(struct report *report, const struct window *window, struct snapshot *snapshot)
{
	int error;

	if (window->has_totals)
		aggregate_set_totals(report->aggregate, window->totals, &window->losses);
	error = aggregate_snapshot(report->aggregate, snapshot);
	return error ? error : window_complete(window, snapshot);
}

static int print_report(const struct options *options, const struct snapshot *snapshot,
			const struct findings *findings)
{
	const struct text_options text = { .color = session_color(options, stdout), .width = REPORT_WIDTH };
	int error = options->format == FORMAT_JSON
			    ? json_report(snapshot, findings->items, findings->count, TLSWHY_VERSION, stdout)
			    : text_report(snapshot, findings->items, findings->count, &text, stdout);

	if (error || fflush(stdout)) {
		log_error("cannot write the report: %s", error ? strerror(-error) : strerror(errno));
		return EXIT_RUNTIME;
	}
	for (size_t i = 0; options->exit_code && i < findings->count; i++)
		if (findings->items[i].severity >= SEVERITY_WARNING)
			return EXIT_FINDING;
	return EXIT_FINE;
}

static int finish(struct report *report, const struct window *window, const struct options *options)
{
	__attribute__((cleanup(snapshot_release))) struct snapshot snapshot;
	autofree struct findings *findings = calloc(1, sizeof(*findings));
	int error;

	snapshot_init(&snapshot);
	if (report->progress)
		fputs("\r\033[K", stderr);
	error = findings ? make_snapshot(report, window, &snapshot) : -ENOMEM;
	if (error) {
		log_error("cannot make the report: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	diagnose(&snapshot, findings);
	return print_report(options, &snapshot, findings);
}

static int run_and_report(struct report *report, struct source *source, const struct options *options)
{
	static const struct source_handlers handlers = {
		.observe = on_observation,
		.tick = on_tick,
		.spilled = on_spilled,
	};
	const struct aggregate_options aggregate = { .seed = source_window(source)->seed };
	int code;

	report->aggregate = aggregate_new(&aggregate);
	if (!report->aggregate) {
		log_error("cannot start: %s", strerror(ENOMEM));
		return EXIT_RUNTIME;
	}
	report->start_ns = source_window(source)->start_ns;
	report->progress = source_is_live(source) && isatty(STDERR_FILENO);
	if (!source_run(source, &handlers, report))
		return EXIT_RUNTIME;
	code = finish(report, source_window(source), options);
	/* A report of a part is no success. */
	return source_code(source) != EXIT_FINE ? source_code(source) : code;
}

int command_report(const struct options *options)
{
	struct report report = { 0 };
	struct source *source = NULL;
	int code = source_open(&source, options, false);

	if (code == EXIT_FINE)
		code = run_and_report(&report, source, options);
	source_free(source);
	aggregate_free(report.aggregate);
	return code;
}
