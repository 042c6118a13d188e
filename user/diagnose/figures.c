/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures and parts. Contract: figures.h. */
#include <stdio.h>

#include "diagnose/figures.h"

const char *duration_text(uint64_t ns, char buffer[FIGURE_BYTES])
{
	double ms = (double)ns / 1e6;

	if (ms >= 1000)
		snprintf(buffer, FIGURE_BYTES, "%.2f s", ms / 1000);
	else
		snprintf(buffer, FIGURE_BYTES, "%.*f ms", ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
	return buffer;
}

const char *percent_text(double ratio, char buffer[FIGURE_BYTES])
{
	double percent = ratio * 100;

	if (percent > 0 && percent < 0.01)
		snprintf(buffer, FIGURE_BYTES, "under 0.01 %%");
	else if (percent > 99.9 && percent < 100)
		snprintf(buffer, FIGURE_BYTES, "over 99.9 %%");
	else
		snprintf(buffer, FIGURE_BYTES, "%.*f %%", percent > 0 && percent < 1 ? 2 : 1, percent);
	return buffer;
}

const char *part_name(unsigned int part)
{
	static const char *const names[PARTS_SHOWN] = {
#define X(symbol, number, name, meaning) [(number)] = (name),
		PARTS(X)
#undef X
			[PART_UNATTRIBUTED] = "unattributed",
	};

	return names[part];
}

const char *part_words(unsigned int part)
{
	return part == PART_LAG ? "worker lag" : part_name(part);
}

void parts_sort(const uint64_t us[PARTS_SHOWN], unsigned int order[PARTS_SHOWN])
{
	for (unsigned int part = 0; part < PARTS_SHOWN; part++) {
		unsigned int at = part;

		for (; at > 0 && us[order[at - 1]] < us[part]; at--)
			order[at] = order[at - 1];
		order[at] = part;
	}
}

bool part_is_known(const struct parts_row *row, unsigned int part)
{
	return row->us[part] || row->parts[part].count;
}
