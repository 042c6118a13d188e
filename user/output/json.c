/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as JSON. Schema and contract: json.h. */
#include <errno.h>

#include <linux/types.h>

#include "handshake/names.h"
#include "output/json.h"
#include "output/json_host.h"
#include "output/json_value.h"
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

static json_t *window(const struct snapshot *snapshot, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "start", snapshot->start_unix_ns ? json_moment(snapshot->start_unix_ns) : json_null(),
		 failed);
	json_put(object, "seconds", json_number(snapshot->seconds), failed);
	return object;
}

static json_t *target(const struct snapshot_target *row, bool *failed)
{
	json_t *object = json_object(), *workers = json_array();

	for (size_t i = 0; i < row->worker_count; i++)
		json_push(workers, json_count(row->workers[i]), failed);
	json_put(object, "master_pid", json_count(row->master_pid), failed);
	json_put(object, "exe", json_text(row->exe), failed);
	json_put(object, "library", json_text(row->library), failed);
	json_put(object, "library_version", json_text(row->library_version), failed);
	json_put(object, "layout", json_text(row->layout), failed);
	json_put(object, "generation", json_count(row->generation), failed);
	json_put(object, "workers", workers, failed);
	return object;
}

static json_t *totals(const struct totals *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "begun", json_count(row->begun), failed);
	json_put(object, "ok", json_count(row->ok), failed);
	json_put(object, "failed", json_count(row->failed), failed);
	json_put(object, "open", json_count(row->open), failed);
	json_put(object, "evicted", json_count(row->evicted), failed);
	json_put(object, "resumed", json_count(row->resumed), failed);
	json_put(object, "joined", json_count(row->joined), failed);
	json_put(object, "unmatched", json_count(row->unmatched), failed);
	return object;
}

static json_t *all_totals(const struct snapshot *snapshot, bool *failed)
{
	static const unsigned int order[] = { DIRECTION_CLIENT, DIRECTION_UPSTREAM, DIRECTION_UNKNOWN };
	json_t *object = json_object();

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		json_put(object, direction_name(order[i]), totals(&snapshot->totals[order[i]], failed), failed);
	return object;
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
	json_put(object, "returning", json_count((uint64_t)(row->peers_returning + 0.5)), failed);
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
	json_put(object, "without_identity", json_count(row->without_identity), failed);
	json_put(object, "requests", requests(row, failed), failed);
	json_put(object, "peers", peers(row, failed), failed);
	json_put(object, "server_names", named(&row->server_names, "name", failed), failed);
	json_put(object, "errors", errors(row, failed), failed);
	json_put(object, "evidence", evidence(row, failed), failed);
	return object;
}

static json_t *causes(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->cause_count; i++)
		json_push(array, cause(snapshot, &snapshot->causes[i], failed), failed);
	return array;
}

static json_t *ok(const struct snapshot *snapshot, bool *failed)
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
		json_push(array, object, failed);
	}
	return array;
}

static json_t *versions(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->version_count; i++) {
		const struct version_row *row = &snapshot->versions[i];
		json_t *object = json_object();
		char name[NAME_BYTES];

		json_put(object, "direction", json_name(direction_name(row->direction)), failed);
		json_put(object, "version", json_name(version_name(row->version, name)), failed);
		json_put(object, "count", json_count(row->count), failed);
		json_push(array, object, failed);
	}
	return array;
}

static json_t *ciphers(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->cipher_count; i++) {
		const struct cipher_row *row = &snapshot->ciphers[i];
		json_t *object = json_object();
		char name[NAME_BYTES];

		json_put(object, "direction", json_name(direction_name(row->direction)), failed);
		json_put(object, "cipher", json_name(cipher_name(row->cipher, name)), failed);
		json_put(object, "count", json_count(row->count), failed);
		json_push(array, object, failed);
	}
	return array;
}

static json_t *workers(const struct snapshot *snapshot, bool *failed)
{
	static const struct histogram nothing = { 0 };
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct snapshot_worker *row = &snapshot->workers[i];
		json_t *object = json_object();

		json_put(object, "pid", json_count(row->pid), failed);
		json_put(object, "master_pid", json_count(row->master_pid), failed);
		json_put(object, "generation", json_count(row->generation), failed);
		json_put(object, "cpu_ratio", json_ratio(row->cpu_ratio), failed);
		json_put(object, "run_delay_ratio", json_ratio(row->run_delay_ratio), failed);
		json_put(object, "handshakes", json_count(row->handshakes), failed);
		json_put(object, "failed", json_count(row->failed), failed);
		json_put(object, "lag_seconds", json_histogram(&nothing), failed);
		json_push(array, object, failed);
	}
	return array;
}

static json_t *lines(const struct finding_lines *list, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_push(array, json_text(list->text[i]), failed);
	return array;
}

static json_t *all_findings(const struct finding *findings, size_t n, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *object = json_object();

		json_put(object, "id", json_text(findings[i].id), failed);
		json_put(object, "severity", json_name(severity_name(findings[i].severity)), failed);
		json_put(object, "title", json_text(findings[i].title), failed);
		json_put(object, "evidence", lines(&findings[i].evidence, failed), failed);
		json_put(object, "change", lines(&findings[i].change, failed), failed);
		json_put(object, "verify", lines(&findings[i].verify, failed), failed);
		json_push(array, object, failed);
	}
	return array;
}

static json_t *losses(const struct losses *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "ring_full", json_count(row->ring_full), failed);
	json_put(object, "spill_full", json_count(row->spill_full), failed);
	json_put(object, "state_full", json_count(row->state_full), failed);
	json_put(object, "settled_full", json_count(row->settled_full), failed);
	json_put(object, "evicted", json_count(row->evicted), failed);
	json_put(object, "read_faults", json_count(row->read_faults), failed);
	json_put(object, "unmatched", json_count(row->unmatched), failed);
	json_put(object, "undecodable", json_count(row->undecodable), failed);
	return object;
}

static json_t *all_targets(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->target_count; i++)
		json_push(array, target(&snapshot->targets[i], failed), failed);
	return array;
}

int json_report(const struct snapshot *snapshot, const struct finding *findings, size_t n, const char *tool_version,
		FILE *stream)
{
	autojson json_t *report = json_object();
	bool failed = false;

	json_put(report, "schema", json_name("tlswhy.report/1"), &failed);
	json_put(report, "tool_version", json_text(tool_version), &failed);
	json_put(report, "host", json_text(snapshot->host), &failed);
	json_put(report, "window", window(snapshot, &failed), &failed);
	json_put(report, "targets", all_targets(snapshot, &failed), &failed);
	json_put(report, "totals", all_totals(snapshot, &failed), &failed);
	json_put(report, "exact", json_boolean(snapshot->exact), &failed);
	json_put(report, "exact_reason", json_text(snapshot->exact ? NULL : snapshot->inexact_reason), &failed);
	json_put(report, "requests_incomplete", json_boolean(snapshot->requests_incomplete), &failed);
	json_put(report, "hellos_cut", json_count(snapshot->hellos_cut), &failed);
	json_put(report, "causes", causes(snapshot, &failed), &failed);
	json_put(report, "ok", ok(snapshot, &failed), &failed);
	json_put(report, "versions", versions(snapshot, &failed), &failed);
	json_put(report, "ciphers", ciphers(snapshot, &failed), &failed);
	json_put(report, "workers", workers(snapshot, &failed), &failed);
	json_put(report, "listeners", json_listeners(snapshot, &failed), &failed);
	json_put(report, "namespaces", json_namespaces(snapshot, &failed), &failed);
	json_put(report, "findings", all_findings(findings, n, &failed), &failed);
	json_put(report, "losses", losses(&snapshot->losses, &failed), &failed);
	if (failed)
		return -ENOMEM;
	return json_write(report, JSON_INDENT(2), stream);
}
