/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether two snapshots say the same, row by row and histogram by histogram. Used by the tests of counting. */
#ifndef TLSWHY_TESTS_UNIT_SNAPSHOT_SAME_H
#define TLSWHY_TESTS_UNIT_SNAPSHOT_SAME_H

#include "handshake/snapshot.h"

/* To the count, the sum and the honest maximum. */
void assert_same_histogram(const struct histogram *a, const struct histogram *b);

/* Sums only: what spilled handshakes have as well. */
void assert_same_parts_sums(const struct parts_row *a, const struct parts_row *b);

/* All that an aggregate fills, and generations, but peers_returning: it may depend on the order of an ok and its
 * amendment. */
void assert_same_snapshots(const struct snapshot *a, const struct snapshot *b);

#endif
