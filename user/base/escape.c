/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Escaping. Contract: escape.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/escape.h"

#define UNIT_BYTES 16 /* the longest escape is \u{10ffff} */

struct range {
	uint32_t first, last;
};

/* Characters that move, hide or reorder others. Unicode general categories Cc, Cf, Zl, Zp, and noncharacters. */
static const struct range unprintable[] = {
	{ .first = 0x00, .last = 0x1f },       { .first = 0x7f, .last = 0x9f },
	{ .first = 0xad, .last = 0xad },       { .first = 0x34f, .last = 0x34f },
	{ .first = 0x600, .last = 0x605 },     { .first = 0x61c, .last = 0x61c },
	{ .first = 0x6dd, .last = 0x6dd },     { .first = 0x70f, .last = 0x70f },
	{ .first = 0x890, .last = 0x891 },     { .first = 0x8e2, .last = 0x8e2 },
	{ .first = 0x115f, .last = 0x1160 },   { .first = 0x17b4, .last = 0x17b5 },
	{ .first = 0x180b, .last = 0x180f },   { .first = 0x200b, .last = 0x200f },
	{ .first = 0x2028, .last = 0x202e },   { .first = 0x2060, .last = 0x206f },
	{ .first = 0x3164, .last = 0x3164 },   { .first = 0xe000, .last = 0xf8ff },
	{ .first = 0xfdd0, .last = 0xfdef },   { .first = 0xfe00, .last = 0xfe0f },
	{ .first = 0xfeff, .last = 0xfeff },   { .first = 0xffa0, .last = 0xffa0 },
	{ .first = 0xfff0, .last = 0xfffb },   { .first = 0xfffe, .last = 0xffff },
	{ .first = 0x110bd, .last = 0x110bd }, { .first = 0x110cd, .last = 0x110cd },
	{ .first = 0x13430, .last = 0x1343f }, { .first = 0x1bca0, .last = 0x1bca3 },
	{ .first = 0x1d173, .last = 0x1d17a }, { .first = 0xe0000, .last = 0x10ffff },
};

/* Length of the UTF-8 sequence at the start, and its character; 0 where there is none (RFC 3629). */
static size_t decode_utf8(const uint8_t *bytes, size_t count, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length;
	uint32_t value;

	if (bytes[0] < 0x80) {
		*character = bytes[0];
		return 1;
	}
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
		return 0;
	length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
	if (length > count)
		return 0;
	value = bytes[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3fu);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*character = value;
	return length;
}

static bool is_printable(uint32_t character)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
		if (character >= unprintable[i].first && character <= unprintable[i].last)
			return false;
	}
	return true;
}

static bool stays(uint32_t character, enum escape_form form)
{
	switch (form) {
	case ESCAPE_PLAIN:
		return character >= 0x20 && character < 0x7f;
	case ESCAPE_TERMINAL:
		return is_printable(character);
	case ESCAPE_JSON:
		return character != 0x7f;
	}
	return false;
}

/*
 * One byte or character as it is to be written. Returns how many bytes of the input it stands for; *length is that of
 * unit. At least one byte of input is there.
 */
static size_t escape_unit(char unit[UNIT_BYTES], size_t *length, enum escape_form form, const uint8_t *bytes,
			  size_t count)
{
	uint32_t character = 0;
	size_t taken = decode_utf8(bytes, count, &character);

	if (taken == 0) {
		*length = (size_t)snprintf(unit, UNIT_BYTES, "\\x%02x", bytes[0]);
		return 1;
	}
	if (character == '\\')
		*length = (size_t)snprintf(unit, UNIT_BYTES, "\\\\");
	else if (stays(character, form))
		memcpy(unit, bytes, *length = taken);
	else if (character < 0x80)
		*length = (size_t)snprintf(unit, UNIT_BYTES, "\\x%02x", character);
	else
		*length = (size_t)snprintf(unit, UNIT_BYTES, "\\u{%x}", character);
	return taken;
}

size_t escape(char *buffer, size_t size, enum escape_form form, const void *bytes, size_t count, size_t *taken)
{
	const uint8_t *input = bytes;
	char unit[UNIT_BYTES];
	size_t used = 0, at = 0;

	while (at < count) {
		size_t length, step = escape_unit(unit, &length, form, input + at, count - at);

		if (length >= size - used)
			break;
		memcpy(buffer + used, unit, length);
		used += length;
		at += step;
	}
	buffer[used] = '\0';
	if (taken)
		*taken = at;
	return used;
}

size_t escape_column(char *buffer, size_t size, size_t width, const void *bytes, size_t count)
{
	static const char ellipsis[] = "...";
	const size_t dots = sizeof(ellipsis) - 1;
	size_t room = width < size ? width + 1 : size; /* with the NUL */
	size_t taken, used = escape(buffer, room, ESCAPE_PLAIN, bytes, count, &taken);

	if (taken == count || room <= dots)
		return used;
	used = escape(buffer, room - dots, ESCAPE_PLAIN, bytes, count, &taken);
	memcpy(buffer + used, ellipsis, sizeof(ellipsis));
	return used + dots;
}

int escape_write(FILE *stream, enum escape_form form, const void *bytes, size_t count)
{
	const char *input = bytes;
	char buffer[256];
	size_t taken;

	while (count) {
		size_t length = escape(buffer, sizeof(buffer), form, input, count, &taken);

		if (fwrite(buffer, 1, length, stream) != length)
			return -EIO;
		input += taken;
		count -= taken;
	}
	return 0;
}
