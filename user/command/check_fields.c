/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of a layout by their source. Contract: check_fields.h. */
#include "command/check_fields.h"

#include <stdio.h>
#include <string.h>

static void append(char *text, size_t bytes, size_t *used, const char *before, const char *word)
{
	int written = *used < bytes ? snprintf(text + *used, bytes - *used, "%s%s", before, word) : 0;

	*used += written > 0 ? (size_t)written : 0;
}

static bool is_first_of_its_source(const struct layout_report *report, enum layout_field field)
{
	const char *source = layout_field_source(report, field);

	for (enum layout_field earlier = 0; earlier < field; earlier++)
		if (!strcmp(layout_field_source(report, earlier), source))
			return false;
	return true;
}

void check_fields(const struct layout_report *report, char *text, size_t bytes)
{
	size_t used = 0;

	text[0] = '\0';
	for (enum layout_field first = 0; first < LAYOUT_FIELD_COUNT; first++) {
		const char *source = layout_field_source(report, first);

		if (!is_first_of_its_source(report, first))
			continue;
		append(text, bytes, &used, used ? "; " : "", source);
		append(text, bytes, &used, "", ":");
		for (enum layout_field field = first; field < LAYOUT_FIELD_COUNT; field++)
			if (!strcmp(layout_field_source(report, field), source))
				append(text, bytes, &used, " ", layout_field_name(field));
	}
}
