/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fixed open-addressing table of counts.
 *
 * Invariant: a slot is always free, or probing would not end: the limit is at most half of the slots, and of 32 slots
 * or more at most 8 go to rest keys beyond it.
 * Must not know: what the keys are.
 */
#include <errno.h>
#include <stdlib.h>

#include "handshake/hash.h"
#include "handshake/keycount.h"

#define SLOTS_MIN 32

int keycount_init(struct keycount *counts, size_t limit, uint64_t rest_mask)
{
	size_t slots = SLOTS_MIN;
	struct keycount_entry *entries;

	while (slots < 2 * limit)
		slots *= 2;
	entries = calloc(slots, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	*counts = (struct keycount){ .entries = entries, .slots = slots, .limit = limit, .rest_mask = rest_mask };
	return 0;
}

void keycount_release(struct keycount *counts)
{
	free(counts->entries);
	*counts = (struct keycount){ 0 };
}

/* The key's slot, or the free one where it belongs. Keys are small and ours: no seed is needed against strangers. */
static struct keycount_entry *keycount_slot(struct keycount *counts, uint64_t key)
{
	size_t slot = hash_mix(key) & (counts->slots - 1);

	while (counts->entries[slot].used && counts->entries[slot].key != key)
		slot = (slot + 1) & (counts->slots - 1);
	return &counts->entries[slot];
}

void keycount_add(struct keycount *counts, uint64_t key, int64_t count)
{
	struct keycount_entry *entry = keycount_slot(counts, key);

	if (!entry->used && counts->used >= counts->limit) {
		key &= counts->rest_mask;
		entry = keycount_slot(counts, key);
	}
	if (!entry->used) {
		*entry = (struct keycount_entry){ .key = key, .used = true };
		counts->used++;
	}
	entry->count += count;
}

void keycount_merge(struct keycount *into, const struct keycount *from)
{
	for (size_t i = 0; i < from->slots; i++) {
		const struct keycount_entry *entry = &from->entries[i];

		if (entry->used)
			keycount_add(into, entry->key, entry->count);
	}
}
