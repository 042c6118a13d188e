/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fixed open-addressing table of pointers to rows. Contract: keyrows.h.
 *
 * Invariant: a slot is always free, or probing would not end: the limit is at most half of the slots, and of 32 slots
 * or more at most 8 go to rest keys beyond it.
 */
#include "handshake/keyrows.h"

#include <errno.h>
#include <stdlib.h>

#include "handshake/hash.h"

#define SLOTS_MIN 32

int keyrows_init(struct keyrows *rows, size_t limit, size_t row_bytes, uint64_t rest_mask)
{
	size_t slots = SLOTS_MIN;
	struct keyrows_slot *at;

	while (slots < 2 * limit)
		slots *= 2;
	at = calloc(slots, sizeof(*at));
	if (!at)
		return -ENOMEM;
	*rows = (struct keyrows){
		.at = at, .slots = slots, .limit = limit, .row_bytes = row_bytes, .rest_mask = rest_mask
	};
	return 0;
}

void keyrows_release(struct keyrows *rows)
{
	for (size_t i = 0; i < rows->slots; i++)
		free(rows->at[i].row);
	free(rows->at);
	*rows = (struct keyrows){ 0 };
}

/* The key's slot, or the free one where it belongs. Keys are small and ours: no seed is needed against strangers. */
static struct keyrows_slot *slot_of(struct keyrows *rows, uint64_t key)
{
	size_t slot = hash_mix(key) & (rows->slots - 1);

	while (rows->at[slot].row && rows->at[slot].key != key)
		slot = (slot + 1) & (rows->slots - 1);
	return &rows->at[slot];
}

void *keyrows_get(struct keyrows *rows, uint64_t key)
{
	struct keyrows_slot *slot = slot_of(rows, key);

	if (!slot->row && rows->used >= rows->limit) {
		key &= rows->rest_mask;
		slot = slot_of(rows, key);
	}
	if (slot->row)
		return slot->row;
	slot->row = calloc(1, rows->row_bytes);
	if (!slot->row)
		return NULL;
	slot->key = key;
	rows->used++;
	return slot->row;
}
