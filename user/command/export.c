/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy export: watches, and offers what it counts to a monitoring system: over HTTP, in a file, or both. What it
 * does with recordings is in export_recordings.c.
 *
 * Everything happens in the session's one loop: a scrape reads the records that wait, then the spill map and the
 * kernel's counters, and is made of these. Invariant: nothing is told twice, and no counter ever falls.
 */
#include "command/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "command/address.h"
#include "command/command.h"
#include "command/export_http.h"
#include "command/gauges.h"
#include "command/session.h"
#include "command/textfile.h"
#include "handshake/aggregate.h"
#include "handshake/spill_ledger.h"
#include "host/clock.h"
#include "output/openmetrics.h"

#ifndef TLSWHY_VERSION
#define TLSWHY_VERSION "unknown"
#endif

#define INTERVAL_S 15.0

struct export
{
	const struct options *options;
	struct session session;
	struct aggregate *aggregate;
	struct spill_ledger ledger;
	struct gauges gauges;
	struct openmetrics_counters highest;
	struct export_http *http; /* NULL without --listen */
	uint64_t next_file_ns, interval_ns;
	int file_error; /* of the last attempt: told once, not every time */
};

static void on_observation(void *context, const struct observation *observation)
{
	struct export *export = context;

	switch ((enum event_kind)observation->event.header.kind) {
	case EVENT_SETTLED:
	case EVENT_AMENDED:
	case EVENT_ANSWERED:
		aggregate_add(export->aggregate, observation);
		break;
	case EVENT_TARGET:
		gauges_add(&export->gauges, (pid_t)observation->event.header.tgid);
		break;
	case EVENT_FINAL:
	case EVENT_EXIT:
	case EVENT_EXEC:
		break;
	}
}

/* A row that cannot be remembered is not counted: it will be offered again. */
static void on_spilled(void *context, const struct spill_key *key, const struct spill_value *value)
{
	struct export *export = context;
	struct spill_value delta;

	if (spill_ledger_take(&export->ledger, key, value, &delta) == 0)
		aggregate_add_spilled(export->aggregate, key, &delta);
}

/* Of what was observed so far, and of what the kernel side has counted by now. */
static int make_snapshot(struct export *export, struct snapshot *snapshot)
{
	struct totals totals[SNAPSHOT_DIRECTIONS];
	struct losses losses;
	int error = tracer_spilled(watch_tracer(export->session.watch), on_spilled, export);

	if (!error)
		error = session_totals(&export->session, totals, &losses);
	if (error)
		return error;
	aggregate_set_totals(export->aggregate, totals, &losses);
	error = aggregate_snapshot(export->aggregate, snapshot);
	return error ? error : gauges_fill(&export->gauges, snapshot);
}

/* Memory for free(). */
static int print_snapshot(struct openmetrics_counters *highest, const struct snapshot *snapshot,
			  enum openmetrics_form form, char **text, size_t *bytes)
{
	autofree char *made = NULL;
	size_t made_bytes = 0;
	FILE *stream = open_memstream(&made, &made_bytes);
	int error;

	if (!stream)
		return -errno;
	error = openmetrics_write_raised(highest, snapshot, form, TLSWHY_VERSION, stream);
	if (fclose(stream) || error)
		return -ENOMEM;
	*text = take_pointer(made);
	*bytes = made_bytes;
	return 0;
}

static int render(void *context, enum openmetrics_form form, char **text, size_t *bytes)
{
	__attribute__((cleanup(snapshot_release))) struct snapshot snapshot;
	struct export *export = context;
	int error;

	snapshot_init(&snapshot);
	error = make_snapshot(export, &snapshot);
	if (!error)
		error = print_snapshot(&export->highest, &snapshot, form, text, bytes);
	if (error)
		log_error("cannot make the metrics: %s", strerror(-error));
	return error;
}

static void tell_file_error(const char *path, int error)
{
	log_error("cannot write '%s': %s", path, strerror(-error));
	if (error == -EEXIST)
		log_hint("it is there and no regular file");
	else if (error == -EACCES || error == -EPERM)
		log_hint("its capabilities are given up by then: the directory must belong to the user it runs as");
	else if (error == -ENOSPC || error == -EDQUOT)
		log_hint("the file keeps what was written before; it is tried again");
}

/* Returns 0 or a negative errno that was told, unless it is the same as the last one. */
static int write_file(struct export *export)
{
	const char *path = export->options->textfile;
	autofree char *text = NULL;
	size_t bytes = 0;
	int error = render(export, PROMETHEUS_0_0_4, &text, &bytes);

	if (error)
		return error;
	error = textfile_replace(path, text, bytes);
	if (error && error != export->file_error)
		tell_file_error(path, error);
	else if (!error && export->file_error)
		log_info("'%s' can be written again", path);
	export->file_error = error;
	return error;
}

static void on_tick(void *context, uint64_t now_ns)
{
	struct export *export = context;

	gauges_tick(&export->gauges, watch_targets(export->session.watch), now_ns);
	if (!export->options->textfile || now_ns < export->next_file_ns)
		return;
	export->next_file_ns = now_ns + export->interval_ns;
	write_file(export);
}

static void on_wake(void *context)
{
	struct export *export = context;

	if (export->http)
		export_http_run(export->http, clock_monotonic_ns());
}

static int refuse_http(void)
{
	log_error("this build of tlswhy has no HTTP server: %s", export_http_missing());
	log_hint("--textfile FILE, which node_exporter reads, or a build with shared libraries");
	return EXIT_USAGE;
}

/* Before attaching, which takes a while: what cannot be listened on is told at once, and scrapes wait. */
static int open_http(struct export *export)
{
	union address address = export->options->listen;
	char text[ADDRESS_BYTES];
	int fd, error;

	if (address.any.sa_family == AF_UNSPEC && export->options->textfile)
		return EXIT_FINE;
	if (export_http_missing())
		return refuse_http();
	if (address.any.sa_family == AF_UNSPEC && address_parse(OPTIONS_LISTEN, &address))
		return EXIT_RUNTIME;
	fd = address_listen(&address);
	error = fd < 0 ? fd : export_http_new(&export->http, fd, render, export);
	address_text(&address, text);
	if (error) {
		log_error("cannot listen on '%s': %s", text, strerror(-error));
		if (error == -EADDRINUSE)
			log_hint("another tlswhy may run already; --listen takes another port");
		return EXIT_RUNTIME;
	}
	if (!address_is_loopback(&address))
		log_info("whoever can reach %s can read the metrics", text);
	log_info("metrics: http://%s/metrics", text);
	return EXIT_FINE;
}

static void on_change(void *context, const struct watch_target *target, enum watch_change change)
{
	struct export *export = context;

	for (size_t i = 0; change == WATCH_CAME && i < target->instance.worker_count; i++)
		gauges_add(&export->gauges, target->instance.workers[i].pid);
}

static int watch_and_export(struct export *export)
{
	static const struct session_handlers handlers = {
		.observe = on_observation,
		.tick = on_tick,
		.changed = on_change,
		.wake = on_wake,
	};
	const struct options *options = export->options;
	int error;

	gauges_start(&export->gauges, watch_targets(export->session.watch), export->session.start_ns);
	/* A file that cannot be written at all is told at once and ends it; later on it is tried again. */
	if (options->textfile && write_file(export))
		return EXIT_RUNTIME;
	export->next_file_ns = export->session.start_ns + export->interval_ns;
	export->session.wake_fd = export->http ? export_http_fd(export->http) : -1;
	error = session_run(&export->session, options, &handlers, export);
	if (error) {
		log_error("cannot read from the kernel side: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	return options->textfile && write_file(export) ? EXIT_RUNTIME : EXIT_FINE;
}

static int export_init(struct export *export, const struct options *options)
{
	/* Peers and names are never exported: as little of them is kept as can be. */
	struct aggregate_options aggregate = { .top_peers = 1, .top_names = 1, .tracked_keys = 1 };
	size_t spill_entries = options->spill_entries ? options->spill_entries : TRACER_SPILL_ENTRIES;

	export->options = options;
	export->interval_ns = (uint64_t)((options->interval_s > 0 ? options->interval_s : INTERVAL_S) * 1e9);
	if (getrandom(&aggregate.seed, sizeof(aggregate.seed), 0) != sizeof(aggregate.seed))
		return -EIO;
	spill_ledger_init(&export->ledger, spill_entries, aggregate.seed);
	export->aggregate = aggregate_new(&aggregate);
	return export->aggregate ? 0 : -ENOMEM;
}

static int watch_with(const struct options *options)
{
	autofree struct export *export = calloc(1, sizeof(*export));
	int code, error = export ? export_init(export, options) : -ENOMEM;

	if (error) {
		log_error("cannot start: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	code = open_http(export);
	if (code == EXIT_FINE) {
		code = session_open(&export->session, options, false, NULL);
		if (code == EXIT_FINE)
			code = watch_and_export(export);
		export_http_free(export->http);
		session_release(&export->session);
	}
	gauges_release(&export->gauges);
	spill_ledger_release(&export->ledger);
	aggregate_free(export->aggregate);
	return code;
}

/* What is recorded does not change: there is nothing to serve, nor to write again. */
static int export_once(const struct options *options)
{
	bool listens = options->listen.any.sa_family != AF_UNSPEC;

	if (listens || options->interval_s > 0) {
		log_error("'--%s' is for watching, and -i reads recordings", listens ? "listen" : "interval");
		log_hint("their metrics are written once, to standard output or with --textfile FILE");
		return EXIT_USAGE;
	}
	return export_recordings(options);
}

int command_export(const struct options *options)
{
	if (options->input_count)
		return export_once(options);
	if (options->interval_s > 0 && !options->textfile) {
		log_error("no --textfile for '--interval'");
		log_hint("over HTTP the scraper decides how often");
		return EXIT_USAGE;
	}
	return watch_with(options);
}

int export_snapshot(const struct options *options, const struct snapshot *snapshot)
{
	enum openmetrics_form form = options->textfile ? PROMETHEUS_0_0_4 : OPENMETRICS_1_0;
	struct openmetrics_counters none = { 0 };
	autofree char *text = NULL;
	size_t bytes = 0;
	int error = print_snapshot(&none, snapshot, form, &text, &bytes);

	if (!error && options->textfile) {
		error = textfile_replace(options->textfile, text, bytes);
		if (error)
			tell_file_error(options->textfile, error);
		return error ? EXIT_RUNTIME : EXIT_FINE;
	}
	if (!error && (fwrite(text, 1, bytes, stdout) != bytes || fflush(stdout)))
		error = -errno;
	if (error)
		log_error("cannot write the metrics: %s", strerror(-error));
	return error ? EXIT_RUNTIME : EXIT_FINE;
}
