/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.h and accessor.h against the host's OpenSSL 3.0 or 3.1 and copies of it with other machine code in it.
 * The code stands in place of SSL_get_options; what follows it in the file is overwritten too and never asked.
 */
#define _GNU_SOURCE /* memmem() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "attach/accessor.h"
#include "attach/layout.h"
#include "library_copy.h"

Suite *suite_layout(void);

/* What is understood: forms that compilers were seen to use. */
static const struct {
	const char *name;
	const char *code;
	size_t bytes;
	uint32_t offset;
} understood[] = {
#define CODE(text) .code = (text), .bytes = sizeof(text) - 1
	/* mov eax,[rdi+0x64]; xor edi,edi; ret */
	{ .name = "plain", CODE("\x8b\x47\x64\x31\xff\xc3"), .offset = 100 },
	/* OpenSSL 3.2 and later: NULL, type 0, QUIC types, the field */
	{ .name = "type check",
	  CODE("\xf3\x0f\x1e\xfa\x48\x85\xff\x74\x1b\x8b\x07\x85\xc0\x74\x0d\xa8\x80\x74\x11\x48\x83\xec\x08"
	       "\xe8\x08\x00\x00\x00\x48\x8b\x87\xb0\x09\x00\x00\xc3\x31\xc0\xc3"),
	  .offset = 2480 },
	/* xor eax,eax; cmp dword [rdi],0; cmove rax,rdi; mov eax,[rax+0x70]; xor edi,edi; ret */
	{ .name = "conditional move",
	  CODE("\x31\xc0\x83\x3f\x00\x48\x0f\x44\xc7\x8b\x40\x70\x31\xff\xc3"),
	  .offset = 112 },
	/* push rbx; mov rbx,rdi; mov rdx,[rbx+0x900]; pop rbx; mov rax,rdx; ret */
	{ .name = "through registers",
	  CODE("\x53\x48\x89\xfb\x48\x8b\x93\x00\x09\x00\x00\x5b\x48\x89\xd0\xc3"),
	  .offset = 2304 },
	/* mov eax,[rdi]; test al,al; jne; mov eax,[rdi+0x84]; ret; xor eax,eax; ret */
	{ .name = "test of a byte",
	  CODE("\x8b\x07\x84\xc0\x75\x07\x8b\x87\x84\x00\x00\x00\xc3\x31\xc0\xc3"),
	  .offset = 132 },
	{ .name = "jump", CODE("\xeb\x01\xc3\x8b\x47\x64\xc3"), .offset = 100 },
};

/* What must not be: a value would be wrong, or a guess. */
static const struct {
	const char *name;
	const char *code;
	size_t bytes;
} refused[] = {
	{ .name = "a call", CODE("\x48\x83\xec\x08\xe8\x5f\x00\x00\x00\x8b\x47\x08\x48\x83\xc4\x08\xc3") },
	{ .name = "a field of a field", CODE("\x48\x8b\x87\xa8\x00\x00\x00\x8b\x40\x04\xc3") },
	{ .name = "an endless loop", CODE("\xeb\xfe") },
	{ .name = "a constant", CODE("\xb8\x05\x00\x00\x00\xc3") },
	{ .name = "arithmetic", CODE("\x8b\x47\x08\x83\xc0\x01\xc3") },
	{ .name = "a shift", CODE("\x8b\x47\x08\xd1\xe8\xc3") },
	{ .name = "a branch on an unknown field",
	  CODE("\x8b\x47\x04\x85\xc0\x74\x04\x8b\x47\x70\xc3\x8b\x87\x80\x00\x00\x00\xc3") },
	{ .name = "a byte", CODE("\x0f\xb6\x47\x05\xc3") },
	{ .name = "an index", CODE("\x48\x8b\x44\xf7\x10\xc3") },
	{ .name = "a segment", CODE("\x64\x48\x8b\x47\x10\xc3") },
	{ .name = "the second argument", CODE("\x8b\x46\x08\xc3") },
	{ .name = "flags of something else",
	  CODE("\x48\x85\xff\x48\x83\xec\x08\x74\x08\x48\x83\xc4\x08\x8b\x47\x08\xc3\xc3") },
	{ .name = "a push without a pop", CODE("\x57\x8b\x47\x08\xc3") },
	{ .name = "half a pointer", CODE("\x89\xf8\x8b\x40\x08\xc3") },
	{ .name = "before the object", CODE("\x8b\x47\xf8\xc3") },
	{ .name = "eight bytes as the type", CODE("\x48\x8b\x07\x48\x85\xc0\x74\x03\x31\xc0\xc3\x8b\x47\x08\xc3") },
	{ .name = "no instruction", CODE("\x06\x06\x06") },
#undef CODE
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static int decode(const char *code, size_t bytes, uint32_t *offset)
{
	struct library_copy copy;
	struct library *library;
	int error;

	library_copy_make(&copy, "libssl.so.3");
	library_copy_patch(&copy, "SSL_get_options", code, bytes);
	library = library_copy_open(&copy);
	error = accessor_offset(library, "SSL_get_options", offset);
	library_close(library);
	library_copy_release(&copy);
	return error;
}

START_TEST(follows_accessors)
{
	uint32_t offset = 0;

	ck_assert_msg(!decode(understood[_i].code, understood[_i].bytes, &offset), "%s", understood[_i].name);
	ck_assert_uint_eq(offset, understood[_i].offset);
}
END_TEST

START_TEST(fails_closed)
{
	uint32_t offset = 4711;

	ck_assert_msg(decode(refused[_i].code, refused[_i].bytes, &offset) == -ENOTSUP, "%s gave %u",
		      refused[_i].name, offset);
	ck_assert_uint_eq(offset, 4711);
}
END_TEST

START_TEST(no_such_accessor)
{
	char path[4096];
	autolibrary struct library *library = NULL;
	uint32_t offset;

	library_find("libssl.so.3", path);
	ck_assert_int_eq(library_open(path, &library), 0);
	ck_assert_int_eq(accessor_offset(library, "SSL_get_nothing", &offset), -ENOENT);
}
END_TEST

struct pair {
	struct library_copy libssl, libcrypto;
};

static void pair_make(struct pair *pair)
{
	struct library *library;
	uint32_t version;

	library_copy_make(&pair->libssl, "libssl.so.3");
	library_copy_make(&pair->libcrypto, "libcrypto.so.3");
	library = library_copy_open(&pair->libcrypto);
	ck_assert_int_eq(library_version_number(library, &version), 0);
	library_close(library);
	if (version >= 0x30200000) {
		fprintf(stderr, "this host's OpenSSL is newer than the table's rows\n");
		exit(SKIPPED);
	}
}

static int pair_layout(const struct pair *pair, struct layout *layout, struct layout_report *report)
{
	struct library *libssl = library_copy_open(&pair->libssl), *libcrypto = library_copy_open(&pair->libcrypto);
	int error = layout_for(libssl, libcrypto, layout, report);

	library_close(libssl);
	library_close(libcrypto);
	return error;
}

static void pair_release(struct pair *pair)
{
	library_copy_release(&pair->libssl);
	library_copy_release(&pair->libcrypto);
}

START_TEST(accepts_the_hosts_library)
{
	struct pair pair;
	struct layout layout;
	struct layout_report report;

	pair_make(&pair);
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_TABLE);
	ck_assert_uint_eq(report.agreeing, 19);
	ck_assert_uint_eq(report.disagreeing, 0);
	ck_assert_str_eq(report.reason, "");
	ck_assert_uint_eq(layout.server, 56);
	ck_assert_uint_eq(layout.bio_flags, 48);
	ck_assert_uint_eq(layout.family, LIBRARY_OPENSSL_3);
	ck_assert_uint_eq(layout.error_lib_shift, 23);
	pair_release(&pair);
}
END_TEST

/* A row with a field left out would say that the field is at 0, where only the version is before OpenSSL 3.2. */
START_TEST(the_row_has_every_field)
{
	struct pair pair;
	struct layout layout;
	struct layout_report report;

	pair_make(&pair);
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), 0);
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++) {
		if (i != LAYOUT_FIELD_version)
			ck_assert_msg(report.fields[i].table, "%s", layout_field_name((enum layout_field)i));
	}
	pair_release(&pair);
}
END_TEST

START_TEST(one_disagreement_is_enough)
{
	struct pair pair;
	struct layout layout = { .server = 4711 };
	struct layout_report report;

	pair_make(&pair);
	library_copy_patch(&pair.libssl, "SSL_is_server", "\x8b\x47\x40\xc3", 4); /* mov eax,[rdi+0x40]; ret */
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), -ENOTSUP);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_NONE);
	ck_assert_uint_eq(report.disagreeing, 1);
	ck_assert_uint_eq(report.fields[LAYOUT_FIELD_server].accessors, 64);
	ck_assert_uint_eq(report.fields[LAYOUT_FIELD_server].table, 56);
	ck_assert_ptr_nonnull(strstr(report.reason, "'server' is at 64"));
	ck_assert_uint_eq(layout.server, 4711);
	pair_release(&pair);
}
END_TEST

START_TEST(a_silent_accessor_is_no_disagreement)
{
	struct pair pair;
	struct layout layout;
	struct layout_report report;

	pair_make(&pair);
	library_copy_patch(&pair.libssl, "SSL_is_server", "\xeb\xfe", 2);
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), 0);
	ck_assert_uint_eq(report.agreeing, 18);
	ck_assert_uint_eq(report.fields[LAYOUT_FIELD_server].accessors, LAYOUT_NONE);
	pair_release(&pair);
}
END_TEST

START_TEST(too_few_witnesses)
{
	static const char *const silenced[] = { "SSL_version", "SSL_is_server",     "SSL_get_rbio",
						"SSL_want",    "SSL_get_shutdown",  "SSL_get_state",
						"SSL_in_init", "SSL_session_reused" };
	struct pair pair;
	struct layout layout;
	struct layout_report report;

	pair_make(&pair);
	for (int i = 0; i < COUNT(silenced); i++)
		library_copy_patch(&pair.libssl, silenced[i], "\xeb\xfe", 2);
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), -ENOTSUP);
	ck_assert_uint_eq(report.agreeing, 11);
	ck_assert_ptr_nonnull(strstr(report.reason, "only 11 fields"));
	pair_release(&pair);
}
END_TEST

START_TEST(unknown_and_contradicting_versions)
{
	struct pair pair;
	struct layout layout;
	struct layout_report report;

	pair_make(&pair);
	library_copy_patch(&pair.libcrypto, "OpenSSL_version_num", "\xb8\x70\x00\x50\x30\xc3", 6); /* 3.5.7 */
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), -ENOTSUP);
	ck_assert_uint_eq(report.version_number, 0x30500070);
	ck_assert_ptr_nonnull(strstr(report.reason, "no layout is known"));
	/* 3.0.1 by number, another patch release by text. */
	library_copy_patch(&pair.libcrypto, "OpenSSL_version_num", "\xb8\x10\x00\x00\x30\xc3", 6);
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), -ENOTSUP);
	pair_release(&pair);
}
END_TEST

/* "OpenSSL 3.0.19 ..." becomes "OpenSSL 3.0.19+...": a fork's layout is another one. */
START_TEST(a_fork_is_not_the_release)
{
	struct pair pair;
	struct layout layout;
	struct layout_report report;
	unsigned char *text, *blank;

	pair_make(&pair);
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), 0);
	while ((text = memmem(pair.libcrypto.bytes, pair.libcrypto.size, report.version, strlen(report.version)))) {
		blank = memchr(text + strlen("OpenSSL "), ' ', 12);
		ck_assert_ptr_nonnull(blank);
		*blank = '+';
	}
	ck_assert_int_eq(pair_layout(&pair, &layout, &report), -ENOTSUP);
	ck_assert_ptr_nonnull(strchr(report.version, '+'));
	pair_release(&pair);
}
END_TEST

Suite *suite_layout(void)
{
	Suite *suite = suite_create("layout");
	TCase *accessors = tcase_create("accessors"), *rows = tcase_create("rows");

	tcase_add_loop_test(accessors, follows_accessors, 0, COUNT(understood));
	tcase_add_loop_test(accessors, fails_closed, 0, COUNT(refused));
	tcase_add_test(accessors, no_such_accessor);
	tcase_add_test(rows, accepts_the_hosts_library);
	tcase_add_test(rows, the_row_has_every_field);
	tcase_add_test(rows, one_disagreement_is_enough);
	tcase_add_test(rows, a_silent_accessor_is_no_disagreement);
	tcase_add_test(rows, too_few_witnesses);
	tcase_add_test(rows, unknown_and_contradicting_versions);
	tcase_add_test(rows, a_fork_is_not_the_release);
	suite_add_tcase(suite, accessors);
	suite_add_tcase(suite, rows);
	return suite;
}
