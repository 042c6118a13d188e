/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stored library and what layout.h says of it. A test takes a library, changes it, and asks.
 */
#ifndef TLSWHY_TESTS_LAYOUT_CASE_H
#define TLSWHY_TESTS_LAYOUT_CASE_H

#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "attach/layout.h"
#include "stored_library.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define SILENT       "\xeb\xfe", 2 /* jmp to itself: a function that nobody understands */
#define WITNESSES    26            /* fields that functions return, one of them read by nobody; before 3.0 one more */

extern struct stored_library stored;
extern struct layout layout;
extern struct layout_report report;

/* The library for x86-64 whose version text begins so. */
void layout_case_take(const char *text);
/* layout_for() of it as it is now. */
int layout_case_ask(void);
void layout_case_text(const char *text);
void layout_case_number(uint32_t number);
/* Fields that have a source. */
int layout_case_known_fields(void);
void layout_case_assert_unknown(void);

#endif
