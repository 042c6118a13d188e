/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the spill map has been counted already, for a watch that reads the map again and again.
 *
 * The map's rows only grow, and are read while they do: a row's numbers may be of different moments. A row is taken
 * when its count grew, with all its sums have grown by since it was taken last; so nothing is counted twice, and what
 * a sum lacks for a moment is in a later taking.
 * Memory: 88 bytes a slot and two to four slots a row, taken as rows come; never more rows than the limit.
 * Must not know: where rows come from.
 */
#ifndef TLSWHY_HANDSHAKE_SPILL_LEDGER_H
#define TLSWHY_HANDSHAKE_SPILL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/event.h"

struct spill_entry {
	struct spill_key key;
	struct spill_value taken;
	bool used;
};

struct spill_ledger {
	struct spill_entry *entries;
	size_t slots, used, limit;
	uint64_t seed;
};

/* limit: rows the map can hold. seed: random, for what strangers do decides the keys. Allocates nothing. */
void spill_ledger_init(struct spill_ledger *ledger, size_t limit, uint64_t seed);
void spill_ledger_release(struct spill_ledger *ledger);

/*
 * Takes what a row has grown by. Returns 0 with *delta filled in, of count 0 where it did not grow; -ENOSPC beyond
 * the limit or -ENOMEM, with *delta and the ledger unchanged: the row may be offered again.
 */
int spill_ledger_take(struct spill_ledger *ledger, const struct spill_key *key, const struct spill_value *value,
		      struct spill_value *delta);

#endif
