/* SPDX-License-Identifier: BSD-2-Clause */
/* layout.h where the table has no row: forks, other projects, versions of the future; and where there is DWARF. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "layout_case.h"

Suite *suite_layout_unknown(void);

START_TEST(an_essential_field_is_missing)
{
	static const char *const functions[] = { "SSL_is_server", "SSL_get_rbio", "SSL_want",
						 "SSL_get_state", "SSL_in_init",  "BIO_get_init" };

	layout_case_take("OpenSSL 3.0.22");
	layout_case_text("OpenSSL 3.0.22+quic 25 Aug 2026");
	ck_assert_int_eq(layout_case_ask(), 0);
	stored_library_set(&stored, functions[_i], SILENT);
	ck_assert_int_eq(layout_case_ask(), -ENOTSUP);
	layout_case_assert_unknown();
	ck_assert_ptr_nonnull(strstr(report.reason, "no layout is known"));
	ck_assert_ptr_nonnull(strstr(report.reason, "could not be decoded"));
	ck_assert_uint_eq(layout.family, LIBRARY_OPENSSL_3);
	ck_assert_uint_eq(layout.error_lib_shift, 23);
}
END_TEST

START_TEST(a_fork_is_not_the_release)
{
	layout_case_take("OpenSSL 3.5.7");
	layout_case_text("OpenSSL 3.5.7+quic 9 Jun 2026");
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_ptr_null(report.row);
	ck_assert_ptr_nonnull(strstr(report.reason, "no layout is known for TLS library 'OpenSSL 3.5.7+quic"));
	ck_assert_int_eq(layout_case_known_fields(), WITNESSES - 1); /* all but the anchor */
	ck_assert_uint_eq(layout.ex_data, 56);
	ck_assert_uint_eq(layout.state_early_data, 50);
	/* As where the number cannot be decoded: the digits of the text tell the generation. */
	stored_library_set(&stored, "OpenSSL_version_num", SILENT);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_uint_eq(report.version_number, 0x30500070);
	ck_assert_uint_eq(layout.state_early_data, 50);
}
END_TEST

START_TEST(text_and_number_contradict_each_other)
{
	layout_case_take("OpenSSL 3.5.7");
	layout_case_number(0x30500060);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	layout_case_text("");
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_TABLE);
}
END_TEST

/* A series that nobody compiled: what decodes, and no meaning of states. */
START_TEST(a_series_of_the_future)
{
	layout_case_take("OpenSSL 4.0.3");
	layout_case_number(0x41000000);
	layout_case_text("OpenSSL 4.1.0 1 Apr 2027");
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_uint_eq(layout.in_init, 184);
	ck_assert_uint_eq(layout.family, LIBRARY_OPENSSL_3);
	ck_assert_uint_eq(layout.error_lib_shift, 23);
	ck_assert_uint_eq(layout.state_hello_server, 0);
	/* Between two that are known it has theirs. */
	layout_case_number(0x30300050);
	layout_case_text("OpenSSL 3.3.5 1 Apr 2027");
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_uint_eq(layout.state_hello_server, 22);
}
END_TEST

START_TEST(an_unknown_library)
{
	layout_case_take("OpenSSL 3.5.7");
	layout_case_text("");
	stored_library_set(&stored, "OpenSSL_version_num", SILENT);
	ck_assert_int_eq(layout_case_ask(), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_ACCESSORS);
	ck_assert_uint_eq(layout.family, LIBRARY_UNKNOWN);
	ck_assert_uint_eq(layout.error_lib_ssl, 0);
	ck_assert_uint_eq(layout.state_hello_server, 0);
	ck_assert_uint_eq(layout.ex_data, LAYOUT_NONE);
	ck_assert_uint_eq(layout.server, 120);
}
END_TEST

/* Whose functions have the names of OpenSSL's and whose states are others. */
static const struct {
	const char *text;
	uint32_t number;
	uint8_t family, error_lib_ssl, error_lib_shift;
} others[] = {
	{ "OpenSSL 1.1.1 (compatible; BoringSSL)", 0x1010107f, LIBRARY_BORINGSSL, 16, 24 },
	{ "OpenSSL 1.1.1 (compatible; AWS-LC 1.36.0)", 0x1010107f, LIBRARY_BORINGSSL, 16, 24 },
	{ "", 0x20000000, LIBRARY_OPENSSL_1_1_1, 20, 24 },
};

START_TEST(another_project)
{
	layout_case_take("OpenSSL 1.1.1w");
	layout_case_text(others[_i].text);
	layout_case_number(others[_i].number);
	ck_assert_int_eq(layout_case_ask(), -ENOTSUP);
	layout_case_assert_unknown();
	ck_assert_uint_eq(layout.family, others[_i].family);
	ck_assert_uint_eq(layout.error_lib_ssl, others[_i].error_lib_ssl);
	ck_assert_uint_eq(layout.error_lib_shift, others[_i].error_lib_shift);
}
END_TEST

START_TEST(dwarf_wins)
{
	uint16_t values[LAYOUT_FIELD_COUNT];

	layout_case_take("OpenSSL 3.5.7");
	ck_assert_int_eq(layout_case_ask(), 0);
	memset(values, 0xff, sizeof(values));
	values[LAYOUT_FIELD_server] = layout.server;
	ck_assert_int_eq(layout_add_dwarf(&report, values, &layout), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_DWARF);
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_server), "dwarf");
	ck_assert_str_eq(layout_field_source(&report, LAYOUT_FIELD_fatal_alert), "table");
	ck_assert_uint_eq(layout.fatal_alert, 448);
	/* Contradicted once, the table is out of use; functions remain. */
	values[LAYOUT_FIELD_fatal_alert] = 456;
	ck_assert_int_eq(layout_add_dwarf(&report, values, &layout), 0);
	ck_assert_uint_eq(layout.fatal_alert, 456);
	ck_assert_uint_eq(layout.send_alert, LAYOUT_NONE);
	ck_assert_uint_eq(layout.session, 2304);
	ck_assert_ptr_nonnull(strstr(report.reason, "'fatal_alert' is at 456 by DWARF"));
	values[LAYOUT_FIELD_session] = 2312;
	ck_assert_int_eq(layout_add_dwarf(&report, values, &layout), 0);
	ck_assert_uint_eq(layout.session, 2312);
}
END_TEST

/* With DWARF alone. */
START_TEST(dwarf_of_an_unknown_library)
{
	uint16_t values[LAYOUT_FIELD_COUNT];

	layout_case_take("OpenSSL 3.5.7");
	ck_assert_int_eq(layout_case_ask(), 0);
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		values[i] = report.fields[i].table;
	for (size_t i = 0; i < stored.count; i++)
		stored_library_set(&stored, stored.functions[i].name, SILENT);
	ck_assert_int_eq(layout_case_ask(), -ENOTSUP);
	ck_assert_int_eq(layout_add_dwarf(&report, values, &layout), 0);
	ck_assert_int_eq(report.source, LAYOUT_SOURCE_DWARF);
	ck_assert_int_eq(layout_case_known_fields(), LAYOUT_FIELD_COUNT - 2); /* s3, peer_share */
	ck_assert_uint_eq(layout.state_hello_server, 22);                     /* by the text */
	values[LAYOUT_FIELD_rbio] = LAYOUT_NONE;
	ck_assert_int_eq(layout_add_dwarf(&report, values, &layout), -ENOTSUP);
	layout_case_assert_unknown();
}
END_TEST

Suite *suite_layout_unknown(void)
{
	Suite *suite = suite_create("layout_unknown");
	TCase *unknown = tcase_create("unknown"), *dwarf = tcase_create("dwarf");

	tcase_add_loop_test(unknown, an_essential_field_is_missing, 0, 6);
	tcase_add_test(unknown, a_fork_is_not_the_release);
	tcase_add_test(unknown, text_and_number_contradict_each_other);
	tcase_add_test(unknown, a_series_of_the_future);
	tcase_add_test(unknown, an_unknown_library);
	tcase_add_loop_test(unknown, another_project, 0, COUNT(others));
	tcase_add_test(dwarf, dwarf_wins);
	tcase_add_test(dwarf, dwarf_of_an_unknown_library);
	suite_add_tcase(suite, unknown);
	suite_add_tcase(suite, dwarf);
	return suite;
}
