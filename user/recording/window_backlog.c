/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners and network namespaces of windows. Contract: window.h, window_private.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/hash.h"
#include "recording/window_private.h"

/* 0: unknown. */
static uint64_t boot_of(const struct window *window)
{
	uint64_t boot;

	if (!window->boot_id || !window->boot_id[0])
		return 0;
	boot = hash_bytes(window->boot_id, strlen(window->boot_id), 0);
	return boot ? boot : 1;
}

static bool same_listener(const struct snapshot_listener *a, const struct snapshot_listener *b)
{
	return a->netns == b->netns && a->family == b->family && a->port == b->port &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

/* Of the same boot; NULL: there is none. */
static struct window_listener *find_listener(const struct window *window, const struct snapshot_listener *row,
					     uint64_t boot)
{
	for (size_t i = 0; i < window->listener_count; i++)
		if (window->listeners[i].boot == boot && same_listener(&window->listeners[i].row, row))
			return &window->listeners[i];
	return NULL;
}

static struct window_netns *find_netns(const struct window *window, uint32_t netns, uint64_t boot)
{
	for (size_t i = 0; i < window->namespace_count; i++)
		if (window->namespaces[i].boot == boot && window->namespaces[i].row.netns == netns)
			return &window->namespaces[i];
	return NULL;
}

static int append_listener(struct window *window, const struct window_listener *listener)
{
	struct window_listener *listeners =
		reallocarray(window->listeners, window->listener_count + 1, sizeof(*listeners));

	if (!listeners)
		return -ENOMEM;
	window->listeners = listeners;
	listeners[window->listener_count++] = *listener;
	return 0;
}

static int append_netns(struct window *window, const struct window_netns *netns)
{
	struct window_netns *namespaces =
		reallocarray(window->namespaces, window->namespace_count + 1, sizeof(*namespaces));

	if (!namespaces)
		return -ENOMEM;
	window->namespaces = namespaces;
	namespaces[window->namespace_count++] = *netns;
	return 0;
}

int window_add_listener(struct window *window, const struct snapshot_listener *row)
{
	const struct window_listener listener = { .row = *row, .boot = boot_of(window) };
	struct window_listener *known = find_listener(window, row, listener.boot);

	if (!known)
		return append_listener(window, &listener);
	*known = listener;
	return 0;
}

int window_add_netns(struct window *window, const struct snapshot_netns *row)
{
	const struct window_netns netns = { .row = *row, .boot = boot_of(window) };
	struct window_netns *known = find_netns(window, row->netns, netns.boot);

	if (!known)
		return append_netns(window, &netns);
	*known = netns;
	return 0;
}

/* Of what is not known in one part the whole is not known. */
static int64_t sum_of(int64_t a, int64_t b)
{
	int64_t sum;

	if (a < 0 || b < 0)
		return -1;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int64_t known_of(int64_t first, int64_t second)
{
	return first < 0 ? second : first;
}

static void merge_listener(struct window_listener *into, const struct window_listener *from)
{
	const struct snapshot_listener *a = &into->row, *b = &from->row;
	bool is_later = from->seen_ns >= into->seen_ns;
	const struct snapshot_listener *later = is_later ? b : a, *earlier = is_later ? a : b;
	struct snapshot_listener row = *later;

	row.queue_peak = a->queue_peak > b->queue_peak ? a->queue_peak : b->queue_peak;
	row.half_open_peak = a->half_open_peak > b->half_open_peak ? a->half_open_peak : b->half_open_peak;
	row.half_open = known_of(later->half_open, earlier->half_open);
	row.half_open_is_bound = a->half_open_is_bound || b->half_open_is_bound;
	row.drops = sum_of(a->drops, b->drops);
	if (!row.master_pid)
		row.master_pid = earlier->master_pid;
	into->row = row;
	if (is_later)
		into->seen_ns = from->seen_ns;
}

static void merge_netns(struct snapshot_netns *into, const struct snapshot_netns *from)
{
	into->listen_overflows = sum_of(into->listen_overflows, from->listen_overflows);
	into->listen_drops = sum_of(into->listen_drops, from->listen_drops);
	into->request_queue_full = sum_of(into->request_queue_full, from->request_queue_full);
}

/* Only what into had before can be the same: in one window each row is another. A boot that is not known is nobody's.
 */
int window_merge_backlog(struct window *into, const struct window *from)
{
	int error = 0;

	for (size_t i = 0; i < from->listener_count && !error; i++) {
		struct window_listener listener = from->listeners[i];
		struct window_listener *known = NULL;

		if (!listener.seen_ns)
			listener.seen_ns = from->end_ns;
		if (listener.boot)
			known = find_listener(into, &listener.row, listener.boot);
		if (known)
			merge_listener(known, &listener);
		else
			error = append_listener(into, &listener);
	}
	for (size_t i = 0; i < from->namespace_count && !error; i++) {
		const struct window_netns *netns = &from->namespaces[i];
		struct window_netns *known = netns->boot ? find_netns(into, netns->row.netns, netns->boot) : NULL;

		if (known)
			merge_netns(&known->row, &netns->row);
		else
			error = append_netns(into, netns);
	}
	return error;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int in_order(const void *a, const void *b)
{
	struct snapshot_listener x, y;
	int sign;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	sign = compare(x.master_pid, y.master_pid);
	if (!sign)
		sign = compare(x.port, y.port);
	if (!sign)
		sign = compare(x.family, y.family);
	if (!sign)
		sign = memcmp(x.address, y.address, sizeof(x.address));
	return sign ? sign : compare(x.netns, y.netns);
}

int window_complete_backlog(const struct window *window, struct snapshot *snapshot)
{
	snapshot->listeners = calloc(window->listener_count + 1, sizeof(*snapshot->listeners));
	snapshot->namespaces = calloc(window->namespace_count + 1, sizeof(*snapshot->namespaces));
	if (!snapshot->listeners || !snapshot->namespaces)
		return -ENOMEM;
	for (size_t i = 0; i < window->listener_count; i++)
		snapshot->listeners[snapshot->listener_count++] = window->listeners[i].row;
	for (size_t i = 0; i < window->namespace_count; i++)
		snapshot->namespaces[snapshot->namespace_count++] = window->namespaces[i].row;
	qsort(snapshot->listeners, snapshot->listener_count, sizeof(*snapshot->listeners), in_order);
	return 0;
}
