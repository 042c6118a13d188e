/* SPDX-License-Identifier: BSD-2-Clause */
/* Escaping: nothing a stranger sends reaches a terminal, a log or a JSON library as it is. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

Suite *suite_escape(void);

static const struct {
	enum escape_form form;
	const char *input;
	size_t count; /* 0: strlen */
	const char *expected;
} cases[] = {
	{ .form = ESCAPE_PLAIN, .input = "www.example.test", .expected = "www.example.test" },
	{ .form = ESCAPE_PLAIN, .input = "a\\b", .expected = "a\\\\b" },
	{ .form = ESCAPE_PLAIN, .input = "a\0b", .count = 3, .expected = "a\\x00b" },
	{ .form = ESCAPE_PLAIN, .input = "\033]0;x\007", .expected = "\\x1b]0;x\\x07" },
	{ .form = ESCAPE_PLAIN, .input = "a\nb\r\tc\x7f", .expected = "a\\x0ab\\x0d\\x09c\\x7f" },
	{ .form = ESCAPE_PLAIN, .input = "m\xc3\xbcller", .expected = "m\\u{fc}ller" },
	{ .form = ESCAPE_TERMINAL, .input = "m\xc3\xbcller", .expected = "m\xc3\xbcller" },
	{ .form = ESCAPE_TERMINAL, .input = "\xf0\x9f\x94\x92", .expected = "\xf0\x9f\x94\x92" },
	{ .form = ESCAPE_TERMINAL,
	  .input = "\xc2\x9b"
		   "31m",
	  .expected = "\\u{9b}31m" }, /* C1 CSI */
	{ .form = ESCAPE_TERMINAL,
	  .input = "\x9b"
		   "31m",
	  .expected = "\\x9b31m" }, /* the same, raw */
	{ .form = ESCAPE_TERMINAL,
	  .input = "a\xe2\x80\xae"
		   "b",
	  .expected = "a\\u{202e}b" }, /* RLO */
	{ .form = ESCAPE_TERMINAL,
	  .input = "a\xe2\x81\xa6"
		   "b",
	  .expected = "a\\u{2066}b" }, /* LRI */
	{ .form = ESCAPE_TERMINAL,
	  .input = "a\xe2\x80\x8b"
		   "b",
	  .expected = "a\\u{200b}b" }, /* zero width */
	{ .form = ESCAPE_TERMINAL,
	  .input = "a\xe2\x80\xa8"
		   "b",
	  .expected = "a\\u{2028}b" },                                                       /* line separator */
	{ .form = ESCAPE_TERMINAL, .input = "\xf3\xa0\x81\x81", .expected = "\\u{e0041}" },  /* tag A */
	{ .form = ESCAPE_TERMINAL, .input = "\xc0\xaf", .expected = "\\xc0\\xaf" },          /* overlong */
	{ .form = ESCAPE_TERMINAL, .input = "\xed\xa0\x80", .expected = "\\xed\\xa0\\x80" }, /* surrogate */
	{ .form = ESCAPE_TERMINAL, .input = "\xf4\x90\x80\x80", .expected = "\\xf4\\x90\\x80\\x80" },
	{ .form = ESCAPE_TERMINAL, .input = "\xe2\x82", .expected = "\\xe2\\x82" }, /* cut */
	{ .form = ESCAPE_JSON, .input = "a\"b\n\033", .expected = "a\"b\n\033" },
	{ .form = ESCAPE_JSON, .input = "m\xc3\xbc\xff", .expected = "m\xc3\xbc\\xff" },
	{ .form = ESCAPE_JSON, .input = "a\x7f", .expected = "a\\x7f" }, /* JSON libraries leave it */
	{ .form = ESCAPE_JSON, .input = "\\xff", .expected = "\\\\xff" },
};

START_TEST(escapes)
{
	const char *input = cases[_i].input;
	size_t count = cases[_i].count ? cases[_i].count : strlen(input), taken = 0;
	char buffer[128];

	ck_assert_uint_eq(escape(buffer, sizeof(buffer), cases[_i].form, input, count, &taken), strlen(buffer));
	ck_assert_str_eq(buffer, cases[_i].expected);
	ck_assert_uint_eq(taken, count);
}
END_TEST

/* At every size, what is written is a beginning of the whole that ends between two units. */
START_TEST(never_cuts_a_unit)
{
	static const char input[] = "a\xff"
				    "b\xe2\x80\xae\\c\xc3\xbc\001";
	static const size_t ends[] = { 0, 1, 5, 6, 14, 16, 17, 19, 23 };
	size_t count = sizeof(input) - 1, taken;
	char whole[64];

	escape(whole, sizeof(whole), ESCAPE_TERMINAL, input, count, &taken);
	ck_assert_uint_eq(strlen(whole), 23);
	for (size_t size = 1; size <= 24; size++) {
		char *buffer = malloc(size);
		size_t used = escape(buffer, size, ESCAPE_TERMINAL, input, count, &taken), end = 0;

		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			if (ends[i] < size)
				end = ends[i];
		}
		ck_assert_uint_eq(used, end);
		ck_assert_mem_eq(buffer, whole, used);
		ck_assert_int_eq(buffer[used], '\0');
		free(buffer);
	}
}
END_TEST

/* Every byte, and every pair of bytes, in every form: the invariant of the header. */
START_TEST(leaves_nothing_dangerous)
{
	char buffer[64];

	for (unsigned int pair = 0; pair < 0x10000; pair++) {
		uint8_t input[2] = { (uint8_t)(pair >> 8), (uint8_t)pair };
		size_t used = escape(buffer, sizeof(buffer), ESCAPE_PLAIN, input, 2, NULL);

		ck_assert_uint_le(used, 2 * ESCAPE_GROWTH);
		for (size_t i = 0; i < used; i++)
			ck_assert_msg(buffer[i] >= 0x20 && buffer[i] < 0x7f, "pair %04x", pair);
		used = escape(buffer, sizeof(buffer), ESCAPE_TERMINAL, input, 2, NULL);
		for (size_t i = 0; i < used; i++) {
			ck_assert_msg((unsigned char)buffer[i] >= 0x20 && buffer[i] != 0x7f, "pair %04x", pair);
			ck_assert_msg((unsigned char)buffer[i] != 0xc2 || (unsigned char)buffer[i + 1] >= 0xa0,
				      "pair %04x: C1", pair);
		}
	}
}
END_TEST

START_TEST(fits_columns)
{
	char buffer[64];

	ck_assert_uint_eq(escape_column(buffer, sizeof(buffer), 10, "0123456789", 10), 10);
	ck_assert_str_eq(buffer, "0123456789");
	ck_assert_uint_eq(escape_column(buffer, sizeof(buffer), 10, "0123456789a", 11), 10);
	ck_assert_str_eq(buffer, "0123456...");
	ck_assert_uint_eq(escape_column(buffer, sizeof(buffer), 10, "01234\001\002", 7), 8);
	ck_assert_str_eq(buffer, "01234...");
	ck_assert_uint_eq(escape_column(buffer, sizeof(buffer), 2, "abc", 3), 2);
	ck_assert_str_eq(buffer, "ab");
	ck_assert_uint_eq(escape_column(buffer, 6, 20, "abcdefgh", 8), 5);
	ck_assert_str_eq(buffer, "ab...");
}
END_TEST

START_TEST(writes_long_input)
{
	char input[5000], *written = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&written, &size);

	memset(input, '\001', sizeof(input));
	ck_assert_int_eq(escape_write(stream, ESCAPE_PLAIN, input, sizeof(input)), 0);
	fclose(stream);
	ck_assert_uint_eq(size, 4 * sizeof(input));
	ck_assert_mem_eq(written + size - 8, "\\x01\\x01", 8);
	free(written);
}
END_TEST

Suite *suite_escape(void)
{
	Suite *suite = suite_create("escape");
	TCase *tcase = tcase_create("escape");

	tcase_add_loop_test(tcase, escapes, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tcase, never_cuts_a_unit);
	tcase_add_test(tcase, leaves_nothing_dangerous);
	tcase_add_test(tcase, fits_columns);
	tcase_add_test(tcase, writes_long_input);
	suite_add_tcase(suite, tcase);
	return suite;
}
