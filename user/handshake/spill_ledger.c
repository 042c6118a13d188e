/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An open-addressing table of spill rows.
 *
 * Invariant: at most half of the slots are used, so that probing ends.
 * Must not know: where rows come from.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/hash.h"
#include "handshake/spill_ledger.h"

#define SLOTS_MIN 64

void spill_ledger_init(struct spill_ledger *ledger, size_t limit, uint64_t seed)
{
	*ledger = (struct spill_ledger){ .limit = limit, .seed = seed };
}

void spill_ledger_release(struct spill_ledger *ledger)
{
	free(ledger->entries);
	*ledger = (struct spill_ledger){ 0 };
}

/* The key's slot, or the free one where it belongs. */
static struct spill_entry *find_slot(struct spill_entry *entries, size_t slots, uint64_t seed,
				     const struct spill_key *key)
{
	size_t slot = hash_bytes(key, sizeof(*key), seed) & (slots - 1);

	while (entries[slot].used && memcmp(&entries[slot].key, key, sizeof(*key)) != 0)
		slot = (slot + 1) & (slots - 1);
	return &entries[slot];
}

static int grow(struct spill_ledger *ledger)
{
	size_t slots = ledger->slots ? 2 * ledger->slots : SLOTS_MIN;
	struct spill_entry *entries = calloc(slots, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < ledger->slots; i++)
		if (ledger->entries[i].used)
			*find_slot(entries, slots, ledger->seed, &ledger->entries[i].key) = ledger->entries[i];
	free(ledger->entries);
	ledger->entries = entries;
	ledger->slots = slots;
	return 0;
}

static uint64_t grown_by(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

int spill_ledger_take(struct spill_ledger *ledger, const struct spill_key *key, const struct spill_value *value,
		      struct spill_value *delta)
{
	struct spill_entry *entry = NULL;
	int error = 0;

	if (2 * (ledger->used + 1) > ledger->slots)
		error = grow(ledger);
	if (error)
		return error;
	entry = find_slot(ledger->entries, ledger->slots, ledger->seed, key);
	if (!entry->used && ledger->used >= ledger->limit)
		return -ENOSPC;
	*delta = (struct spill_value){ .count = grown_by(value->count, entry->taken.count) };
	if (delta->count == 0)
		return 0;
	delta->latency_sum_ns = grown_by(value->latency_sum_ns, entry->taken.latency_sum_ns);
	for (unsigned int part = 0; part < PART_COUNT; part++)
		delta->part_sum_us[part] = grown_by(value->part_sum_us[part], entry->taken.part_sum_us[part]);
	delta->before_sum_us = grown_by(value->before_sum_us, entry->taken.before_sum_us);
	if (!entry->used)
		ledger->used++;
	*entry = (struct spill_entry){ .key = *key, .taken = *value, .used = true };
	return 0;
}
