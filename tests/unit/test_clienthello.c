/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHello: parsing of whole, cut and wrong messages, and blanking of secrets. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/clienthello.h"

#include "hello_builder.h"

Suite *suite_clienthello(void);

/* The body of what OpenSSL 3.0.19 sends: not put together here, so that both cannot be wrong in the same way. */
static const uint8_t openssl_hello[] = {
	0x03, 0x03, 0x02, 0xd7, 0xb0, 0xe3, 0x21, 0x38, 0x22, 0x03, 0xef, 0x96, 0x42, 0x26, 0xfb, 0xaf, 0x28, 0x59,
	0x0e, 0x92, 0xa3, 0x4f, 0xbb, 0x35, 0xfd, 0x39, 0x2f, 0xf7, 0x57, 0xd0, 0xe3, 0x03, 0x18, 0x04, 0x20, 0x11,
	0xab, 0x7d, 0x8c, 0xfe, 0xa0, 0xa6, 0x9e, 0xdd, 0xde, 0xd4, 0xce, 0x8d, 0x61, 0x85, 0xaf, 0x41, 0x77, 0x0e,
	0x46, 0xe3, 0x44, 0xd7, 0xdd, 0x73, 0x3c, 0x8d, 0x7f, 0xc6, 0x51, 0xd2, 0x98, 0x00, 0x3e, 0x13, 0x02, 0x13,
	0x03, 0x13, 0x01, 0xc0, 0x2c, 0xc0, 0x30, 0x00, 0x9f, 0xcc, 0xa9, 0xcc, 0xa8, 0xcc, 0xaa, 0xc0, 0x2b, 0xc0,
	0x2f, 0x00, 0x9e, 0xc0, 0x24, 0xc0, 0x28, 0x00, 0x6b, 0xc0, 0x23, 0xc0, 0x27, 0x00, 0x67, 0xc0, 0x0a, 0xc0,
	0x14, 0x00, 0x39, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x33, 0x00, 0x9d, 0x00, 0x9c, 0x00, 0x3d, 0x00, 0x3c, 0x00,
	0x35, 0x00, 0x2f, 0x00, 0xff, 0x01, 0x00, 0x01, 0x75, 0x00, 0x00, 0x00, 0x15, 0x00, 0x13, 0x00, 0x00, 0x10,
	0x77, 0x77, 0x77, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x74, 0x65, 0x73, 0x74, 0x00, 0x0b,
	0x00, 0x04, 0x03, 0x00, 0x01, 0x02, 0x00, 0x0a, 0x00, 0x16, 0x00, 0x14, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x1e,
	0x00, 0x19, 0x00, 0x18, 0x01, 0x00, 0x01, 0x01, 0x01, 0x02, 0x01, 0x03, 0x01, 0x04, 0x00, 0x23, 0x00, 0x00,
	0x00, 0x10, 0x00, 0x0e, 0x00, 0x0c, 0x02, 0x68, 0x32, 0x08, 0x68, 0x74, 0x74, 0x70, 0x2f, 0x31, 0x2e, 0x31,
	0x00, 0x16, 0x00, 0x00, 0x00, 0x17, 0x00, 0x00, 0x00, 0x0d, 0x00, 0x2a, 0x00, 0x28, 0x04, 0x03, 0x05, 0x03,
	0x06, 0x03, 0x08, 0x07, 0x08, 0x08, 0x08, 0x09, 0x08, 0x0a, 0x08, 0x0b, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06,
	0x04, 0x01, 0x05, 0x01, 0x06, 0x01, 0x03, 0x03, 0x03, 0x01, 0x03, 0x02, 0x04, 0x02, 0x05, 0x02, 0x06, 0x02,
	0x00, 0x2b, 0x00, 0x09, 0x08, 0x03, 0x04, 0x03, 0x03, 0x03, 0x02, 0x03, 0x01, 0x00, 0x2d, 0x00, 0x02, 0x01,
	0x01, 0x00, 0x33, 0x00, 0x26, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20, 0x4c, 0xe1, 0x58, 0xfc, 0x7c, 0xfb, 0x3c,
	0x94, 0x5d, 0x41, 0x7b, 0xf7, 0x16, 0x6f, 0x9a, 0xf8, 0x5b, 0x1c, 0x38, 0xa9, 0x0b, 0xa8, 0xf0, 0xfa, 0x02,
	0x2c, 0x17, 0x4f, 0x1b, 0x59, 0x81, 0x1b, 0x00, 0x15, 0x00, 0xad, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00,
};

/* Parses a copy of exactly these bytes, so that a sanitizer sees a read beyond them. */
static int parse_exact(struct clienthello *hello, const uint8_t *bytes, size_t count, size_t true_bytes)
{
	uint8_t *copy = malloc(count ? count : 1);
	int result;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, count);
	result = clienthello_parse(hello, copy, count, true_bytes);
	free(copy);
	return result;
}

START_TEST(reads_openssl)
{
	struct clienthello hello;

	ck_assert_int_eq(parse_exact(&hello, openssl_hello, sizeof(openssl_hello), sizeof(openssl_hello)), 0);
	ck_assert_uint_eq(hello.legacy_version, 0x0303);
	ck_assert_uint_eq(hello.min_version, 0x0301);
	ck_assert_uint_eq(hello.max_version, 0x0304);
	ck_assert_uint_eq(hello.cipher_count, 31);
	ck_assert_uint_eq(hello.ciphers[0], 0x1302);
	ck_assert_uint_eq(hello.ciphers[30], 0x00ff);
	ck_assert_uint_eq(hello.sni_bytes, strlen("www.example.test"));
	ck_assert_mem_eq(hello.sni, "www.example.test", hello.sni_bytes);
	ck_assert(hello.sni_present && hello.alpn_present);
	ck_assert(!hello.has_fallback_scsv && !hello.truncated && !hello.malformed);
	ck_assert_uint_eq(hello.alpn_count, 2);
	ck_assert_mem_eq(hello.alpn_store + hello.alpn[1].offset, "http/1.1", hello.alpn[1].bytes);
	ck_assert_uint_eq(hello.group_count, 10);
	ck_assert_uint_eq(hello.groups[0], 0x001d);
	ck_assert_uint_eq(hello.signature_count, 20);
	ck_assert_uint_eq(hello.key_share_count, 1);
	ck_assert_uint_eq(hello.key_shares[0], 0x001d);
	ck_assert_uint_eq(hello.extension_count, 12);
	ck_assert_uint_eq(hello.extensions[11], 21);
}
END_TEST

START_TEST(reads_grease_and_scsv)
{
	struct hello_builder builder;
	struct clienthello hello;

	hello_complete(&builder);
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used, builder.used), 0);
	ck_assert(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0a1a) && !is_grease(0x1301));
	ck_assert(is_grease(hello.ciphers[0]) && is_grease(hello.versions[0]) && is_grease(hello.key_shares[0]));
	ck_assert(hello.has_fallback_scsv);
	ck_assert_uint_eq(hello.min_version, 0x0302);
	ck_assert_uint_eq(hello.max_version, 0x0304);
	ck_assert_uint_eq(hello.key_share_count, 2);
	ck_assert_uint_eq(hello.alpn_total, 2);
}
END_TEST

/* At every length: what was before the cut is there, and a cut is never called a mistake. */
START_TEST(survives_every_cut)
{
	struct hello_builder builder;
	struct clienthello hello;

	hello_complete(&builder);
	for (size_t i = 0; i < builder.used; i++) {
		ck_assert_int_eq(parse_exact(&hello, builder.bytes, i, builder.used), -EMSGSIZE);
		ck_assert(hello.truncated && !hello.malformed);
		ck_assert(hello.max_version == 0 || hello.max_version == 0x0304);
		ck_assert(hello.min_version == 0 || hello.min_version == 0x0302);
		/* The same bytes as a whole message are wrong, but for those that end where extensions may be left
		 * out. */
		ck_assert_int_eq(parse_exact(&hello, builder.bytes, i, i), i == 81 ? 0 : -EBADMSG);
	}
}
END_TEST

START_TEST(keeps_a_cut_name)
{
	struct hello_builder builder;
	struct clienthello hello;

	hello_begin(&builder, (const uint16_t[]){ 0x1301 }, 1);
	hello_u16(&builder, 4 + 5 + 10);
	hello_server_name(&builder, "0123456789");
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used - 3, builder.used), -EMSGSIZE);
	ck_assert(hello.sni_present);
	ck_assert_uint_eq(hello.sni_bytes, 7);
	ck_assert_mem_eq(hello.sni, "0123456", 7);
}
END_TEST

START_TEST(reads_no_extensions)
{
	struct hello_builder builder;
	struct clienthello hello;

	hello_begin(&builder, (const uint16_t[]){ 0x002f, 0x5600 }, 2);
	builder.bytes[1] = 0x01;
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used, builder.used), 0);
	ck_assert_uint_eq(hello.max_version, 0x0301);
	ck_assert_uint_eq(hello.min_version, 0);
	ck_assert(hello.has_fallback_scsv && !hello.sni_present);
}
END_TEST

START_TEST(counts_what_does_not_fit)
{
	struct hello_builder builder;
	struct clienthello hello;
	uint16_t numbers[300];
	size_t extensions;

	for (size_t i = 0; i < 300; i++)
		numbers[i] = (uint16_t)(i + 1);
	numbers[299] = 0x5600;
	hello_begin(&builder, numbers, 300);
	extensions = hello_open(&builder);
	hello_numbers(&builder, 10, numbers, 300);
	for (unsigned int i = 0; i < 100; i++) {
		hello_u16(&builder, 1000 + i);
		hello_u16(&builder, 0);
	}
	hello_close(&builder, extensions);
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used, builder.used), 0);
	ck_assert_uint_eq(hello.cipher_count, CLIENTHELLO_CIPHERS);
	ck_assert_uint_eq(hello.cipher_total, 300);
	ck_assert(hello.has_fallback_scsv);
	ck_assert_uint_eq(hello.group_count, CLIENTHELLO_GROUPS);
	ck_assert_uint_eq(hello.group_total, 300);
	ck_assert_uint_eq(hello.extension_count, CLIENTHELLO_EXTENSIONS);
	ck_assert_uint_eq(hello.extension_total, 101);
}
END_TEST

/* Extensions whose inside is wrong, as type and body; each alone in a message that is otherwise sound. */
static const struct {
	unsigned int type;
	const char *body;
	size_t bytes;
} wrong_extensions[] = {
	{ .type = 0, .body = "", .bytes = 0 },
	{ .type = 0, .body = "\0\0", .bytes = 2 },
	{ .type = 0,
	  .body = "\0\x04\0\0\x02"
		  "a",
	  .bytes = 6 },
	{ .type = 0, .body = "\0\x03\0\0\0", .bytes = 5 },
	{ .type = 0,
	  .body = "\0\x04\0\0\x01"
		  "ab",
	  .bytes = 7 },
	{ .type = 10, .body = "\0\x03\0\x1d\0", .bytes = 5 },
	{ .type = 13, .body = "\0\0", .bytes = 2 },
	{ .type = 16, .body = "\0\x03\x05h2", .bytes = 5 },
	{ .type = 16, .body = "\0\x01\0", .bytes = 3 },
	{ .type = 43, .body = "\x03\x03\x04\x03", .bytes = 4 },
	{ .type = 43, .body = "\x04\x03\x04", .bytes = 3 },
	{ .type = 51, .body = "\0\x04\0\x1d\0\0", .bytes = 6 },
	{ .type = 51,
	  .body = "\0\x06\0\x1d\0\x09"
		  "ab",
	  .bytes = 8 },
};

START_TEST(marks_wrong_extensions)
{
	struct hello_builder builder;
	struct clienthello hello;
	size_t extensions, body;

	hello_begin(&builder, (const uint16_t[]){ 0x1301 }, 1);
	extensions = hello_open(&builder);
	hello_u16(&builder, wrong_extensions[_i].type);
	body = hello_open(&builder);
	hello_bytes(&builder, wrong_extensions[_i].body, wrong_extensions[_i].bytes);
	hello_close(&builder, body);
	hello_numbers(&builder, 777, (const uint16_t[]){ 1 }, 1);
	hello_close(&builder, extensions);
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used, builder.used), -EBADMSG);
	ck_assert(hello.malformed);
	/* What follows is read all the same. */
	ck_assert_uint_eq(hello.extension_count, 2);
	ck_assert_uint_eq(hello.extensions[1], 777);
}
END_TEST

START_TEST(marks_wrong_messages)
{
	struct hello_builder builder;
	struct clienthello hello;
	size_t extensions;

	hello_begin(&builder, (const uint16_t[]){ 0x1301 }, 1);
	extensions = hello_open(&builder);
	hello_server_name(&builder, "a.test");
	hello_server_name(&builder, "b.test");
	hello_close(&builder, extensions);
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used, builder.used), -EBADMSG);
	ck_assert_mem_eq(hello.sni, "a.test", 6); /* the first of two counts */

	hello_complete(&builder);
	hello_u8(&builder, 0); /* bytes behind the extensions */
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used, builder.used), -EBADMSG);

	hello_begin(&builder, NULL, 0);
	ck_assert_int_eq(parse_exact(&hello, builder.bytes, builder.used, builder.used), -EBADMSG);

	ck_assert_int_eq(clienthello_parse(&hello, NULL, 0, 0), -EBADMSG);
	ck_assert_int_eq(clienthello_parse(&hello, NULL, 0, 100), -EMSGSIZE);
}
END_TEST

static bool has_secret(const uint8_t *bytes, size_t count)
{
	return memchr(bytes, HELLO_SECRET, count) != NULL;
}

START_TEST(blanks_all_secrets_and_nothing_else)
{
	struct clienthello before, after;
	struct hello_builder builder;

	hello_complete(&builder);
	ck_assert_int_eq(parse_exact(&before, builder.bytes, builder.used, builder.used), 0);
	ck_assert(has_secret(builder.bytes, builder.used));
	clienthello_blank(builder.bytes, builder.used);
	ck_assert(!has_secret(builder.bytes, builder.used));
	ck_assert_int_eq(parse_exact(&after, builder.bytes, builder.used, builder.used), 0);
	ck_assert_mem_eq(&before, &after, sizeof(before));
}
END_TEST

START_TEST(blanks_cut_messages)
{
	struct hello_builder builder;

	hello_complete(&builder);
	for (size_t i = 0; i <= builder.used; i++) {
		uint8_t *copy = malloc(i ? i : 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, builder.bytes, i);
		clienthello_blank(copy, i);
		ck_assert_msg(!has_secret(copy, i), "a secret is left when cut at %zu", i);
		free(copy);
	}
}
END_TEST

/* A length that is wrong anywhere must not leave a secret that a sound message would have hidden. */
START_TEST(blanks_what_it_does_not_understand)
{
	struct hello_builder builder;
	size_t extensions, body;

	/* Extensions' length too short, too long: the ticket is behind, or the list never ends. */
	for (int change = -200; change <= 200; change += 40) {
		extensions = hello_complete(&builder);
		builder.bytes[extensions] = (uint8_t)((builder.used - extensions - 2 + (size_t)change) >> 8);
		builder.bytes[extensions + 1] = (uint8_t)(builder.used - extensions - 2 + (size_t)change);
		clienthello_blank(builder.bytes, builder.used);
		ck_assert_msg(!has_secret(builder.bytes, builder.used), "a secret is left at %d", change);
	}
	/* A server name extension that swallows a ticket. */
	hello_begin(&builder, (const uint16_t[]){ 0x1301 }, 1);
	extensions = hello_open(&builder);
	hello_u16(&builder, 0);
	body = hello_open(&builder);
	hello_bytes(&builder,
		    "\0\x05\0\0\x02"
		    "ab",
		    7);
	hello_secret(&builder, 50);
	hello_close(&builder, body);
	hello_close(&builder, extensions);
	clienthello_blank(builder.bytes, builder.used);
	ck_assert(!has_secret(builder.bytes, builder.used));
	/* One that is well formed as far as it goes, and goes on behind the end. */
	hello_begin(&builder, (const uint16_t[]){ 0x1301 }, 1);
	hello_u16(&builder, 304);
	hello_bytes(&builder, "\0\0\x01\x2c\x01\x2a\0\x01\x27", 9);
	hello_secret(&builder, 50);
	clienthello_blank(builder.bytes, builder.used);
	ck_assert(!has_secret(builder.bytes, builder.used));
}
END_TEST

Suite *suite_clienthello(void)
{
	Suite *suite = suite_create("clienthello");
	TCase *parse = tcase_create("parse"), *blank = tcase_create("blank");

	tcase_add_test(parse, reads_openssl);
	tcase_add_test(parse, reads_grease_and_scsv);
	tcase_add_test(parse, survives_every_cut);
	tcase_add_test(parse, keeps_a_cut_name);
	tcase_add_test(parse, reads_no_extensions);
	tcase_add_test(parse, counts_what_does_not_fit);
	tcase_add_loop_test(parse, marks_wrong_extensions, 0,
			    (int)(sizeof(wrong_extensions) / sizeof(wrong_extensions[0])));
	tcase_add_test(parse, marks_wrong_messages);
	suite_add_tcase(suite, parse);
	tcase_add_test(blank, blanks_all_secrets_and_nothing_else);
	tcase_add_test(blank, blanks_cut_messages);
	tcase_add_test(blank, blanks_what_it_does_not_understand);
	suite_add_tcase(suite, blank);
	return suite;
}
