/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace as text: one line a handshake, in columns.
 *
 * Invariant: a line is printable ASCII and one newline, whatever a stranger sent. Server names are cut to their
 * column; an address never is: a long one moves the columns behind it. "-" is what nobody vouches for.
 * Must not know: clocks, what else is printed.
 */
#ifndef TLSWHY_OUTPUT_TRACE_TEXT_H
#define TLSWHY_OUTPUT_TRACE_TEXT_H

#include <stdio.h>

#include "handshake/observation.h"
#include "output/facts.h"

/* The columns' names. Returns 0, or -EIO where the stream failed. */
int trace_text_header(FILE *stream);

/*
 * Writes the line of one observation; a mark has none. The last column says what the cause does not: "(amends)" where
 * the line replaces an earlier one, the first library error, alerts, the verify result, errno, and that the worker
 * was late; then, in brackets, where the time went, the largest part first. Returns 0, or -EIO where the stream
 * failed.
 */
int trace_text(const struct observation *observation, const struct trace_clock *clock, FILE *stream);

#endif
