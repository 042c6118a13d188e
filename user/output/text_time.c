/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the time went, in the text report. */
#include "output/text_parts.h"

#define SHOWN_SHARE  0.001
#define SPREAD_SHARE 0.01 /* from here on how the part is spread is worth telling */

static void add_spread(struct paragraph *paragraph, const struct histogram *part, bool is_largest)
{
	char p50[FIGURE_BYTES], p99[FIGURE_BYTES];

	if (!part->count)
		return;
	duration_text(histogram_quantile_ns(part, 0.99), p99);
	if (is_largest)
		paragraph_add(paragraph, " (p50 %s, p99 %s)", duration_text(histogram_quantile_ns(part, 0.5), p50),
			      p99);
	else
		paragraph_add(paragraph, " (p99 %s)", p99);
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
			add_spread(paragraph, &row->parts[part], i == 0);
		comma = ", ";
	}
	if (!part_is_known(row, PART_PEER) && !part_is_known(row, PART_LAG))
		paragraph_add(paragraph, "%speer and worker lag not measured", comma[0] ? "; " : "");
}
