/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace as JSON: one object a line and handshake.
 *
 * Keys, all present in every line, null where nobody vouches for the value; times in seconds:
 *   time (RFC 3339, UTC), pid, direction, peer, port, local_port, server_name, outcome, cause, latency_seconds,
 *   parts {connect_seconds, lag_seconds, peer_seconds, cpu_seconds, preempted_seconds, unattributed_seconds},
 *   version, cipher, resumed, errors [{code, text}], verify_result, transport, generation, connection,
 * and beyond that contract:
 *   whole_seconds (latency, and what was measured before it: connect and parts.lag_before_seconds; the parts add up
 * to it, to the microsecond), parts.lag_before_seconds (of lag: before the first call), resolution_seconds {lag, cpu}
 * (null where that part is good to a microsecond, else the kernel's tick; where lag has one, peer has it too),
 * waited_for (of what failed, who was the longer wait: peer, worker), srtt_seconds, min_rtt_seconds, retransmits (of
 * the TCP connection), group, signature (names), proxied_by (the socket's peer, where peer and port are from a PROXY
 * protocol header), alert_received, alert_sent (names), verify_text, errno (name), joined (seen from the middle on:
 * no latency), amends (this line replaces an earlier one of the same handshake). Invariant: a line is printable
 * ASCII; foreign bytes are escaped by base/escape.h, then by the JSON library. Must not know: clocks, what else is
 * printed.
 */
#ifndef TLSWHY_OUTPUT_TRACE_JSON_H
#define TLSWHY_OUTPUT_TRACE_JSON_H

#include <stdio.h>

#include "handshake/observation.h"
#include "output/facts.h"

/*
 * Writes the line of one observation; a mark (EVENT_FINAL, EVENT_EXIT, EVENT_TARGET) has none.
 * Returns 0, -ENOMEM, or -EIO where the stream failed.
 */
int trace_json(const struct observation *observation, const struct trace_clock *clock, FILE *stream);

#endif
