/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace as JSON. Contract: trace_json.h. */
#include <errno.h>
#include <sys/socket.h>

#include "output/facts.h"
#include "output/json_value.h"
#include "output/trace_json.h"
#include "output/when.h"

static json_t *known(bool is_known, json_t *value)
{
	if (is_known)
		return value;
	json_decref(value);
	return json_null();
}

static json_t *bytes_or_null(const void *bytes, size_t count)
{
	return count ? json_bytes(bytes, count) : json_null();
}

static void put_peer(json_t *line, const struct observation *observation, bool *failed)
{
	const struct event *event = &observation->event;
	bool local_known = event->flags & EVENT_SOCKET && event->family != AF_UNIX && event->local_port;
	struct facts_peer peer;

	facts_peer(observation, &peer);
	json_put(line, "peer", bytes_or_null(peer.address, peer.address_bytes), failed);
	json_put(line, "port", known(peer.port_known, json_count(peer.port)), failed);
	json_put(line, "local_port", known(local_known, json_count(event->local_port)), failed);
	json_put(line, "proxied_by", bytes_or_null(peer.proxy, peer.proxy_bytes), failed);
	json_put(line, "server_name", bytes_or_null(observation->sni, observation->sni_bytes), failed);
}

/* Of the wall time inside SSL_do_handshake, the worker either ran or waited for a CPU. */
static json_t *parts(const struct observation *observation, bool *failed)
{
	const struct event *event = &observation->event;
	bool measured = facts_has_latency(observation);
	uint64_t waited = 1000ull * event->parts.us[PART_PREEMPTED], cpu = 1000ull * event->parts.us[PART_CPU];
	uint64_t rest = event->latency_ns > waited + cpu ? event->latency_ns - waited - cpu : 0;
	json_t *object = json_object();

	json_put(object, "peer_seconds", json_null(), failed);
	json_put(object, "lag_seconds", json_null(), failed);
	json_put(object, "cpu_seconds", known(measured, json_seconds(cpu)), failed);
	json_put(object, "preempted_seconds", known(measured, json_seconds(waited)), failed);
	json_put(object, "connect_seconds", json_null(), failed);
	json_put(object, "unattributed_seconds", known(measured, json_seconds(rest)), failed);
	return object;
}

static json_t *errors(const struct observation *observation, bool *failed)
{
	enum library_family family = observation->event.verdict.library;
	uint32_t codes[EVENT_ERRORS];
	unsigned int count = facts_errors(observation, codes);
	json_t *array = json_array();

	for (unsigned int i = 0; i < count; i++) {
		json_t *error = json_object();
		char text[NAME_BYTES];

		json_put(error, "code", json_sprintf("%08X", codes[i]), failed);
		json_put(error, "text", json_name(error_text(codes[i], family, text)), failed);
		json_push(array, error, failed);
	}
	return array;
}

static void put_verdict(json_t *line, const struct observation *observation, bool *failed)
{
	const struct verdict *verdict = &observation->event.verdict;
	bool verified = facts_has_verify_result(observation);
	char text[NAME_BYTES];

	json_put(line, "errors", errors(observation, failed), failed);
	json_put(line, "verify_result", known(verified, json_integer(verdict->verify_result)), failed);
	json_put(line, "verify_text",
		 json_name(verified ? verify_text(verdict->verify_result, verdict->library, text) : NULL), failed);
	json_put(line, "alert_received",
		 json_name(verdict->flags & VERDICT_ALERT_RECEIVED ? alert_name(verdict->alert_received, text)
								   : NULL),
		 failed);
	json_put(line, "alert_sent",
		 json_name(verdict->flags & VERDICT_ALERT_SENT ? alert_name(verdict->alert_sent, text) : NULL),
		 failed);
	json_put(line, "errno", json_name(verdict->error_errno ? errno_name(verdict->error_errno, text) : NULL),
		 failed);
}

static void put_session(json_t *line, const struct observation *observation, bool *failed)
{
	const struct event *event = &observation->event;
	char name[NAME_BYTES];

	json_put(line, "version", json_name(event->tls_version ? version_name(event->tls_version, name) : NULL),
		 failed);
	json_put(line, "cipher",
		 json_name(event->cipher ? cipher_name((uint16_t)(event->cipher & 0xffff), name) : NULL), failed);
	json_put(line, "resumed",
		 known(facts_object_readable(observation), json_boolean(event->flags & EVENT_RESUMED)), failed);
}

static const char *transport(const struct event *event)
{
	if (event->flags & EVENT_QUIC)
		return "quic";
	if (!(event->flags & EVENT_SOCKET))
		return NULL;
	switch (event->family) {
	case AF_INET:
	case AF_INET6:
		return "tcp";
	case AF_UNIX:
		return "unix";
	}
	return NULL;
}

static json_t *trace_line(const struct observation *observation, uint64_t unix_offset_ns, bool *failed)
{
	const struct event *event = &observation->event;
	bool measured = facts_has_latency(observation);
	json_t *line = json_object();
	char time[WHEN_BYTES];

	json_put(line, "time", json_name(when_rfc3339(event->time_ns + unix_offset_ns, time)), failed);
	json_put(line, "pid", json_count(event->header.tgid), failed);
	json_put(line, "direction", json_name(direction_name(event->verdict.direction)), failed);
	put_peer(line, observation, failed);
	json_put(line, "outcome", json_name(outcome_name(event->verdict.outcome)), failed);
	json_put(line, "cause", json_name(cause_id(observation->cause)), failed);
	json_put(line, "latency_seconds", known(measured, json_seconds(event->latency_ns)), failed);
	json_put(line, "parts", parts(observation, failed), failed);
	put_session(line, observation, failed);
	put_verdict(line, observation, failed);
	json_put(line, "transport", json_name(transport(event)), failed);
	json_put(line, "generation", json_count(event->generation), failed);
	json_put(line, "connection", known(event->flags & EVENT_NGINX, json_count(event->connection)), failed);
	json_put(line, "joined", json_boolean(event->verdict.flags & VERDICT_JOINED), failed);
	json_put(line, "amends", json_boolean(event->header.kind == EVENT_AMENDED), failed);
	return line;
}

int trace_json(const struct observation *observation, uint64_t unix_offset_ns, FILE *stream)
{
	autojson json_t *line = NULL;
	bool failed = false;

	if (!facts_is_handshake(observation))
		return 0;
	line = trace_line(observation, unix_offset_ns, &failed);
	if (failed || !line)
		return -ENOMEM;
	return json_write(line, JSON_COMPACT, stream);
}
