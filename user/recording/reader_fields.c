/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading where the members of a file's structs lie. Contract: reader.h. */
#include <errno.h>
#include <inttypes.h>

#include "recording/reader_private.h"

static int take_field(struct recording_reader *reader, struct translation *translation,
		      const struct field_table *table)
{
	struct frame_field field;
	struct le16 length;
	char name[FIELD_NAME_BYTES];
	int error = reader_take(reader, &field, sizeof(field));

	if (!error)
		error = reader_take(reader, &length, sizeof(length));
	if (error)
		return error;
	if (le16_value(length) > sizeof(name))
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a field's name is too long");
	error = reader_take(reader, name, le16_value(length));
	if (error)
		return error;
	error = translation_add(translation, table, name, le16_value(length), le16_value(field.offset),
				le16_value(field.bytes), field.element_bytes);
	return error ? reader_fail(reader, error, reader->frame_offset, "a field lies outside of its struct") : 0;
}

int reader_take_fields(struct recording_reader *reader)
{
	struct translation *translation;
	const struct field_table *table;
	struct frame_fields fields;
	int error = reader_take(reader, &fields, sizeof(fields));
	unsigned int which;

	if (error)
		return error;
	which = le16_value(fields.which);
	if (which < FRAME_STRUCT_EVENT || which > FRAME_STRUCT_SPILL_VALUE)
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "fields of an unknown struct %u", which);
	table = field_table((enum frame_struct)which);
	translation = &reader->translations[which];
	if (le16_value(fields.version) > table->version)
		return reader_fail(reader, -EPROTONOSUPPORT, reader->frame_offset,
				   "records of version %u, this program reads version %u", le16_value(fields.version),
				   table->version);
	if (translation_begin(translation, table, le32_value(fields.bytes)))
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "a struct of %" PRIu32 " bytes",
				   le32_value(fields.bytes));
	for (uint32_t i = 0; i < le32_value(fields.count) && !error; i++)
		error = take_field(reader, translation, table);
	if (error)
		return error;
	if (translation_end(translation, table))
		return reader_fail(reader, -EBADMSG, reader->frame_offset, "records without size, kind or tail");
	return 0;
}
