/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits before accept() in a JSON report: every key, null for what is not known. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "output/json_host.h"

Suite *suite_json_host(void);

static void assert_text(json_t *value, const char *expected)
{
	char *text = json_dumps(value, JSON_COMPACT);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, expected);
	free(text);
	json_decref(value);
}

START_TEST(tells_listeners)
{
	struct snapshot_listener rows[] = {
		{ .master_pid = 100,
		  .netns = 4026531840u,
		  .family = AF_INET,
		  .port = 443,
		  .address = { 192, 0, 2, 1 },
		  .sockets = 2,
		  .queue = 3,
		  .queue_peak = 6,
		  .queue_limit = 8,
		  .drops = 7,
		  .half_open = 4,
		  .half_open_peak = 5,
		  .half_open_is_bound = true },
		{ .family = AF_INET6,
		  .port = 8443,
		  .address = { [15] = 1 },
		  .sockets = 1,
		  .drops = -1,
		  .half_open = -1,
		  .half_open_peak = -1 },
	};
	const struct snapshot snapshot = { .listeners = rows, .listener_count = 2 };
	bool failed = false;

	assert_text(json_listeners(&snapshot, &failed),
		    "[{\"master_pid\":100,\"netns\":4026531840,\"address\":\"192.0.2.1\",\"port\":443,\"sockets\":2,"
		    "\"queue\":3,\"queue_peak\":6,\"queue_limit\":8,\"drops\":7,\"half_open\":4,\"half_open_peak\":5,"
		    "\"half_open_is_bound\":true},"
		    "{\"master_pid\":null,\"netns\":0,\"address\":\"::1\",\"port\":8443,\"sockets\":1,"
		    "\"queue\":0,\"queue_peak\":0,\"queue_limit\":0,\"drops\":null,\"half_open\":null,"
		    "\"half_open_peak\":null,\"half_open_is_bound\":false}]");
	ck_assert(!failed);
}
END_TEST

START_TEST(tells_namespaces)
{
	struct snapshot_netns rows[] = {
		{ .netns = 4026531840u, .listen_overflows = 5, .listen_drops = 7, .request_queue_full = 0 },
		{ .netns = 1, .listen_overflows = -1, .listen_drops = -1, .request_queue_full = -1 },
	};
	const struct snapshot snapshot = { .namespaces = rows, .namespace_count = 2 };
	bool failed = false;

	assert_text(json_namespaces(&snapshot, &failed),
		    "[{\"netns\":4026531840,\"listen_overflows\":5,\"listen_drops\":7,\"request_queue_full\":0},"
		    "{\"netns\":1,\"listen_overflows\":null,\"listen_drops\":null,\"request_queue_full\":null}]");
	ck_assert(!failed);
}
END_TEST

START_TEST(is_empty_where_there_is_nothing)
{
	const struct snapshot snapshot = { .seconds = 1 };
	bool failed = false;

	assert_text(json_listeners(&snapshot, &failed), "[]");
	assert_text(json_namespaces(&snapshot, &failed), "[]");
	ck_assert(!failed);
}
END_TEST

Suite *suite_json_host(void)
{
	Suite *suite = suite_create("json_host");
	TCase *tests = tcase_create("json_host");

	tcase_add_test(tests, tells_listeners);
	tcase_add_test(tests, tells_namespaces);
	tcase_add_test(tests, is_empty_where_there_is_nothing);
	suite_add_tcase(suite, tests);
	return suite;
}
