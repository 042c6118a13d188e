/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics as text. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "metrics_text.h"

char *metrics_text(struct openmetrics_counters *highest, const struct snapshot *snapshot, enum openmetrics_form form,
		   const char *version)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	if (highest)
		ck_assert_int_eq(openmetrics_write_raised(highest, snapshot, form, version, stream), 0);
	else
		ck_assert_int_eq(openmetrics_write(snapshot, form, version, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
	return text;
}

void assert_metrics(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "'%s' is missing", part);
}

unsigned int metrics_count(const char *text, const char *part)
{
	unsigned int count = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}
