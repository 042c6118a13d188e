/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was negotiated in a set of handshakes that were ok and kept: versions, cipher suites, groups, in fixed memory.
 *
 * Of each kind the first 8 numbers are told apart, more than one server uses; the others, and what is not known, are
 * counted under 0. Signed, because what takes a count back may be read before what it is taken from.
 * Must not know: what the set is.
 */
#ifndef TLSWHY_HANDSHAKE_CODES_H
#define TLSWHY_HANDSHAKE_CODES_H

#include <stdint.h>

#include "handshake/batch.h"
#include "handshake/snapshot.h"

#define CODES_KEPT 8

/* `= { 0 }` is none. */
struct code_tally {
	int64_t counts[CODE_KINDS][CODES_KEPT + 1]; /* of codes[], and behind them of 0 */
	uint16_t codes[CODE_KINDS][CODES_KEPT];     /* 0: free */
};

/* Adds what a batch's handshakes had negotiated, or takes it back. Cipher and group only where there was one. */
void code_tally_add(struct code_tally *tally, const struct batch *batch);
void code_tally_merge(struct code_tally *into, const struct code_tally *from);
/* Makes the list of those above 0. Returns 0, or -ENOMEM with *counts unchanged. */
int code_tally_list(const struct code_tally *tally, struct code_counts *counts);

/* By kind, most frequent first, equal ones by number. */
void code_counts_sort(struct code_counts *counts);

#endif
