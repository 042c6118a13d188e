/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot of nginx with one worker that has too much to do, with all that tells where time went, for the tests of
 * what consumes it.
 * Must not know: outputs, findings.
 */
#ifndef TLSWHY_TESTS_SAMPLE_TIME_H
#define TLSWHY_TESTS_SAMPLE_TIME_H

#include "handshake/snapshot.h"

/*
 * 900 clients ok, 100 that timed out in the middle of the handshake, 80 of them since worker 2449 was late. It ran
 * 98 % of 30 s; worker 2450, of an older generation, hardly. The caller releases it.
 */
void sample_saturated(struct snapshot *snapshot);
/* Adds count handshakes with these parts, in microseconds, to a row; a part of 0 was not measured. */
void sample_add_parts(struct parts_row *row, uint64_t count, const uint64_t us[PART_COUNT], uint64_t whole_us);
/* Adds a worker of master 100, sampled for 30 s, with lag_us 100 times. */
struct snapshot_worker *sample_add_worker(struct snapshot *snapshot, uint32_t pid, double cpu_ratio,
					  double run_delay_ratio, uint64_t lag_us);

#endif
