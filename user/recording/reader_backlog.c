/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading frames of what waited before accept(). Contract: reader.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "recording/reader_private.h"

/* Every negative number stands for "unknown". Returns whether it can have been counted. */
static bool take_count(struct le64 number, int64_t *out)
{
	int64_t value = (int64_t)le64_value(number);

	*out = value < 0 ? -1 : value;
	return value <= (int64_t)RECORDING_COUNT_MAX;
}

static bool fill_listener(const struct frame_listener *frame, struct snapshot_listener *row)
{
	*row = (struct snapshot_listener){
		.master_pid = le32_value(frame->master_pid),
		.netns = le32_value(frame->netns),
		.family = le16_value(frame->family),
		.port = le16_value(frame->port),
		.sockets = le32_value(frame->sockets),
		.queue = le32_value(frame->queue),
		.queue_peak = le32_value(frame->queue_peak),
		.queue_limit = le32_value(frame->queue_limit),
		.half_open_is_bound = le32_value(frame->flags) & FRAME_LISTENER_HALF_OPEN_IS_BOUND,
	};
	memcpy(row->address, frame->address, sizeof(row->address));
	return take_count(frame->drops, &row->drops) && take_count(frame->half_open, &row->half_open) &&
	       take_count(frame->half_open_peak, &row->half_open_peak) &&
	       (row->family == AF_INET || row->family == AF_INET6) && row->queue_peak >= row->queue &&
	       row->half_open_peak >= row->half_open;
}

int reader_take_listener(struct recording_reader *reader)
{
	struct frame_listener frame;
	struct snapshot_listener row;
	int error = reader_take(reader, &frame, sizeof(frame));

	if (error)
		return error;
	if (!fill_listener(&frame, &row))
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a listener that cannot be");
	if (reader->window.listener_count == RECORDING_LISTENERS_MAX)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "more than %u listeners",
				   RECORDING_LISTENERS_MAX);
	if (window_add_listener(&reader->window, &row))
		return reader_fail(reader, -ENOMEM, reader->frame_offset, "memory is short");
	return 0;
}

int reader_take_namespace(struct recording_reader *reader)
{
	struct frame_namespace frame;
	struct snapshot_netns row = { 0 };
	int error = reader_take(reader, &frame, sizeof(frame));

	if (error)
		return error;
	row.netns = le32_value(frame.netns);
	if (!take_count(frame.listen_overflows, &row.listen_overflows) ||
	    !take_count(frame.listen_drops, &row.listen_drops) ||
	    !take_count(frame.request_queue_full, &row.request_queue_full))
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a network namespace that cannot be");
	if (reader->window.namespace_count == RECORDING_NAMESPACES_MAX)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "more than %u network namespaces",
				   RECORDING_NAMESPACES_MAX);
	if (window_add_netns(&reader->window, &row))
		return reader_fail(reader, -ENOMEM, reader->frame_offset, "memory is short");
	return 0;
}
