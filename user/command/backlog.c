/* SPDX-License-Identifier: BSD-2-Clause */
/* Watching what waits before accept(). Contract: backlog.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "command/backlog_private.h"
#include "host/clock.h"
#include "host/worker.h"

#define EVERY_NS   1000000000ull
#define QUIET_NS   (4 * EVERY_NS) /* of half-open connections, where there are none */
#define COST_RATIO 100            /* of the time between two looks, at most one such part is spent in them */

uint64_t backlog_due_ns(uint64_t begin_ns, uint64_t end_ns, uint64_t every_ns)
{
	uint64_t rested_ns = end_ns + COST_RATIO * (end_ns - begin_ns);

	return begin_ns + every_ns > rested_ns ? begin_ns + every_ns : rested_ns;
}

static size_t rows_of(const struct backlog *backlog)
{
	size_t rows = 0;

	for (size_t i = 0; i < backlog->space_count; i++)
		rows += backlog->spaces[i].table.count;
	return rows;
}

/* A place for a namespace, if need be that of one that was left long ago; NULL: there is none. */
static struct backlog_space *place_for(struct backlog *backlog)
{
	struct backlog_space *spaces, *oldest = NULL;
	bool crowded = backlog->space_count == BACKLOG_SPACES_MAX || rows_of(backlog) > LISTEN_ROWS_MAX / 2;

	for (size_t i = 0; crowded && i < backlog->space_count; i++) {
		struct backlog_space *space = &backlog->spaces[i];

		if (!space->is_open && (!oldest || space->closed_ns < oldest->closed_ns))
			oldest = space;
	}
	if (oldest) {
		listen_table_release(&oldest->table);
		return oldest;
	}
	if (backlog->space_count == BACKLOG_SPACES_MAX)
		return NULL;
	spaces = reallocarray(backlog->spaces, backlog->space_count + 1, sizeof(*spaces));
	if (!spaces)
		return NULL;
	backlog->spaces = spaces;
	spaces[backlog->space_count] = (struct backlog_space){ .is_open = false };
	return &spaces[backlog->space_count++];
}

/* One that was left and is used again goes on where it was. */
static struct backlog_space *space_of(struct backlog *backlog, uint32_t netns)
{
	for (size_t i = 0; i < backlog->space_count; i++)
		if (backlog->spaces[i].space.netns == netns)
			return &backlog->spaces[i];
	return NULL;
}

/* Returns the index of the namespace that a process lives in, open, or a negative errno. */
static int enter(struct backlog *backlog, pid_t pid)
{
	struct listen_counters unknown = LISTEN_COUNTERS_UNKNOWN;
	struct listen_space opened;
	struct backlog_space *space;
	uint32_t netns;
	int error = listen_space_of(pid, &netns);

	if (error)
		return error;
	space = space_of(backlog, netns);
	if (space && space->is_open)
		return (int)(space - backlog->spaces);
	error = listen_space_open(pid, &opened);
	if (error)
		return error;
	if (!space && (space = place_for(backlog)))
		space->lost = unknown;
	if (!space) {
		listen_space_close(&opened);
		return -ENOSPC;
	}
	space->space = opened;
	space->last = unknown;
	space->is_open = true;
	return (int)(space - backlog->spaces);
}

void backlog_add(struct backlog *backlog, const struct nginx_instance *instance)
{
	struct backlog_nginx *nginx;
	int space;

	if (backlog->nginx_count >= BACKLOG_NGINX_MAX)
		return;
	nginx = reallocarray(backlog->nginx, backlog->nginx_count + 1, sizeof(*nginx));
	if (!nginx)
		return;
	backlog->nginx = nginx;
	space = enter(backlog, instance->master);
	if (space < 0) {
		log_debug("the listeners of nginx (master %d) cannot be seen: %s", (int)instance->master,
			  strerror(-space));
		return;
	}
	nginx[backlog->nginx_count++] = (struct backlog_nginx){
		.master = instance->master,
		.start_ticks = instance->start_ticks,
		.space = (size_t)space,
		.stale = true,
	};
	backlog->listening_due_ns = backlog->rested_ns;
}

void backlog_renew(struct backlog *backlog, pid_t worker)
{
	struct worker_stat stat;

	if (worker_stat_read(worker, &stat))
		return;
	for (size_t i = 0; i < backlog->nginx_count; i++)
		if (backlog->nginx[i].master == stat.parent || backlog->nginx[i].master == worker)
			backlog->nginx[i].stale = true;
}

static bool lives(const struct backlog_nginx *nginx)
{
	struct worker_stat stat;

	return worker_stat_read(nginx->master, &stat) == 0 && stat.start_ticks == nginx->start_ticks;
}

/* A namespace that we alone hold would stay, with its devices, after its container is gone. */
static void leave_empty(struct backlog *backlog, uint64_t now_ns)
{
	bool used[BACKLOG_SPACES_MAX] = { false };
	size_t kept = 0;

	for (size_t i = 0; i < backlog->nginx_count; i++) {
		if (!lives(&backlog->nginx[i]))
			continue;
		used[backlog->nginx[i].space] = true;
		backlog->nginx[kept++] = backlog->nginx[i];
	}
	backlog->nginx_count = kept;
	for (size_t i = 0; i < backlog->space_count; i++) {
		struct backlog_space *space = &backlog->spaces[i];

		if (!space->is_open || used[i])
			continue;
		listen_space_close(&space->space);
		space->is_open = false;
		space->closed_ns = now_ns;
	}
}

static void look(struct backlog *backlog)
{
	uint64_t begin_ns = clock_monotonic_ns(), end_ns;

	for (size_t i = 0; i < backlog->space_count; i++)
		if (backlog->spaces[i].is_open)
			backlog_look_at_listening(backlog, i);
	leave_empty(backlog, begin_ns);
	end_ns = clock_monotonic_ns();
	backlog->listening_due_ns = backlog_due_ns(begin_ns, end_ns, EVERY_NS);
	backlog->rested_ns = backlog_due_ns(begin_ns, end_ns, 0);
}

static bool has_half_open(const struct listen_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].half_open > 0)
			return true;
	return false;
}

/*
 * One namespace each time, in turn: each of these walks is through the kernel's whole table of connections, half a
 * millisecond where it is empty. So it is rarer while there are none.
 */
static void look_at_next_half_open(struct backlog *backlog)
{
	uint64_t begin_ns = clock_monotonic_ns(), end_ns;
	struct backlog_space *space;
	size_t open = 0;

	for (size_t i = 0; i < backlog->space_count; i++)
		open += backlog->spaces[i].is_open;
	if (!open)
		return;
	do {
		backlog->half_open_next = (backlog->half_open_next + 1) % backlog->space_count;
	} while (!backlog->spaces[backlog->half_open_next].is_open);
	space = &backlog->spaces[backlog->half_open_next];
	backlog_look_at_half_open(space);
	end_ns = clock_monotonic_ns();
	backlog->half_open_due_ns =
		backlog_due_ns(begin_ns, end_ns, (has_half_open(&space->table) ? EVERY_NS : QUIET_NS) / open);
	backlog->half_open_rested_ns = backlog_due_ns(begin_ns, end_ns, 0);
}

void backlog_open(struct backlog *backlog, const struct watch_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->items[i].usable && !targets->items[i].starting)
			backlog_add(backlog, &targets->items[i].instance);
	look(backlog);
	look_at_next_half_open(backlog);
}

void backlog_tick(struct backlog *backlog, uint64_t now_ns)
{
	if (now_ns >= backlog->listening_due_ns)
		look(backlog);
	if (now_ns >= backlog->half_open_due_ns)
		look_at_next_half_open(backlog);
}

static int conclude_listeners(const struct backlog_space *space, struct window *window)
{
	int error = 0;

	for (size_t i = 0; i < space->table.count && !error; i++) {
		const struct listen_row *row = &space->table.rows[i];
		struct snapshot_listener listener = {
			.master_pid = row->owner,
			.netns = space->space.netns,
			.family = row->address.family,
			.port = row->address.port,
			.sockets = row->sockets,
			.queue = row->queue,
			.queue_peak = row->queue_peak,
			.queue_limit = row->queue_limit,
			.drops = row->drops,
			.half_open = row->half_open,
			.half_open_peak = row->half_open_peak,
			.half_open_is_bound = row->half_open_is_bound,
		};

		_Static_assert(sizeof(listener.address) == sizeof(row->address.bytes), "one kind of address");
		memcpy(listener.address, row->address.bytes, sizeof(listener.address));
		if (row->sockets)
			error = window_add_listener(window, &listener);
	}
	return error;
}

int backlog_end(struct backlog *backlog, struct window *window)
{
	int error = 0;

	look(backlog);
	if (clock_monotonic_ns() >= backlog->half_open_rested_ns)
		look_at_next_half_open(backlog);
	for (size_t i = 0; i < backlog->space_count && !error; i++) {
		const struct backlog_space *space = &backlog->spaces[i];
		struct snapshot_netns netns = {
			.netns = space->space.netns,
			.listen_overflows = space->lost.overflows,
			.listen_drops = space->lost.drops,
			.request_queue_full = space->lost.request_queue_full,
		};

		error = window_add_netns(window, &netns);
		if (!error)
			error = conclude_listeners(space, window);
	}
	return error;
}

void backlog_release(struct backlog *backlog)
{
	for (size_t i = 0; i < backlog->space_count; i++) {
		if (backlog->spaces[i].is_open)
			listen_space_close(&backlog->spaces[i].space);
		listen_table_release(&backlog->spaces[i].table);
	}
	free(backlog->spaces);
	free(backlog->nginx);
	*backlog = (struct backlog){ 0 };
}
