/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of one size for each of a bounded number of small keys: workers, kinds of handshake.
 *
 * As keycount, for rows that are too large to be there before their key comes. A key beyond the limit shares the row
 * of key & rest_mask, so that sums stay right.
 * Must not know: what the keys are, what is in a row.
 */
#ifndef TLSWHY_HANDSHAKE_KEYROWS_H
#define TLSWHY_HANDSHAKE_KEYROWS_H

#include <stddef.h>
#include <stdint.h>

struct keyrows_slot {
	uint64_t key;
	void *row; /* NULL: free */
};

/* `= { 0 }` may be given to keyrows_release(). Walk at[0] to at[slots - 1], of which some are used. */
struct keyrows {
	struct keyrows_slot *at;
	size_t slots;
	size_t used;
	size_t limit;
	size_t row_bytes;
	uint64_t rest_mask;
};

/*
 * limit: different keys, at least 1. rest_mask: key & rest_mask may take 8 values at most; these may come on top of
 * the limit. Returns 0 or -ENOMEM.
 */
int keyrows_init(struct keyrows *rows, size_t limit, size_t row_bytes, uint64_t rest_mask);
void keyrows_release(struct keyrows *rows);
/* The key's row, all zero where it is new; it stays where it is. NULL when memory is short. */
void *keyrows_get(struct keyrows *rows, uint64_t key);

#endif
