/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing frames into a buffer, and the buffer into a file. Contract: writer.h. */
#include "recording/writer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handshake/clienthello.h"
#include "recording/fields.h"
#include "recording/format.h"
#include "recording/writer_private.h"

#define BUFFER_BYTES (64u << 10)

_Static_assert(SNAPSHOT_DIRECTIONS == RECORDING_DIRECTIONS, "one row a direction");

struct recording_writer {
	int fd;
	int error;
	uint64_t written_bytes;
	uint64_t tick_ns; /* not written yet; 0: none */
	uint64_t records, spill_rows;
	size_t targets; /* of the window, that were written */
	uint8_t *buffer;
	size_t used, room;
	size_t body_at; /* where the open frame's body begins */
	bool in_header; /* its length is not known yet: nothing is written out */
};

int record_keep(struct kept_record *kept, const void *bytes, size_t size)
{
	struct event_header header;
	size_t meant;

	if (size < sizeof(header))
		return -EMSGSIZE;
	memcpy(&header, bytes, sizeof(header));
	meant = (size_t)header.size + header.tail_bytes;
	if (header.size < sizeof(header) || meant > size || meant > sizeof(kept->bytes))
		return -EMSGSIZE;
	if (header.tail_kind != TAIL_CLIENT_HELLO && header.tail_kind != TAIL_SERVER_NAME && header.tail_bytes)
		return -EBADMSG;
	memcpy(kept->bytes, bytes, meant);
	kept->size = meant;
	if (header.tail_kind == TAIL_CLIENT_HELLO)
		clienthello_blank(kept->bytes + header.size, header.tail_bytes);
	return 0;
}

struct recording_writer *recording_writer_new(int fd)
{
	struct recording_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->fd = fd;
	writer->room = BUFFER_BYTES;
	writer->buffer = malloc(writer->room);
	if (!writer->buffer) {
		free(writer);
		return NULL;
	}
	return writer;
}

void recording_writer_free(struct recording_writer *writer)
{
	if (!writer)
		return;
	free(writer->buffer);
	free(writer);
}

uint64_t recording_written_bytes(const struct recording_writer *writer)
{
	return writer->written_bytes;
}

static int flush(struct recording_writer *writer)
{
	size_t done = 0;

	while (!writer->error && done < writer->used) {
		ssize_t n = write(writer->fd, writer->buffer + done, writer->used - done);

		if (n > 0) {
			done += (size_t)n;
			writer->written_bytes += (uint64_t)n;
		} else if (n == 0 || errno != EINTR) {
			writer->error = n == 0 ? -EIO : -errno;
		}
	}
	writer->used = 0;
	return writer->error;
}

static void put(struct recording_writer *writer, const void *bytes, size_t count)
{
	if (writer->error || count == 0)
		return;
	if (writer->room - writer->used < count) {
		size_t room = (writer->used + count) * 2;
		uint8_t *buffer = realloc(writer->buffer, room);

		if (!buffer) {
			writer->error = -ENOMEM;
			return;
		}
		writer->buffer = buffer;
		writer->room = room;
	}
	memcpy(writer->buffer + writer->used, bytes, count);
	writer->used += count;
}

/* What does not fit a text's length is cut: a path of that length does not exist. */
static void put_text(struct recording_writer *writer, const char *text)
{
	size_t bytes = text ? strnlen(text, UINT16_MAX) : 0;
	struct le16 length = le16_of((unsigned int)bytes);

	put(writer, &length, sizeof(length));
	put(writer, text, bytes);
}

static void frame_open(struct recording_writer *writer, enum frame_kind kind)
{
	struct recording_frame frame = { .kind = le16_of(kind) };

	put(writer, &frame, sizeof(frame));
	writer->body_at = writer->used;
}

/* Fills in the length; the buffer goes to the file when it is well filled. */
static int frame_close(struct recording_writer *writer)
{
	struct le32 bytes;

	if (writer->error)
		return writer->error;
	if (writer->used - writer->body_at > FRAME_BYTES_MAX) {
		writer->used = writer->body_at - sizeof(struct recording_frame);
		return writer->error = -EMSGSIZE;
	}
	bytes = le32_of((uint32_t)(writer->used - writer->body_at));
	memcpy(writer->buffer + writer->body_at - sizeof(struct recording_frame), &bytes, sizeof(bytes));
	return !writer->in_header && writer->used >= BUFFER_BYTES / 2 ? flush(writer) : 0;
}

int writer_frame(struct recording_writer *writer, enum frame_kind kind, const void *body, size_t bytes)
{
	frame_open(writer, kind);
	put(writer, body, bytes);
	return frame_close(writer);
}

static void write_fields(struct recording_writer *writer, enum frame_struct which)
{
	const struct field_table *table = field_table(which);
	struct frame_fields fields = {
		.which = le16_of(which),
		.version = le16_of(table->version),
		.bytes = le32_of(table->bytes),
		.count = le32_of((uint32_t)table->count),
	};

	frame_open(writer, FRAME_FIELDS);
	put(writer, &fields, sizeof(fields));
	for (size_t i = 0; i < table->count; i++) {
		struct frame_field field = {
			.offset = le16_of(table->fields[i].offset),
			.bytes = le16_of(table->fields[i].bytes),
			.element_bytes = table->fields[i].element_bytes,
		};

		put(writer, &field, sizeof(field));
		put_text(writer, table->fields[i].name);
	}
	frame_close(writer);
}

static size_t bounded(size_t count, size_t max)
{
	return count < max ? count : max;
}

static void write_target(struct recording_writer *writer, const struct snapshot_target *target)
{
	size_t worker_count = bounded(target->worker_count, RECORDING_WORKERS_MAX);
	struct frame_target frame = {
		.master_pid = le32_of(target->master_pid),
		.generation = le32_of(target->generation),
		.worker_count = le32_of((uint32_t)worker_count),
	};

	frame_open(writer, FRAME_TARGET);
	put(writer, &frame, sizeof(frame));
	for (size_t i = 0; i < worker_count; i++) {
		struct le32 pid = le32_of(target->workers[i]);

		put(writer, &pid, sizeof(pid));
	}
	put_text(writer, target->exe);
	put_text(writer, target->library);
	put_text(writer, target->library_version);
	put_text(writer, target->layout);
	frame_close(writer);
}

/* Those that were not written yet. */
static void write_targets(struct recording_writer *writer, const struct window *window)
{
	size_t count = bounded(window->target_count, RECORDING_TARGETS_MAX);

	for (; writer->targets < count; writer->targets++)
		write_target(writer, &window->targets[writer->targets]);
}

int recording_write_begin(struct recording_writer *writer, const struct window *window)
{
	const uint64_t mark = RECORDING_ORDER_MARK;
	struct recording_preamble preamble = { .magic = RECORDING_MAGIC, .format = le32_of(RECORDING_FORMAT) };
	struct frame_start start = {
		.start_ns = le64_of(window->start_ns),
		.unix_offset_ns = le64_of((uint64_t)window->unix_offset_ns),
		.seed = le64_of(window->seed),
	};
	const struct frame_start_more more = { .tick_ns = le64_of(window->tick_ns) };

	memcpy(preamble.byte_order, &mark, sizeof(mark));
	writer->in_header = true;
	put(writer, &preamble, sizeof(preamble));
	frame_open(writer, FRAME_START);
	put(writer, &start, sizeof(start));
	put_text(writer, window->tool_version);
	put_text(writer, window->host);
	put_text(writer, window->kernel);
	put_text(writer, window->boot_id);
	put(writer, &more, sizeof(more));
	frame_close(writer);
	write_fields(writer, FRAME_STRUCT_EVENT);
	write_fields(writer, FRAME_STRUCT_SPILL_KEY);
	write_fields(writer, FRAME_STRUCT_SPILL_VALUE);
	write_targets(writer, window);
	writer->in_header = false;
	if (writer->error)
		return writer->error;
	preamble.header_bytes = le32_of((uint32_t)writer->used);
	memcpy(writer->buffer, &preamble, sizeof(preamble));
	return flush(writer);
}

static void write_waiting_tick(struct recording_writer *writer)
{
	struct frame_tick tick = { .now_ns = le64_of(writer->tick_ns) };

	if (!writer->tick_ns)
		return;
	writer->tick_ns = 0;
	frame_open(writer, FRAME_TICK);
	put(writer, &tick, sizeof(tick));
	frame_close(writer);
}

int recording_write_record(struct recording_writer *writer, const struct kept_record *record)
{
	write_waiting_tick(writer);
	frame_open(writer, FRAME_RECORD);
	put(writer, record->bytes, record->size);
	writer->records++;
	return frame_close(writer);
}

/* Of ticks without a record between them the last one tells all: an idle night takes no room. */
int recording_write_tick(struct recording_writer *writer, uint64_t now_ns)
{
	writer->tick_ns = now_ns;
	return flush(writer);
}

int recording_write_spill(struct recording_writer *writer, const struct spill_key *key,
			  const struct spill_value *value)
{
	frame_open(writer, FRAME_SPILL);
	put(writer, key, sizeof(*key));
	put(writer, value, sizeof(*value));
	writer->spill_rows++;
	return frame_close(writer);
}

static struct le64 bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return le64_of(bits);
}

static void write_worker(struct recording_writer *writer, const struct window_worker *worker)
{
	struct frame_worker frame = {
		.pid = le32_of(worker->pid),
		.master_pid = le32_of(worker->master_pid),
		.generation = le32_of(worker->generation),
		.flags = le32_of(worker->gone ? FRAME_WORKER_GONE : 0),
		.cpu_ratio = bits_of(worker->cpu_ratio),
		.run_delay_ratio = bits_of(worker->run_delay_ratio),
		.cpu_ratio_peak = bits_of(worker->cpu_ratio_peak),
		.run_delay_peak = bits_of(worker->run_delay_peak),
		.cpu_seconds = bits_of(worker->cpu_seconds),
		.saturated_seconds = bits_of(worker->saturated_seconds),
		.sampled_seconds = bits_of(worker->sampled_seconds),
	};

	frame_open(writer, FRAME_WORKER);
	put(writer, &frame, sizeof(frame));
	frame_close(writer);
}

static struct frame_totals frame_of(const struct totals *totals)
{
	return (struct frame_totals){
		.begun = le64_of(totals->begun),
		.ok = le64_of(totals->ok),
		.failed = le64_of(totals->failed),
		.open = le64_of(totals->open),
		.evicted = le64_of(totals->evicted),
		.resumed = le64_of(totals->resumed),
		.joined = le64_of(totals->joined),
		.unmatched = le64_of(totals->unmatched),
	};
}

int recording_write_end(struct recording_writer *writer, const struct window *window)
{
	const struct losses *losses = &window->losses;
	struct frame_end end = {
		.end_ns = le64_of(window->end_ns),
		.records = le64_of(writer->records),
		.spill_rows = le64_of(writer->spill_rows),
		.ring_full = le64_of(losses->ring_full),
		.spill_full = le64_of(losses->spill_full),
		.state_full = le64_of(losses->state_full),
		.settled_full = le64_of(losses->settled_full),
		.evicted = le64_of(losses->evicted),
		.read_faults = le64_of(losses->read_faults),
		.unmatched = le64_of(losses->unmatched),
		.undecodable = le64_of(losses->undecodable),
		.flags = le64_of((window->requests_incomplete ? FRAME_END_REQUESTS_INCOMPLETE : 0) |
				 (window->answers_off ? FRAME_END_ANSWERS_OFF : 0)),
	};

	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++)
		end.totals[i] = frame_of(&window->totals[i]);
	write_waiting_tick(writer);
	write_targets(writer, window);
	for (size_t i = 0; i < bounded(window->worker_count, RECORDING_WORKERS_MAX); i++)
		write_worker(writer, &window->workers[i]);
	writer_backlog(writer, window);
	frame_open(writer, FRAME_END);
	put(writer, &end, sizeof(end));
	frame_close(writer);
	return flush(writer);
}
