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

/* Of a tick that is not known: no kernel of the machines it runs on ticks slower. */
#define TICK_BOUND_NS 10000000ull

static void put_part(json_t *object, unsigned int part, const char *key, const struct facts_parts *parts,
		     bool *failed)
{
	json_put(object, key, known(parts->known[part], json_seconds(1000 * parts->us[part])), failed);
}

static json_t *parts_object(const struct facts_parts *parts, bool *failed)
{
	bool lag_known = parts->known[PART_LAG];
	json_t *object = json_object();

	put_part(object, PART_CONNECT, "connect_seconds", parts, failed);
	put_part(object, PART_LAG, "lag_seconds", parts, failed);
	json_put(object, "lag_before_seconds", known(lag_known, json_seconds(1000 * parts->before_us)), failed);
	put_part(object, PART_PEER, "peer_seconds", parts, failed);
	put_part(object, PART_CPU, "cpu_seconds", parts, failed);
	put_part(object, PART_PREEMPTED, "preempted_seconds", parts, failed);
	put_part(object, PART_UNATTRIBUTED, "unattributed_seconds", parts, failed);
	return object;
}

/* Of what is not good to a microsecond. */
static json_t *resolution(const struct facts_parts *parts, uint64_t tick_ns, bool *failed)
{
	json_t *object = json_object();

	if (!tick_ns)
		tick_ns = TICK_BOUND_NS;
	json_put(object, "lag", known(parts->coarse[PART_LAG], json_seconds(tick_ns)), failed);
	json_put(object, "cpu", known(parts->coarse[PART_CPU], json_seconds(tick_ns)), failed);
	return object;
}

static const char *waited_for(const struct verdict *verdict)
{
	switch ((enum waited)verdict->waited) {
	case WAITED_UNKNOWN:
		break;
	case WAITED_PEER:
		return "peer";
	case WAITED_WORKER:
		return "worker";
	}
	return NULL;
}

static void put_time(json_t *line, const struct observation *observation, uint64_t tick_ns, bool *failed)
{
	const struct event *event = &observation->event;
	bool has_tcp = facts_has_tcp(observation);
	struct facts_parts parts;
	bool measured = facts_parts(observation, &parts);

	json_put(line, "latency_seconds", known(measured, json_seconds(event->latency_ns)), failed);
	json_put(line, "whole_seconds", known(measured, json_seconds(1000 * parts.whole_us)), failed);
	json_put(line, "parts", parts_object(&parts, failed), failed);
	json_put(line, "resolution_seconds", resolution(&parts, tick_ns, failed), failed);
	json_put(line, "waited_for", json_name(waited_for(&event->verdict)), failed);
	json_put(line, "srtt_seconds", known(has_tcp && event->srtt_us, json_seconds(1000ull * event->srtt_us)),
		 failed);
	json_put(line, "min_rtt_seconds",
		 known(has_tcp && event->min_rtt_us, json_seconds(1000ull * event->min_rtt_us)), failed);
	json_put(line, "retransmits", known(has_tcp, json_count(event->retransmits)), failed);
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
	json_put(line, "group", json_name(event->group ? group_name(event->group, name) : NULL), failed);
	json_put(line, "signature", json_name(event->signature ? signature_name(event->signature, name) : NULL),
		 failed);
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

static json_t *trace_line(const struct observation *observation, const struct trace_clock *clock, bool *failed)
{
	const struct event *event = &observation->event;
	json_t *line = json_object();
	char time[WHEN_BYTES];

	json_put(line, "time", json_name(when_rfc3339(event->time_ns + clock->unix_offset_ns, time)), failed);
	json_put(line, "pid", json_count(event->header.tgid), failed);
	json_put(line, "direction", json_name(direction_name(event->verdict.direction)), failed);
	put_peer(line, observation, failed);
	json_put(line, "outcome", json_name(outcome_name(event->verdict.outcome)), failed);
	json_put(line, "cause", json_name(cause_id(observation->cause)), failed);
	put_time(line, observation, clock->tick_ns, failed);
	put_session(line, observation, failed);
	put_verdict(line, observation, failed);
	json_put(line, "transport", json_name(transport(event)), failed);
	json_put(line, "generation", json_count(event->generation), failed);
	json_put(line, "connection", known(event->flags & EVENT_NGINX, json_count(event->connection)), failed);
	json_put(line, "joined", json_boolean(event->verdict.flags & VERDICT_JOINED), failed);
	json_put(line, "amends", json_boolean(event->header.kind == EVENT_AMENDED), failed);
	return line;
}

int trace_json(const struct observation *observation, const struct trace_clock *clock, FILE *stream)
{
	autojson json_t *line = NULL;
	bool failed = false;

	if (!facts_is_handshake(observation))
		return 0;
	line = trace_line(observation, clock, &failed);
	if (failed || !line)
		return -ENOMEM;
	return json_write(line, JSON_COMPACT, stream);
}
