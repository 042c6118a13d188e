/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot as metrics: OpenMetrics 1.0 and the Prometheus text format 0.0.4.
 *
 * Invariants: every series that can be named in advance is there from the start, at 0, so that the first failure is
 * an increase; and the number of series is bounded. Labels are directions, causes, versions, results for a
 * request, stages of loss and pids of workers; never a peer, a server name or a fingerprint.
 * Must not know: HTTP, files, clocks.
 *
 *   tlswhy_handshakes_total{direction,cause}             every direction and cause
 *   tlswhy_handshake_duration_seconds{direction,cause}   histogram; direction unknown from its first handshake on
 *   tlswhy_handshake_cpu_seconds_total{direction}        inside SSL_do_handshake
 *   tlswhy_handshake_part_seconds_total{direction,part}  where the time went: PARTS, and unattributed
 *   tlswhy_session_resumed_total{direction}
 *   tlswhy_negotiated_total{direction,version}           TLSv1 to TLSv1.3, other, unknown
 *   tlswhy_worker_cpu_ratio{worker}                      worker is a pid; those that are alive
 *   tlswhy_worker_lag_seconds{worker}                    summary of the whole watch; the same workers
 *   tlswhy_upstream_requests_total{cause,result}         every cause but ok; lost, rescued: see handshake/impact.h
 *   tlswhy_lost_total{stage}
 *   tlswhy_build_info{version}
 */
#ifndef TLSWHY_OUTPUT_OPENMETRICS_H
#define TLSWHY_OUTPUT_OPENMETRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "handshake/snapshot.h"

enum openmetrics_form { OPENMETRICS_1_0, PROMETHEUS_0_0_4 };

/*
 * Upper bounds of the exported buckets are powers of two of a nanosecond, from 2^18 (0.26 ms) to 2^36 (69 s): doubled
 * up to 2^28 (0.27 s), then fourfold. Each is also a bound of tlswhy/verdict.h's buckets, so that no count is split.
 */
#define OPENMETRICS_BOUNDS   15
#define OPENMETRICS_VERSIONS 6
#define OPENMETRICS_STAGES   8
#define OPENMETRICS_RESULTS  2
/* Workers listed at most. Rows of one pid must be neighbours in the snapshot, as aggregate_snapshot() puts them. */
#define OPENMETRICS_WORKERS 256

struct openmetrics_histogram {
	uint64_t counts[OPENMETRICS_BOUNDS + 1]; /* cumulative; the last one is of all */
	uint64_t sum_ns;
};

/* Sum and count of a worker's lag are counters too, of a series that comes and goes with its process. */
struct openmetrics_lag {
	uint32_t pid;
	uint64_t count, sum_ns;
};

/* What is exported as a counter: uint64_t, but for the lags at the end. `= { 0 }` is none. About 30 KB. */
struct openmetrics_counters {
	uint64_t handshakes[SNAPSHOT_DIRECTIONS][CAUSE_COUNT];
	struct openmetrics_histogram durations[SNAPSHOT_DIRECTIONS][CAUSE_COUNT];
	uint64_t cpu_ns[SNAPSHOT_DIRECTIONS];
	uint64_t resumed[SNAPSHOT_DIRECTIONS];
	uint64_t negotiated[SNAPSHOT_DIRECTIONS][OPENMETRICS_VERSIONS];
	uint64_t requests[CAUSE_COUNT][OPENMETRICS_RESULTS];
	uint64_t parts_us[SNAPSHOT_DIRECTIONS][PARTS_SHOWN];
	uint64_t lost[OPENMETRICS_STAGES];
	struct openmetrics_lag lags[OPENMETRICS_WORKERS]; /* of the workers that were there at the last writing */
	size_t lag_count;
};

/* Upper bound of an exported bucket in ns, inclusive; bound < OPENMETRICS_BOUNDS. */
uint64_t openmetrics_bound_ns(unsigned int bound);

/* Of a handshake's final facts alone: for a snapshot that nothing is added to any more. Returns 0, or -EIO. */
int openmetrics_write(const struct snapshot *snapshot, enum openmetrics_form form, const char *tool_version,
		      FILE *stream);

/*
 * The same for snapshots of one watch, one after the other. An ok that nginx rejects afterwards moves to its cause,
 * and a counter that falls is taken for a restart, which makes a rate of all that was ever counted. So no counter is
 * written that is below *highest, which is raised to what was written: where a rejection follows a scrape that saw
 * it as ok, ok stands still for the next one.
 */
int openmetrics_write_raised(struct openmetrics_counters *highest, const struct snapshot *snapshot,
			     enum openmetrics_form form, const char *tool_version, FILE *stream);

#endif
