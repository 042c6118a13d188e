/* SPDX-License-Identifier: BSD-2-Clause */
/* The text report of a snapshot, for its tests. */
#ifndef TLSWHY_TESTS_REPORT_TEXT_H
#define TLSWHY_TESTS_REPORT_TEXT_H

#include "output/text.h"

/* Those of the last report. */
extern struct findings report_findings;

/* With the snapshot's findings. Memory for free(). */
char *report_as_text(const struct snapshot *snapshot, const struct text_options *options);
void assert_begins(const char *text, const char *begin);
void assert_has(const char *text, const char *part);
void assert_has_not(const char *text, const char *part);
/* Printable ASCII, no line too wide, no blank at a line's end. */
void assert_plain(const char *text, size_t width);

#endif
