/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy report: watches, then says why handshakes fail.
 *
 * Invariant: printed before detaching, which is slow; Ctrl-C ends the watch and still reports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "command/command.h"
#include "command/session.h"
#include "command/workers.h"
#include "diagnose/diagnose.h"
#include "handshake/aggregate.h"
#include "host/clock.h"
#include "output/json.h"
#include "output/text.h"

#ifndef TLSWHY_VERSION
#define TLSWHY_VERSION "unknown"
#endif

#define REPORT_WIDTH 100

struct report {
	struct aggregate *aggregate;
	struct workers workers;
	uint64_t start_ns, progress_ns;
	uint64_t ok, failed; /* for the progress line only */
	bool progress;
};

static void on_observation(void *context, const struct observation *observation)
{
	struct report *report = context;

	switch ((enum event_kind)observation->event.header.kind) {
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
	case EVENT_TARGET:
		workers_add(&report->workers, (pid_t)observation->event.header.tgid);
		break;
	case EVENT_FINAL:
	case EVENT_EXIT:
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
	aggregate_add_spilled(context, key, value);
}

static char *copy_or_null(const char *text)
{
	return text && text[0] ? strdup(text) : NULL;
}

static int fill_target(const struct watch_target *target, struct snapshot_target *out)
{
	const struct nginx_instance *instance = &target->instance;

	*out = (struct snapshot_target){
		.master_pid = (uint32_t)instance->master,
		.exe = copy_or_null(instance->exe.path),
		.library = copy_or_null(target->library_path),
		.library_version = copy_or_null(target->layout.version),
		.layout = strdup(layout_source_name(target->layout.source)),
		.generation = target->generation,
		.workers = calloc(instance->worker_count ? instance->worker_count : 1, sizeof(*out->workers)),
	};
	if (!out->workers || !out->layout)
		return -ENOMEM;
	for (size_t i = 0; i < instance->worker_count; i++) {
		if (instance->only_worker && instance->workers[i].pid != instance->only_worker)
			continue;
		out->workers[out->worker_count++] = (uint32_t)instance->workers[i].pid;
	}
	return 0;
}

static int fill_targets(struct watch *watch, struct snapshot *snapshot)
{
	const struct watch_targets *targets = watch_targets(watch);
	int error = 0;

	snapshot->targets = calloc(targets->count, sizeof(*snapshot->targets));
	if (!snapshot->targets)
		return -ENOMEM;
	for (size_t i = 0; i < targets->count && !error; i++)
		if (targets->items[i].usable)
			error = fill_target(&targets->items[i], &snapshot->targets[snapshot->target_count++]);
	return error;
}

/* Everything that is known at the end, in one snapshot. */
static int make_snapshot(struct report *report, struct session *session, struct snapshot *snapshot)
{
	struct totals totals[SNAPSHOT_DIRECTIONS];
	struct losses losses;
	char host[256] = "";
	int error = tracer_spilled(watch_tracer(session->watch), on_spilled, report->aggregate);

	if (!error)
		error = session_totals(session, totals, &losses);
	if (error)
		return error;
	aggregate_set_totals(report->aggregate, totals, &losses);
	error = aggregate_snapshot(report->aggregate, snapshot);
	if (!error)
		error = fill_targets(session->watch, snapshot);
	if (!error)
		error = workers_fill(&report->workers, watch_targets(session->watch), snapshot);
	clock_hostname(host, sizeof(host));
	snapshot->host = strdup(host);
	snapshot->start_ns = session->start_ns;
	snapshot->start_unix_ns = session->start_ns + (uint64_t)session->unix_offset_ns;
	snapshot->seconds = (double)(session->end_ns - session->start_ns) / 1e9;
	return error;
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

static int finish(struct report *report, struct session *session, const struct options *options)
{
	__attribute__((cleanup(snapshot_release))) struct snapshot snapshot;
	autofree struct findings *findings = calloc(1, sizeof(*findings));
	int error;

	snapshot_init(&snapshot);
	if (report->progress)
		fputs("\r\033[K", stderr);
	error = findings ? make_snapshot(report, session, &snapshot) : -ENOMEM;
	if (error) {
		log_error("cannot make the report: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	diagnose(&snapshot, findings);
	return print_report(options, &snapshot, findings);
}

static int watch_and_report(struct report *report, struct session *session, const struct options *options)
{
	static const struct session_handlers handlers = { .observe = on_observation, .tick = on_tick };
	int error;

	report->start_ns = session->start_ns;
	report->progress = isatty(STDERR_FILENO);
	workers_start(&report->workers, watch_targets(session->watch));
	error = session_run(session, options, &handlers, report);
	if (error) {
		log_error("cannot read from the kernel side: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	return finish(report, session, options);
}

int command_report(const struct options *options)
{
	struct report report = { 0 };
	struct aggregate_options aggregate = { 0 };
	struct session session;
	int code = EXIT_RUNTIME;

	/* Strangers choose addresses and names; nothing of this run is merged with another. */
	if (getrandom(&aggregate.seed, sizeof(aggregate.seed), 0) != sizeof(aggregate.seed))
		return EXIT_RUNTIME;
	report.aggregate = aggregate_new(&aggregate);
	if (!report.aggregate) {
		log_error("cannot start: %s", strerror(ENOMEM));
		return EXIT_RUNTIME;
	}
	code = session_open(&session, options, false);
	if (code == EXIT_FINE)
		code = watch_and_report(&report, &session, options);
	session_release(&session);
	workers_release(&report.workers);
	aggregate_free(report.aggregate);
	return code;
}
