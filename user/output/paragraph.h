/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paragraphs of plain text: composed in bounded memory, then written with line breaks at a width.
 *
 * Invariant: what is written is printable ASCII, spaces and newlines, besides the colour; no line is wider than the
 * width, which is at least PARAGRAPH_WIDTH_MIN. What does not fit into the memory ends in "...".
 * Must not know: what the text says.
 */
#ifndef TLSWHY_OUTPUT_PARAGRAPH_H
#define TLSWHY_OUTPUT_PARAGRAPH_H

#include <stddef.h>
#include <stdio.h>

#define PARAGRAPH_BYTES     2048
#define PARAGRAPH_WIDTH_MIN 40

/* `= { 0 }` is empty. */
struct paragraph {
	char text[PARAGRAPH_BYTES];
	size_t used;
};

/* Where paragraphs go. */
struct page {
	FILE *stream;
	unsigned int width; /* columns */
	const char *color;  /* an SGR sequence around each line; NULL is none */
};

/* Adds own text: it must be printable ASCII. */
__attribute__((format(printf, 2, 3))) void paragraph_add(struct paragraph *paragraph, const char *format, ...);
/* Adds foreign bytes, escaped, cut with "..." to a number of columns. */
void paragraph_add_foreign(struct paragraph *paragraph, const void *bytes, size_t count, size_t columns);

/* Writes it, every line behind indent spaces, every further one behind hang more. Errors stay in the stream's flag.
 */
void paragraph_write(const struct paragraph *paragraph, const struct page *page, unsigned int indent,
		     unsigned int hang);

#endif
