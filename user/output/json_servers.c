/* SPDX-License-Identifier: BSD-2-Clause */
/* What was negotiated for each server name, in the JSON report. Names are foreign bytes. */
#include "handshake/names.h"
#include "output/json_private.h"

static const char *const code_keys[CODE_KINDS] = {
	[CODE_VERSION] = "version",
	[CODE_CIPHER] = "cipher",
	[CODE_GROUP] = "group",
};

static const char *code_name(const struct code_count *item, char buffer[NAME_BYTES])
{
	switch (item->kind) {
	case CODE_VERSION:
		return version_name(item->code, buffer);
	case CODE_CIPHER:
		return cipher_name(item->code, buffer);
	case CODE_GROUP:
		return item->code ? group_name(item->code, buffer) : NULL;
	case CODE_KINDS:
		break;
	}
	return NULL;
}

json_t *json_codes(const struct code_counts *codes, enum code_kind kind, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < codes->count; i++) {
		const struct code_count *item = &codes->items[i];
		char name[NAME_BYTES];
		json_t *object;

		if (item->kind != kind)
			continue;
		object = json_object();
		json_put(object, code_keys[kind], json_name(code_name(item, name)), failed);
		json_put(object, "count", json_count(item->count), failed);
		json_push(array, object, failed);
	}
	return array;
}

void json_put_codes(json_t *object, const struct code_counts *codes, bool *failed)
{
	json_put(object, "versions", json_codes(codes, CODE_VERSION, failed), failed);
	json_put(object, "ciphers", json_codes(codes, CODE_CIPHER, failed), failed);
	json_put(object, "groups", json_codes(codes, CODE_GROUP, failed), failed);
}

static json_t *server(const struct server_row *row, bool *failed)
{
	bool is_named = !row->is_rest && row->name_bytes;
	json_t *object = json_object();

	json_put(object, "direction", json_name(direction_name(row->direction)), failed);
	json_put(object, "name", is_named ? json_bytes(row->name, row->name_bytes) : json_null(), failed);
	json_put(object, "is_rest", json_boolean(row->is_rest), failed);
	json_put(object, "ok", json_count(row->ok), failed);
	json_put(object, "failed", json_count(row->failed), failed);
	json_put(object, "resumed", json_count(row->resumed), failed);
	json_put(object, "full_cpu_seconds", json_microseconds(row->full_cpu_us), failed);
	json_put(object, "resumed_cpu_seconds", json_microseconds(row->resumed_cpu_us), failed);
	json_put_codes(object, &row->codes, failed);
	return object;
}

json_t *json_servers(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->server_count; i++)
		json_push(array, server(&snapshot->servers[i], failed), failed);
	return array;
}
