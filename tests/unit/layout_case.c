/* SPDX-License-Identifier: BSD-2-Clause */
/* See layout_case.h. Each test runs in a process of its own, so one of each is enough. */
#include "layout_case.h"

#include <stdio.h>
#include <string.h>

#include <check.h>

struct stored_library stored;
struct layout layout;
struct layout_report report;

void layout_case_take(const char *text)
{
	stored_library_read(&stored, LIBRARY_MACHINE_X86_64, text);
}

int layout_case_ask(void)
{
	struct library *library = stored_library_open(&stored);
	int error = layout_for(library, library, &layout, &report);

	library_close(library);
	return error;
}

void layout_case_text(const char *text)
{
	snprintf(stored.text, sizeof(stored.text), "%s", text);
}

/* mov eax,imm32; ret */
void layout_case_number(uint32_t number)
{
	const unsigned char code[] = { 0xb8,
				       (unsigned char)number,
				       (unsigned char)(number >> 8),
				       (unsigned char)(number >> 16),
				       (unsigned char)(number >> 24),
				       0xc3 };

	stored_library_set(&stored, "OpenSSL_version_num", code, sizeof(code));
}

int layout_case_known_fields(void)
{
	int known = 0;

	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		known += strcmp(layout_field_source(&report, (enum layout_field)i), "unknown") != 0;
	return known;
}

void layout_case_assert_unknown(void)
{
#define X(name, meaning) ck_assert_msg(layout.name == LAYOUT_NONE, "%s", #name);
	LAYOUT_FIELDS(X)
#undef X
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_NONE);
	ck_assert_int_eq(layout_case_known_fields(), 0);
}
