/* SPDX-License-Identifier: BSD-2-Clause */
/* The members by name, and moving them. Contract: fields.h. */
#include "recording/fields.h"

#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/event.h"

#define MEMBER_BYTES(type, member) sizeof(((struct type *)0)->member)
#define LIST(type, member, element)                                                                            \
	{                                                                                                      \
		.name = #member, .offset = offsetof(struct type, member), .bytes = MEMBER_BYTES(type, member), \
		.element_bytes = (element)                                                                     \
	}
#define NUMBER(type, member) LIST(type, member, MEMBER_BYTES(type, member))

#define VERDICT_MEMBERS(type)                                                                           \
	NUMBER(type, verdict.direction), NUMBER(type, verdict.outcome), NUMBER(type, verdict.stage),    \
		NUMBER(type, verdict.rejection), NUMBER(type, verdict.version_class),                   \
		NUMBER(type, verdict.first_record), NUMBER(type, verdict.library),                      \
		NUMBER(type, verdict.alert_received), NUMBER(type, verdict.alert_sent),                 \
		NUMBER(type, verdict.agreed), NUMBER(type, verdict.flags), NUMBER(type, verdict.error), \
		NUMBER(type, verdict.other_error), NUMBER(type, verdict.verify_result),                 \
		NUMBER(type, verdict.error_errno), NUMBER(type, verdict.waited), LIST(type, verdict.reserved1, 1)

/* By name, each by itself: the list of parts may grow. */
#define PART_MEMBERS(type, member)                                                                           \
	NUMBER(type, member[PART_CONNECT]), NUMBER(type, member[PART_LAG]), NUMBER(type, member[PART_PEER]), \
		NUMBER(type, member[PART_CPU]), NUMBER(type, member[PART_PREEMPTED])
_Static_assert(PART_COUNT == 5, "PART_MEMBERS names every part");

static const struct field event_fields[] = {
	NUMBER(event, header.size),
	NUMBER(event, header.version),
	NUMBER(event, header.kind),
	NUMBER(event, header.tail_bytes),
	NUMBER(event, header.tail_kind),
	NUMBER(event, header.answer),
	NUMBER(event, header.tail_true_bytes),
	NUMBER(event, header.tgid),
	NUMBER(event, time_ns),
	NUMBER(event, begin_ns),
	NUMBER(event, object),
	VERDICT_MEMBERS(event),
	NUMBER(event, latency_ns),
	PART_MEMBERS(event, parts.us),
	NUMBER(event, parts.before_us),
	NUMBER(event, connection),
	NUMBER(event, flags),
	NUMBER(event, generation),
	NUMBER(event, calls),
	NUMBER(event, cipher),
	NUMBER(event, tls_version),
	NUMBER(event, hand_state),
	NUMBER(event, message_type),
	NUMBER(event, peer_min_version),
	NUMBER(event, peer_max_version),
	NUMBER(event, our_min_version),
	NUMBER(event, our_max_version),
	LIST(event, first_bytes, 1),
	NUMBER(event, error_count),
	NUMBER(event, errors_lost),
	NUMBER(event, family),
	LIST(event, errors, sizeof(__u32)),
	LIST(event, peer, 1),
	LIST(event, local, 1),
	NUMBER(event, peer_port),
	NUMBER(event, local_port),
	NUMBER(event, netns),
	NUMBER(event, srtt_us),
	NUMBER(event, retransmits),
	NUMBER(event, min_rtt_us),
	NUMBER(event, group),
	NUMBER(event, signature),
	NUMBER(event, socket_state),
	NUMBER(event, sni_bytes),
	NUMBER(event, proxy_port),
	NUMBER(event, proxy_bytes),
	NUMBER(event, reserved0),
	LIST(event, proxy, 1),
	LIST(event, sni, 1),
};

static const struct field spill_key_fields[] = {
	VERDICT_MEMBERS(spill_key),     NUMBER(spill_key, bucket),  NUMBER(spill_key, tgid),
	NUMBER(spill_key, tls_version), NUMBER(spill_key, resumed), NUMBER(spill_key, amends),
	NUMBER(spill_key, generation),
};

static const struct field spill_value_fields[] = {
	NUMBER(spill_value, count),
	NUMBER(spill_value, latency_sum_ns),
	PART_MEMBERS(spill_value, part_sum_us),
	NUMBER(spill_value, before_sum_us),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
_Static_assert(COUNT(event_fields) <= FIELDS_MAX && sizeof(struct event) <= FIELDS_STRUCT_MAX, "an event fits");

const struct field_table *field_table(enum frame_struct which)
{
	static const struct field_table tables[] = {
		[FRAME_STRUCT_EVENT] = { .which = FRAME_STRUCT_EVENT,
					 .version = EVENT_VERSION,
					 .bytes = sizeof(struct event),
					 .fields = event_fields,
					 .count = COUNT(event_fields) },
		[FRAME_STRUCT_SPILL_KEY] = { .which = FRAME_STRUCT_SPILL_KEY,
					     .version = EVENT_VERSION,
					     .bytes = sizeof(struct spill_key),
					     .fields = spill_key_fields,
					     .count = COUNT(spill_key_fields) },
		[FRAME_STRUCT_SPILL_VALUE] = { .which = FRAME_STRUCT_SPILL_VALUE,
					       .version = EVENT_VERSION,
					       .bytes = sizeof(struct spill_value),
					       .fields = spill_value_fields,
					       .count = COUNT(spill_value_fields) },
	};

	return &tables[which];
}

int translation_begin(struct translation *translation, const struct field_table *table, uint32_t file_bytes)
{
	if (file_bytes == 0 || file_bytes > FIELDS_STRUCT_MAX)
		return -EBADMSG;
	translation->file_bytes = file_bytes;
	translation->identical = file_bytes == table->bytes;
	translation->count = 0;
	return 0;
}

static const struct field *find(const struct field_table *table, const char *name, size_t name_bytes)
{
	for (size_t i = 0; i < table->count; i++)
		if (strlen(table->fields[i].name) == name_bytes &&
		    memcmp(table->fields[i].name, name, name_bytes) == 0)
			return &table->fields[i];
	return NULL;
}

static bool is_width(uint8_t bytes)
{
	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

int translation_add(struct translation *translation, const struct field_table *table, const char *name,
		    size_t name_bytes, uint16_t offset, uint16_t bytes, uint8_t element_bytes)
{
	const struct field *field = find(table, name, name_bytes);
	uint16_t theirs, ours;

	if (!is_width(element_bytes) || bytes == 0 || bytes % element_bytes ||
	    (uint32_t)offset + bytes > translation->file_bytes)
		return -EBADMSG;
	if (!field)
		return 0;
	if (translation->count == FIELDS_MAX)
		return -EBADMSG;
	theirs = (uint16_t)(bytes / element_bytes);
	ours = (uint16_t)(field->bytes / field->element_bytes);
	translation->moves[translation->count++] = (struct field_move){
		.from = offset,
		.to = field->offset,
		.count = theirs < ours ? theirs : ours,
		.from_bytes = element_bytes,
		.to_bytes = field->element_bytes,
	};
	if (offset != field->offset || bytes != field->bytes || element_bytes != field->element_bytes)
		translation->identical = false;
	return 0;
}

static bool has_move_to(const struct translation *translation, uint16_t offset)
{
	for (size_t i = 0; i < translation->count; i++)
		if (translation->moves[i].to == offset)
			return true;
	return false;
}

int translation_end(struct translation *translation, const struct field_table *table)
{
	static const uint16_t needed[] = {
		offsetof(struct event, header.size),
		offsetof(struct event, header.kind),
		offsetof(struct event, header.tail_bytes),
		offsetof(struct event, header.tail_kind),
	};

	if (translation->count != table->count)
		translation->identical = false;
	for (size_t i = 0; table->which == FRAME_STRUCT_EVENT && i < COUNT(needed); i++)
		if (!has_move_to(translation, needed[i]))
			return -EBADMSG;
	return 0;
}

static uint64_t load(const uint8_t *at, uint8_t bytes)
{
	uint64_t wide;
	uint32_t word;
	uint16_t half;

	switch (bytes) {
	case 8:
		memcpy(&wide, at, sizeof(wide));
		return wide;
	case 4:
		memcpy(&word, at, sizeof(word));
		return word;
	case 2:
		memcpy(&half, at, sizeof(half));
		return half;
	}
	return *at;
}

static void store(uint8_t *at, uint8_t bytes, uint64_t value)
{
	uint32_t word = (uint32_t)value;
	uint16_t half = (uint16_t)value;

	switch (bytes) {
	case 8:
		memcpy(at, &value, sizeof(value));
		return;
	case 4:
		memcpy(at, &word, sizeof(word));
		return;
	case 2:
		memcpy(at, &half, sizeof(half));
		return;
	}
	*at = (uint8_t)value;
}

void translate(const struct translation *translation, const struct field_table *table, const void *from, void *to)
{
	memset(to, 0, table->bytes);
	for (size_t i = 0; i < translation->count; i++) {
		const struct field_move *move = &translation->moves[i];
		const uint8_t *source = (const uint8_t *)from + move->from;
		uint8_t *target = (uint8_t *)to + move->to;

		for (unsigned int j = 0; j < move->count; j++)
			store(target + j * move->to_bytes, move->to_bytes,
			      load(source + j * move->from_bytes, move->from_bytes));
	}
}
