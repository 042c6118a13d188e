/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as JSON. Schema and contract: json.h. */
#include <errno.h>

#include <linux/types.h>

#include "handshake/names.h"
#include "output/json.h"
#include "output/json_host.h"
#include "output/json_private.h"
#include "output/when.h"

static json_t *window(const struct snapshot *snapshot, bool *failed)
{
	json_t *object = json_object();
	char text[WHEN_BYTES];

	json_put(object, "start",
		 json_name(snapshot->start_unix_ns ? when_rfc3339(snapshot->start_unix_ns, text) : NULL), failed);
	json_put(object, "seconds", json_number(snapshot->seconds), failed);
	return object;
}

/* How good the parts are that are measured in ticks. */
static json_t *resolution(const struct snapshot *snapshot, bool *failed)
{
	json_t *object = json_object();
	bool is_known = snapshot->tick_seconds > 0;

	json_put(object, "tick_seconds", is_known ? json_number(snapshot->tick_seconds) : json_null(), failed);
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
	json_put(report, "causes", json_causes(snapshot, &failed), &failed);
	json_put(report, "ok", json_ok(snapshot, &failed), &failed);
	json_put(report, "versions", json_versions(snapshot, &failed), &failed);
	json_put(report, "ciphers", json_ciphers(snapshot, &failed), &failed);
	json_put(report, "groups", json_groups(snapshot, &failed), &failed);
	json_put(report, "costs", json_costs(snapshot, &failed), &failed);
	json_put(report, "resumption", json_resumption(snapshot, &failed), &failed);
	json_put(report, "servers", json_servers(snapshot, &failed), &failed);
	json_put(report, "workers", json_workers(snapshot, &failed), &failed);
	json_put(report, "generations", json_generations(snapshot, &failed), &failed);
	json_put(report, "listeners", json_listeners(snapshot, &failed), &failed);
	json_put(report, "namespaces", json_namespaces(snapshot, &failed), &failed);
	json_put(report, "resolution", resolution(snapshot, &failed), &failed);
	json_put(report, "findings", all_findings(findings, n, &failed), &failed);
	json_put(report, "losses", losses(&snapshot->losses, &failed), &failed);
	if (failed)
		return -ENOMEM;
	return json_write(report, JSON_INDENT(2), stream);
}
