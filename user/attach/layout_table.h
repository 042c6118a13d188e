/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shipped table: what tests/layouts measured in the headers of releases, written to layout_rows.c by
 * tests/layouts/generate.
 *
 * Invariant: no number in the table was typed. Must not know: what a row is used for.
 */
#ifndef TLSWHY_ATTACH_LAYOUT_TABLE_H
#define TLSWHY_ATTACH_LAYOUT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/config.h"

/*
 * Releases of one layout. An anchor is a field that nobody reads: a public function returns it, so it shows in a
 * library's machine code whether something moved among its neighbours.
 */
struct layout_row {
	struct layout layout;
	uint16_t anchor_read_ahead; /* where records are read */
};

/* Consecutive releases of a series that have one row, the first and the last compiled; numbers of OpenSSL. */
struct layout_range {
	uint32_t first, last;
	unsigned int row;
	const char *name; /* "3.0.0 to 3.0.22" */
};

extern const struct layout_row layout_rows[];
extern const struct layout_range layout_ranges[]; /* by number */
extern const unsigned int layout_row_count, layout_range_count;

/*
 * The range that a release is in; if none, the nearest one of its series (3.0, 3.1, ...), *compiled is false then.
 * NULL for another series.
 */
const struct layout_range *layout_range_find(uint32_t version, bool *compiled);

#endif
