/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace as JSON: one object a line and handshake.
 *
 * Keys, all present in every line, null where nobody vouches for the value; times in seconds:
 *   time (RFC 3339, UTC), pid, direction, peer, port, local_port, server_name, outcome, cause, latency_seconds,
 *   parts {peer_seconds, lag_seconds, cpu_seconds, preempted_seconds, connect_seconds, unattributed_seconds},
 *   version, cipher, resumed, errors [{code, text}], verify_result, transport, generation, connection,
 * and beyond that contract:
 *   proxied_by (the socket's peer, where peer and port are from a PROXY protocol header), alert_received, alert_sent
 *   (names), verify_text, errno (name), joined (seen from the middle on: no latency), amends (this line replaces an
 *   earlier one of the same handshake).
 * Invariant: a line is printable ASCII; foreign bytes are escaped by base/escape.h, then by the JSON library.
 * Must not know: clocks, what else is printed.
 */
#ifndef TLSWHY_OUTPUT_TRACE_JSON_H
#define TLSWHY_OUTPUT_TRACE_JSON_H

#include <stdint.h>
#include <stdio.h>

#include "handshake/observation.h"

/*
 * Writes the line of one observation; a mark (EVENT_FINAL, EVENT_EXIT, EVENT_TARGET) has none.
 *   unix_offset_ns: what to add to CLOCK_MONOTONIC to get nanoseconds since 1970
 * Returns 0, -ENOMEM, or -EIO where the stream failed.
 */
int trace_json(const struct observation *observation, uint64_t unix_offset_ns, FILE *stream);

#endif
