/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report as text, for a person in the middle of an outage: the first line is the answer, the rest is why.
 *
 * Invariant: printable ASCII besides the colours, whatever strangers sent, and no line wider than the width. Nothing
 * is said that the snapshot does not hold: what is an estimate has "~", what is not known is named as such. Must not
 * know: clocks, terminals (whether there is one is the caller's affair).
 */
#ifndef TLSWHY_OUTPUT_TEXT_H
#define TLSWHY_OUTPUT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "diagnose/diagnose.h"
#include "handshake/snapshot.h"

struct text_options {
	bool color;
	unsigned int width; /* columns; 0 is 100 */
};

/* findings may be NULL where n is 0; options may be NULL. Returns 0, or -EIO where the stream failed. */
int text_report(const struct snapshot *snapshot, const struct finding *findings, size_t n,
		const struct text_options *options, FILE *stream);

/* The answer alone, as the report begins with it. */
int text_answer(const struct snapshot *snapshot, const struct text_options *options, FILE *stream);

#endif
