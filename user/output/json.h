/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report as JSON, schema tlswhy.report/1: base units, every key in every report, empty or null where there is
 * nothing.
 *
 * Keys beyond the contract, which consumers may ignore:
 *   exact_reason                 why exact is false; null where it is true
 *   totals.*.unmatched           handshakes whose object was reused without having been freed
 *   causes[].without_identity    of count: peer and name are not known, the ring was full
 *   hellos_cut                   ClientHellos longer than a record keeps, read as far as they go
 *   requests_incomplete          not every answer with 502 or 504 was seen
 *   causes[].evidence            [{kind: verify_result|alert_received|errno|phase|transport, code, count}]
 *   causes[].requests            {lost, rescued}: upstream, answered with 502 or 504, rescued by another upstream
 *   causes[].peers.returning     estimate: of distinct, peers that also had a handshake that was ok
 *   causes[].first_seen, .last_seen   RFC 3339, null where not known
 *   causes[].server_names[].overcount, .peers.top[].overcount   count is at most this much too high
 *   listeners, namespaces        what waits before accept(): json_host.h
 *   losses.settled_full, losses.undecodable
 *   *.latency_seconds.max_is_bound    max is a bound and not a measured value
 *
 * Where the time went (tlswhy(8), WHERE THE TIME GOES). P is a histogram of a part with its "share" of the whole, or
 * null where it was measured in none; its sum and share are of all handshakes, its distribution is without spilled
 * ones. W is {sum, share} or null. C are "versions", "ciphers", "groups", each [{version|cipher|group, count}].
 *   causes[].parts, ok[].parts   {count, whole_seconds, lag_before_seconds, connect: P, lag: P, peer: P, cpu: P,
 *                                preempted: P, unattributed: P, round_trip: H, resent}; the last two are of the path.
 *                                P of lag, peer and cpu has "coarse": in how many it is good to a tick only
 *   causes[].waited_for          {worker, peer}: who was the longer wait, of those it is known of
 *   ok[].cpu_seconds
 *   groups        [{direction, group, count}], of handshakes that exchanged keys
 *   costs         [{direction, version, resumed, authentication, count, cpu_seconds, mean_cpu_seconds, cpu: H}]
 *   resumption    [{direction, full, resumed, ratio, full_cpu_seconds, resumed_cpu_seconds, saving_seconds}]; the
 *                 last is an upper bound, null where nothing was resumed
 *   servers       [{direction, name, is_rest, ok, failed, resumed, full_cpu_seconds, resumed_cpu_seconds, C}]; name
 *                 is null where none was sent, and of the rest
 *   workers[]     cpu_ratio_peak, run_delay_ratio_peak, cpu_seconds, saturated_seconds, sampled_seconds: as sampled,
 *                 null where nothing was; handshake_cpu_seconds, handshake_cpu_share (of cpu_seconds, at most 1),
 *                 resumed, given_up, given_up_late, latency_seconds: H, whole_seconds, parts {connect: W, ...}, C
 *   generations   [{master_pid, generation, workers, handshakes, failed, resumed, given_up, given_up_late,
 *                 lag_seconds: H, latency_seconds: H, whole_seconds, parts, C}]
 *   resolution    {tick_seconds}: of what is measured in ticks; null where not known
 *
 * causes[].incomplete is empty, or holds the one interval known: the whole window, within which evidence was
 * switched off for a while. workers[].lag_seconds is how long data lay in the socket before the worker read it,
 * empty where that was not measured.
 * Invariant: output is printable ASCII and newlines; foreign bytes are escaped by base/escape.h, then by jansson.
 * Must not know: clocks, where the snapshot came from.
 */
#ifndef TLSWHY_OUTPUT_JSON_H
#define TLSWHY_OUTPUT_JSON_H

#include <stddef.h>
#include <stdio.h>

#include "diagnose/diagnose.h"
#include "handshake/snapshot.h"

/*
 * Writes the document and a newline. findings may be NULL where n is 0. Returns 0, -ENOMEM with nothing written, or
 * -EIO where the stream failed.
 */
int json_report(const struct snapshot *snapshot, const struct finding *findings, size_t n, const char *tool_version,
		FILE *stream);

#endif
