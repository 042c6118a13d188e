/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows: merging, and completing a snapshot. Contract: window.h. */
#define _GNU_SOURCE /* asprintf() */
#include "recording/window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "recording/window_private.h"

void window_init(struct window *window)
{
	*window = (struct window){ 0 };
}

void window_target_release(struct snapshot_target *target)
{
	free(target->exe);
	free(target->library);
	free(target->library_version);
	free(target->layout);
	free(target->workers);
	*target = (struct snapshot_target){ 0 };
}

void window_release(struct window *window)
{
	if (!window)
		return;
	for (size_t i = 0; i < window->target_count; i++)
		window_target_release(&window->targets[i]);
	free(window->tool_version);
	free(window->host);
	free(window->kernel);
	free(window->boot_id);
	free(window->targets);
	free(window->workers);
	free(window->listeners);
	free(window->namespaces);
	window_init(window);
}

int window_add_target(struct window *window, struct snapshot_target *target)
{
	struct snapshot_target *targets = reallocarray(window->targets, window->target_count + 1, sizeof(*targets));

	if (!targets) {
		window_target_release(target);
		return -ENOMEM;
	}
	window->targets = targets;
	targets[window->target_count++] = *target;
	*target = (struct snapshot_target){ 0 };
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool window_same_clock(const struct window *a, const struct window *b)
{
	return a->boot_id && a->boot_id[0] && same_text(a->boot_id, b->boot_id);
}

int64_t window_shift_ns(const struct window *into, const struct window *from)
{
	if (window_same_clock(into, from))
		return 0;
	return (int64_t)((uint64_t)from->unix_offset_ns - (uint64_t)into->unix_offset_ns);
}

/* NULL stays NULL. */
static int copy_text(char **out, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	*out = copy;
	return 0;
}

static int copy_target(const struct snapshot_target *from, struct snapshot_target *out)
{
	struct snapshot_target copy = { .master_pid = from->master_pid, .generation = from->generation };
	int error = copy_text(&copy.exe, from->exe);

	if (!error)
		error = copy_text(&copy.library, from->library);
	if (!error)
		error = copy_text(&copy.library_version, from->library_version);
	if (!error)
		error = copy_text(&copy.layout, from->layout);
	if (!error && !(copy.workers = calloc(from->worker_count + 1, sizeof(*copy.workers))))
		error = -ENOMEM;
	if (error) {
		window_target_release(&copy);
		return error;
	}
	if (from->worker_count)
		memcpy(copy.workers, from->workers, from->worker_count * sizeof(*copy.workers));
	copy.worker_count = from->worker_count;
	*out = copy;
	return 0;
}

static bool same_target(const struct snapshot_target *a, const struct snapshot_target *b)
{
	return a->master_pid == b->master_pid && same_text(a->exe, b->exe) && same_text(a->library, b->library) &&
	       same_text(a->library_version, b->library_version) && same_text(a->layout, b->layout);
}

static int merge_target_workers(struct snapshot_target *into, const struct snapshot_target *from)
{
	uint32_t *workers =
		reallocarray(into->workers, into->worker_count + from->worker_count + 1, sizeof(*workers));
	size_t known = into->worker_count;

	if (!workers)
		return -ENOMEM;
	into->workers = workers;
	for (size_t i = 0; i < from->worker_count; i++) {
		size_t at = 0;

		while (at < known && workers[at] != from->workers[i])
			at++;
		if (at == known)
			workers[into->worker_count++] = from->workers[i];
	}
	if (from->generation > into->generation)
		into->generation = from->generation;
	return 0;
}

/* known: how many targets into had before. One watch may hold an nginx twice, and that is how it was reported. */
static int merge_target(struct window *into, const struct snapshot_target *target, size_t known)
{
	struct snapshot_target copy;

	for (size_t i = 0; i < known; i++)
		if (same_target(&into->targets[i], target))
			return merge_target_workers(&into->targets[i], target);
	if (copy_target(target, &copy))
		return -ENOMEM;
	return window_add_target(into, &copy);
}

/* "a, b": each host once. */
static int merge_host(struct window *into, const struct window *from)
{
	size_t length = from->host ? strlen(from->host) : 0;
	char *joined = NULL;

	if (!length)
		return 0;
	for (const char *at = into->host; at && *at; at += strcspn(at, ","), at += strspn(at, ", "))
		if (strcspn(at, ",") == length && memcmp(at, from->host, length) == 0)
			return 0;
	if (asprintf(&joined, "%s%s%s", into->host ? into->host : "", into->host && into->host[0] ? ", " : "",
		     from->host) < 0)
		return -ENOMEM;
	free(into->host);
	into->host = joined;
	return 0;
}

static void merge_totals(struct window *into, const struct window *from)
{
	into->has_totals = into->has_totals && from->has_totals;
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++) {
		struct totals *a = &into->totals[i];
		const struct totals *b = &from->totals[i];

		a->begun += b->begun;
		a->ok += b->ok;
		a->failed += b->failed;
		a->open += b->open;
		a->evicted += b->evicted;
		a->resumed += b->resumed;
		a->joined += b->joined;
		a->unmatched += b->unmatched;
	}
	into->losses.ring_full += from->losses.ring_full;
	into->losses.spill_full += from->losses.spill_full;
	into->losses.state_full += from->losses.state_full;
	into->losses.settled_full += from->losses.settled_full;
	into->losses.evicted += from->losses.evicted;
	into->losses.read_faults += from->losses.read_faults;
	into->losses.unmatched += from->losses.unmatched;
	into->losses.undecodable += from->losses.undecodable;
	into->requests_incomplete |= from->requests_incomplete;
	into->answers_off |= from->answers_off;
}

int window_merge(struct window *into, const struct window *from)
{
	uint64_t shift = (uint64_t)window_shift_ns(into, from);
	bool same_boot = window_same_clock(into, from);
	size_t known = same_boot ? into->target_count : 0;
	int error = merge_host(into, from);

	if (!error)
		error = window_merge_backlog(into, from);
	if (from->tick_ns > into->tick_ns)
		into->tick_ns = from->tick_ns;
	if ((int64_t)(from->start_ns + shift - into->start_ns) < 0)
		into->start_ns = from->start_ns + shift;
	if ((int64_t)(from->end_ns + shift - into->end_ns) > 0)
		into->end_ns = from->end_ns + shift;
	merge_totals(into, from);
	for (size_t i = 0; i < from->target_count && !error; i++)
		error = merge_target(into, &from->targets[i], known);
	for (size_t i = 0; i < from->worker_count && !error; i++)
		error = window_merge_worker(into, &from->workers[i], same_boot);
	return error;
}

/* Workers that are known to live at the end, which may be others than at the start. */
static bool is_living(const struct snapshot_worker *row, uint32_t master_pid)
{
	return row->master_pid == master_pid && row->cpu_ratio >= 0 && !row->gone;
}

/* After reloads a target has other workers and a newer generation than when the watch began. */
static int complete_target(struct snapshot_target *target, const struct snapshot *snapshot)
{
	uint32_t *workers;
	size_t count = 0;

	for (size_t i = 0; i < snapshot->worker_count; i++)
		count += is_living(&snapshot->workers[i], target->master_pid);
	if (!count)
		return 0;
	workers = calloc(count, sizeof(*workers));
	if (!workers)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct snapshot_worker *row = &snapshot->workers[i];

		if (!is_living(row, target->master_pid))
			continue;
		/* A pid's rows, of its generations, stand together. */
		if (!count || workers[count - 1] != row->pid)
			workers[count++] = row->pid;
		if (row->generation > target->generation)
			target->generation = row->generation;
	}
	free(target->workers);
	target->workers = workers;
	target->worker_count = count;
	return 0;
}

/* What comes before the library on listeners of http is told by nginx's own answers alone. */
static void mark_incomplete(const struct window *window, struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->cause_count && window->answers_off; i++) {
		struct cause_row *row = &snapshot->causes[i];

		if (row->direction == DIRECTION_CLIENT &&
		    (row->cause == CAUSE_PLAIN_HTTP || row->cause == CAUSE_NOT_TLS))
			row->incomplete = true;
	}
}

int window_complete(const struct window *window, struct snapshot *snapshot)
{
	uint64_t length_ns = window->end_ns > window->start_ns ? window->end_ns - window->start_ns : 0;
	int error = copy_text(&snapshot->host, window->host && window->host[0] ? window->host : NULL);

	snapshot->requests_incomplete = window->requests_incomplete;
	mark_incomplete(window, snapshot);
	snapshot->start_ns = window->start_ns;
	snapshot->start_unix_ns = window->start_ns + (uint64_t)window->unix_offset_ns;
	snapshot->seconds = (double)length_ns / 1e9;
	snapshot->tick_seconds = (double)window->tick_ns / 1e9;
	snapshot->targets = calloc(window->target_count + 1, sizeof(*snapshot->targets));
	if (!snapshot->targets)
		return -ENOMEM;
	for (size_t i = 0; i < window->target_count && !error; i++) {
		error = copy_target(&window->targets[i], &snapshot->targets[i]);
		snapshot->target_count += !error;
	}
	if (!error)
		error = window_complete_workers(window, snapshot);
	for (size_t i = 0; i < snapshot->target_count && !error; i++)
		error = complete_target(&snapshot->targets[i], snapshot);
	if (!error)
		error = window_complete_backlog(window, snapshot);
	return error ? error : snapshot_fill_generations(snapshot);
}
