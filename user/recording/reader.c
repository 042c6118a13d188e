/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading frames: preamble, stream, records. The header's frames are in reader_header.c. Contract: reader.h. */
#include "recording/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "recording/reader_private.h"

int reader_fail(struct recording_reader *reader, int error, uint64_t offset, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(reader->problem.sentence, sizeof(reader->problem.sentence), format, list);
	va_end(list);
	reader->problem.offset = offset;
	reader->error = error;
	return error;
}

void recording_reader_free(struct recording_reader *reader)
{
	if (!reader)
		return;
	window_release(&reader->window);
	free(reader->body);
	free(reader);
}

const struct window *recording_window(const struct recording_reader *reader)
{
	return &reader->window;
}

int reader_read(struct recording_reader *reader, void *bytes, size_t count, const char *what)
{
	size_t got;

	errno = 0;
	got = fread(bytes, 1, count, reader->stream);
	reader->offset += got;
	if (got == count)
		return 0;
	if (ferror(reader->stream))
		return reader_fail(reader, errno ? -errno : -EIO, reader->offset, "cannot be read: %s",
				   strerror(errno ? errno : EIO));
	return reader_fail(reader, -ENODATA, reader->offset, "the file ends in the middle of %s", what);
}

/* Memory grows with what the file really holds, not with what it claims. */
static int read_body(struct recording_reader *reader)
{
	size_t done = 0;

	while (done < reader->body_bytes) {
		size_t step = reader->body_bytes - done < BODY_STEP ? reader->body_bytes - done : BODY_STEP;
		int error;

		if (reader->room < done + step) {
			size_t room = (done + step) * 2;
			uint8_t *body = realloc(reader->body, room);

			if (!body)
				return reader_fail(reader, -ENOMEM, reader->offset, "memory is short");
			reader->body = body;
			reader->room = room;
		}
		error = reader_read(reader, reader->body + done, step, "a frame");
		if (error)
			return error;
		done += step;
	}
	return 0;
}

int reader_frame(struct recording_reader *reader)
{
	struct recording_frame frame;
	int error;

	reader->frame_offset = reader->offset;
	error = reader_read(reader, &frame, sizeof(frame),
			    reader->in_header ? "the header" : "the recording: its closing frame is missing");
	if (error)
		return error;
	reader->kind = le16_value(frame.kind);
	reader->body_bytes = le32_value(frame.bytes);
	if (reader->body_bytes > FRAME_BYTES_MAX)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a frame of %zu bytes is longer than any",
				   reader->body_bytes);
	reader->at = 0;
	return read_body(reader);
}

int reader_take(struct recording_reader *reader, void *out, size_t bytes)
{
	if (reader->body_bytes - reader->at < bytes)
		return reader_fail(reader, -EBADMSG, reader->frame_offset,
				   "a frame of kind %u and %zu bytes is too short", reader->kind, reader->body_bytes);
	if (bytes)
		memcpy(out, reader->body + reader->at, bytes);
	reader->at += bytes;
	return 0;
}

static void known_until(struct recording_reader *reader, uint64_t time_ns)
{
	if (time_ns > reader->window.end_ns)
		reader->window.end_ns = time_ns;
}

/*
 * Puts a record of another program's struct together as this program's. Marks may end early; what else does is left
 * as it is, for decode_record() to refuse.
 */
static int translate_record(struct recording_reader *reader)
{
	const struct translation *translation = &reader->translations[FRAME_STRUCT_EVENT];
	uint8_t theirs[FIELDS_STRUCT_MAX] = { 0 };
	struct event event;
	size_t fixed, tail;

	memcpy(theirs, reader->body,
	       reader->body_bytes < translation->file_bytes ? reader->body_bytes : translation->file_bytes);
	translate(translation, field_table(FRAME_STRUCT_EVENT), theirs, &event);
	fixed = event.header.size;
	tail = event.header.tail_bytes;
	if (fixed > reader->body_bytes || tail > reader->body_bytes - fixed)
		return -EMSGSIZE;
	if (fixed < translation->file_bytes) {
		if (event.header.kind == EVENT_SETTLED || event.header.kind == EVENT_AMENDED)
			return -EMSGSIZE;
		memset(theirs + fixed, 0, sizeof(theirs) - fixed);
		translate(translation, field_table(FRAME_STRUCT_EVENT), theirs, &event);
	}
	event.header.size = sizeof(event);
	event.header.version = EVENT_VERSION;
	memcpy(reader->record, &event, sizeof(event));
	memcpy(reader->record + sizeof(event), reader->body + fixed, tail);
	return (int)(sizeof(event) + tail);
}

static int take_record(struct recording_reader *reader, struct recording_item *item)
{
	const struct translation *translation = &reader->translations[FRAME_STRUCT_EVENT];
	uint64_t time_ns;
	int size;

	reader->records++;
	item->kind = RECORDING_RECORD;
	item->bytes = reader->body;
	item->size = reader->body_bytes;
	if (!translation->identical) {
		size = translate_record(reader);
		item->bytes = reader->record;
		item->size = size < 0 ? 0 : (size_t)size;
	}
	if (item->size >= offsetof(struct event, time_ns) + sizeof(time_ns)) {
		memcpy(&time_ns, (const uint8_t *)item->bytes + offsetof(struct event, time_ns), sizeof(time_ns));
		known_until(reader, time_ns);
	}
	return 1;
}

static int take_spill(struct recording_reader *reader, struct recording_item *item)
{
	const struct translation *key = &reader->translations[FRAME_STRUCT_SPILL_KEY];
	const struct translation *value = &reader->translations[FRAME_STRUCT_SPILL_VALUE];
	uint8_t theirs[FIELDS_STRUCT_MAX];
	int error = reader_take(reader, theirs, key->file_bytes);

	if (error)
		return error;
	translate(key, field_table(FRAME_STRUCT_SPILL_KEY), theirs, &item->key);
	error = reader_take(reader, theirs, value->file_bytes);
	if (error)
		return error;
	translate(value, field_table(FRAME_STRUCT_SPILL_VALUE), theirs, &item->value);
	if (item->value.count > RECORDING_SPILLED_MAX - reader->spilled)
		return reader_fail(reader, -EBADMSG, reader->frame_offset,
				   "spill rows of more handshakes than can be");
	reader->spilled += item->value.count;
	reader->spill_rows++;
	item->kind = RECORDING_SPILL;
	return 1;
}

static int take_tick(struct recording_reader *reader, struct recording_item *item)
{
	struct frame_tick tick;
	int error = reader_take(reader, &tick, sizeof(tick));

	if (error)
		return error;
	item->kind = RECORDING_TICK;
	item->now_ns = le64_value(tick.now_ns);
	known_until(reader, item->now_ns);
	return 1;
}

static int skip_unknown(struct recording_reader *reader)
{
	if (reader->kind & FRAME_SKIPPABLE)
		return 0;
	return reader_fail(reader, -EBADMSG, reader->frame_offset, "a frame of kind %u does not belong here",
			   reader->kind);
}

/* Returns 1 and an item, 0 for a frame that is none, or a negative errno. */
static int take_frame(struct recording_reader *reader, struct recording_item *item)
{
	switch (reader->kind) {
	case FRAME_RECORD:
		return take_record(reader, item);
	case FRAME_TICK:
		return take_tick(reader, item);
	case FRAME_SPILL:
		return take_spill(reader, item);
	case FRAME_TARGET:
		return reader_take_target(reader);
	case FRAME_WORKER:
		return reader_take_worker(reader);
	case FRAME_LISTENER:
		return reader_take_listener(reader);
	case FRAME_NAMESPACE:
		return reader_take_namespace(reader);
	case FRAME_END:
		return reader_take_end(reader);
	}
	return skip_unknown(reader);
}

int recording_next(struct recording_reader *reader, struct recording_item *item, struct recording_problem *problem)
{
	int result = reader->error;

	while (result == 0 && !reader->window.has_totals) {
		result = reader_frame(reader);
		if (result == 0)
			result = take_frame(reader, item);
	}
	if (result < 0)
		*problem = reader->problem;
	return result;
}
