/* SPDX-License-Identifier: BSD-2-Clause */
/* What was negotiated and what it cost, in the JSON report. */
#include <linux/types.h>

#include "diagnose/resumption.h"
#include "handshake/names.h"
#include "output/json_private.h"

json_t *json_versions(const struct snapshot *snapshot, bool *failed)
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

json_t *json_ciphers(const struct snapshot *snapshot, bool *failed)
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

json_t *json_groups(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->group_count; i++) {
		const struct group_row *row = &snapshot->groups[i];
		json_t *object = json_object();
		char name[NAME_BYTES];

		json_put(object, "direction", json_name(direction_name(row->direction)), failed);
		json_put(object, "group", json_name(row->group ? group_name(row->group, name) : NULL), failed);
		json_put(object, "count", json_count(row->count), failed);
		json_push(array, object, failed);
	}
	return array;
}

json_t *json_costs(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->cost_count; i++) {
		const struct cost_row *row = &snapshot->costs[i];
		json_t *object = json_object();
		char name[NAME_BYTES];

		json_put(object, "direction", json_name(direction_name(row->direction)), failed);
		json_put(object, "version", json_name(version_name(row->version, name)), failed);
		json_put(object, "resumed", json_boolean(row->resumed), failed);
		json_put(object, "authentication", json_name(authentication_name(row->authentication)), failed);
		json_put(object, "count", json_count(row->count), failed);
		json_put(object, "cpu_seconds", json_microseconds(row->cpu_us), failed);
		json_put(object, "mean_cpu_seconds",
			 row->count ? json_number((double)row->cpu_us / 1e6 / (double)row->count) : json_null(),
			 failed);
		json_put(object, "cpu", json_histogram(&row->cpu), failed);
		json_push(array, object, failed);
	}
	return array;
}

json_t *json_resumption(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++) {
		struct resumption row;
		json_t *object;

		resumption_of(snapshot, direction, &row);
		if (!row.full && !row.resumed)
			continue;
		object = json_object();
		json_put(object, "direction", json_name(direction_name(direction)), failed);
		json_put(object, "full", json_count(row.full), failed);
		json_put(object, "resumed", json_count(row.resumed), failed);
		json_put(object, "ratio", json_number((double)row.resumed / (double)(row.full + row.resumed)),
			 failed);
		json_put(object, "full_cpu_seconds", json_microseconds(row.full_cpu_us), failed);
		json_put(object, "resumed_cpu_seconds", json_microseconds(row.resumed_cpu_us), failed);
		json_put(object, "saving_seconds", row.saving_known ? json_microseconds(row.saving_us) : json_null(),
			 failed);
		json_push(array, object, failed);
	}
	return array;
}
