/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of what waited before accept(). Contract: writer_private.h. */
#include <string.h>

#include "recording/writer_private.h"

static void write_listener(struct recording_writer *writer, const struct snapshot_listener *row)
{
	struct frame_listener frame = {
		.master_pid = le32_of(row->master_pid),
		.netns = le32_of(row->netns),
		.family = le16_of(row->family),
		.port = le16_of(row->port),
		.sockets = le32_of(row->sockets),
		.queue = le32_of(row->queue),
		.queue_peak = le32_of(row->queue_peak),
		.queue_limit = le32_of(row->queue_limit),
		.flags = le32_of(row->half_open_is_bound ? FRAME_LISTENER_HALF_OPEN_IS_BOUND : 0),
		.drops = le64_of((uint64_t)row->drops),
		.half_open = le64_of((uint64_t)row->half_open),
		.half_open_peak = le64_of((uint64_t)row->half_open_peak),
	};

	_Static_assert(sizeof(frame.address) == sizeof(row->address), "one kind of address");
	memcpy(frame.address, row->address, sizeof(frame.address));
	writer_frame(writer, FRAME_LISTENER, &frame, sizeof(frame));
}

static void write_namespace(struct recording_writer *writer, const struct snapshot_netns *row)
{
	const struct frame_namespace frame = {
		.netns = le32_of(row->netns),
		.listen_overflows = le64_of((uint64_t)row->listen_overflows),
		.listen_drops = le64_of((uint64_t)row->listen_drops),
		.request_queue_full = le64_of((uint64_t)row->request_queue_full),
	};

	writer_frame(writer, FRAME_NAMESPACE, &frame, sizeof(frame));
}

void writer_backlog(struct recording_writer *writer, const struct window *window)
{
	for (size_t i = 0; i < window->listener_count && i < RECORDING_LISTENERS_MAX; i++)
		write_listener(writer, &window->listeners[i].row);
	for (size_t i = 0; i < window->namespace_count && i < RECORDING_NAMESPACES_MAX; i++)
		write_namespace(writer, &window->namespaces[i].row);
}
