/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners and network namespaces as JSON. Contract: json_host.h. */
#include "output/json_host.h"

#include <arpa/inet.h>

/* Null where it is not known. */
static json_t *json_known(int64_t count)
{
	return count < 0 ? json_null() : json_count((uint64_t)count);
}

static json_t *json_pid(uint32_t pid)
{
	return pid ? json_count(pid) : json_null();
}

static json_t *json_address(const struct snapshot_listener *row)
{
	char text[INET6_ADDRSTRLEN];

	return json_name(inet_ntop(row->family, row->address, text, sizeof(text)));
}

static json_t *listener(const struct snapshot_listener *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "master_pid", json_pid(row->master_pid), failed);
	json_put(object, "netns", json_count(row->netns), failed);
	json_put(object, "address", json_address(row), failed);
	json_put(object, "port", json_count(row->port), failed);
	json_put(object, "sockets", json_count(row->sockets), failed);
	json_put(object, "queue", json_count(row->queue), failed);
	json_put(object, "queue_peak", json_count(row->queue_peak), failed);
	json_put(object, "queue_limit", json_count(row->queue_limit), failed);
	json_put(object, "drops", json_known(row->drops), failed);
	json_put(object, "half_open", json_known(row->half_open), failed);
	json_put(object, "half_open_peak", json_known(row->half_open_peak), failed);
	json_put(object, "half_open_is_bound", json_boolean(row->half_open_is_bound), failed);
	return object;
}

json_t *json_listeners(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->listener_count; i++)
		json_push(array, listener(&snapshot->listeners[i], failed), failed);
	return array;
}

json_t *json_namespaces(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->namespace_count; i++) {
		const struct snapshot_netns *row = &snapshot->namespaces[i];
		json_t *object = json_object();

		json_put(object, "netns", json_count(row->netns), failed);
		json_put(object, "listen_overflows", json_known(row->listen_overflows), failed);
		json_put(object, "listen_drops", json_known(row->listen_drops), failed);
		json_put(object, "request_queue_full", json_known(row->request_queue_full), failed);
		json_push(array, object, failed);
	}
	return array;
}
