/* SPDX-License-Identifier: BSD-2-Clause */
/* What waited before accept(): in recordings, in merged windows, in a snapshot. */
#define _GNU_SOURCE /* memmem() */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "recording/format.h"

#include "recording_sample.h"

Suite *suite_recorded_backlog(void);

#define NETNS 4026531840u

static struct window window_of(const char *boot_id, uint64_t end_ns)
{
	struct window window;

	window_init(&window);
	window.boot_id = strdup(boot_id);
	window.start_ns = end_ns - 1000;
	window.end_ns = end_ns;
	return window;
}

static struct snapshot_listener listener_on(unsigned int port, unsigned int queue, unsigned int peak, int64_t drops)
{
	return (struct snapshot_listener){
		.master_pid = 100,
		.netns = NETNS,
		.family = AF_INET,
		.port = (uint16_t)port,
		.address = { 192, 0, 2, 1 },
		.sockets = 1,
		.queue = queue,
		.queue_peak = peak,
		.queue_limit = 511,
		.drops = drops,
		.half_open = queue,
		.half_open_peak = peak,
	};
}

static void add(struct window *window, struct snapshot_listener row)
{
	ck_assert_int_eq(window_add_listener(window, &row), 0);
}

static void assert_same(const struct snapshot_listener *a, const struct snapshot_listener *b)
{
	ck_assert_uint_eq(a->master_pid, b->master_pid);
	ck_assert_uint_eq(a->netns, b->netns);
	ck_assert_uint_eq(a->family, b->family);
	ck_assert_uint_eq(a->port, b->port);
	ck_assert_mem_eq(a->address, b->address, sizeof(a->address));
	ck_assert_uint_eq(a->sockets, b->sockets);
	ck_assert_uint_eq(a->queue, b->queue);
	ck_assert_uint_eq(a->queue_peak, b->queue_peak);
	ck_assert_uint_eq(a->queue_limit, b->queue_limit);
	ck_assert_int_eq(a->drops, b->drops);
	ck_assert_int_eq(a->half_open, b->half_open);
	ck_assert_int_eq(a->half_open_peak, b->half_open_peak);
	ck_assert_int_eq(a->half_open_is_bound, b->half_open_is_bound);
}

START_TEST(gives_back_what_was_written)
{
	struct bytes bytes = sample_recording();
	struct reading reading = read_recording(bytes.data, bytes.count);
	struct window window;

	sample_window(&window);
	ck_assert_int_eq(reading.error, 0);
	ck_assert_uint_eq(reading.window.tick_ns, 4000000);
	ck_assert_uint_eq(reading.window.listener_count, 2);
	ck_assert_uint_eq(reading.window.namespace_count, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_same(&reading.listeners[i].row, &window.listeners[i].row);
		ck_assert_uint_eq(reading.listeners[i].boot, window.listeners[i].boot);
		ck_assert_uint_eq(reading.listeners[i].seen_ns, window.end_ns);
	}
	ck_assert_uint_eq(reading.namespaces[0].row.netns, window.namespaces[0].row.netns);
	ck_assert_int_eq(reading.namespaces[0].row.listen_overflows, 5);
	ck_assert_int_eq(reading.namespaces[0].row.listen_drops, 7);
	ck_assert_int_eq(reading.namespaces[0].row.request_queue_full, -1);
	window_release(&window);
	free(bytes.data);
}
END_TEST

/* Where the frame of a kind begins, from a place on. */
static size_t frame_at(const struct bytes *bytes, unsigned int kind, size_t at)
{
	struct recording_frame frame;

	while (at + sizeof(frame) <= bytes->count) {
		memcpy(&frame, bytes->data + at, sizeof(frame));
		if (le16_value(frame.kind) == kind)
			return at;
		at += sizeof(frame) + le32_value(frame.bytes);
	}
	ck_abort_msg("no frame of kind %u", kind);
	return 0;
}

/* The sample with bytes of the first frame of a kind replaced. */
static struct reading read_with(unsigned int kind, size_t offset, const void *patch, size_t count)
{
	struct bytes bytes = sample_recording();
	size_t at = frame_at(&bytes, kind, sizeof(struct recording_preamble));
	struct reading reading;

	memcpy(bytes.data + at + sizeof(struct recording_frame) + offset, patch, count);
	reading = read_recording(bytes.data, bytes.count);
	free(bytes.data);
	return reading;
}

START_TEST(refuses_what_cannot_be)
{
	const struct le64 many = le64_of(RECORDING_COUNT_MAX + 1), most = le64_of(INT64_MAX);
	const struct le32 above_peak = le32_of(7);
	const struct le16 family = le16_of(3);
	const struct {
		unsigned int kind;
		size_t offset;
		const void *patch;
		size_t count;
	} rows[] = {
		{ FRAME_LISTENER, offsetof(struct frame_listener, family), &family, sizeof(family) },
		{ FRAME_LISTENER, offsetof(struct frame_listener, queue), &above_peak, sizeof(above_peak) },
		{ FRAME_LISTENER, offsetof(struct frame_listener, drops), &many, sizeof(many) },
		{ FRAME_LISTENER, offsetof(struct frame_listener, half_open), &most, sizeof(most) },
		{ FRAME_LISTENER, offsetof(struct frame_listener, half_open_peak), &many, sizeof(many) },
		{ FRAME_NAMESPACE, offsetof(struct frame_namespace, listen_overflows), &many, sizeof(many) },
		{ FRAME_NAMESPACE, offsetof(struct frame_namespace, listen_drops), &most, sizeof(most) },
		{ FRAME_NAMESPACE, offsetof(struct frame_namespace, request_queue_full), &many, sizeof(many) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reading reading = read_with(rows[i].kind, rows[i].offset, rows[i].patch, rows[i].count);

		ck_assert_msg(reading.error == -EBADMSG, "row %zu: %d", i, reading.error);
		ck_assert_ptr_nonnull(strstr(reading.problem.sentence, "that cannot be"));
	}
}
END_TEST

START_TEST(every_negative_count_is_unknown)
{
	const struct le64 negative = le64_of((uint64_t)INT64_MIN);
	struct reading reading =
		read_with(FRAME_LISTENER, offsetof(struct frame_listener, drops), &negative, sizeof(negative));

	ck_assert_int_eq(reading.error, 0);
	ck_assert_int_eq(reading.listeners[0].row.drops, -1);
}
END_TEST

/* A program that does not know these frames, and a file that does not have them. */
START_TEST(can_be_skipped_and_missing)
{
	const struct le16 unknown = le16_of(FRAME_SKIPPABLE | 4711);
	struct bytes bytes = sample_recording();
	struct reading reading;
	size_t at = frame_at(&bytes, FRAME_LISTENER, sizeof(struct recording_preamble));

	ck_assert(FRAME_LISTENER & FRAME_SKIPPABLE);
	ck_assert(FRAME_NAMESPACE & FRAME_SKIPPABLE);
	for (unsigned int i = 0; i < 2; i++) {
		memcpy(bytes.data + at + offsetof(struct recording_frame, kind), &unknown, sizeof(unknown));
		at += sizeof(struct recording_frame) + sizeof(struct frame_listener);
	}
	reading = read_recording(bytes.data, bytes.count);
	ck_assert_int_eq(reading.error, 0);
	ck_assert_uint_eq(reading.window.listener_count, 0);
	ck_assert_uint_eq(reading.window.namespace_count, 1);
	ck_assert(reading.window.has_totals);
	free(bytes.data);
}
END_TEST

/* A start as it was before the tick was in it. */
START_TEST(a_tick_may_be_missing)
{
	struct bytes bytes = sample_recording();
	size_t at = frame_at(&bytes, FRAME_START, sizeof(struct recording_preamble));
	struct recording_preamble preamble;
	struct recording_frame frame;
	struct reading reading;
	size_t end, less = sizeof(struct frame_start_more);

	memcpy(&preamble, bytes.data, sizeof(preamble));
	memcpy(&frame, bytes.data + at, sizeof(frame));
	end = at + sizeof(frame) + le32_value(frame.bytes);
	frame.bytes = le32_of(le32_value(frame.bytes) - (uint32_t)less);
	preamble.header_bytes = le32_of(le32_value(preamble.header_bytes) - (uint32_t)less);
	memcpy(bytes.data, &preamble, sizeof(preamble));
	memcpy(bytes.data + at, &frame, sizeof(frame));
	memmove(bytes.data + end - less, bytes.data + end, bytes.count - end);
	reading = read_recording(bytes.data, bytes.count - less);
	ck_assert_int_eq(reading.error, 0);
	ck_assert_uint_eq(reading.window.tick_ns, 0);
	ck_assert_str_eq(reading.boot_id, "boot");
	free(bytes.data);
}
END_TEST

START_TEST(refuses_a_tick_that_cannot_be)
{
	const struct le64 long_tick = le64_of(RECORDING_TICK_NS_MAX + 1);
	struct bytes bytes = sample_recording();
	size_t at = frame_at(&bytes, FRAME_START, sizeof(struct recording_preamble));
	struct recording_frame frame;
	struct reading reading;

	memcpy(&frame, bytes.data + at, sizeof(frame));
	at += sizeof(frame) + le32_value(frame.bytes) - sizeof(long_tick);
	memcpy(bytes.data + at, &long_tick, sizeof(long_tick));
	reading = read_recording(bytes.data, bytes.count);
	ck_assert_int_eq(reading.error, -EBADMSG);
	free(bytes.data);
}
END_TEST

START_TEST(one_boot_is_one_row)
{
	struct window early = window_of("boot", 5000), late = window_of("boot", 9000), into = window_of("boot", 1000);

	add(&early, listener_on(443, 6, 9, 10));
	add(&late, listener_on(443, 2, 4, 5));
	add(&late, listener_on(8443, 1, 1, -1));
	early.listeners[0].row.half_open_is_bound = true;
	early.tick_ns = 1000000;
	late.tick_ns = 4000000;
	/* In either order. */
	ck_assert_int_eq(window_merge(&into, _i ? &late : &early), 0);
	ck_assert_int_eq(window_merge(&into, _i ? &early : &late), 0);
	ck_assert_uint_eq(into.tick_ns, 4000000);
	ck_assert_uint_eq(into.listener_count, 2);
	ck_assert_uint_eq(into.listeners[0].row.queue, 2);
	ck_assert_uint_eq(into.listeners[0].row.queue_peak, 9);
	ck_assert_int_eq(into.listeners[0].row.half_open, 2);
	ck_assert_int_eq(into.listeners[0].row.half_open_peak, 9);
	ck_assert(into.listeners[0].row.half_open_is_bound);
	ck_assert_int_eq(into.listeners[0].row.drops, 15);
	ck_assert_uint_eq(into.listeners[0].seen_ns, 9000);
	ck_assert_int_eq(into.listeners[1].row.drops, -1);
	window_release(&early);
	window_release(&late);
	window_release(&into);
}
END_TEST

START_TEST(what_one_part_does_not_know)
{
	struct window a = window_of("boot", 5000), b = window_of("boot", 9000);
	const struct snapshot_netns known = { .netns = NETNS, .listen_overflows = 3, .listen_drops = 4 };
	const struct snapshot_netns unknown = {
		.netns = NETNS, .listen_overflows = 2, .listen_drops = -1, .request_queue_full = 1
	};

	add(&a, listener_on(443, 6, 9, 10));
	add(&b, listener_on(443, 0, 0, -1));
	b.listeners[0].row.half_open = b.listeners[0].row.half_open_peak = -1;
	b.listeners[0].row.master_pid = 0;
	ck_assert_int_eq(window_add_netns(&a, &known), 0);
	ck_assert_int_eq(window_add_netns(&b, &unknown), 0);
	ck_assert_int_eq(window_merge(&a, &b), 0);
	ck_assert_uint_eq(a.listener_count, 1);
	ck_assert_uint_eq(a.listeners[0].row.master_pid, 100);
	ck_assert_int_eq(a.listeners[0].row.drops, -1);
	ck_assert_int_eq(a.listeners[0].row.half_open, 6);
	ck_assert_int_eq(a.listeners[0].row.half_open_peak, 9);
	ck_assert_uint_eq(a.namespace_count, 1);
	ck_assert_int_eq(a.namespaces[0].row.listen_overflows, 5);
	ck_assert_int_eq(a.namespaces[0].row.listen_drops, -1);
	ck_assert_int_eq(a.namespaces[0].row.request_queue_full, 1);
	window_release(&a);
	window_release(&b);
}
END_TEST

/* Namespaces and addresses of two hosts, or two boots, are alike by chance; a third of either belongs to its own. */
START_TEST(boots_stay_apart)
{
	struct window a = window_of("one", 5000), b = window_of("two", 9000), c = window_of("two", 12000);
	struct window nobody = window_of("", 5000);

	add(&a, listener_on(443, 1, 1, 1));
	add(&b, listener_on(443, 1, 1, 10));
	add(&c, listener_on(443, 1, 1, 100));
	add(&nobody, listener_on(443, 1, 1, 1000));
	ck_assert_int_eq(window_merge(&a, &b), 0);
	ck_assert_int_eq(window_merge(&a, &c), 0);
	ck_assert_uint_eq(a.listener_count, 2);
	ck_assert_int_eq(a.listeners[0].row.drops, 1);
	ck_assert_int_eq(a.listeners[1].row.drops, 110);
	ck_assert_int_eq(window_merge(&a, &nobody), 0);
	ck_assert_int_eq(window_merge(&a, &nobody), 0);
	ck_assert_uint_eq(a.listener_count, 4);
	window_release(&a);
	window_release(&b);
	window_release(&c);
	window_release(&nobody);
}
END_TEST

START_TEST(sums_stay_within_their_type)
{
	struct window a = window_of("boot", 5000), b = window_of("boot", 9000);

	add(&a, listener_on(443, 1, 1, INT64_MAX));
	add(&b, listener_on(443, 1, 1, 1));
	ck_assert_int_eq(window_merge(&a, &b), 0);
	ck_assert_int_eq(a.listeners[0].row.drops, INT64_MAX);
	window_release(&a);
	window_release(&b);
}
END_TEST

START_TEST(comes_into_the_snapshot_in_order)
{
	struct window window = window_of("boot", 5000);
	struct snapshot snapshot;

	window.tick_ns = 4000000;
	sample_backlog(&window);
	add(&window, listener_on(80, 0, 0, 0));
	snapshot_init(&snapshot);
	ck_assert_int_eq(window_complete(&window, &snapshot), 0);
	ck_assert_double_eq_tol(snapshot.tick_seconds, 0.004, 1e-12);
	ck_assert_uint_eq(snapshot.listener_count, 3);
	ck_assert_uint_eq(snapshot.listeners[0].master_pid, 0);
	ck_assert_uint_eq(snapshot.listeners[1].port, 80);
	ck_assert_uint_eq(snapshot.listeners[2].port, 443);
	ck_assert_int_eq(snapshot.listeners[2].drops, 7);
	ck_assert_uint_eq(snapshot.namespace_count, 1);
	ck_assert_int_eq(snapshot.namespaces[0].listen_drops, 7);
	snapshot_release(&snapshot);
	ck_assert_ptr_null(snapshot.listeners);
	window_release(&window);
}
END_TEST

Suite *suite_recorded_backlog(void)
{
	Suite *suite = suite_create("recorded_backlog");
	TCase *tests = tcase_create("recorded_backlog");

	tcase_add_test(tests, gives_back_what_was_written);
	tcase_add_test(tests, refuses_what_cannot_be);
	tcase_add_test(tests, every_negative_count_is_unknown);
	tcase_add_test(tests, can_be_skipped_and_missing);
	tcase_add_test(tests, a_tick_may_be_missing);
	tcase_add_test(tests, refuses_a_tick_that_cannot_be);
	tcase_add_loop_test(tests, one_boot_is_one_row, 0, 2);
	tcase_add_test(tests, what_one_part_does_not_know);
	tcase_add_test(tests, boots_stay_apart);
	tcase_add_test(tests, sums_stay_within_their_type);
	tcase_add_test(tests, comes_into_the_snapshot_in_order);
	suite_add_tcase(suite, tests);
	return suite;
}
