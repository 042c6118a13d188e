/* SPDX-License-Identifier: BSD-2-Clause */
/* Where time went, in the text report: causes, workers, listeners, costs, names; within the width, and only what is
 * known. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"

#include "report_text.h"
#include "sample.h"
#include "sample_time.h"

Suite *suite_text_time(void);

START_TEST(answers_with_the_worker)
{
	struct snapshot snapshot;
	char *text;

	sample_saturated(&snapshot);
	text = report_as_text(&snapshot, NULL);
	assert_begins(text,
		      "client: 10.0 % fail, timeout_mid_handshake since 05:06:12Z; nginx's worker was late; see\n"
		      "  worker_processes\n"
		      "  100 of 1000 settled handshakes: nginx gave up in the middle of the handshake\n"
		      "  80 of these waited longer for nginx's worker than for the peer: worker 2449 at 98 % of a");
	assert_has(text, "look at: worker_processes");
	assert_has_not(text, "see\n  client_header_timeout");
	free(text);
	/* The peers were slower: then it is about them. */
	snapshot.causes[0].waited_for_worker = 20;
	snapshot.causes[0].waited_for_peer = 80;
	text = report_as_text(&snapshot, NULL);
	assert_begins(text,
		      "client: 10.0 % fail, timeout_mid_handshake since 05:06:12Z; none of ~2 peers also ok; see\n"
		      "  client_header_timeout\n");
	assert_has(text, "of these 20 waited longer for nginx's worker than for the peer, 80 for the peer");
	assert_has(text, "look at: client_header_timeout");
	free(text);
	snapshot.causes[0].waited_for_worker = 0;
	text = report_as_text(&snapshot, NULL);
	assert_has(text, "of these none waited longer for nginx's worker than for the peer");
	free(text);
	/* Nobody knows whom they waited for. */
	snapshot.causes[0].waited_for_peer = 0;
	text = report_as_text(&snapshot, NULL);
	assert_has_not(text, "waited longer for nginx's worker than for the peer");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(tells_where_the_time_went)
{
	struct snapshot snapshot;
	char *text;

	sample_saturated(&snapshot);
	text = report_as_text(&snapshot, NULL);
	assert_has(text,
		   "    where the time went: peer 56.0 % (p50 201 ms, p99 1.20 s), worker lag 38.2 % (p99 340 ms),\n"
		   "      preempted 5.6 % (p99 50.0 ms), cpu 0.13 %\n");
	assert_has(
		text,
		"  client time: peer 75.0 % (p50 1.50 ms, p99 1.50 ms), cpu 12.5 % (p99 0.25 ms), worker lag 10.0 %");
	assert_has(text, "unattributed 2.0 % (p99 0.04 ms), preempted 0.50 %\n");
	assert_plain(text, 100);
	free(text);
	histogram_add(&snapshot.ok[DIRECTION_CLIENT].parts.round_trip, 40000000);
	snapshot.ok[DIRECTION_CLIENT].parts.resent = 3;
	snapshot.ok[DIRECTION_CLIENT].parts.coarse = 2;
	text = report_as_text(&snapshot, NULL);
	assert_has(text, "  client time: peer 75.0 % (p50 1.50 ms, p99 1.50 ms; round trip p50 40.0 ms; 3 ");
	assert_has(text, "; lag and peer to a tick in 2\n");
	free(text);
	snapshot.ok[DIRECTION_CLIENT].parts = (struct parts_row){ 0 };
	sample_add_parts(&snapshot.ok[DIRECTION_CLIENT].parts, 2, (const uint64_t[PART_COUNT]){ [PART_CPU] = 250 },
			 1000);
	text = report_as_text(&snapshot, NULL);
	assert_has(
		text,
		"  client time: unattributed 75.0 % (p50 0.75 ms, p99 0.75 ms), cpu 25.0 % (p99 0.25 ms); peer and\n"
		"    worker lag not measured\n");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(tells_what_workers_did)
{
	struct snapshot snapshot;
	char *text;

	sample_saturated(&snapshot);
	text = report_as_text(&snapshot, NULL);
	assert_has(text,
		   "\nWorkers, the busiest first\n"
		   "  worker 2449 (generation 2): 98 % of a CPU (61 % of that in handshakes), 12 % waiting for one,\n"
		   "    short of it for 28 s; 700 handshakes, 92 failed; lag p50 340 ms, p99 340 ms\n"
		   "    where their time went: worker lag 50.0 %\n"
		   "  worker 2450 (generation 1): 5 % of a CPU, 0 % waiting for one; 300 handshakes");
	assert_has(text,
		   "  generation 2 of master 100: 1 worker, 700 handshakes, 92 failed, 80 of these given up after");
	free(text);
	snapshot.generation_count = 1;
	snapshot.workers[1].cpu_ratio = snapshot.workers[1].run_delay_ratio = -1;
	free(snapshot.generations[1].codes.items);
	for (uint32_t i = 0; i < 20; i++)
		sample_add_worker(&snapshot, 3000 + i, i / 100.0, -1, 100)->handshakes = 1;
	snapshot.workers[5].cpu_ratio = snapshot.workers[5].run_delay_ratio = -1;
	snapshot.workers[5].handshakes = 0; /* nothing is known of it: no line, and no more */
	text = report_as_text(&snapshot, NULL);
	assert_has_not(text, "(generation");
	assert_has(text, "  worker 2449: 98 % of a CPU");
	assert_has(text, "  worker 3019: 19 % of a CPU; 1 handshakes");
	assert_has(text, "  5 more, less busy: 304 handshakes, 8 failed\n");
	assert_has_not(text, "worker 2450");
	free(text);
	snapshot.workers[0].failed = 0;
	snapshot.worker_count = 2;
	text = report_as_text(&snapshot, NULL);
	assert_has(text, "  worker 2450: CPU not measured; 300 handshakes, 8 failed");
	free(text);
	snapshot.workers[1].handshakes = 0;
	text = report_as_text(&snapshot, NULL);
	assert_has_not(text, "worker 2450");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(tells_what_waited_before_accept)
{
	struct snapshot snapshot;
	char *text;

	sample_saturated(&snapshot);
	text = report_as_text(&snapshot, NULL);
	assert_has(
		text,
		"\nBefore accept\n"
		"  [::]:443 (2 sockets): up to 511 connections waited for accept(), of 511 allowed; 300 at the end;\n"
		"    1200 dropped; at least 40 half-open\n"
		"  1 more address: at most 1 waited for accept(), of 511 allowed; none was dropped\n"
		"  network namespace 4026531840, all listeners in it: accept queue full 1200, connections dropped\n"
		"    before accept() 1200\n");
	free(text);
	snapshot.listeners[0] = (struct snapshot_listener){ .family = AF_INET, .queue_limit = 511, .drops = -1 };
	snapshot.listeners[1].queue_peak = 0;
	snapshot.namespace_count = 0;
	text = report_as_text(&snapshot, NULL);
	assert_has(text, "\nBefore accept\n  2 addresses: nothing was seen waiting for accept(); drops not known\n");
	free(text);
	snapshot.listener_count = 0;
	text = report_as_text(&snapshot, NULL);
	assert_has_not(text, "Before accept");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(tells_costs_and_names)
{
	struct snapshot snapshot;
	char *text;

	sample_saturated(&snapshot);
	text = report_as_text(&snapshot, NULL);
	assert_has(text, "  client groups, most: x25519 350, not known 100\n");
	assert_has(
		text,
		"  client cost: full TLSv1.3 with an RSA key: 350, 20.0 ms of CPU each; resumed TLSv1.3: 350, 1.00 ms\n"
		"    of CPU each; full TLSv1.2 (kind of key not known): 100, 25.0 ms of CPU each; resumed TLSv1.2:");
	assert_has(
		text,
		"  client resumption: 450 full, 450 resumed; more of it would save up to 9.05 s of CPU, 29.3 % of\n"
		"    what the workers used\n");
	assert_has(text,
		   "\nServer names, most\n"
		   "  client \\x1b[31mevil\\x00\\xff\"\\\\\\u{202e}\\x0a.test: 880 ok, 100 failed, 51.1 % resumed;");
	assert_has(text, "  client (no name sent): 10 ok, 0 failed");
	assert_has(text, "  client (all other names): 10 ok");
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

START_TEST(stays_within_the_width)
{
	static const unsigned int widths[] = { 1, 40, 60, 80, 100, 200 };
	struct text_options options = { .width = widths[_i] };
	struct snapshot snapshot;
	char *text;

	sample_saturated(&snapshot);
	text = report_as_text(&snapshot, &options);
	assert_plain(text, options.width < 40 ? 40 : options.width);
	free(text);
	snapshot_release(&snapshot);
}
END_TEST

Suite *suite_text_time(void)
{
	Suite *suite = suite_create("text_time");
	TCase *tcase = tcase_create("text_time");

	tcase_add_test(tcase, answers_with_the_worker);
	tcase_add_test(tcase, tells_where_the_time_went);
	tcase_add_test(tcase, tells_what_workers_did);
	tcase_add_test(tcase, tells_what_waited_before_accept);
	tcase_add_test(tcase, tells_costs_and_names);
	tcase_add_loop_test(tcase, stays_within_the_width, 0, 6);
	suite_add_tcase(suite, tcase);
	return suite;
}
