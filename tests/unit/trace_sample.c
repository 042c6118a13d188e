/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the trace. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "output/trace_json.h"

#include "trace_sample.h"

/* 2026-03-04T05:06:07Z, when the monotonic clock was 0. */
struct trace_clock trace_clock = { .unix_offset_ns = 1772600767ull * 1000000000, .tick_ns = 4000000 };

struct observation trace_rejected(void)
{
	struct observation observation = {
		.event = {
			.header = { .kind = EVENT_AMENDED, .tgid = 4711 },
			.time_ns = 123456789,
			.verdict = {
				.direction = DIRECTION_UPSTREAM,
				.outcome = OUTCOME_REJECTED,
				.rejection = REJECTION_UPSTREAM_VERIFY,
				.library = LIBRARY_OPENSSL_3,
				.flags = VERDICT_ALERT_RECEIVED | VERDICT_NGINX_FACTS | VERDICT_PEER_CERTIFICATE,
				.alert_received = 40,
				.verify_result = 10,
				.error_errno = 104,
			},
			.latency_ns = 10000000,
			.parts.us = { [PART_CPU] = 2000, [PART_PREEMPTED] = 1000 },
			.connection = 77,
			.flags = EVENT_SOCKET | EVENT_NGINX | EVENT_RESUMED,
			.generation = 3,
			.cipher = 0x03001302,
			.tls_version = 0x0304,
			.family = AF_INET,
			.peer = { 192, 0, 2, 1 },
			.peer_port = 8443,
			.local_port = 40000,
			.error_count = 2,
			.errors = { 0x0a0000c1, 0x80000002 },
		},
		.cause = CAUSE_PEER_CERTIFICATE_EXPIRED,
		.sni = "a\033b",
		.sni_bytes = 3,
	};

	return observation;
}

char *trace_line_of(const struct observation *observation,
		    int (*print)(const struct observation *observation, const struct trace_clock *clock,
				 FILE *stream))
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(print(observation, &trace_clock, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
	for (size_t i = 0; i < size; i++)
		ck_assert_msg((text[i] >= 0x20 && text[i] < 0x7f) || (text[i] == '\n' && i + 1 == size), "byte %02x",
			      (unsigned char)text[i]);
	return text;
}

json_t *trace_object_of(const struct observation *observation)
{
	char *text = trace_line_of(observation, trace_json);
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	ck_assert_msg(json_is_object(object), "%s", text);
	free(text);
	return object;
}

const char *trace_string(json_t *object, const char *key)
{
	ck_assert_msg(json_is_string(json_object_get(object, key)), "'%s' is no string", key);
	return json_string_value(json_object_get(object, key));
}

void trace_assert_seconds(json_t *object, const char *key, double seconds)
{
	ck_assert_msg(json_is_real(json_object_get(object, key)), "'%s' is no number", key);
	ck_assert_double_eq_tol(json_real_value(json_object_get(object, key)), seconds, 1e-12);
}
