/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings of another version of the program: members are found by name, wherever and however wide they are. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/cause.h"
#include "handshake/decode.h"
#include "recording/fields.h"
#include "recording/format.h"

#include "recording_sample.h"

Suite *suite_recording_layout(void);

/* An event as another version might have had it: other places, other widths, a member of its own. */
struct other_event {
	uint64_t begin_ns;
	uint32_t time_ns; /* once narrower */
	uint16_t size;
	uint8_t kind;
	uint8_t version;
	uint16_t tail_bytes;
	uint8_t tail_kind;
	uint8_t direction;
	uint32_t tail_true_bytes;
	uint32_t tgid;
	uint64_t error; /* once wider */
	uint64_t whim;
	uint8_t outcome, stage, library, error_count;
	uint32_t errors[2]; /* once fewer */
	char sni[8];
	uint8_t sni_bytes;
	uint8_t pad[3];
};

#define MEMBER(name_, member, element)                                                         \
	{                                                                                      \
		.name = name_, .offset = offsetof(struct other_event, member),                 \
		.bytes = sizeof(((struct other_event *)0)->member), .element_bytes = (element) \
	}

static const struct field other_fields[] = {
	MEMBER("begin_ns", begin_ns, 8),
	MEMBER("time_ns", time_ns, 4),
	MEMBER("header.size", size, 2),
	MEMBER("header.kind", kind, 1),
	MEMBER("header.version", version, 1),
	MEMBER("header.tail_bytes", tail_bytes, 2),
	MEMBER("header.tail_kind", tail_kind, 1),
	MEMBER("header.tail_true_bytes", tail_true_bytes, 4),
	MEMBER("header.tgid", tgid, 4),
	MEMBER("verdict.direction", direction, 1),
	MEMBER("verdict.error", error, 8),
	MEMBER("whim", whim, 8),
	MEMBER("verdict.outcome", outcome, 1),
	MEMBER("verdict.stage", stage, 1),
	MEMBER("verdict.library", library, 1),
	MEMBER("error_count", error_count, 1),
	MEMBER("errors", errors, 4),
	MEMBER("sni", sni, 1),
	MEMBER("sni_bytes", sni_bytes, 1),
};
#define OTHER_FIELDS (sizeof(other_fields) / sizeof(other_fields[0]))

static const struct other_event other = {
	.begin_ns = 1000,
	.time_ns = 2000,
	.size = sizeof(struct other_event),
	.kind = EVENT_SETTLED,
	.version = 1,
	.tail_bytes = 9,
	.tail_kind = TAIL_SERVER_NAME,
	.tail_true_bytes = 9,
	.tgid = 4711,
	.direction = DIRECTION_CLIENT,
	.outcome = OUTCOME_FAILED,
	.stage = STAGE_HELLO,
	.library = LIBRARY_OPENSSL_3,
	.error = 0x0a0000c1,
	.whim = ~0ull,
	.error_count = 2,
	.errors = { 0x0a0000c1, 7 },
	.sni = "long.te",
	.sni_bytes = 7,
};

static void put(struct bytes *out, const void *bytes, size_t count)
{
	out->data = realloc(out->data, out->count + count);
	ck_assert_ptr_nonnull(out->data);
	memcpy(out->data + out->count, bytes, count);
	out->count += count;
}

static void put_frame(struct bytes *out, unsigned int kind, const void *body, size_t count)
{
	struct recording_frame frame = { .bytes = le32_of((uint32_t)count), .kind = le16_of(kind) };

	put(out, &frame, sizeof(frame));
	put(out, body, count);
}

static void put_fields(struct bytes *out, enum frame_struct which, unsigned int version, size_t bytes,
		       const struct field *fields, size_t count)
{
	struct frame_fields head = { .which = le16_of(which),
				     .version = le16_of(version),
				     .bytes = le32_of((uint32_t)bytes),
				     .count = le32_of((uint32_t)count) };
	struct bytes body = { 0 };

	put(&body, &head, sizeof(head));
	for (size_t i = 0; i < count; i++) {
		struct frame_field field = { .offset = le16_of(fields[i].offset),
					     .bytes = le16_of(fields[i].bytes),
					     .element_bytes = fields[i].element_bytes };
		struct le16 length = le16_of((unsigned int)strlen(fields[i].name));

		put(&body, &field, sizeof(field));
		put(&body, &length, sizeof(length));
		put(&body, fields[i].name, strlen(fields[i].name));
	}
	put_frame(out, FRAME_FIELDS, body.data, body.count);
	free(body.data);
}

/* The header of another version; its end is filled in. */
static struct bytes begin_other(unsigned int event_version, const struct field *fields, size_t count, size_t bytes)
{
	const struct field_table *key = field_table(FRAME_STRUCT_SPILL_KEY);
	const struct field_table *value = field_table(FRAME_STRUCT_SPILL_VALUE);
	struct recording_preamble preamble = { .magic = RECORDING_MAGIC, .format = le32_of(RECORDING_FORMAT) };
	const uint64_t mark = RECORDING_ORDER_MARK;
	uint8_t start[sizeof(struct frame_start) + 4 * sizeof(struct le16)] = { 0 };
	struct bytes out = { 0 };

	memcpy(preamble.byte_order, &mark, sizeof(mark));
	put(&out, &preamble, sizeof(preamble));
	put_frame(&out, FRAME_START, start, sizeof(start));
	put_frame(&out, FRAME_SKIPPABLE | 7, "new", 3);
	put_fields(&out, FRAME_STRUCT_EVENT, event_version, bytes, fields, count);
	put_fields(&out, key->which, 1, key->bytes, key->fields, key->count);
	put_fields(&out, value->which, 1, value->bytes, value->fields, value->count);
	preamble.header_bytes = le32_of((uint32_t)out.count);
	memcpy(out.data, &preamble, sizeof(preamble));
	return out;
}

static void put_end(struct bytes *out, uint64_t records)
{
	uint8_t body[sizeof(struct frame_end) + 4] = { 0 };
	struct frame_end end = { .records = le64_of(records) };

	memcpy(body, &end, sizeof(end));
	put_frame(out, FRAME_END, body, sizeof(body)); /* longer than ours: of a later version */
}

START_TEST(finds_members_by_name)
{
	struct bytes file = begin_other(1, other_fields, OTHER_FIELDS, sizeof(other));
	uint8_t record[sizeof(other) + 9];
	struct reading reading;
	struct event event;

	memcpy(record, &other, sizeof(other));
	memcpy(record + sizeof(other), "long.test", 9);
	put_frame(&file, FRAME_RECORD, record, sizeof(record));
	put_frame(&file, FRAME_SKIPPABLE | 8, "new", 3);
	put_end(&file, 1);
	reading = read_recording(file.data, file.count);
	ck_assert_msg(reading.error == 0, "%s", reading.problem.sentence);
	ck_assert_uint_eq(reading.records, 1);
	ck_assert_uint_eq(reading.sizes[0], sizeof(event) + 9);
	event = reading.events[0];
	ck_assert_uint_eq(event.header.size, sizeof(event));
	ck_assert_uint_eq(event.header.tgid, 4711);
	ck_assert_uint_eq(event.time_ns, 2000);
	ck_assert_uint_eq(event.begin_ns, 1000);
	ck_assert_uint_eq(event.verdict.error, 0x0a0000c1);
	ck_assert_uint_eq(event.errors[1], 7);
	ck_assert_uint_eq(event.errors[2], 0);
	ck_assert_uint_eq(event.latency_ns, 0);
	ck_assert_mem_eq(event.sni, "long.te", 8);
	free(file.data);
}
END_TEST

START_TEST(refuses_records_of_the_future)
{
	struct bytes file = begin_other(EVENT_VERSION + 1, other_fields, OTHER_FIELDS, sizeof(other));
	struct reading reading = read_recording(file.data, file.count);

	ck_assert_int_eq(reading.error, -EPROTONOSUPPORT);
	ck_assert_ptr_nonnull(strstr(reading.problem.sentence, "records of version 2"));
	ck_assert_uint_gt(reading.problem.offset, sizeof(struct recording_preamble));
	free(file.data);
}
END_TEST

static int error_of(const struct field *fields, size_t count, size_t bytes)
{
	struct bytes file = begin_other(1, fields, count, bytes);
	struct reading reading = read_recording(file.data, file.count);

	free(file.data);
	return reading.error;
}

START_TEST(refuses_fields_that_cannot_be)
{
	struct field fields[OTHER_FIELDS];

	ck_assert_int_eq(error_of(other_fields, OTHER_FIELDS, sizeof(other)), -ENODATA); /* sound, and then nothing */
	ck_assert_int_eq(error_of(other_fields, OTHER_FIELDS, 0), -EBADMSG);
	ck_assert_int_eq(error_of(other_fields, OTHER_FIELDS, FIELDS_STRUCT_MAX + 1), -EBADMSG);
	ck_assert_int_eq(error_of(other_fields, OTHER_FIELDS, sizeof(other) - 4),
			 -EBADMSG);                                           /* sni_bytes is outside */
	ck_assert_int_eq(error_of(other_fields, 2, sizeof(other)), -EBADMSG); /* no header.size */
	memcpy(fields, other_fields, sizeof(fields));
	fields[1].element_bytes = 3;
	ck_assert_int_eq(error_of(fields, OTHER_FIELDS, sizeof(other)), -EBADMSG);
	memcpy(fields, other_fields, sizeof(fields));
	fields[1].bytes = 3;
	ck_assert_int_eq(error_of(fields, OTHER_FIELDS, sizeof(other)), -EBADMSG);
}
END_TEST

/* A record that is not whole is handed out in a form that nobody takes for one. */
START_TEST(leaves_broken_records_undecodable)
{
	struct bytes file = begin_other(1, other_fields, OTHER_FIELDS, sizeof(other));
	struct other_event broken = other;
	struct observation observation;
	struct reading reading;

	broken.size = sizeof(other) - 8; /* a mark may end early, this may not */
	put_frame(&file, FRAME_RECORD, &broken, sizeof(broken));
	broken.size = sizeof(other);
	broken.tail_bytes = 1000;
	put_frame(&file, FRAME_RECORD, &broken, sizeof(broken));
	put_frame(&file, FRAME_RECORD, &broken, 3);
	put_end(&file, 3);
	reading = read_recording(file.data, file.count);
	ck_assert_int_eq(reading.error, 0);
	ck_assert_uint_eq(reading.records, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_ne(decode_record(&reading.events[i], reading.sizes[i], &observation), 0);
	free(file.data);
}
END_TEST

static struct reading read_worker(const struct frame_worker *worker, size_t bytes)
{
	struct bytes file = begin_other(1, other_fields, OTHER_FIELDS, sizeof(other));
	struct reading reading;

	put_frame(&file, FRAME_WORKER, worker, bytes);
	put_end(&file, 0);
	reading = read_recording(file.data, file.count);
	free(file.data);
	return reading;
}

/* What an older file does not have of a worker is unknown and not 0; half a number is none. */
START_TEST(workers_of_other_versions)
{
	static const uint8_t half[8] = { 0, 0, 0, 0, 0, 0, 0xe0, 0x3f }; /* 0.5 */
	const size_t oldest = offsetof(struct frame_worker, cpu_ratio_peak);
	struct frame_worker worker = { .pid = le32_of(7) };
	struct reading reading;

	memcpy(&worker.cpu_ratio, half, sizeof(half));
	memcpy(&worker.cpu_ratio_peak, half, sizeof(half));
	for (size_t bytes = 0; bytes <= sizeof(worker); bytes++) {
		reading = read_worker(&worker, bytes);
		ck_assert_int_eq(reading.error, bytes < oldest ? -EBADMSG : 0);
		if (bytes < oldest)
			continue;
		ck_assert_uint_eq(reading.worker.pid, 7);
		ck_assert_double_eq(reading.worker.cpu_ratio, 0.5);
		ck_assert_double_eq(reading.worker.run_delay_ratio, 0);
		ck_assert_double_eq(reading.worker.cpu_ratio_peak, bytes < oldest + 8 ? -1 : 0.5);
		ck_assert_double_eq(reading.worker.run_delay_peak, bytes < oldest + 16 ? -1 : 0);
		ck_assert_double_eq(reading.worker.cpu_seconds, bytes < oldest + 24 ? -1 : 0);
		ck_assert_double_eq(reading.worker.saturated_seconds, bytes < oldest + 32 ? -1 : 0);
		ck_assert_double_eq(reading.worker.sampled_seconds, bytes < sizeof(worker) ? -1 : 0);
	}
}
END_TEST

/* Every member of the structs is in their tables, once and in order: a gap would be lost in translation. */
START_TEST(tables_are_complete)
{
	for (unsigned int which = FRAME_STRUCT_EVENT; which <= FRAME_STRUCT_SPILL_VALUE; which++) {
		const struct field_table *table = field_table((enum frame_struct)which);
		size_t end = 0;

		for (size_t i = 0; i < table->count; i++) {
			const struct field *field = &table->fields[i];

			ck_assert_msg(field->offset == end, "a gap before '%s' at %zu", field->name, end);
			ck_assert_uint_eq(field->bytes % field->element_bytes, 0);
			ck_assert_uint_le(strlen(field->name), FIELD_NAME_BYTES);
			end = (size_t)field->offset + field->bytes;
		}
		ck_assert_uint_eq(end, table->bytes);
	}
}
END_TEST

Suite *suite_recording_layout(void)
{
	Suite *suite = suite_create("recording_layout");
	TCase *tests = tcase_create("recording_layout");

	tcase_add_test(tests, finds_members_by_name);
	tcase_add_test(tests, refuses_records_of_the_future);
	tcase_add_test(tests, refuses_fields_that_cannot_be);
	tcase_add_test(tests, leaves_broken_records_undecodable);
	tcase_add_test(tests, workers_of_other_versions);
	tcase_add_test(tests, tables_are_complete);
	suite_add_tcase(suite, tests);
	return suite;
}
