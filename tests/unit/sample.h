/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots for the tests of what consumes them: small, with numbers that are easy to find again.
 * Must not know: outputs, findings.
 */
#ifndef TLSWHY_TESTS_SAMPLE_H
#define TLSWHY_TESTS_SAMPLE_H

#include "handshake/snapshot.h"

/* A server name of a stranger who means harm: escape sequences, a NUL, bytes that are not UTF-8, a bidi override. */
#define SAMPLE_HOSTILE_NAME       "\033[31mevil\0\xff\"\\\xe2\x80\xae\n.test"
#define SAMPLE_HOSTILE_NAME_BYTES (sizeof(SAMPLE_HOSTILE_NAME) - 1)

/* A window of 30 s from 2026-03-04T05:06:07Z on, exact, of nothing. The caller releases it. */
void sample_nothing(struct snapshot *snapshot);
/* Adds n good handshakes of 2 ms each, half of them resumed. */
void sample_add_ok(struct snapshot *snapshot, unsigned int direction, uint64_t n);
/* Adds a cause, with two peers unless returning is negative, first seen 5 s into the window; fixes shares. */
struct cause_row *sample_add_cause(struct snapshot *snapshot, unsigned int direction, enum cause cause, uint64_t n,
				   double returning);
/* Adds the hostile server name to a row. */
void sample_add_hostile_name(struct cause_row *row);
/* Adds a target and a worker with a name no output may print as it is. */
void sample_add_target(struct snapshot *snapshot);

#endif
