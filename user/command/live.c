/* SPDX-License-Identifier: BSD-2-Clause */
/* A watch of this host as a source. Contract: live.h. */
#include "command/live.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "host/clock.h"
#include "host/identity.h"
#include "recording/format.h"

#ifndef TLSWHY_VERSION
#define TLSWHY_VERSION "unknown"
#endif

#define HOST_BYTES 256

static char *copy_or_null(const char *text)
{
	return text && text[0] ? strdup(text) : NULL;
}

static int describe_target(struct window *window, const struct watch_target *target)
{
	const struct nginx_instance *instance = &target->instance;
	struct snapshot_target out = {
		.master_pid = (uint32_t)instance->master,
		.exe = copy_or_null(instance->exe.path),
		.library = copy_or_null(target->library_path),
		.library_version = copy_or_null(target->layout.version),
		.layout = copy_or_null(layout_source_name(target->layout.source)),
		.generation = target->generation,
		.workers = calloc(instance->worker_count + 1, sizeof(*out.workers)),
	};

	if (!out.workers || !out.layout) {
		window_target_release(&out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < instance->worker_count; i++) {
		if (instance->only_worker && instance->workers[i].pid != instance->only_worker)
			continue;
		out.workers[out.worker_count++] = (uint32_t)instance->workers[i].pid;
	}
	return window_add_target(window, &out);
}

/* What is known from the start. */
static int describe(struct live *live)
{
	const struct watch_targets *targets = watch_targets(live->session.watch);
	struct window *window = &live->window;
	struct host_identity identity;
	char host[HOST_BYTES] = "";
	int error = 0;

	host_identity_read(&identity);
	clock_hostname(host, sizeof(host));
	window->tool_version = strdup(TLSWHY_VERSION);
	window->host = strdup(host);
	window->kernel = strdup(identity.kernel);
	window->boot_id = strdup(identity.boot_id);
	if (!window->tool_version || !window->host || !window->kernel || !window->boot_id)
		return -ENOMEM;
	window->tick_ns = clock_tick_ns();
	window->start_ns = window->end_ns = live->session.start_ns;
	window->unix_offset_ns = live->session.unix_offset_ns;
	/* Strangers choose addresses and names. */
	if (getrandom(&window->seed, sizeof(window->seed), 0) != sizeof(window->seed))
		return -EIO;
	for (size_t i = 0; i < targets->count && !error; i++)
		if (targets->items[i].usable && !targets->items[i].starting)
			error = describe_target(window, &targets->items[i]);
	return error;
}

int live_open(struct live *live, const struct options *options, bool final_marks)
{
	int code, error;

	*live = (struct live){
		.options = options,
		.recorder = { .fd = -1 },
	};
	if (options->output && recorder_open(&live->recorder, options->output))
		return EXIT_RUNTIME;
	live->opened = true;
	/* Whoever replays it may want a trace. */
	code = session_open(&live->session, options, final_marks || options->output, &live->backlog);
	if (code != EXIT_FINE)
		return code;
	error = describe(live);
	if (error) {
		log_error("cannot start: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	workers_start(&live->workers, watch_targets(live->session.watch), live->session.start_ns);
	recorder_begin(&live->recorder, &live->window);
	return EXIT_FINE;
}

void live_release(struct live *live)
{
	recorder_release(&live->recorder);
	if (live->opened)
		session_release(&live->session);
	workers_release(&live->workers);
	backlog_release(&live->backlog);
	window_release(&live->window);
}

static const void *on_raw(void *context, const void *bytes, size_t *size)
{
	struct live *live = context;

	if (record_keep(&live->kept, bytes, *size))
		return NULL;
	*size = live->kept.size;
	return live->kept.bytes;
}

static void on_observation(void *context, const struct observation *observation)
{
	struct live *live = context;

	if (observation->event.header.kind == EVENT_TARGET) {
		workers_add(&live->workers, (pid_t)observation->event.header.tgid);
		backlog_renew(&live->backlog, (pid_t)observation->event.header.tgid);
	}
	listeners_learn(&live->listeners, watch_tracer(live->session.watch), observation);
	recorder_record(&live->recorder, &live->kept);
	live->handlers->observe(live->context, observation);
}

/* What went stays: it was watched. A nginx that is restarted without end does not fill the memory. */
static void on_change(void *context, const struct watch_target *target, enum watch_change change)
{
	struct live *live = context;

	if (change != WATCH_CAME || live->window.target_count >= RECORDING_TARGETS_MAX)
		return;
	if (describe_target(&live->window, target))
		log_debug("a target is missing in the report: %s", strerror(ENOMEM));
	backlog_add(&live->backlog, &target->instance);
	for (size_t i = 0; i < target->instance.worker_count; i++)
		workers_add(&live->workers, target->instance.workers[i].pid);
}

static void on_tick(void *context, uint64_t now_ns)
{
	struct live *live = context;

	workers_tick(&live->workers, now_ns);
	recorder_tick(&live->recorder, now_ns);
	backlog_tick(&live->backlog, now_ns);
	if (live->handlers->tick)
		live->handlers->tick(live->context, now_ns);
}

static void on_spilled(void *context, const struct spill_key *key, const struct spill_value *value)
{
	struct live *live = context;

	recorder_spill(&live->recorder, key, value);
	if (live->handlers->spilled)
		live->handlers->spilled(live->context, key, value);
}

/* What is known at the end. */
static int conclude(struct live *live)
{
	struct session *session = &live->session;
	struct window *window = &live->window;
	int error;

	/* At once, for the window is over. */
	workers_read(&live->workers);
	error = tracer_spilled(watch_tracer(session->watch), on_spilled, live);
	if (!error)
		error = session_totals(session, window->totals, &window->losses);
	window->requests_incomplete = session_requests_incomplete(session);
	window->answers_off = session_answers_off(session);
	if (!error)
		error = workers_describe(&live->workers, watch_targets(session->watch), window);
	if (!error)
		error = backlog_end(&live->backlog, window);
	if (error)
		return error;
	window->end_ns = session->end_ns;
	window->has_totals = true;
	recorder_end(&live->recorder, window);
	return 0;
}

bool live_run(struct live *live, const struct source_handlers *handlers, void *context)
{
	static const struct session_handlers own = {
		.raw = on_raw, .observe = on_observation, .tick = on_tick, .changed = on_change
	};
	int error;

	live->handlers = handlers;
	live->context = context;
	error = session_run(&live->session, live->options, &own, live);
	if (!error)
		error = conclude(live);
	if (error)
		log_error("cannot read from the kernel side: %s", strerror(-error));
	return !error;
}

void live_stop(void)
{
	raise(SIGTERM);
}
