/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host says beside the handshakes, as parts of a JSON report: what waits before accept().
 *
 *   listeners    [{master_pid, netns, address, port, sockets, queue, queue_peak, queue_limit, drops, half_open,
 *                half_open_peak, half_open_is_bound}]
 *   namespaces   [{netns, listen_overflows, listen_drops, request_queue_full}]
 * Null is what is not known. Must not know: where the numbers came from.
 */
#ifndef TLSWHY_OUTPUT_JSON_HOST_H
#define TLSWHY_OUTPUT_JSON_HOST_H

#include "handshake/snapshot.h"
#include "output/json_value.h"

/* New references; *failed as json_put() has it. */
json_t *json_listeners(const struct snapshot *snapshot, bool *failed);
json_t *json_namespaces(const struct snapshot *snapshot, bool *failed);

#endif
