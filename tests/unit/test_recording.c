/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings: what is written is read back, what is secret is not written, and damage is told with its offset. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "handshake/decode.h"
#include "recording/format.h"

#include "hello_builder.h"
#include "recording_sample.h"

Suite *suite_recording(void);

START_TEST(gives_back_what_was_written)
{
	struct bytes bytes = sample_recording();
	struct reading reading = read_recording(bytes.data, bytes.count);
	struct spill_value value;
	struct spill_key key;

	ck_assert_int_eq(reading.error, 0);
	ck_assert_uint_eq(reading.records, SAMPLE_RECORDS);
	ck_assert_uint_eq(reading.ticks, 1); /* the last one before a record tells all */
	ck_assert_uint_eq(reading.last_tick_ns, 999999);
	for (unsigned int i = 0; i < SAMPLE_RECORDS; i++) {
		struct event event = sample_event(i);

		event.header = reading.events[i].header;
		ck_assert_mem_eq(&reading.events[i], &event, sizeof(event));
	}
	sample_spill(&key, &value);
	ck_assert_uint_eq(reading.spill_rows, 1);
	ck_assert_mem_eq(&reading.key, &key, sizeof(key));
	ck_assert_mem_eq(&reading.value, &value, sizeof(value));
	free(bytes.data);
}
END_TEST

START_TEST(gives_back_the_window)
{
	struct bytes bytes = sample_recording();
	struct reading reading = read_recording(bytes.data, bytes.count);
	struct window window;

	sample_window(&window);
	ck_assert_int_eq(reading.error, 0);
	ck_assert(reading.window.has_totals);
	ck_assert(reading.window.answers_off);
	ck_assert(!reading.window.requests_incomplete);
	ck_assert_uint_eq(reading.window.start_ns, window.start_ns);
	ck_assert_uint_eq(reading.window.end_ns, window.end_ns);
	ck_assert_int_eq(reading.window.unix_offset_ns, window.unix_offset_ns);
	ck_assert_uint_eq(reading.window.seed, window.seed);
	ck_assert_mem_eq(reading.window.totals, window.totals, sizeof(window.totals));
	ck_assert_mem_eq(&reading.window.losses, &window.losses, sizeof(window.losses));
	ck_assert_uint_eq(reading.window.target_count, 1);
	ck_assert_uint_eq(reading.window.worker_count, 1);
	ck_assert_uint_eq(reading.worker.pid, 101);
	ck_assert_uint_eq(reading.worker.master_pid, 100);
	ck_assert(reading.worker.gone);
	ck_assert_double_eq(reading.worker.cpu_ratio, 0.1);
	ck_assert_double_eq(reading.worker.run_delay_ratio, -1);
	ck_assert_double_eq(reading.worker.cpu_ratio_peak, 0.7);
	ck_assert_double_eq(reading.worker.run_delay_peak, 0.25);
	ck_assert_double_eq(reading.worker.cpu_seconds, 0.45);
	ck_assert_double_eq(reading.worker.saturated_seconds, 0);
	ck_assert_double_eq(reading.worker.sampled_seconds, 4.5);
	ck_assert_uint_eq(reading.worker.watched_ns, 4500000000);
	ck_assert_uint_eq(reading.target_workers, 2);
	ck_assert_str_eq(reading.host, "host.test");
	ck_assert_str_eq(reading.boot_id, "boot");
	ck_assert_str_eq(reading.exe, "/usr/sbin/nginx");
	window_release(&window);
	free(bytes.data);
}
END_TEST

/*
 * No byte of a sample but its secrets and the rubbish behind the tail has this value. The header may: it says where
 * the members of a record lie, and is written before there is one.
 */
START_TEST(holds_no_secret)
{
	struct bytes bytes = sample_recording();
	struct recording_preamble preamble;
	uint8_t record[2048];
	size_t header;

	memcpy(&preamble, bytes.data, sizeof(preamble));
	header = le32_value(preamble.header_bytes);
	ck_assert_uint_gt(header, sizeof(preamble));
	ck_assert_uint_lt(header + SAMPLE_RECORDS * sizeof(struct event), bytes.count);
	ck_assert_ptr_nonnull(memchr(record, HELLO_SECRET, sample_record(record, sizeof(record), 0)));
	ck_assert_ptr_null(memchr(bytes.data + header, HELLO_SECRET, bytes.count - header));
	free(bytes.data);
}
END_TEST

START_TEST(keeps_only_what_is_meant)
{
	struct kept_record kept = { .size = 77 };
	struct event event = sample_event(1);
	uint8_t record[2048];
	size_t size = sample_record(record, sizeof(record), 1);
	struct event_header header;

	ck_assert_int_eq(record_keep(&kept, record, size), 0);
	memcpy(&header, record, sizeof(header));
	ck_assert_uint_eq(kept.size, header.size + header.tail_bytes);
	/* A hello may be cut anywhere. */
	for (uint16_t tail = 0; tail < header.tail_bytes; tail++) {
		struct event_header cut = header;

		cut.tail_bytes = tail;
		memcpy(record, &cut, sizeof(cut));
		ck_assert_int_eq(record_keep(&kept, record, size), 0);
		ck_assert_uint_eq(kept.size, header.size + tail);
		ck_assert_ptr_null(memchr(kept.bytes + header.size, HELLO_SECRET, tail));
	}
	kept.size = 77;
	event.header.tail_kind = 9; /* of a later version: who knows what is in it */
	event.header.tail_bytes = 8;
	memcpy(record, &event, sizeof(event));
	ck_assert_int_eq(record_keep(&kept, record, size), -EBADMSG);
	ck_assert_int_eq(record_keep(&kept, record, sizeof(event) + 7), -EMSGSIZE);
	ck_assert_int_eq(record_keep(&kept, record, 15), -EMSGSIZE);
	event.header.size = 4000;
	memcpy(record, &event, sizeof(event));
	ck_assert_int_eq(record_keep(&kept, record, size), -EMSGSIZE);
	ck_assert_uint_eq(kept.size, 77);
}
END_TEST

/* Wherever it ends: everything before is there, and the offset is where it ends. */
START_TEST(reads_a_cut_file)
{
	struct bytes bytes = sample_recording();
	size_t records = 0;

	for (size_t cut = 0; cut < bytes.count; cut++) {
		struct reading reading = read_recording(bytes.data, cut);

		ck_assert_int_eq(reading.error, -ENODATA);
		ck_assert_uint_eq(reading.problem.offset, cut);
		ck_assert_uint_gt(strlen(reading.problem.sentence), 10);
		ck_assert_uint_ge(reading.records, records);
		ck_assert(!reading.window.has_totals);
		if (reading.opened && reading.records)
			ck_assert_uint_eq(reading.window.end_ns, sample_event(reading.records - 1).time_ns);
		records = reading.records;
	}
	ck_assert_uint_eq(records, SAMPLE_RECORDS);
	free(bytes.data);
}
END_TEST

/* Any byte may be any other: no crash, nothing out of bounds, and what is told lies within the file. */
START_TEST(survives_damage)
{
	struct bytes bytes = sample_recording();

	for (size_t at = 0; at < bytes.count; at++) {
		for (unsigned int flip = 1; flip < 256; flip = flip * 3 + 1) {
			struct reading reading;

			bytes.data[at] ^= (uint8_t)flip;
			reading = read_recording(bytes.data, bytes.count);
			ck_assert_int_le(reading.error, 0);
			if (reading.error)
				ck_assert_uint_le(reading.problem.offset, bytes.count);
			bytes.data[at] ^= (uint8_t)flip;
		}
	}
	free(bytes.data);
}
END_TEST

static struct reading read_with(size_t at, const void *patch, size_t count)
{
	struct bytes bytes = sample_recording();
	struct reading reading;

	memcpy(bytes.data + at, patch, count);
	reading = read_recording(bytes.data, bytes.count);
	free(bytes.data);
	return reading;
}

START_TEST(refuses_what_it_cannot_read)
{
	const struct le32 future = le32_of(RECORDING_FORMAT + 1), huge = le32_of(UINT32_MAX);
	const uint64_t swapped = __builtin_bswap64(RECORDING_ORDER_MARK);
	struct reading reading = read_recording("GIF89a", 6);

	ck_assert_int_eq(reading.error, -EPROTONOSUPPORT);
	ck_assert_uint_eq(reading.problem.offset, 0);
	ck_assert_str_eq(reading.problem.sentence, "not a recording of tlswhy");
	reading = read_with(offsetof(struct recording_preamble, format), &future, sizeof(future));
	ck_assert_int_eq(reading.error, -EPROTONOSUPPORT);
	ck_assert_uint_eq(reading.problem.offset, 8);
	ck_assert_ptr_nonnull(strstr(reading.problem.sentence, "format 2, this program reads format 1"));
	reading = read_with(offsetof(struct recording_preamble, byte_order), &swapped, sizeof(swapped));
	ck_assert_int_eq(reading.error, -EPROTONOSUPPORT);
	ck_assert_uint_eq(reading.problem.offset, 16);
	reading = read_with(offsetof(struct recording_preamble, header_bytes), &huge, sizeof(huge));
	ck_assert_int_eq(reading.error, -EBADMSG);
	ck_assert_uint_eq(reading.problem.offset, 12);
	/* The first frame claims to be larger than any. */
	reading = read_with(sizeof(struct recording_preamble), &huge, sizeof(huge));
	ck_assert_int_eq(reading.error, -EBADMSG);
	ck_assert_uint_eq(reading.problem.offset, sizeof(struct recording_preamble));
	ck_assert(!reading.opened);
}
END_TEST

START_TEST(refuses_what_was_appended)
{
	struct bytes bytes = sample_recording();
	struct reading reading;

	bytes.data = realloc(bytes.data, bytes.count + 1);
	ck_assert_ptr_nonnull(bytes.data);
	bytes.data[bytes.count] = 0;
	reading = read_recording(bytes.data, bytes.count + 1);
	ck_assert_int_eq(reading.error, -EBADMSG);
	ck_assert_uint_eq(reading.problem.offset, bytes.count);
	ck_assert_uint_eq(reading.records, SAMPLE_RECORDS);
	free(bytes.data);
}
END_TEST

/* Writes the sample to fd until it fails. */
static int write_until_error(int fd, unsigned int records)
{
	struct recording_writer *writer = recording_writer_new(fd);
	struct kept_record kept;
	struct window window;
	uint8_t record[2048];
	int error;

	ck_assert_ptr_nonnull(writer);
	sample_window(&window);
	error = recording_write_begin(writer, &window);
	ck_assert_int_eq(record_keep(&kept, record, sample_record(record, sizeof(record), 0)), 0);
	for (unsigned int i = 0; i < records && !error; i++)
		error = recording_write_record(writer, &kept);
	if (!error)
		error = recording_write_end(writer, &window);
	if (error) {
		uint64_t written = recording_written_bytes(writer);

		ck_assert_int_eq(recording_write_record(writer, &kept), error);
		ck_assert_int_eq(recording_write_tick(writer, 1), error);
		ck_assert_int_eq(recording_write_end(writer, &window), error);
		ck_assert_uint_eq(recording_written_bytes(writer), written);
	}
	recording_writer_free(writer);
	window_release(&window);
	return error;
}

START_TEST(tells_a_full_disk)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_until_error(fd, 1), -ENOSPC);
	close(fd);
}
END_TEST

START_TEST(leaves_a_readable_part)
{
	const struct rlimit limit = { .rlim_cur = 100000, .rlim_max = 100000 };
	char path[] = "/tmp/tlswhy-test-XXXXXX";
	int fd = mkstemp(path);
	struct reading reading;
	struct bytes bytes;

	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert(sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL) == 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(write_until_error(fd, 1000), -EFBIG);
	bytes = bytes_of(fd);
	ck_assert_uint_eq(bytes.count, 100000);
	reading = read_recording(bytes.data, bytes.count);
	ck_assert_int_eq(reading.error, -ENODATA);
	ck_assert_uint_eq(reading.problem.offset, bytes.count);
	ck_assert_uint_gt(reading.records, 50);
	free(bytes.data);
	close(fd);
}
END_TEST

/* What only nginx's answers tell is incomplete while their probe is off: on the client side, before the library. */
START_TEST(marks_what_answers_told)
{
	const struct cause_row rows[] = {
		{ .direction = DIRECTION_CLIENT, .cause = CAUSE_PLAIN_HTTP },
		{ .direction = DIRECTION_CLIENT, .cause = CAUSE_NOT_TLS },
		{ .direction = DIRECTION_UPSTREAM, .cause = CAUSE_PLAIN_HTTP },
		{ .direction = DIRECTION_CLIENT, .cause = CAUSE_PEER_RESET },
	};
	struct snapshot snapshot = { .cause_count = 4 };
	struct window window;

	window_init(&window);
	window.answers_off = _i;
	snapshot.causes = calloc(4, sizeof(*snapshot.causes));
	ck_assert_ptr_nonnull(snapshot.causes);
	memcpy(snapshot.causes, rows, sizeof(rows));
	ck_assert_int_eq(window_complete(&window, &snapshot), 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(snapshot.causes[i].incomplete, _i && i < 2);
	snapshot_release(&snapshot);
	window_release(&window);
}
END_TEST

/* A process has one master, in whatever generations it was counted; workers without a handshake belong to one, too.
 */
START_TEST(adds_up_generations)
{
	struct snapshot snapshot = { .worker_count = 2 };
	struct window window;

	sample_window(&window);
	ck_assert_int_eq(window_add_worker(
				 &window, &(struct window_worker){ .pid = 103, .master_pid = 100, WORKER_UNSAMPLED }),
			 0);
	snapshot.workers = calloc(2, sizeof(*snapshot.workers));
	ck_assert_ptr_nonnull(snapshot.workers);
	snapshot.workers[0] = (struct snapshot_worker){ .pid = 101, .generation = 1, .handshakes = 3 };
	snapshot.workers[1] = (struct snapshot_worker){ .pid = 101, .generation = 2, .handshakes = 4 };
	ck_assert_int_eq(window_complete(&window, &snapshot), 0);
	ck_assert_uint_eq(snapshot.worker_count, 3);
	ck_assert_double_lt(snapshot.workers[2].cpu_seconds, 0);
	ck_assert_double_lt(snapshot.workers[2].cpu_ratio_peak, 0);
	ck_assert_double_lt(snapshot.workers[2].run_delay_peak, 0);
	ck_assert_uint_eq(snapshot.generation_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(snapshot.generations[i].master_pid, 100);
		ck_assert_uint_eq(snapshot.generations[i].generation, i);
		ck_assert_uint_eq(snapshot.generations[i].handshakes, i ? i + 2 : 0);
	}
	snapshot_release(&snapshot);
	window_release(&window);
}
END_TEST

Suite *suite_recording(void)
{
	Suite *suite = suite_create("recording");
	TCase *tests = tcase_create("recording");

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, gives_back_what_was_written);
	tcase_add_test(tests, gives_back_the_window);
	tcase_add_test(tests, holds_no_secret);
	tcase_add_test(tests, keeps_only_what_is_meant);
	tcase_add_test(tests, reads_a_cut_file);
	tcase_add_test(tests, survives_damage);
	tcase_add_test(tests, refuses_what_it_cannot_read);
	tcase_add_test(tests, refuses_what_was_appended);
	tcase_add_test(tests, tells_a_full_disk);
	tcase_add_test(tests, leaves_a_readable_part);
	tcase_add_loop_test(tests, marks_what_answers_told, 0, 2);
	tcase_add_test(tests, adds_up_generations);
	suite_add_tcase(suite, tests);
	return suite;
}
