/* SPDX-License-Identifier: BSD-2-Clause */
/* How handshakes ended, in the JSON report: causes and ok. */
#include <linux/types.h>

#include "handshake/names.h"
#include "output/json_private.h"
#include "output/when.h"

static json_t *json_moment(uint64_t unix_ns)
{
	char text[WHEN_BYTES];

	return json_string(when_rfc3339(unix_ns, text));
}

/* A moment of CLOCK_MONOTONIC; null where it, or the window's begin, is not known. */
static json_t *json_monotonic(const struct snapshot *snapshot, uint64_t ns)
{
	if (!ns || !snapshot->start_ns || !snapshot->start_unix_ns)
		return json_null();
	return json_moment(snapshot->start_unix_ns + (ns - snapshot->start_ns));
}

/* key: what a name is called in this list. */
static json_t *named(const struct named_counts *names, const char *key, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < names->count; i++) {
		const struct named_count *name = &names->items[i];
		json_t *object = json_object();

		json_put(object, key, json_bytes(name->name, name->name_bytes), failed);
		json_put(object, "count", json_count(name->count), failed);
		json_put(object, "overcount", json_count(name->overcount), failed);
		json_push(array, object, failed);
	}
	return array;
}

static json_t *peers(const struct cause_row *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "distinct", json_count((uint64_t)(row->peers_distinct + 0.5)), failed);
	json_put(object, "returning",
		 row->peers_returning < 0 ? json_null() : json_count((uint64_t)(row->peers_returning + 0.5)), failed);
	json_put(object, "top", named(&row->peers, "address", failed), failed);
	return object;
}

static json_t *errors(const struct cause_row *row, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < row->error_count; i++) {
		const struct error_count *error = &row->errors[i];
		json_t *object = json_object();
		char text[NAME_BYTES];

		json_put(object, "code", json_sprintf("%08X", error->code), failed);
		json_put(object, "text", json_name(error_text(error->code, error->family, text)), failed);
		json_put(object, "count", json_count(error->count), failed);
		json_push(array, object, failed);
	}
	return array;
}

static json_t *evidence(const struct cause_row *row, bool *failed)
{
	static const char *const kinds[] = {
		[EVIDENCE_VERIFY_RESULT] = "verify_result",
		[EVIDENCE_ALERT] = "alert_received",
		[EVIDENCE_ERRNO] = "errno",
		[EVIDENCE_PHASE] = "phase",
		[EVIDENCE_TRANSPORT] = "transport",
	};
	json_t *array = json_array();

	for (size_t i = 0; i < row->evidence_count; i++) {
		const struct evidence_count *item = &row->evidence[i];
		json_t *object = json_object();

		json_put(object, "kind", json_name(kinds[item->kind]), failed);
		json_put(object, "code", json_count(item->code), failed);
		json_put(object, "count", json_count(item->count), failed);
		json_push(array, object, failed);
	}
	return array;
}

static json_t *incomplete(const struct snapshot *snapshot, const struct cause_row *row, bool *failed)
{
	double length = snapshot->seconds > 0 ? snapshot->seconds * 1e9 : 0;
	/* A recording may claim to be of all the time there is. */
	uint64_t length_ns = length < 0x1p64 ? (uint64_t)length : UINT64_MAX;
	uint64_t start_ns = snapshot->start_unix_ns;
	json_t *array = json_array(), *interval;

	if (!row->incomplete)
		return array;
	interval = json_object();
	json_put(interval, "start", start_ns ? json_moment(start_ns) : json_null(), failed);
	json_put(interval, "end", start_ns ? json_moment(start_ns + length_ns) : json_null(), failed);
	json_push(array, interval, failed);
	return array;
}

static json_t *requests(const struct cause_row *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "lost", json_count(row->requests_lost), failed);
	json_put(object, "rescued", json_count(row->requests_rescued), failed);
	return object;
}

/* Whose delay was the longer one, where that is known. */
static json_t *waited_for(const struct cause_row *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "worker", json_count(row->waited_for_worker), failed);
	json_put(object, "peer", json_count(row->waited_for_peer), failed);
	return object;
}

static json_t *cause(const struct snapshot *snapshot, const struct cause_row *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "direction", json_name(direction_name(row->direction)), failed);
	json_put(object, "cause", json_name(cause_id(row->cause)), failed);
	json_put(object, "incomplete", incomplete(snapshot, row, failed), failed);
	json_put(object, "count", json_count(row->count), failed);
	json_put(object, "share", json_number(row->share), failed);
	json_put(object, "first_seen", json_monotonic(snapshot, row->first_ns), failed);
	json_put(object, "last_seen", json_monotonic(snapshot, row->last_ns), failed);
	json_put(object, "latency_seconds", json_histogram(&row->latency), failed);
	json_put(object, "cpu_seconds", json_number(row->cpu_seconds), failed);
	json_put(object, "parts", json_parts(&row->parts, failed), failed);
	json_put(object, "waited_for", waited_for(row, failed), failed);
	json_put(object, "without_identity", json_count(row->without_identity), failed);
	json_put(object, "requests", requests(row, failed), failed);
	json_put(object, "peers", peers(row, failed), failed);
	json_put(object, "server_names", named(&row->server_names, "name", failed), failed);
	json_put(object, "errors", errors(row, failed), failed);
	json_put(object, "evidence", evidence(row, failed), failed);
	return object;
}

json_t *json_causes(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->cause_count; i++)
		json_push(array, cause(snapshot, &snapshot->causes[i], failed), failed);
	return array;
}

json_t *json_ok(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++) {
		json_t *object;

		if (!snapshot->ok[direction].count)
			continue;
		object = json_object();
		json_put(object, "direction", json_name(direction_name(direction)), failed);
		json_put(object, "count", json_count(snapshot->ok[direction].count), failed);
		json_put(object, "latency_seconds", json_histogram(&snapshot->ok[direction].latency), failed);
		json_put(object, "cpu_seconds", json_number(snapshot->ok[direction].cpu_seconds), failed);
		json_put(object, "parts", json_parts(&snapshot->ok[direction].parts, failed), failed);
		json_push(array, object, failed);
	}
	return array;
}
