/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The measurement of `check --cost`: see check_cost.h.
 *
 * Invariant: runs, counters and foreign hits are read together, while everything is armed: first when the watch has
 * begun, last at a tick before it ends. Must not know: how figures are printed (check_cost_print.c).
 */
#include "command/check_cost.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "attach/examine.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "command/session.h"
#include "host/clock.h"
#include "tlswhy/parts.h"

#define WATCH_S 5.0
#define ENOUGH  1000 /* handshakes */

/* What the kernel says at one moment. */
struct look {
	uint64_t counters[COUNTER_ROWS];
	struct tracer_run runs[TRACER_RUNS_MAX];
	int run_count;
	uint64_t time_ns;
};

struct measurement {
	struct session session;
	struct look first, last;
	uint64_t enough; /* handshakes after which it ends; 0: by time alone */
	uint64_t cpu_us, cpu_count;
	bool stepped[PROBE_COUNT];
	int error;
};

static int look(const struct tracer *tracer, struct look *out)
{
	struct look now = { .time_ns = clock_monotonic_ns() };
	int error = tracer_counters(tracer, now.counters);

	if (!error)
		now.run_count = tracer_runs(tracer, now.runs);
	if (now.run_count < 0)
		error = now.run_count;
	if (!error)
		*out = now;
	return error;
}

static void on_observation(void *context, const struct observation *observation)
{
	struct measurement *measurement = context;
	const struct event *event = &observation->event;

	if (event->header.kind != EVENT_SETTLED || observation->cause != CAUSE_OK ||
	    event->verdict.flags & VERDICT_UNMEASURED || !event->parts.us[PART_CPU])
		return;
	measurement->cpu_us += event->parts.us[PART_CPU];
	measurement->cpu_count++;
}

static uint64_t grown(const struct measurement *measurement, enum counter first, unsigned int rows)
{
	uint64_t sum = 0;

	for (unsigned int i = first; i < first + rows; i++)
		sum += measurement->last.counters[i] - measurement->first.counters[i];
	return sum;
}

static uint64_t decided(const struct measurement *measurement)
{
	return grown(measurement, COUNTER_OK, DIRECTION_COUNT) + grown(measurement, COUNTER_FAILED, DIRECTION_COUNT);
}

static void on_tick(void *context, uint64_t now_ns __attribute__((unused)))
{
	struct measurement *measurement = context;
	int error = look(watch_tracer(measurement->session.watch), &measurement->last);

	if (error)
		measurement->error = error;
	if (error || (measurement->enough && decided(measurement) >= measurement->enough))
		raise(SIGTERM); /* ends a session as Ctrl-C does */
}

static bool is_alone(enum probe probe)
{
	const struct probe_spec *spec = probe_spec(probe), *other;

	for (enum probe i = 0; i < PROBE_COUNT; i++) {
		other = probe_spec(i);
		if (!other->is_return && other->file == spec->file && strcmp(other->function, spec->function) == 0)
			return false;
	}
	return spec->is_return;
}

/* Which probes are on an instruction that runs by itself, in one of the files at least. */
static void find_stepped(const struct options *options, bool stepped[PROBE_COUNT])
{
	const struct watch_options watch = { .pids = options->pids, .pid_count = options->pid_count };
	__attribute__((cleanup(watch_targets_release))) struct watch_targets targets = { 0 };
	struct watch_problem problem;

	if (watch_examine(&watch, &targets, &problem))
		return;
	for (size_t i = 0; i < targets.count; i++) {
		const struct watch_target *target = &targets.items[i];

		for (size_t j = 0; target->usable && j < target->site_count; j++)
			stepped[target->sites[j].site.probe] |= target->sites[j].where.cost == SITE_STEPPED;
	}
}

static struct watch_cost_row row_of(const struct measurement *measurement, int i)
{
	const struct tracer_run *first = &measurement->first.runs[i], *last = &measurement->last.runs[i];
	bool is_probe = last->probe < PROBE_COUNT;

	struct watch_cost_row row = {
		.is_probe = is_probe,
		.is_return = is_probe && probe_spec(last->probe)->is_return,
		.alone = is_probe && is_alone(last->probe),
		.stepped = is_probe && measurement->stepped[last->probe],
		.runs = last->runs - first->runs,
		.ns = last->ns - first->ns,
	};

	snprintf(row.name, sizeof(row.name), "%s", is_probe ? probe_spec(last->probe)->function : last->program);
	return row;
}

static void fill_account(const struct measurement *measurement, struct watch_cost *account)
{
	for (int i = 0; i < measurement->last.run_count && account->count < WATCH_COST_ROWS; i++)
		account->rows[account->count++] = row_of(measurement, i);
	account->seconds = (double)(measurement->last.time_ns - measurement->first.time_ns) / 1e9;
	account->ok = grown(measurement, COUNTER_OK, DIRECTION_COUNT);
	account->failed = grown(measurement, COUNTER_FAILED, DIRECTION_COUNT);
	account->foreign = grown(measurement, COUNTER_FOREIGN_HITS, 1);
	if (measurement->cpu_count)
		account->cpu_ns = 1000 * (double)measurement->cpu_us / (double)measurement->cpu_count;
	watch_cost_sum(account);
}

static int run(struct measurement *measurement, const struct options *options, struct watch_cost *account)
{
	static const struct session_handlers handlers = { .observe = on_observation, .tick = on_tick };
	const struct tracer *tracer = watch_tracer(measurement->session.watch);
	int error;

	error = look(tracer, &measurement->first);
	measurement->last = measurement->first;
	if (!error)
		error = session_run(&measurement->session, options, &handlers, measurement);
	if (!error)
		error = measurement->error;
	if (error) {
		log_error("cannot measure what a watch costs: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	fill_account(measurement, account);
	return EXIT_FINE;
}

int check_cost_measure(const struct options *options, bool with_returns, struct check_cost *out)
{
	struct check_cost cost = { .account = { .traps = { -1, -1, -1, -1, -1 } } };
	struct options watch = *options;
	struct measurement measurement = { .enough = options->duration_s > 0 ? 0 : ENOUGH };
	autoclose int statistics = -1;
	int code;

	if (!(watch.duration_s > 0))
		watch.duration_s = WATCH_S;
	/* All before the session drops what they need. */
	find_stepped(options, measurement.stepped);
	cost.traps_error = trap_measure(with_returns, &cost.account.traps);
	statistics = trap_statistics_on();
	cost.statistics_error = statistics < 0 ? statistics : 0;
	code = session_open(&measurement.session, &watch, false, NULL);
	if (code == EXIT_FINE)
		code = run(&measurement, &watch, &cost.account);
	session_release(&measurement.session);
	if (code == EXIT_FINE)
		*out = cost;
	return code;
}
