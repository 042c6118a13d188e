/* SPDX-License-Identifier: BSD-2-Clause */
/* What waited or was lost before nginx accepted it, in the text report. */
#include <inttypes.h>

#include "diagnose/accept_queue.h"
#include "output/text_parts.h"

static bool has_several_namespaces(const struct snapshot *snapshot)
{
	for (size_t i = 1; i < snapshot->listener_count; i++)
		if (snapshot->listeners[i].netns != snapshot->listeners[0].netns)
			return true;
	return false;
}

static void write_listener(const struct page *page, const struct snapshot_listener *listener, bool with_namespace)
{
	struct paragraph paragraph = { 0 };
	char text[LISTENER_TEXT_BYTES];

	paragraph_add(&paragraph, "%s", listener_text(listener, text));
	if (with_namespace)
		paragraph_add(&paragraph, " in network namespace %" PRIu32, listener->netns);
	if (listener->sockets > 1)
		paragraph_add(&paragraph, " (%" PRIu32 " sockets)", listener->sockets);
	paragraph_add(&paragraph,
		      ": up to %" PRIu32 " connections waited for accept(), of %" PRIu32 " allowed; %" PRIu32
		      " at the end",
		      listener->queue_peak, listener->queue_limit, listener->queue);
	if (listener->drops > 0)
		paragraph_add(&paragraph, "; %" PRIi64 " dropped", listener->drops);
	else if (listener->drops < 0)
		paragraph_add(&paragraph, "; drops not known");
	if (listener->half_open_peak > 0)
		paragraph_add(&paragraph, "; %s %" PRIi64 " half-open",
			      listener->half_open_is_bound ? "at least" : "up to", listener->half_open_peak);
	paragraph_write(&paragraph, page, 2, 2);
}

/* Of those that need no line of their own. */
static void write_quiet(const struct page *page, const struct snapshot *snapshot)
{
	const struct snapshot_listener *fullest = NULL;
	struct paragraph paragraph = { 0 };
	size_t quiet = 0;
	bool drops_known = true;

	for (size_t i = 0; i < snapshot->listener_count; i++) {
		const struct snapshot_listener *listener = &snapshot->listeners[i];

		if (listener_is_notable(listener))
			continue;
		quiet++;
		drops_known &= listener->drops >= 0;
		if (!fullest || listener->queue_peak > fullest->queue_peak)
			fullest = listener;
	}
	if (!fullest)
		return;
	if (quiet < snapshot->listener_count)
		paragraph_add(&paragraph, "%zu more %s: ", quiet, quiet == 1 ? "address" : "addresses");
	else
		paragraph_add(&paragraph, "%zu %s: ", quiet, quiet == 1 ? "address" : "addresses");
	if (fullest->queue_peak)
		paragraph_add(&paragraph, "at most %" PRIu32 " waited for accept(), of %" PRIu32 " allowed",
			      fullest->queue_peak, fullest->queue_limit);
	else
		paragraph_add(&paragraph, "nothing was seen waiting for accept()");
	paragraph_add(&paragraph, drops_known ? "; none was dropped" : "; drops not known");
	paragraph_write(&paragraph, page, 2, 2);
}

/* Its listeners may be others' too. */
static void write_namespace(const struct page *page, const struct snapshot_netns *row)
{
	const struct {
		int64_t count;
		const char *what;
	} counts[] = {
		{ .count = row->listen_overflows, .what = "accept queue full" },
		{ .count = row->listen_drops, .what = "connections dropped before accept()" },
		{ .count = row->request_queue_full, .what = "too many half-open" },
	};
	struct paragraph paragraph = { 0 };
	size_t shown = 0;

	paragraph_add(&paragraph, "network namespace %" PRIu32 ", all listeners in it:", row->netns);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].count > 0)
			paragraph_add(&paragraph, "%s%s %" PRIi64, shown++ ? ", " : " ", counts[i].what,
				      counts[i].count);
	if (shown)
		paragraph_write(&paragraph, page, 2, 2);
}

void write_listeners(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	bool several = has_several_namespaces(snapshot);

	if (!snapshot->listener_count)
		return;
	write_heading(page, style, "Before accept");
	for (size_t i = 0; i < snapshot->listener_count; i++)
		if (listener_is_notable(&snapshot->listeners[i]))
			write_listener(page, &snapshot->listeners[i], several);
	write_quiet(page, snapshot);
	for (size_t i = 0; i < snapshot->namespace_count; i++)
		write_namespace(page, &snapshot->namespaces[i]);
}
