/* SPDX-License-Identifier: BSD-2-Clause */
/* Paragraphs. Contract: paragraph.h. */
#include <stdarg.h>
#include <string.h>

#include "base/escape.h"
#include "output/paragraph.h"

#define COLOR_END "\033[0m"

static void append(struct paragraph *paragraph, const char *text, size_t length)
{
	static const char ellipsis[] = "...";
	size_t room = sizeof(paragraph->text) - sizeof(ellipsis) - paragraph->used;

	if (paragraph->used >= sizeof(paragraph->text) - sizeof(ellipsis))
		return;
	if (length > room) {
		memcpy(paragraph->text + paragraph->used, text, room);
		memcpy(paragraph->text + paragraph->used + room, ellipsis, sizeof(ellipsis));
		paragraph->used += room + sizeof(ellipsis) - 1;
		return;
	}
	memcpy(paragraph->text + paragraph->used, text, length);
	paragraph->used += length;
	paragraph->text[paragraph->used] = '\0';
}

void paragraph_add(struct paragraph *paragraph, const char *format, ...)
{
	char text[PARAGRAPH_BYTES];
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (length > 0)
		append(paragraph, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

void paragraph_add_foreign(struct paragraph *paragraph, const void *bytes, size_t count, size_t columns)
{
	char text[PARAGRAPH_BYTES];

	append(paragraph, text, escape_column(text, sizeof(text), columns, bytes, count));
}

/* How much of the text goes into room columns: up to a space, or all of them where there is none. */
static size_t line_length(const char *text, size_t left, size_t room)
{
	size_t length;

	if (left <= room)
		return left;
	for (length = room; length > 0; length--) {
		if (text[length] == ' ')
			return length;
	}
	return room;
}

static void write_line(const struct page *page, unsigned int indent, const char *text, size_t length)
{
	fprintf(page->stream, "%*s%s%.*s%s\n", (int)indent, "", page->color ? page->color : "", (int)length, text,
		page->color ? COLOR_END : "");
}

void paragraph_write(const struct paragraph *paragraph, const struct page *page, unsigned int indent,
		     unsigned int hang)
{
	unsigned int width = page->width > PARAGRAPH_WIDTH_MIN ? page->width : PARAGRAPH_WIDTH_MIN;
	const char *text = paragraph->text;
	size_t left = paragraph->used;

	do {
		size_t length = line_length(text, left, indent < width / 2 ? width - indent : width / 2);

		write_line(page, indent, text, length);
		text += length;
		left -= length;
		while (left && *text == ' ') {
			text++;
			left--;
		}
		indent += hang;
		hang = 0;
	} while (left);
}
