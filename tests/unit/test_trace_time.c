/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a handshake's time went, in the trace: the parts add up, and what was not measured is null. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "output/trace_text.h"

#include "trace_sample.h"

Suite *suite_trace_time(void);

/* A client whose bytes lay for 5 ms before nginx looked, and a backend that took 20 ms to connect: 136 ms in all. */
static struct observation timed(void)
{
	struct observation observation = trace_rejected();
	struct event *event = &observation.event;

	event->verdict.waited = WAITED_WORKER;
	event->latency_ns = 111000400;
	event->flags |= EVENT_WAITS | EVENT_CONNECT;
	event->parts = (struct parts){
		.us = { [PART_CONNECT] = 20000,
			[PART_LAG] = 15000,
			[PART_PEER] = 90000,
			[PART_CPU] = 10,
			[PART_PREEMPTED] = 990 },
		.before_us = 5000,
	};
	event->srtt_us = 1500;
	event->min_rtt_us = 900;
	event->group = 0x001d;
	event->signature = 0x0403;
	return observation;
}

START_TEST(json_says_where_the_time_went)
{
	static const char *const keys[] = { "connect_seconds", "lag_seconds",       "peer_seconds",
					    "cpu_seconds",     "preempted_seconds", "unattributed_seconds" };
	struct observation observation = timed();
	json_t *object = trace_object_of(&observation), *parts = json_object_get(object, "parts");
	double sum = 0;

	trace_assert_seconds(object, "latency_seconds", 0.1110004);
	trace_assert_seconds(object, "whole_seconds", 0.136);
	trace_assert_seconds(parts, "connect_seconds", 0.02);
	trace_assert_seconds(parts, "lag_seconds", 0.015);
	trace_assert_seconds(parts, "lag_before_seconds", 0.005);
	trace_assert_seconds(parts, "peer_seconds", 0.09);
	trace_assert_seconds(parts, "unattributed_seconds", 0.01);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		sum += json_real_value(json_object_get(parts, keys[i]));
	ck_assert_double_eq_tol(sum, json_real_value(json_object_get(object, "whole_seconds")), 1e-9);
	ck_assert_str_eq(trace_string(object, "waited_for"), "worker");
	ck_assert_str_eq(trace_string(object, "group"), "x25519");
	ck_assert_str_eq(trace_string(object, "signature"), "ecdsa_secp256r1_sha256");
	trace_assert_seconds(object, "srtt_seconds", 0.0015);
	trace_assert_seconds(object, "min_rtt_seconds", 0.0009);
	ck_assert(json_is_integer(json_object_get(object, "retransmits")));
	json_decref(object);
	/* The parts are a little too long, each rounded: nothing is left, and nothing is below 0. */
	observation.event.latency_ns = 100900000;
	object = trace_object_of(&observation);
	trace_assert_seconds(json_object_get(object, "parts"), "unattributed_seconds", 0);
	json_decref(object);
	/* Over QUIC there is no socket of its own. */
	observation.event.flags |= EVENT_QUIC;
	object = trace_object_of(&observation);
	ck_assert(json_is_null(json_object_get(object, "srtt_seconds")) &&
		  json_is_null(json_object_get(object, "retransmits")));
	json_decref(object);
}
END_TEST

/* What is not measured is null and nobody's; what stands in an unmeasured field is not believed. */
START_TEST(json_does_not_guess_parts)
{
	struct observation observation = timed();
	json_t *object, *parts;

	observation.event.flags &= ~(uint32_t)(EVENT_WAITS | EVENT_CONNECT);
	object = trace_object_of(&observation);
	parts = json_object_get(object, "parts");
	ck_assert(json_is_null(json_object_get(parts, "connect_seconds")));
	ck_assert(json_is_null(json_object_get(parts, "lag_seconds")));
	ck_assert(json_is_null(json_object_get(parts, "lag_before_seconds")));
	ck_assert(json_is_null(json_object_get(parts, "peer_seconds")));
	trace_assert_seconds(object, "whole_seconds", 0.111);
	trace_assert_seconds(parts, "unattributed_seconds", 0.11);
	json_decref(object);
}
END_TEST

START_TEST(json_says_how_good_a_part_is)
{
	struct observation observation = timed();
	json_t *object = trace_object_of(&observation), *resolution = json_object_get(object, "resolution_seconds");

	ck_assert_uint_eq(json_object_size(resolution), 2);
	ck_assert(json_is_null(json_object_get(resolution, "lag")) &&
		  json_is_null(json_object_get(resolution, "cpu")));
	json_decref(object);
	observation.event.flags |= EVENT_COARSE;
	object = trace_object_of(&observation);
	trace_assert_seconds(json_object_get(object, "resolution_seconds"), "lag", 0.004);
	ck_assert(json_is_null(json_object_get(json_object_get(object, "resolution_seconds"), "cpu")));
	json_decref(object);
	observation.event.flags |= EVENT_SLEPT;
	trace_clock.tick_ns = 0; /* unknown: a tick is at most this */
	object = trace_object_of(&observation);
	trace_assert_seconds(json_object_get(object, "resolution_seconds"), "cpu", 0.01);
	json_decref(object);
}
END_TEST

START_TEST(text_says_where_the_time_went)
{
	struct observation observation = timed();
	char *line = trace_line_of(&observation, trace_text);

	ck_assert_ptr_nonnull(
		strstr(line, ", waited longer for the worker than for the peer [peer 90.0 ms, connect 20.0 ms, "
			     "lag 15.0 ms, unattributed 10.0 ms]\n"));
	free(line);
	observation.event.flags |= EVENT_COARSE;
	line = trace_line_of(&observation, trace_text);
	ck_assert_ptr_nonnull(strstr(line, "[peer ~90.0 ms, connect 20.0 ms, lag ~15.0 ms, unattributed 10.0 ms]\n"));
	free(line);
	observation.event.flags &= ~(uint32_t)EVENT_COARSE;
	/* Small ones are told where the whole is small. */
	observation.event.parts =
		(struct parts){ .us = { [PART_PEER] = 476, [PART_CPU] = 20, [PART_PREEMPTED] = 4 } };
	observation.event.latency_ns = 500000;
	line = trace_line_of(&observation, trace_text);
	ck_assert_ptr_nonnull(strstr(line, " [peer 0.48 ms, cpu 0.02 ms]\n"));
	free(line);
	observation.event.parts = (struct parts){
		.us = { UINT32_MAX, UINT32_MAX - 1, UINT32_MAX - 2, UINT32_MAX - 3, UINT32_MAX - 4 },
	};
	observation.event.latency_ns = UINT64_MAX / 2;
	line = trace_line_of(&observation, trace_text);
	ck_assert_ptr_nonnull(strstr(line, "[unattributed "));
	ck_assert_ptr_nonnull(strstr(line, "preempted 4294.97 s]\n"));
	free(line);
}
END_TEST

Suite *suite_trace_time(void)
{
	Suite *suite = suite_create("trace_time");
	TCase *tcase = tcase_create("trace_time");

	tcase_add_test(tcase, json_says_where_the_time_went);
	tcase_add_test(tcase, json_does_not_guess_parts);
	tcase_add_test(tcase, json_says_how_good_a_part_is);
	tcase_add_test(tcase, text_says_where_the_time_went);
	suite_add_tcase(suite, tcase);
	return suite;
}
