/* SPDX-License-Identifier: BSD-2-Clause */
/* layout.h where the table has a row: this host's library, and those made of the machine code that Debian's have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "layout_case.h"
#include "library_copy.h"

Suite *suite_layout(void);

START_TEST(accepts_the_hosts_library)
{
	struct library_copy files[2];
	struct library *libssl, *libcrypto;
	bool known;

	library_copy_make(&files[0], "libssl.so.3");
	library_copy_make(&files[1], "libcrypto.so.3");
	libssl = library_copy_open(&files[0]);
	libcrypto = library_copy_open(&files[1]);
	known = !layout_for(libssl, libcrypto, &layout, &report) && report.row;
	library_close(libssl);
	library_close(libcrypto);
	library_copy_release(&files[0]);
	library_copy_release(&files[1]);
	if (!known) {
		fprintf(stderr, "this host's '%s' is of no series in the table\n", report.version);
		exit(SKIPPED);
	}
	ck_assert_msg(report.source == LAYOUT_SOURCE_TABLE, "%s", report.reason);
	ck_assert_uint_eq(report.agreeing, WITNESSES);
}
END_TEST

/* version: where the object has it tells which generation it is; unread: fields that the release does not have. */
static const struct {
	const char *text;
	bool compiled;
	const char *row;
	unsigned int witnesses;
	int fields;
	struct layout some;
} libraries[] = {
	{ .text = "OpenSSL 1.1.1w",
	  .compiled = true,
	  .row = "1.1.1j to 1.1.1w",
	  .witnesses = WITNESSES + 1,
	  .fields = LAYOUT_FIELD_COUNT - 3, /* record_layer, did_kex, session_group */
	  .some = { .server = 56, .s3 = 168, .ex_data = 1464, .family = 1, .error_lib_shift = 24 } },
	{ .text = "OpenSSL 3.0.22",
	  .compiled = true,
	  .row = "3.0.0 to 3.0.22",
	  .witnesses = WITNESSES,
	  .fields = LAYOUT_FIELD_COUNT - 3, /* record_layer, s3, peer_share */
	  .some = { .server = 56, .s3 = LAYOUT_NONE, .ex_data = 2504, .family = 2, .error_lib_shift = 23 } },
	{ .text = "OpenSSL 3.5.7",
	  .compiled = true,
	  .row = "3.5.0 to 3.5.7",
	  .witnesses = WITNESSES,
	  .fields = LAYOUT_FIELD_COUNT - 2,
	  .some = { .server = 120, .s3 = LAYOUT_NONE, .ex_data = 56, .family = 2, .error_lib_shift = 23 } },
	/* Of series whose other releases were compiled. */
	{ .text = "OpenSSL 3.6.5",
	  .row = "3.6.0 to 3.6.3",
	  .witnesses = WITNESSES,
	  .fields = LAYOUT_FIELD_COUNT - 2,
	  .some = { .server = 120, .s3 = LAYOUT_NONE, .ex_data = 56, .family = 2, .error_lib_shift = 23 } },
	{ .text = "OpenSSL 4.0.3",
	  .row = "4.0.2",
	  .witnesses = WITNESSES,
	  .fields = LAYOUT_FIELD_COUNT - 2,
	  .some = { .server = 120, .s3 = LAYOUT_NONE, .ex_data = 56, .family = 2, .error_lib_shift = 23 } },
};

START_TEST(accepts_debians_libraries)
{
	enum library_machine machine = _i & 1 ? LIBRARY_MACHINE_AARCH64 : LIBRARY_MACHINE_X86_64;
	const __typeof__(libraries[0]) *it = &libraries[_i / 2];

	stored_library_read(&stored, machine, it->text);
	ck_assert_msg(!layout_case_ask() && report.source == LAYOUT_SOURCE_TABLE, "%s: %s", it->text, report.reason);
	ck_assert_str_eq(report.reason, "");
	ck_assert_str_eq(report.row, it->row);
	ck_assert_int_eq(report.row_compiled, it->compiled);
	ck_assert_uint_eq(report.agreeing, it->witnesses);
	ck_assert_uint_eq(report.disagreeing + report.silent, 0);
	ck_assert_int_eq(layout_case_known_fields(), it->fields);
	ck_assert_uint_eq(layout.server, it->some.server);
	ck_assert_uint_eq(layout.s3, it->some.s3);
	ck_assert_uint_eq(layout.ex_data, it->some.ex_data);
	ck_assert_uint_eq(layout.family, it->some.family);
	ck_assert_uint_eq(layout.error_lib_shift, it->some.error_lib_shift);
	ck_assert_uint_eq(layout.error_lib_ssl, 20);
}
END_TEST

START_TEST(says_who_gave_a_field)
{
	layout_case_take("OpenSSL 3.5.7");
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_server), "table and accessors");
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_fatal_alert), "table");
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_s3), "unknown");
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_COUNT), "unknown");
	ck_assert_str_eq(layout_source_name(report.source), "table");
}
END_TEST

START_TEST(a_silent_function_is_no_disagreement)
{
	layout_case_take("OpenSSL 3.0.22");
	stored_library_set(&stored, "SSL_is_server", SILENT);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_TABLE);
	/* And with it the server name's, which is walked as a server's. */
	ck_assert_uint_eq(report.agreeing, WITNESSES - 2);
	ck_assert_uint_eq(report.silent, 2);
	ck_assert_uint_eq(layout.server, 56);
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_server), "table");
}
END_TEST

/* What a patched library under an upstream version is: fields moved, its functions with them. */
START_TEST(one_disagreement_is_enough)
{
	layout_case_take("OpenSSL 1.1.1w");
	stored_library_set(&stored, "SSL_get_session", "\x48\x8b\x87\xd0\x05\0\0\xc3", 8); /* mov rax,[rdi+0x5d0] */
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_uint_eq(report.disagreeing, 1);
	ck_assert_ptr_nonnull(
		strstr(report.reason, "'session' is at 1488 by the library's machine code and at 1296"));
	ck_assert_uint_eq(layout.session, 1488);
	ck_assert_uint_eq(layout.hostname, 1600);
	ck_assert_uint_eq(layout.fatal_alert, LAYOUT_NONE);
	ck_assert_uint_eq(report.fields[LAYOUT_FIELD_fatal_alert].table, 248);
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_server), "accessors");
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_fatal_alert), "unknown");
	ck_assert_int_eq(layout_case_known_fields(), WITNESSES); /* all but the anchor */
	ck_assert_uint_eq(layout.new_cipher, 568);
	ck_assert_uint_eq(layout.state_hello_server, 20);
}
END_TEST

/* A field that stands for its surroundings, and one that nobody reads. */
START_TEST(an_anchor_disagrees)
{
	static const char *const anchors[] = { "SSL_get_pending_cipher", "SSL_get_read_ahead" };

	layout_case_take("OpenSSL 3.0.22");
	stored_library_set(&stored, anchors[_i], "\x48\x8b\x87\xd0\x05\0\0\xc3", 8);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_uint_eq(report.disagreeing, 1);
}
END_TEST

/* s3 where the table has none: alerts are elsewhere. */
START_TEST(a_field_that_should_not_be_there)
{
	layout_case_take("OpenSSL 3.0.22");
	stored_library_set(&stored, "SSL_get_pending_cipher", "\x48\x8b\x87\xa8\0\0\0\x48\x8b\x80\xe0\x02\0\0\xc3",
			   15);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_ptr_nonnull(strstr(report.reason, "'s3' is at 168 by the library's machine code and nowhere"));
}
END_TEST

/* Of a release that was not compiled everything must be seen. */
START_TEST(a_neighbour_needs_all_functions)
{
	layout_case_take("OpenSSL 3.6.5");
	stored_library_set(&stored, "SSL_get_verify_mode", SILENT);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_ptr_nonnull(strstr(report.reason, "only 25 of 26 fields"));
	ck_assert_uint_eq(layout.verify_mode, LAYOUT_NONE);
	ck_assert_uint_eq(layout.state_hello_server, 22);
}
END_TEST

START_TEST(too_few_witnesses)
{
	static const char *const silenced[] = { "SSL_version",        "SSL_get_wbio",          "SSL_get_shutdown",
						"SSL_session_reused", "SSL_get_session",       "SSL_get_verify_mode",
						"SSL_get_read_ahead", "SSL_get_verify_result", "SSL_client_version",
						"SSL_get_options",    "SSL_get_pending_cipher" };

	layout_case_take("OpenSSL 3.0.22");
	for (int i = 0; i < COUNT(silenced) - 2; i++)
		stored_library_set(&stored, silenced[i], SILENT);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_TABLE);
	ck_assert_uint_eq(report.agreeing, 16); /* the server name's needs that of a resumed session */
	stored_library_set(&stored, silenced[COUNT(silenced) - 1], SILENT);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_ptr_nonnull(strstr(report.reason, "only 15 of 26 fields"));
	/* Without the place of the version, what states mean is not known. */
	ck_assert_uint_eq(layout.state_hello_server, 0);
	ck_assert_uint_eq(layout.family, LIBRARY_OPENSSL_3);
}
END_TEST

Suite *suite_layout(void)
{
	Suite *suite = suite_create("layout");
	TCase *table = tcase_create("table"), *refused = tcase_create("refused");

	tcase_add_test(table, accepts_the_hosts_library);
	tcase_add_loop_test(table, accepts_debians_libraries, 0, 2 * COUNT(libraries));
	tcase_add_test(table, says_who_gave_a_field);
	tcase_add_test(table, a_silent_function_is_no_disagreement);
	tcase_add_test(refused, one_disagreement_is_enough);
	tcase_add_loop_test(refused, an_anchor_disagrees, 0, 2);
	tcase_add_test(refused, a_field_that_should_not_be_there);
	tcase_add_test(refused, a_neighbour_needs_all_functions);
	tcase_add_test(refused, too_few_witnesses);
	suite_add_tcase(suite, table);
	suite_add_tcase(suite, refused);
	return suite;
}
