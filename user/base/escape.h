/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Foreign bytes made safe for where they go: server names, paths and addresses that strangers chose.
 *
 * Invariant: the result holds no control character (C0, DEL, C1), no line or paragraph separator, no bidirectional
 * or invisible formatting character, and is valid UTF-8, whatever the input. Escapes are \xNN for a byte, \u{N} for a
 * character and \\ for a backslash, so that different inputs have different results. An escape or a character is
 * written whole or not at all.
 * Must not know: output forms beyond these three, locales.
 */
#ifndef TLSWHY_BASE_ESCAPE_H
#define TLSWHY_BASE_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

enum escape_form {
	ESCAPE_PLAIN,    /* printable ASCII alone: logs, and columns, where a byte must be a column */
	ESCAPE_TERMINAL, /* printable UTF-8 stays */
	ESCAPE_JSON,     /* text for a JSON library, which escapes all else: bytes that are not UTF-8, and DEL */
};

/* The result is at most this many times as long as the input. */
#define ESCAPE_GROWTH 4

/*
 * Writes count bytes to buffer, escaped, and a NUL; as many as fit into size, which is at least 1. bytes may hold
 * NUL. Returns the length written, without the NUL. *taken, unless NULL, is how many of count are in it. ESCAPE_JSON
 * alone may write control characters: what they become is the JSON library's affair, and so is a NUL.
 */
size_t escape(char *buffer, size_t size, enum escape_form form, const void *bytes, size_t count, size_t *taken);

/* The same for a column of a width in characters: what does not fit is cut and ends in "...". ESCAPE_PLAIN. */
size_t escape_column(char *buffer, size_t size, size_t width, const void *bytes, size_t count);

/* Writes count bytes to a stream, escaped. Returns 0, or -EIO. */
int escape_write(FILE *stream, enum escape_form form, const void *bytes, size_t count);

#endif
