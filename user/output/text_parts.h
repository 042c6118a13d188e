/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the text report, each a section of it. For text.c alone.
 *
 * Must not know: the order of the sections.
 */
#ifndef TLSWHY_OUTPUT_TEXT_PARTS_H
#define TLSWHY_OUTPUT_TEXT_PARTS_H

#include "diagnose/diagnose.h"
#include "handshake/snapshot.h"
#include "output/paragraph.h"

struct style {
	const char *critical, *warning, *good, *heading; /* SGR sequences; NULL without colour */
};

#define DURATION_BYTES 32

/* "0.85 ms", "12.3 ms", "1.20 s". Returns the buffer. */
const char *duration_text(uint64_t ns, char buffer[DURATION_BYTES]);
/* A ratio as "8.0 %", "0.03 %": never "0 %" for what is not 0, never "100 %" for what is not all. Returns the buffer.
 */
const char *percent_text(double ratio, char buffer[DURATION_BYTES]);

/* A line in the style of headings, behind an empty one. */
__attribute__((format(printf, 3, 4))) void write_heading(const struct page *page, const struct style *style,
							 const char *format, ...);

void write_answer(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_causes(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_findings(const struct page *page, const struct style *style, const struct finding *findings, size_t n);
void write_completed(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_totals(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_targets(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_limits(const struct page *page, const struct style *style, const struct snapshot *snapshot);

#endif
