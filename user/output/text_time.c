/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the time went, in the text report. */
#include <inttypes.h>

#include "output/text_parts.h"

#define SHOWN_SHARE  0.001
#define SPREAD_SHARE 0.01 /* from here on how the part is spread is worth telling */

/* Waiting for the peer is waiting for the path to it, too: how long a round trip takes, and what was lost on it. */
static void add_path(struct paragraph *paragraph, const struct parts_row *row)
{
	char p50[FIGURE_BYTES];

	if (row->round_trip.count)
		paragraph_add(paragraph, "; round trip p50 %s",
			      duration_text(histogram_quantile_ns(&row->round_trip, 0.5), p50));
	if (row->resent)
		paragraph_add(paragraph, "; %" PRIu64 " had to send again", row->resent);
}

static void add_spread(struct paragraph *paragraph, const struct parts_row *row, unsigned int part, bool is_largest)
{
	const struct histogram *spread = &row->parts[part];
	char p50[FIGURE_BYTES], p99[FIGURE_BYTES];

	if (!spread->count)
		return;
	paragraph_add(paragraph, " (");
	if (is_largest)
		paragraph_add(paragraph, "p50 %s, ", duration_text(histogram_quantile_ns(spread, 0.5), p50));
	paragraph_add(paragraph, "p99 %s", duration_text(histogram_quantile_ns(spread, 0.99), p99));
	if (part == PART_PEER)
		add_path(paragraph, row);
	paragraph_add(paragraph, ")");
}

void add_shares(struct paragraph *paragraph, const uint64_t us[PARTS_SHOWN], uint64_t whole_us)
{
	unsigned int order[PARTS_SHOWN];
	char text[FIGURE_BYTES];

	parts_sort(us, order);
	for (unsigned int i = 0; i < PARTS_SHOWN; i++) {
		double share = whole_us ? (double)us[order[i]] / (double)whole_us : 0;

		if (share < SHOWN_SHARE)
			break;
		paragraph_add(paragraph, "%s%s %s", i ? ", " : "", part_words(order[i]),
			      percent_text(share < 1 ? share : 1, text));
	}
}

void add_parts(struct paragraph *paragraph, const struct parts_row *row)
{
	unsigned int order[PARTS_SHOWN];
	const char *comma = "";
	char text[FIGURE_BYTES];

	parts_sort(row->us, order);
	for (unsigned int i = 0; i < PARTS_SHOWN; i++) {
		unsigned int part = order[i];
		double share = row->whole_us ? (double)row->us[part] / (double)row->whole_us : 0;

		if (share < SHOWN_SHARE)
			break;
		paragraph_add(paragraph, "%s%s %s", comma, part_words(part),
			      percent_text(share < 1 ? share : 1, text));
		if (share >= SPREAD_SHARE)
			add_spread(paragraph, row, part, i == 0);
		comma = ", ";
	}
	if (row->coarse)
		paragraph_add(paragraph, "; lag and peer to a tick in %" PRIu64, row->coarse);
	if (!part_is_known(row, PART_PEER) && !part_is_known(row, PART_LAG))
		paragraph_add(paragraph, "%speer and worker lag not measured", comma[0] ? "; " : "");
}
