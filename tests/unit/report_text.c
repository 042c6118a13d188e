/* SPDX-License-Identifier: BSD-2-Clause */
/* The text report, for its tests. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "report_text.h"

struct findings report_findings;

char *report_as_text(const struct snapshot *snapshot, const struct text_options *options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	diagnose(snapshot, &report_findings);
	ck_assert_int_eq(text_report(snapshot, report_findings.items, report_findings.count, options, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
	return text;
}

void assert_begins(const char *text, const char *begin)
{
	ck_assert_msg(strncmp(text, begin, strlen(begin)) == 0, "begins otherwise: %.300s", text);
}

void assert_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in: %.3000s", part, text);
}

void assert_has_not(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "'%s' is in: %.3000s", part, text);
}

void assert_plain(const char *text, size_t width)
{
	size_t column = 0;

	for (const char *at = text; *at; at++) {
		ck_assert_msg((*at >= 0x20 && *at < 0x7f) || *at == '\n', "byte %02x", (unsigned char)*at);
		ck_assert(*at != '\n' || at == text || at[-1] != ' ');
		column = *at == '\n' ? 0 : column + 1;
		ck_assert_msg(column <= width, "wider than %zu: %.*s", width, (int)width, at - column + 1);
	}
}
