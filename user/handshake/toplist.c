/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Space-Saving: a hash table to find a key's entry, and a cursor to find the one that makes room for a new key.
 *
 * Counts only grow and a new key inherits the least one, so under a stream of new keys most entries soon share the
 * least count. The cursor goes over them one by one; only when none is left are all counts looked at for the next
 * least one. A min-heap in its place took more than twice the time under a stream of new keys.
 * Invariants: no count is below least, and none before the cursor is least; every entry is in the table once;
 * absent_max is not above any count of a full list, so a key that comes (back) inherits a count that its true one
 * cannot exceed.
 * Must not know: what the keys are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "handshake/toplist.h"

#define FIRST_ROOM 8

struct toplist_entry {
	uint64_t hash;
	uint64_t overcount;
	uint32_t key_bytes;
};

void toplist_init(struct toplist *list, size_t capacity, size_t key_bytes_max)
{
	*list = (struct toplist){ .capacity = capacity, .key_bytes_max = key_bytes_max };
}

void toplist_release(struct toplist *list)
{
	free(list->entries);
	free(list->counts);
	free(list->keys);
	free(list->table);
	toplist_init(list, list->capacity, list->key_bytes_max);
}

static uint8_t *entry_key(const struct toplist *list, size_t index)
{
	return list->keys + index * list->key_bytes_max;
}

static size_t table_mask(const struct toplist *list)
{
	return 2 * list->room - 1;
}

static void table_insert(struct toplist *list, uint32_t index)
{
	size_t mask = table_mask(list), slot = list->entries[index].hash & mask;

	while (list->table[slot] != 0)
		slot = (slot + 1) & mask;
	list->table[slot] = index + 1;
}

/* Moves later entries of the chain back, so that no tombstones pile up under a stream of new keys. */
static void table_remove(struct toplist *list, uint32_t index)
{
	size_t mask = table_mask(list), hole = list->entries[index].hash & mask, slot;

	while (list->table[hole] != index + 1)
		hole = (hole + 1) & mask;
	for (slot = (hole + 1) & mask; list->table[slot] != 0; slot = (slot + 1) & mask) {
		size_t home = list->entries[list->table[slot] - 1].hash & mask;

		if (((slot - home) & mask) >= ((slot - hole) & mask)) {
			list->table[hole] = list->table[slot];
			hole = slot;
		}
	}
	list->table[hole] = 0;
}

#define NOT_FOUND SIZE_MAX

/* Its entry's index. */
static size_t toplist_find(const struct toplist *list, const void *key, size_t key_bytes, uint64_t hash)
{
	size_t mask = table_mask(list);

	if (list->room == 0)
		return NOT_FOUND;
	for (size_t slot = hash & mask; list->table[slot] != 0; slot = (slot + 1) & mask) {
		size_t index = list->table[slot] - 1;
		const struct toplist_entry *entry = &list->entries[index];

		if (entry->hash == hash && entry->key_bytes == key_bytes &&
		    memcmp(entry_key(list, index), key, key_bytes) == 0)
			return index;
	}
	return NOT_FOUND;
}

/* Rooms are powers of two (the table's size follows), only the last may be more than the capacity asks for. */
static int toplist_grow(struct toplist *list)
{
	size_t room = list->room ? 2 * list->room : FIRST_ROOM;
	autofree struct toplist_entry *entries = calloc(room, sizeof(*entries));
	autofree uint64_t *counts = calloc(room, sizeof(*counts));
	autofree uint8_t *keys = calloc(room, list->key_bytes_max);
	autofree uint32_t *table = calloc(2 * room, sizeof(*table));

	if (!entries || !counts || !keys || !table)
		return -ENOMEM;
	if (list->count > 0) {
		memcpy(entries, list->entries, list->count * sizeof(*entries));
		memcpy(counts, list->counts, list->count * sizeof(*counts));
		memcpy(keys, list->keys, list->count * list->key_bytes_max);
	}
	free(list->entries);
	free(list->counts);
	free(list->keys);
	free(list->table);
	list->entries = take_pointer(entries);
	list->counts = take_pointer(counts);
	list->keys = take_pointer(keys);
	list->table = take_pointer(table);
	list->room = room;
	for (size_t i = 0; i < list->count; i++)
		table_insert(list, (uint32_t)i);
	return 0;
}

static void entry_set(struct toplist *list, size_t index, const void *key, size_t key_bytes, uint64_t hash)
{
	memcpy(entry_key(list, index), key, key_bytes);
	list->entries[index].key_bytes = (uint32_t)key_bytes;
	list->entries[index].hash = hash;
	table_insert(list, (uint32_t)index);
}

/* A key that is known not to be in the list, into a free entry. */
static void toplist_append(struct toplist *list, const struct toplist_item *item, uint64_t hash)
{
	size_t index = list->count++;

	entry_set(list, index, item->key, item->key_bytes, hash);
	list->counts[index] = item->count;
	list->entries[index].overcount = item->overcount;
}

/* An entry of the least count, from the cursor on. */
static size_t take_least(struct toplist *list)
{
	size_t at = list->cursor;

	while (at < list->count && list->counts[at] != list->least)
		at++;
	if (at == list->count) {
		list->least = UINT64_MAX;
		for (size_t i = 0; i < list->count; i++)
			list->least = list->counts[i] < list->least ? list->counts[i] : list->least;
		for (at = 0; list->counts[at] != list->least; at++)
			;
	}
	list->cursor = at + 1;
	return at;
}

/* The key with the least count gives its entry to a new one, which inherits that count as its overcount. */
static void toplist_replace_least(struct toplist *list, const void *key, size_t key_bytes, uint64_t hash,
				  uint64_t count)
{
	size_t index = take_least(list);

	table_remove(list, (uint32_t)index);
	if (list->least > list->absent_max)
		list->absent_max = list->least;
	entry_set(list, index, key, key_bytes, hash);
	list->entries[index].overcount = list->absent_max;
	list->counts[index] = list->absent_max + count;
}

int toplist_add(struct toplist *list, const void *key, size_t key_bytes, uint64_t hash, uint64_t count)
{
	const struct toplist_item item = {
		.key = key, .key_bytes = key_bytes, .count = list->absent_max + count, .overcount = list->absent_max
	};
	size_t index;

	if (count == 0)
		return 0;
	if (key_bytes > list->key_bytes_max)
		return -EINVAL;
	index = toplist_find(list, key, key_bytes, hash);
	if (index != NOT_FOUND) {
		list->counts[index] += count;
		return 0;
	}
	if (list->count < list->capacity && list->count == list->room && toplist_grow(list) < 0 && list->count == 0)
		return -ENOMEM;
	if (list->count < list->capacity && list->count < list->room)
		toplist_append(list, &item, hash);
	else
		toplist_replace_least(list, key, key_bytes, hash, count);
	return 0;
}

int toplist_item_compare(const void *left, const void *right)
{
	const struct toplist_item *a = left, *b = right;
	size_t shorter = a->key_bytes < b->key_bytes ? a->key_bytes : b->key_bytes;
	int order;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	order = shorter > 0 ? memcmp(a->key, b->key, shorter) : 0;
	if (order == 0 && a->key_bytes != b->key_bytes)
		order = a->key_bytes < b->key_bytes ? -1 : 1;
	return order;
}

static struct toplist_item entry_item(const struct toplist *list, size_t index)
{
	return (struct toplist_item){
		.key = entry_key(list, index),
		.key_bytes = list->entries[index].key_bytes,
		.count = list->counts[index],
		.overcount = list->entries[index].overcount,
	};
}

size_t toplist_sorted(const struct toplist *list, struct toplist_item *items, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct toplist_item item = entry_item(list, i);
		size_t at = used;

		if (n >= list->count) {
			items[used++] = item;
			continue;
		}
		while (at > 0 && toplist_item_compare(&item, &items[at - 1]) < 0)
			at--;
		if (at == n)
			continue;
		if (used < n)
			used++;
		memmove(&items[at + 1], &items[at], (used - 1 - at) * sizeof(*items));
		items[at] = item;
	}
	if (n >= list->count && used > 0)
		qsort(items, used, sizeof(*items), toplist_item_compare);
	return used;
}

/* A key of one of two lists, with what it may at most have been in both. */
struct merged {
	struct toplist_item item;
	uint64_t hash;
};

static int merged_compare(const void *left, const void *right)
{
	return toplist_item_compare(&((const struct merged *)left)->item, &((const struct merged *)right)->item);
}

/* All keys of both. Returns how many. */
static size_t merge_collect(const struct toplist *into, const struct toplist *from, struct merged *all)
{
	size_t used = 0;

	for (size_t i = 0; i < into->count; i++) {
		struct merged merged = { .item = entry_item(into, i), .hash = into->entries[i].hash };
		size_t other = toplist_find(from, merged.item.key, merged.item.key_bytes, merged.hash);

		merged.item.count += other != NOT_FOUND ? from->counts[other] : from->absent_max;
		merged.item.overcount += other != NOT_FOUND ? from->entries[other].overcount : from->absent_max;
		all[used++] = merged;
	}
	for (size_t i = 0; i < from->count; i++) {
		struct merged merged = { .item = entry_item(from, i), .hash = from->entries[i].hash };

		if (toplist_find(into, merged.item.key, merged.item.key_bytes, merged.hash) != NOT_FOUND)
			continue;
		merged.item.count += into->absent_max;
		merged.item.overcount += into->absent_max;
		all[used++] = merged;
	}
	return used;
}

int toplist_merge(struct toplist *into, const struct toplist *from)
{
	autofree struct merged *all = NULL;
	struct toplist merged;
	size_t count;

	if (into == from || into->key_bytes_max != from->key_bytes_max)
		return -EINVAL;
	if (from->count == 0)
		return 0;
	all = calloc(into->count + from->count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	count = merge_collect(into, from, all);
	qsort(all, count, sizeof(*all), merged_compare);
	toplist_init(&merged, into->capacity, into->key_bytes_max);
	merged.absent_max = into->absent_max + from->absent_max;
	if (count > merged.capacity) {
		if (all[merged.capacity].item.count > merged.absent_max)
			merged.absent_max = all[merged.capacity].item.count;
		count = merged.capacity;
	}
	while (merged.room < count) {
		if (toplist_grow(&merged) < 0) {
			toplist_release(&merged);
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < count; i++)
		toplist_append(&merged, &all[i].item, all[i].hash);
	toplist_release(into);
	*into = merged;
	return 0;
}
