/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the trace, for its tests. */
#ifndef TLSWHY_TESTS_TRACE_SAMPLE_H
#define TLSWHY_TESTS_TRACE_SAMPLE_H

#include <stdio.h>

#include <jansson.h>

#include "output/facts.h"

/* The monotonic clock was 0 at 2026-03-04T05:06:07Z; a tick is 4 ms. */
extern struct trace_clock trace_clock;

/* A backend whose certificate nginx rejected after 10 ms; lag and peer were not measured. */
struct observation trace_rejected(void);
/* What a form prints of it: seen to be printable ASCII, at most one line. Memory for free(). */
char *trace_line_of(const struct observation *observation,
		    int (*print)(const struct observation *observation, const struct trace_clock *clock,
				 FILE *stream));
/* Its JSON line. A new reference. */
json_t *trace_object_of(const struct observation *observation);
/* A string of an object; fails where it is none. Borrowed. */
const char *trace_string(json_t *object, const char *key);
void trace_assert_seconds(json_t *object, const char *key, double seconds);

#endif
