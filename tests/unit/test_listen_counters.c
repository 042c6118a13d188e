/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/net/netstat: found by name in whatever order, and refused where its two lines do not fit each other. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/listen_counters.h"

Suite *suite_listen_counters(void);

static const char whole[] = "Other: ListenDrops\n"
			    "Other: 77\n"
			    "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPReqQFullDoCookies "
			    "TCPReqQFullDrop TCPLast\n"
			    "TcpExt: 1 22 333 4 50 6\n"
			    "IpExt: InNoRoutes ListenDrops\n"
			    "IpExt: 0 9\n";

/* In memory of exactly these bytes. */
static int parse(const char *text, size_t bytes, struct listen_counters *out)
{
	char *copy = malloc(bytes ? bytes : 1);
	int error;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, bytes);
	error = listen_counters_parse(copy, bytes, out);
	free(copy);
	return error;
}

START_TEST(reads_its_group)
{
	struct listen_counters counters;

	ck_assert_int_eq(parse(whole, strlen(whole), &counters), 0);
	ck_assert_int_eq(counters.overflows, 22);
	ck_assert_int_eq(counters.drops, 333);
	ck_assert_int_eq(counters.request_queue_full, 54);
}
END_TEST

START_TEST(knows_what_is_missing)
{
	static const char some[] = "TcpExt: ListenOverflows TCPReqQFullDrop\nTcpExt: 9223372036854775807 3\n";
	static const char none[] = "TcpExt:\nTcpExt:\n";
	struct listen_counters counters;

	ck_assert_int_eq(parse(some, strlen(some), &counters), 0);
	ck_assert_int_eq(counters.overflows, INT64_MAX);
	ck_assert_int_eq(counters.drops, LISTEN_COUNTER_UNKNOWN);
	ck_assert_int_eq(counters.request_queue_full, 3);
	ck_assert_int_eq(parse(none, strlen(none), &counters), 0);
	ck_assert_int_eq(counters.overflows, LISTEN_COUNTER_UNKNOWN);
}
END_TEST

/* A cut number would be another number. */
START_TEST(every_cut_is_refused_or_whole)
{
	size_t end = (size_t)(strstr(whole, "IpExt:") - whole);
	struct listen_counters counters = { .overflows = 4711 };

	for (size_t n = 0; n < end; n++)
		ck_assert_msg(parse(whole, n, &counters) == -EBADMSG, "%zu", n);
	ck_assert_int_eq(counters.overflows, 4711);
	ck_assert_int_eq(parse(whole, end, &counters), 0);
}
END_TEST

static const char *const bad[] = {
	"",
	"\n\n",
	"TcpExt",
	"TcpExt: ListenDrops\n",
	"TcpExt: ListenDrops\n\nTcpExt: 1\n",
	"TcpExt: ListenDrops\nIpExt: 1\n",
	"TcpExt: ListenDrops\nTcpExt:1\n",
	"TcpExt: ListenDrops\nTcpExt:\n",
	"TcpExt: ListenDrops\nTcpExt: 1 2\n",
	"TcpExt: A ListenDrops\nTcpExt: 1\n",
	"TcpExt: ListenDrops\nTcpExt: -1\n",
	"TcpExt: ListenDrops\nTcpExt: 0x1\n",
	"TcpExt: ListenDrops\nTcpExt: 1\t\n",
	"TcpExt: ListenDrops\nTcpExt: 9223372036854775808\n",
	"TcpExt: ListenDrops\nTcpExt: 99999999999999999999999999\n",
	"TcpExt: TCPReqQFullDrop TCPReqQFullDoCookies\nTcpExt: 9223372036854775807 1\n",
};

START_TEST(refuses)
{
	struct listen_counters counters = { .drops = 4711 };

	ck_assert_msg(parse(bad[_i], strlen(bad[_i]), &counters) == -EBADMSG, "'%s'", bad[_i]);
	ck_assert_int_eq(counters.drops, 4711);
}
END_TEST

START_TEST(counts_from_the_first_reading)
{
	struct listen_counters lost = LISTEN_COUNTERS_UNKNOWN, last = LISTEN_COUNTERS_UNKNOWN;
	struct listen_counters now = { .overflows = 10, .drops = 100, .request_queue_full = LISTEN_COUNTER_UNKNOWN };

	listen_counters_advance(&lost, &last, &now);
	ck_assert_int_eq(lost.overflows, 0);
	ck_assert_int_eq(lost.drops, 0);
	ck_assert_int_eq(lost.request_queue_full, LISTEN_COUNTER_UNKNOWN);
	now.overflows = 13;
	listen_counters_advance(&lost, &last, &now);
	now.overflows = 2; /* another namespace of the same number */
	now.drops = 101;
	listen_counters_advance(&lost, &last, &now);
	now.overflows = 4;
	listen_counters_advance(&lost, &last, &now);
	ck_assert_int_eq(lost.overflows, 5);
	ck_assert_int_eq(lost.drops, 1);
}
END_TEST

Suite *suite_listen_counters(void)
{
	Suite *suite = suite_create("listen_counters");
	TCase *tests = tcase_create("listen_counters");

	tcase_add_test(tests, reads_its_group);
	tcase_add_test(tests, knows_what_is_missing);
	tcase_add_test(tests, every_cut_is_refused_or_whole);
	tcase_add_loop_test(tests, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tests, counts_from_the_first_reading);
	suite_add_tcase(suite, tests);
	return suite;
}
