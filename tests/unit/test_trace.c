/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace, as text and as JSON: what is known is said, what is not is null, and a line is a line. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "output/trace_json.h"
#include "output/trace_text.h"
#include "output/when.h"

#include "trace_sample.h"

Suite *suite_trace(void);

START_TEST(json_says_what_is_known)
{
	struct observation observation = trace_rejected();
	json_t *object = trace_object_of(&observation), *parts = json_object_get(object, "parts");

	ck_assert_str_eq(trace_string(object, "time"), "2026-03-04T05:06:07.123456Z");
	ck_assert_str_eq(trace_string(object, "direction"), "upstream");
	ck_assert_str_eq(trace_string(object, "outcome"), "rejected");
	ck_assert_str_eq(trace_string(object, "cause"), "peer_certificate_expired");
	ck_assert_str_eq(trace_string(object, "peer"), "192.0.2.1");
	ck_assert_str_eq(trace_string(object, "server_name"), "a\033b");
	ck_assert_str_eq(trace_string(object, "version"), "TLSv1.3");
	ck_assert_str_eq(trace_string(object, "cipher"), "TLS_AES_256_GCM_SHA384");
	ck_assert_str_eq(trace_string(object, "alert_received"), "handshake_failure");
	ck_assert_str_eq(trace_string(object, "verify_text"), "certificate has expired");
	ck_assert_str_eq(trace_string(object, "errno"), "ECONNRESET");
	ck_assert_str_eq(trace_string(object, "transport"), "tcp");
	ck_assert_int_eq(json_integer_value(json_object_get(object, "pid")), 4711);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "port")), 8443);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "local_port")), 40000);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "verify_result")), 10);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "connection")), 77);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "generation")), 3);
	ck_assert(json_is_true(json_object_get(object, "resumed")) &&
		  json_is_true(json_object_get(object, "amends")));
	ck_assert(json_is_null(json_object_get(object, "alert_sent")));
	trace_assert_seconds(object, "latency_seconds", 0.01);
	trace_assert_seconds(parts, "cpu_seconds", 0.002);
	trace_assert_seconds(parts, "preempted_seconds", 0.001);
	trace_assert_seconds(parts, "unattributed_seconds", 0.007);
	ck_assert(json_is_null(json_object_get(parts, "peer_seconds")));
	ck_assert_uint_eq(json_object_size(parts), 7);
	ck_assert_uint_eq(json_array_size(json_object_get(object, "errors")), 2);
	ck_assert_str_eq(trace_string(json_array_get(json_object_get(object, "errors"), 0), "code"), "0A0000C1");
	ck_assert_str_eq(trace_string(json_array_get(json_object_get(object, "errors"), 1), "text"), "ENOENT");
	json_decref(object);
}
END_TEST

START_TEST(json_knows_what_it_does_not_know)
{
	static const char *const unknown[] = {
		"peer",          "port",       "local_port",     "server_name",     "latency_seconds",
		"version",       "cipher",     "resumed",        "verify_result",   "transport",
		"connection",    "proxied_by", "alert_received", "alert_sent",      "errno",
		"whole_seconds", "waited_for", "srtt_seconds",   "min_rtt_seconds", "retransmits",
		"group",         "signature",
	};
	struct observation observation = {
		.event = {
			.header = { .kind = EVENT_SETTLED },
			.verdict = {
				.outcome = OUTCOME_ABANDONED,
				.flags = VERDICT_JOINED | VERDICT_OBJECT_UNREADABLE,
			},
		},
		.cause = CAUSE_UNKNOWN,
	};
	json_t *object = trace_object_of(&observation), *part;
	const char *key;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ck_assert_msg(json_is_null(json_object_get(object, unknown[i])), "'%s' is not null", unknown[i]);
	json_object_foreach(json_object_get(object, "parts"), key, part)
		ck_assert_msg(json_is_null(part), "'%s' is not null", key);
	json_object_foreach(json_object_get(object, "resolution_seconds"), key, part)
		ck_assert_msg(json_is_null(part), "'%s' is not null", key);
	ck_assert(json_is_true(json_object_get(object, "joined")) &&
		  json_is_false(json_object_get(object, "amends")));
	ck_assert_uint_eq(json_array_size(json_object_get(object, "errors")), 0);
	json_decref(object);
}
END_TEST

/* 0 is X509_V_OK and also what is there when nothing was verified. */
START_TEST(verify_result_needs_a_certificate)
{
	struct observation observation = trace_rejected();
	json_t *object;

	observation.event.header.kind = EVENT_SETTLED;
	observation.event.verdict = (struct verdict){ .library = LIBRARY_OPENSSL_3 };
	object = trace_object_of(&observation);
	ck_assert(json_is_null(json_object_get(object, "verify_result")));
	ck_assert(json_is_null(json_object_get(object, "verify_text")));
	json_decref(object);
	observation.event.verdict.flags = VERDICT_PEER_CERTIFICATE;
	object = trace_object_of(&observation);
	ck_assert(json_is_integer(json_object_get(object, "verify_result")));
	json_decref(object);
}
END_TEST

START_TEST(text_has_columns)
{
	struct observation observation = trace_rejected();
	char *line = trace_line_of(&observation, trace_text);

	ck_assert_str_eq(
		line,
		"05:06:07.123    4711 upstream 192.0.2.1:8443        a\\x1bb                       "
		"peer_certificate_expired       10.00 ms TLSv1.3 (amends), no shared cipher, received "
		"handshake_failure, certificate has expired, ECONNRESET [unattributed 7.00 ms, cpu 2.00 ms, preempted "
		"1.00 ms]\n");
	free(line);
	observation = (struct observation){
		.event = { .header = { .kind = EVENT_SETTLED }, .verdict = { .flags = VERDICT_JOINED } },
	};
	line = trace_line_of(&observation, trace_text);
	ck_assert_str_eq(line, "05:06:07.000       0 unknown  -                     -                            "
			       "ok                                    - -      \n");
	free(line);
}
END_TEST

START_TEST(text_cuts_names_and_no_addresses)
{
	struct observation observation = trace_rejected();
	char *line;

	memset(observation.sni, 0xff, 200);
	observation.sni_bytes = 200;
	observation.event.family = AF_INET6;
	memset(observation.event.peer, 0xab, 16);
	line = trace_line_of(&observation, trace_text);
	ck_assert_ptr_nonnull(strstr(line, " [abab:abab:abab:abab:abab:abab:abab:abab]:8443 "));
	ck_assert_ptr_nonnull(strstr(line, " \\xff\\xff\\xff\\xff\\xff\\xff...  "));
	free(line);
}
END_TEST

/* What a PROXY protocol header holds is the peer; it is text of a stranger. */
START_TEST(peer_of_a_proxy)
{
	struct observation observation = trace_rejected();
	json_t *object;
	char *line;

	memcpy(observation.event.proxy, "2001:db8::7", 11);
	observation.event.proxy_bytes = 11;
	observation.event.proxy_port = 555;
	object = trace_object_of(&observation);
	ck_assert_str_eq(trace_string(object, "peer"), "2001:db8::7");
	ck_assert_str_eq(trace_string(object, "proxied_by"), "192.0.2.1");
	ck_assert_int_eq(json_integer_value(json_object_get(object, "port")), 555);
	json_decref(object);
	memset(observation.event.proxy, '\033', EVENT_PROXY_BYTES);
	observation.event.proxy_bytes = EVENT_PROXY_BYTES;
	line = trace_line_of(&observation, trace_text);
	ck_assert_ptr_nonnull(strstr(line, "\\x1b\\x1b:555"));
	free(line);
}
END_TEST

START_TEST(marks_have_no_line)
{
	struct observation observation = trace_rejected();

	for (uint8_t kind = EVENT_FINAL; kind <= EVENT_TARGET; kind++) {
		char *text;

		observation.event.header.kind = kind;
		text = trace_line_of(&observation, trace_text);
		ck_assert_str_eq(text, "");
		free(text);
		text = trace_line_of(&observation, trace_json);
		ck_assert_str_eq(text, "");
		free(text);
	}
}
END_TEST

START_TEST(header_fits_the_columns)
{
	struct observation observation = trace_rejected();
	char *line = trace_line_of(&observation, trace_text), *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_int_eq(trace_text_header(stream), 0);
	fclose(stream);
	ck_assert_int_eq(strstr(text, "SERVER") - text, strstr(line, "a\\x1b") - line);
	ck_assert_int_eq(strstr(text, "DETAIL") - text, strstr(line, "(amends)") - line);
	free(text);
	free(line);
}
END_TEST

START_TEST(tells_dates)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} dates[] = {
		{ .seconds = 0, .text = "1970-01-01T00:00:00.000000Z" },
		{ .seconds = 951782400, .text = "2000-02-29T00:00:00.000000Z" },
		{ .seconds = 951868799, .text = "2000-02-29T23:59:59.000000Z" },
		{ .seconds = 1767225599, .text = "2025-12-31T23:59:59.000000Z" },
		{ .seconds = 4107542400, .text = "2100-03-01T00:00:00.000000Z" },
		{ .seconds = UINT64_MAX / 1000000000, .text = "2554-07-21T23:34:33.000000Z" },
	};
	char buffer[WHEN_BYTES];

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
		ck_assert_str_eq(when_rfc3339(dates[i].seconds * 1000000000, buffer), dates[i].text);
}
END_TEST

Suite *suite_trace(void)
{
	Suite *suite = suite_create("trace");
	TCase *json = tcase_create("json"), *text = tcase_create("text");

	tcase_add_test(json, json_says_what_is_known);
	tcase_add_test(json, json_knows_what_it_does_not_know);
	tcase_add_test(json, verify_result_needs_a_certificate);
	suite_add_tcase(suite, json);
	tcase_add_test(text, text_has_columns);
	tcase_add_test(text, text_cuts_names_and_no_addresses);
	tcase_add_test(text, peer_of_a_proxy);
	tcase_add_test(text, marks_have_no_line);
	tcase_add_test(text, header_fits_the_columns);
	tcase_add_test(text, tells_dates);
	suite_add_tcase(suite, text);
	return suite;
}
