/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames around the stream: preamble, header, workers, end. Contract: reader.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "recording/reader_private.h"

static void free_reader(struct recording_reader **reader)
{
	recording_reader_free(*reader);
}

static int check_preamble(struct recording_reader *reader, const struct recording_preamble *preamble)
{
	const uint64_t mark = RECORDING_ORDER_MARK;
	uint32_t format = le32_value(preamble->format);

	if (format == 0 || format > RECORDING_FORMAT)
		return reader_fail(reader, -EPROTONOSUPPORT, offsetof(struct recording_preamble, format),
				   "a recording of format %" PRIu32 ", this program reads format %u", format,
				   RECORDING_FORMAT);
	if (memcmp(preamble->byte_order, &mark, sizeof(mark)) != 0)
		return reader_fail(reader, -EPROTONOSUPPORT, offsetof(struct recording_preamble, byte_order),
				   "a recording of a host of another byte order");
	return 0;
}

/* The magic is looked at first: a short foreign file is foreign, not cut. */
static int read_preamble(struct recording_reader *reader, uint32_t *header_bytes)
{
	struct recording_preamble preamble;
	int error = reader_read(reader, preamble.magic, sizeof(preamble.magic), "the header");

	if (error == -ENODATA && reader->offset &&
	    memcmp(preamble.magic, RECORDING_MAGIC, (size_t)reader->offset) != 0)
		error = 0;
	if (error)
		return error;
	if (memcmp(preamble.magic, RECORDING_MAGIC, sizeof(preamble.magic)) != 0)
		return reader_fail(reader, -EPROTONOSUPPORT, 0, "not a recording of tlswhy");
	error = reader_read(reader, (uint8_t *)&preamble + sizeof(preamble.magic),
			    sizeof(preamble) - sizeof(preamble.magic), "the header");
	if (!error)
		error = check_preamble(reader, &preamble);
	if (!error)
		*header_bytes = le32_value(preamble.header_bytes);
	return error;
}

/* A text of a frame, owned by the caller. */
static int take_text(struct recording_reader *reader, char **out)
{
	autofree char *text = NULL;
	struct le16 length;
	int error = reader_take(reader, &length, sizeof(length));

	if (error)
		return error;
	text = calloc((size_t)le16_value(length) + 1, 1);
	if (!text)
		return reader_fail(reader, -ENOMEM, reader->frame_offset, "memory is short");
	error = reader_take(reader, text, le16_value(length));
	if (error)
		return error;
	if (strlen(text) != le16_value(length))
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a text holds a NUL");
	*out = take_pointer(text);
	return 0;
}

/* The same where an empty text stands for none. */
static int take_text_or_none(struct recording_reader *reader, char **out)
{
	int error = take_text(reader, out);

	if (!error && !**out) {
		free(*out);
		*out = NULL;
	}
	return error;
}

/* Not in files from before it was known. */
static int take_start_more(struct recording_reader *reader)
{
	struct frame_start_more more;
	int error;

	if (reader->body_bytes - reader->at < sizeof(more))
		return 0;
	error = reader_take(reader, &more, sizeof(more));
	if (error)
		return error;
	if (le64_value(more.tick_ns) > RECORDING_TICK_NS_MAX)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a tick of more than a second");
	reader->window.tick_ns = (uint32_t)le64_value(more.tick_ns);
	return 0;
}

static int take_start(struct recording_reader *reader)
{
	struct window *window = &reader->window;
	struct frame_start start;
	int error;

	if (reader->has_start)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a second start");
	reader->has_start = true;
	error = reader_take(reader, &start, sizeof(start));
	if (error)
		return error;
	window->start_ns = window->end_ns = le64_value(start.start_ns);
	window->unix_offset_ns = (int64_t)le64_value(start.unix_offset_ns);
	window->seed = le64_value(start.seed);
	error = take_text(reader, &window->tool_version);
	if (!error)
		error = take_text(reader, &window->host);
	if (!error)
		error = take_text(reader, &window->kernel);
	if (!error)
		error = take_text(reader, &window->boot_id);
	return error ? error : take_start_more(reader);
}

static int take_target_workers(struct recording_reader *reader, struct snapshot_target *target, uint32_t count)
{
	if (count > (reader->body_bytes - reader->at) / sizeof(struct le32))
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "%" PRIu32 " workers in a frame too short",
				   count);
	target->workers = calloc((size_t)count + 1, sizeof(*target->workers));
	if (!target->workers)
		return reader_fail(reader, -ENOMEM, reader->frame_offset, "memory is short");
	for (uint32_t i = 0; i < count; i++) {
		struct le32 pid;

		reader_take(reader, &pid, sizeof(pid));
		target->workers[target->worker_count++] = le32_value(pid);
	}
	return 0;
}

int reader_take_target(struct recording_reader *reader)
{
	struct snapshot_target target = { 0 };
	struct frame_target frame;
	int error = reader_take(reader, &frame, sizeof(frame));

	if (error)
		return error;
	target.master_pid = le32_value(frame.master_pid);
	target.generation = le32_value(frame.generation);
	error = take_target_workers(reader, &target, le32_value(frame.worker_count));
	if (!error)
		error = take_text_or_none(reader, &target.exe);
	if (!error)
		error = take_text_or_none(reader, &target.library);
	if (!error)
		error = take_text_or_none(reader, &target.library_version);
	if (!error)
		error = take_text_or_none(reader, &target.layout);
	if (error) {
		window_target_release(&target);
		return error;
	}
	if (window_add_target(&reader->window, &target))
		return reader_fail(reader, -ENOMEM, reader->frame_offset, "memory is short");
	if (reader->window.target_count > RECORDING_TARGETS_MAX)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "more than %u targets",
				   RECORDING_TARGETS_MAX);
	return 0;
}

static int take_header_frame(struct recording_reader *reader)
{
	switch (reader->kind) {
	case FRAME_START:
		return take_start(reader);
	case FRAME_FIELDS:
		return reader_take_fields(reader);
	case FRAME_TARGET:
		return reader_take_target(reader);
	}
	if (reader->kind & FRAME_SKIPPABLE)
		return 0;
	return reader_fail(reader, -EBADMSG, reader->frame_offset, "a frame of kind %u in the header", reader->kind);
}

static int read_header(struct recording_reader *reader)
{
	uint32_t header_bytes = 0;
	int error = read_preamble(reader, &header_bytes);

	if (!error && header_bytes > RECORDING_HEADER_MAX)
		return reader_fail(reader, -EBADMSG, offsetof(struct recording_preamble, header_bytes),
				   "a header of %" PRIu32 " bytes is longer than any", header_bytes);
	while (!error && reader->offset < header_bytes) {
		error = reader_frame(reader);
		if (!error)
			error = take_header_frame(reader);
	}
	if (error)
		return error;
	if (reader->offset != header_bytes)
		return reader_fail(reader, -EBADMSG, offsetof(struct recording_preamble, header_bytes),
				   "a header of %" PRIu32 " bytes ends within a frame", header_bytes);
	if (!reader->has_start)
		return reader_fail(reader, -EBADMSG, reader->offset, "a header without a start");
	for (unsigned int which = FRAME_STRUCT_EVENT; which <= FRAME_STRUCT_SPILL_VALUE; which++)
		if (!reader->translations[which].file_bytes)
			return reader_fail(reader, -EBADMSG, reader->offset, "a header that describes no struct %u",
					   which);
	return 0;
}

int recording_reader_new(FILE *stream, struct recording_reader **out, struct recording_problem *problem)
{
	__attribute__((cleanup(free_reader))) struct recording_reader *reader = calloc(1, sizeof(*reader));
	int error;

	if (!reader) {
		*problem = (struct recording_problem){ .sentence = "memory is short" };
		return -ENOMEM;
	}
	reader->stream = stream;
	reader->in_header = true;
	window_init(&reader->window);
	error = read_header(reader);
	if (error) {
		*problem = reader->problem;
		return error;
	}
	reader->in_header = false;
	*out = take_pointer(reader);
	return 0;
}

static double double_of(struct le64 number)
{
	uint64_t bits = le64_value(number);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value >= 0 && value < 1e9 ? value : -1;
}

/* What an older file lacks has all bits set: no number, which double_of() takes for unknown. */
static int take_frame_worker(struct recording_reader *reader, struct frame_worker *out)
{
	const size_t oldest = offsetof(struct frame_worker, cpu_ratio_peak);
	size_t bytes = reader->body_bytes < sizeof(*out) ? reader->body_bytes : sizeof(*out);

	memset(out, 0xff, sizeof(*out));
	return reader_take(reader, out, bytes > oldest ? bytes - bytes % sizeof(struct le64) : oldest);
}

int reader_take_worker(struct recording_reader *reader)
{
	struct frame_worker frame;
	struct window_worker worker;
	int error = take_frame_worker(reader, &frame);

	if (error)
		return error;
	worker = (struct window_worker){
		.pid = le32_value(frame.pid),
		.master_pid = le32_value(frame.master_pid),
		.generation = le32_value(frame.generation),
		.gone = le32_value(frame.flags) & FRAME_WORKER_GONE,
		.cpu_ratio = double_of(frame.cpu_ratio),
		.run_delay_ratio = double_of(frame.run_delay_ratio),
		.cpu_ratio_peak = double_of(frame.cpu_ratio_peak),
		.run_delay_peak = double_of(frame.run_delay_peak),
		.cpu_seconds = double_of(frame.cpu_seconds),
		.saturated_seconds = double_of(frame.saturated_seconds),
		.sampled_seconds = double_of(frame.sampled_seconds),
	};
	if (reader->window.worker_count == RECORDING_WORKERS_MAX)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "more than %u workers",
				   RECORDING_WORKERS_MAX);
	if (window_add_worker(&reader->window, &worker))
		return reader_fail(reader, -ENOMEM, reader->frame_offset, "memory is short");
	return 0;
}

static struct totals totals_of(const struct frame_totals *frame)
{
	return (struct totals){
		.begun = le64_value(frame->begun),
		.ok = le64_value(frame->ok),
		.failed = le64_value(frame->failed),
		.open = le64_value(frame->open),
		.evicted = le64_value(frame->evicted),
		.resumed = le64_value(frame->resumed),
		.joined = le64_value(frame->joined),
		.unmatched = le64_value(frame->unmatched),
	};
}

static void set_losses(struct losses *losses, const struct frame_end *end)
{
	*losses = (struct losses){
		.ring_full = le64_value(end->ring_full),
		.spill_full = le64_value(end->spill_full),
		.state_full = le64_value(end->state_full),
		.settled_full = le64_value(end->settled_full),
		.evicted = le64_value(end->evicted),
		.read_faults = le64_value(end->read_faults),
		.unmatched = le64_value(end->unmatched),
		.undecodable = le64_value(end->undecodable),
	};
}

/* Nothing may follow: a file that was appended to is not what was recorded. */
static int check_end(struct recording_reader *reader, const struct frame_end *end)
{
	if (le64_value(end->records) != reader->records || le64_value(end->spill_rows) != reader->spill_rows)
		return reader_fail(reader, -EBADMSG, reader->frame_offset,
				   "%" PRIu64 " records and %" PRIu64 " spill rows were written, %" PRIu64
				   " and %" PRIu64 " are there",
				   le64_value(end->records), le64_value(end->spill_rows), reader->records,
				   reader->spill_rows);
	if (fgetc(reader->stream) != EOF)
		return reader_fail(reader, -EBADMSG, reader->offset, "bytes behind the closing frame");
	return 0;
}

/* By how long they were sampled; an older file does not tell, and did it from start to end. */
static void weigh_workers(struct window *window)
{
	uint64_t length_ns = window->end_ns > window->start_ns ? window->end_ns - window->start_ns : 0;

	for (size_t i = 0; i < window->worker_count; i++) {
		struct window_worker *worker = &window->workers[i];

		worker->watched_ns = worker->sampled_seconds < 0 ? length_ns
								 : (uint64_t)(worker->sampled_seconds * 1e9);
	}
}

int reader_take_end(struct recording_reader *reader)
{
	struct window *window = &reader->window;
	struct frame_end end = { 0 };
	size_t bytes = reader->body_bytes < sizeof(end) ? reader->body_bytes : sizeof(end);
	int error;

	/* What came to its end later may be missing, and is then zero. */
	error = reader_take(reader, &end, bytes >= offsetof(struct frame_end, flags) ? bytes : sizeof(end));
	if (!error)
		error = check_end(reader, &end);
	if (error)
		return error;
	window->end_ns = le64_value(end.end_ns);
	set_losses(&window->losses, &end);
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++)
		window->totals[i] = totals_of(&end.totals[i]);
	window->requests_incomplete = le64_value(end.flags) & FRAME_END_REQUESTS_INCOMPLETE;
	window->answers_off = le64_value(end.flags) & FRAME_END_ANSWERS_OFF;
	weigh_workers(window);
	for (size_t i = 0; i < window->listener_count; i++)
		window->listeners[i].seen_ns = window->end_ns;
	window->has_totals = true;
	return 0;
}
