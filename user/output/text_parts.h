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
#include "diagnose/figures.h"
#include "output/paragraph.h"

struct style {
	const char *critical, *warning, *good, *heading; /* SGR sequences; NULL without colour */
};

/* A line in the style of headings, behind an empty one. */
__attribute__((format(printf, 3, 4))) void write_heading(const struct page *page, const struct style *style,
							 const char *format, ...);

/* "peer 92.0 % (p50 198 ms, p99 1.20 s), worker lag 6.0 % (p99 340 ms), cpu 1.8 %": the largest part first. */
void add_parts(struct paragraph *paragraph, const struct parts_row *row);
/* The same without how they are spread; whole_us is what the shares are of. */
void add_shares(struct paragraph *paragraph, const uint64_t us[PARTS_SHOWN], uint64_t whole_us);

void write_answer(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_causes(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_findings(const struct page *page, const struct style *style, const struct finding *findings, size_t n);
void write_workers(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_listeners(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_servers(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_completed(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_totals(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_targets(const struct page *page, const struct style *style, const struct snapshot *snapshot);
void write_limits(const struct page *page, const struct style *style, const struct snapshot *snapshot);

#endif
