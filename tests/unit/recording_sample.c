/* SPDX-License-Identifier: BSD-2-Clause */
/* Small recordings in memory. */
#define _GNU_SOURCE /* memfd_create() */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hello_builder.h"
#include "recording_sample.h"

struct event sample_event(unsigned int number)
{
	return (struct event){
		.header = { .size = sizeof(struct event),
			    .version = EVENT_VERSION,
			    .kind = EVENT_SETTLED,
			    .tgid = 101 },
		.time_ns = 1000000 + number,
		.begin_ns = 1000,
		.object = 0x1000 + number,
		.verdict = { .direction = DIRECTION_CLIENT,
			     .outcome = OUTCOME_FAILED,
			     .stage = STAGE_HELLO,
			     .library = LIBRARY_OPENSSL_3,
			     .error = 0x0a0000c1 },
		.latency_ns = 2000000,
		.flags = EVENT_SOCKET,
		.family = 2,
		.peer = { 192, 0, 2, (uint8_t)number },
		.error_count = 1,
		.errors = { 0x0a0000c1 },
		.sni_bytes = 6,
		.sni = "a.test",
	};
}

size_t sample_record(uint8_t *out, size_t room, unsigned int number)
{
	struct event event = sample_event(number);
	struct hello_builder hello = { .used = 0 };

	hello_complete(&hello);
	event.header.tail_kind = TAIL_CLIENT_HELLO;
	event.header.tail_bytes = (uint16_t)hello.used;
	event.header.tail_true_bytes = (uint32_t)hello.used;
	ck_assert_uint_le(sizeof(event) + hello.used, room);
	memset(out, HELLO_SECRET, room);
	memcpy(out, &event, sizeof(event));
	memcpy(out + sizeof(event), hello.bytes, hello.used);
	return room;
}

void sample_backlog(struct window *window)
{
	const struct snapshot_listener four = {
		.master_pid = 100,
		.netns = 4026531840u,
		.family = AF_INET,
		.port = 443,
		.address = { 192, 0, 2, 1 },
		.sockets = 2,
		.queue = 3,
		.queue_peak = 6,
		.queue_limit = 8,
		.drops = 7,
		.half_open = 4,
		.half_open_peak = 5,
		.half_open_is_bound = true,
	};
	const struct snapshot_listener six = {
		.netns = 4026531840u,
		.family = AF_INET6,
		.port = 443,
		.address = { [15] = 1 },
		.sockets = 1,
		.queue_limit = 511,
		.drops = -1,
		.half_open = -1,
		.half_open_peak = -1,
	};
	const struct snapshot_netns netns = {
		.netns = 4026531840u, .listen_overflows = 5, .listen_drops = 7, .request_queue_full = -1
	};

	ck_assert_int_eq(window_add_listener(window, &four), 0);
	ck_assert_int_eq(window_add_listener(window, &six), 0);
	ck_assert_int_eq(window_add_netns(window, &netns), 0);
}

void sample_window(struct window *window)
{
	struct snapshot_target target = {
		.master_pid = 100,
		.generation = 1,
		.exe = strdup("/usr/sbin/nginx"),
		.library = strdup("/usr/lib/libssl.so.3"),
		.library_version = strdup("3.0.22"),
		.layout = strdup("table"),
		.workers = calloc(2, sizeof(uint32_t)),
		.worker_count = 2,
	};
	const struct window_worker worker = {
		.pid = 101,
		.master_pid = 100,
		.gone = true,
		.cpu_ratio = 0.1,
		.run_delay_ratio = -1,
		.cpu_ratio_peak = 0.7,
		.run_delay_peak = 0.25,
		.cpu_seconds = 0.45,
		.saturated_seconds = 0,
		.sampled_seconds = 4.5,
	};

	window_init(window);
	window->tool_version = strdup("0.0.0");
	window->host = strdup("host.test");
	window->kernel = strdup("6.1.0");
	window->boot_id = strdup("boot");
	window->start_ns = 1000;
	window->end_ns = 5000000000;
	window->unix_offset_ns = 1772600767ll * 1000000000;
	window->seed = 42;
	window->tick_ns = 4000000;
	target.workers[0] = 101;
	target.workers[1] = 102;
	ck_assert_int_eq(window_add_target(window, &target), 0);
	ck_assert_int_eq(window_add_worker(window, &worker), 0);
	sample_backlog(window);
	window->has_totals = true;
	window->answers_off = true;
	window->totals[DIRECTION_CLIENT] =
		(struct totals){ .begun = SAMPLE_RECORDS + 5, .failed = SAMPLE_RECORDS + 5 };
	window->losses.ring_full = 5;
}

void sample_spill(struct spill_key *key, struct spill_value *value)
{
	*key = (struct spill_key){ .verdict = sample_event(0).verdict, .bucket = 40, .tgid = 101 };
	*value = (struct spill_value){ .count = 5, .latency_sum_ns = 5000000 };
}

struct bytes bytes_of(int fd)
{
	struct bytes bytes = { 0 };
	struct stat status;

	ck_assert_int_eq(fstat(fd, &status), 0);
	bytes.count = (size_t)status.st_size;
	bytes.data = malloc(bytes.count + 1);
	ck_assert_ptr_nonnull(bytes.data);
	ck_assert_int_eq(pread(fd, bytes.data, bytes.count, 0), (ssize_t)bytes.count);
	return bytes;
}

struct bytes sample_recording(void)
{
	struct recording_writer *writer;
	struct kept_record kept;
	struct spill_value value;
	struct spill_key key;
	struct window window;
	struct bytes bytes;
	uint8_t record[2048];
	int fd = memfd_create("recording", 0);

	ck_assert_int_ge(fd, 0);
	writer = recording_writer_new(fd);
	ck_assert_ptr_nonnull(writer);
	sample_window(&window);
	sample_spill(&key, &value);
	ck_assert_int_eq(recording_write_begin(writer, &window), 0);
	ck_assert_int_eq(recording_write_tick(writer, 1), 0);
	ck_assert_int_eq(recording_write_tick(writer, 999999), 0);
	for (unsigned int i = 0; i < SAMPLE_RECORDS; i++) {
		ck_assert_int_eq(record_keep(&kept, record, sample_record(record, sizeof(record), i)), 0);
		ck_assert_int_eq(recording_write_record(writer, &kept), 0);
	}
	ck_assert_int_eq(recording_write_spill(writer, &key, &value), 0);
	ck_assert_int_eq(recording_write_end(writer, &window), 0);
	bytes = bytes_of(fd);
	ck_assert_uint_eq(recording_written_bytes(writer), bytes.count);
	recording_writer_free(writer);
	window_release(&window);
	close(fd);
	return bytes;
}

static void note(struct reading *reading, const struct recording_item *item)
{
	size_t at = reading->records;

	switch (item->kind) {
	case RECORDING_RECORD:
		reading->records++;
		if (at >= sizeof(reading->events) / sizeof(reading->events[0]))
			break;
		reading->sizes[at] = item->size;
		memcpy(&reading->events[at], item->bytes,
		       item->size < sizeof(struct event) ? item->size : sizeof(struct event));
		break;
	case RECORDING_TICK:
		reading->ticks++;
		reading->last_tick_ns = item->now_ns;
		break;
	case RECORDING_SPILL:
		reading->spill_rows++;
		reading->key = item->key;
		reading->value = item->value;
		break;
	}
}

static void note_window(struct reading *reading, const struct window *window)
{
	reading->window = *window;
	if (window->worker_count)
		reading->worker = window->workers[0];
	snprintf(reading->host, sizeof(reading->host), "%s", window->host);
	for (size_t i = 0; i < window->listener_count && i < 4; i++)
		reading->listeners[i] = window->listeners[i];
	for (size_t i = 0; i < window->namespace_count && i < 4; i++)
		reading->namespaces[i] = window->namespaces[i];
	snprintf(reading->boot_id, sizeof(reading->boot_id), "%s", window->boot_id);
	if (window->target_count) {
		snprintf(reading->exe, sizeof(reading->exe), "%s",
			 window->targets[0].exe ? window->targets[0].exe : "");
		reading->target_workers = window->targets[0].worker_count;
	}
}

struct reading read_recording(const void *data, size_t count)
{
	struct reading reading = { 0 };
	struct recording_reader *reader = NULL;
	struct recording_item item;
	/* A copy of exactly these bytes, so that a sanitizer sees what is wrong; fmemopen() wants at least one. */
	uint8_t *copy = malloc(count + 1);
	FILE *stream;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data, count);
	stream = count ? fmemopen(copy, count, "r") : fopen("/dev/null", "r");
	ck_assert_ptr_nonnull(stream);
	reading.error = recording_reader_new(stream, &reader, &reading.problem);
	reading.opened = reading.error == 0;
	if (reading.opened) {
		while ((reading.error = recording_next(reader, &item, &reading.problem)) > 0)
			note(&reading, &item);
		note_window(&reading, recording_window(reader));
	}
	recording_reader_free(reader);
	fclose(stream);
	free(copy);
	return reading;
}
