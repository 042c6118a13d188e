/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A signed count for each of a bounded number of small keys: protocol versions, ciphers, groups.
 *
 * Signed, because what takes a count back may be read before what it is taken from; at the end none is negative.
 * Memory is taken once; a key beyond the limit is counted under key & rest_mask, so that sums stay right.
 * Must not know: what the keys are.
 */
#ifndef TLSWHY_HANDSHAKE_KEYCOUNT_H
#define TLSWHY_HANDSHAKE_KEYCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keycount_entry {
	uint64_t key;
	int64_t count;
	bool used;
};

/* `= { 0 }` may be given to keycount_release(). Walk entries[0] to entries[slots - 1], of which some are used. */
struct keycount {
	struct keycount_entry *entries;
	size_t slots;
	size_t used;
	size_t limit;
	uint64_t rest_mask;
};

/*
 * limit: different keys, at least 1. rest_mask: key & rest_mask may take 8 values at most; these may come on top of
 * the limit. Returns 0 or -ENOMEM.
 */
int keycount_init(struct keycount *counts, size_t limit, uint64_t rest_mask);
void keycount_release(struct keycount *counts);
void keycount_add(struct keycount *counts, uint64_t key, int64_t count);
/* Adds from to into, under into's limit. */
void keycount_merge(struct keycount *into, const struct keycount *from);

#endif
