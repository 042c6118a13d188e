/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Space-Saving: a hash table to find a key's entry, and a min-heap to find the one that makes room for a new key.
 *
 * Invariants: heap[entry.heap_at] is the entry; every entry is in the table once; absent_max is not above any count
 * of a full list, so a key that comes (back) inherits a count that its true one cannot exceed.
 * Must not know: what the keys are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "handshake/hash.h"
#include "handshake/toplist.h"

#define FIRST_ROOM 8

struct toplist_entry {
	uint64_t count;
	uint64_t overcount;
	uint64_t hash;
	uint32_t heap_at;
	uint32_t key_bytes;
};

void toplist_init(struct toplist *list, size_t capacity, size_t key_bytes_max, uint64_t seed)
{
	*list = (struct toplist){ .capacity = capacity, .key_bytes_max = key_bytes_max, .seed = seed };
}

void toplist_release(struct toplist *list)
{
	free(list->entries);
	free(list->keys);
	free(list->heap);
	free(list->table);
	toplist_init(list, list->capacity, list->key_bytes_max, list->seed);
}

static uint8_t *entry_key(const struct toplist *list, size_t index)
{
	return list->keys + index * list->key_bytes_max;
}

static size_t table_mask(const struct toplist *list)
{
	return 2 * list->room - 1;
}

static void heap_put(struct toplist *list, size_t at, uint32_t index)
{
	list->heap[at] = index;
	list->entries[index].heap_at = (uint32_t)at;
}

static void heap_sift_up(struct toplist *list, size_t at)
{
	uint32_t index = list->heap[at];

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (list->entries[list->heap[parent]].count <= list->entries[index].count)
			break;
		heap_put(list, at, list->heap[parent]);
		at = parent;
	}
	heap_put(list, at, index);
}

static void heap_sift_down(struct toplist *list, size_t at)
{
	uint32_t index = list->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= list->count)
			break;
		if (child + 1 < list->count &&
		    list->entries[list->heap[child + 1]].count < list->entries[list->heap[child]].count)
			child++;
		if (list->entries[index].count <= list->entries[list->heap[child]].count)
			break;
		heap_put(list, at, list->heap[child]);
		at = child;
	}
	heap_put(list, at, index);
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

static struct toplist_entry *toplist_find(const struct toplist *list, const void *key, size_t key_bytes,
					  uint64_t hash)
{
	size_t mask = table_mask(list);

	if (list->room == 0)
		return NULL;
	for (size_t slot = hash & mask; list->table[slot] != 0; slot = (slot + 1) & mask) {
		size_t index = list->table[slot] - 1;
		struct toplist_entry *entry = &list->entries[index];

		if (entry->hash == hash && entry->key_bytes == key_bytes &&
		    memcmp(entry_key(list, index), key, key_bytes) == 0)
			return entry;
	}
	return NULL;
}

/* Rooms are powers of two (the table's size follows), only the last may be more than the capacity asks for. */
static int toplist_grow(struct toplist *list)
{
	size_t room = list->room ? 2 * list->room : FIRST_ROOM;
	autofree struct toplist_entry *entries = calloc(room, sizeof(*entries));
	autofree uint8_t *keys = calloc(room, list->key_bytes_max);
	autofree uint32_t *heap = calloc(room, sizeof(*heap));
	autofree uint32_t *table = calloc(2 * room, sizeof(*table));

	if (!entries || !keys || !heap || !table)
		return -ENOMEM;
	if (list->count > 0) {
		memcpy(entries, list->entries, list->count * sizeof(*entries));
		memcpy(keys, list->keys, list->count * list->key_bytes_max);
		memcpy(heap, list->heap, list->count * sizeof(*heap));
	}
	free(list->entries);
	free(list->keys);
	free(list->heap);
	free(list->table);
	list->entries = take_pointer(entries);
	list->keys = take_pointer(keys);
	list->heap = take_pointer(heap);
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
}

/* A key that is known not to be in the list, into a free entry. */
static void toplist_append(struct toplist *list, const void *key, size_t key_bytes, uint64_t hash, uint64_t count,
			   uint64_t overcount)
{
	size_t index = list->count++;

	entry_set(list, index, key, key_bytes, hash);
	list->entries[index].count = count;
	list->entries[index].overcount = overcount;
	heap_put(list, index, (uint32_t)index);
	heap_sift_up(list, index);
	table_insert(list, (uint32_t)index);
}

/* The key with the least count gives its entry to a new one, which inherits that count as its overcount. */
static void toplist_replace_least(struct toplist *list, const void *key, size_t key_bytes, uint64_t hash,
				  uint64_t count)
{
	uint32_t index = list->heap[0];
	struct toplist_entry *entry = &list->entries[index];

	table_remove(list, index);
	if (entry->count > list->absent_max)
		list->absent_max = entry->count;
	entry_set(list, index, key, key_bytes, hash);
	entry->overcount = list->absent_max;
	entry->count = list->absent_max + count;
	table_insert(list, index);
	heap_sift_down(list, 0);
}

int toplist_add(struct toplist *list, const void *key, size_t key_bytes, uint64_t count)
{
	struct toplist_entry *entry;
	uint64_t hash;

	if (count == 0)
		return 0;
	if (key_bytes > list->key_bytes_max)
		key_bytes = list->key_bytes_max;
	hash = hash_bytes(key, key_bytes, list->seed);
	entry = toplist_find(list, key, key_bytes, hash);
	if (entry) {
		entry->count += count;
		heap_sift_down(list, entry->heap_at);
		return 0;
	}
	if (list->count < list->capacity && list->count == list->room && toplist_grow(list) < 0 && list->count == 0)
		return -ENOMEM;
	if (list->count < list->capacity && list->count < list->room)
		toplist_append(list, key, key_bytes, hash, list->absent_max + count, list->absent_max);
	else
		toplist_replace_least(list, key, key_bytes, hash, count);
	return 0;
}

static int item_compare(const void *left, const void *right)
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
		.count = list->entries[index].count,
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
		while (at > 0 && item_compare(&item, &items[at - 1]) < 0)
			at--;
		if (at == n)
			continue;
		if (used < n)
			used++;
		memmove(&items[at + 1], &items[at], (used - 1 - at) * sizeof(*items));
		items[at] = item;
	}
	if (n >= list->count && used > 0)
		qsort(items, used, sizeof(*items), item_compare);
	return used;
}

/* All keys of both lists with what each may at most have been. Returns how many. */
static size_t merge_collect(const struct toplist *into, const struct toplist *from, struct toplist_item *items)
{
	size_t used = 0;

	for (size_t i = 0; i < into->count; i++) {
		struct toplist_item item = entry_item(into, i);
		const struct toplist_entry *other = toplist_find(from, item.key, item.key_bytes,
								 hash_bytes(item.key, item.key_bytes, from->seed));

		item.count += other ? other->count : from->absent_max;
		item.overcount += other ? other->overcount : from->absent_max;
		items[used++] = item;
	}
	for (size_t i = 0; i < from->count; i++) {
		struct toplist_item item = entry_item(from, i);

		if (toplist_find(into, item.key, item.key_bytes, hash_bytes(item.key, item.key_bytes, into->seed)))
			continue;
		item.count += into->absent_max;
		item.overcount += into->absent_max;
		items[used++] = item;
	}
	return used;
}

int toplist_merge(struct toplist *into, const struct toplist *from)
{
	autofree struct toplist_item *items = NULL;
	struct toplist merged;
	size_t count;

	if (into == from || into->key_bytes_max != from->key_bytes_max)
		return -EINVAL;
	if (from->count == 0)
		return 0;
	items = calloc(into->count + from->count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	count = merge_collect(into, from, items);
	qsort(items, count, sizeof(*items), item_compare);
	toplist_init(&merged, into->capacity, into->key_bytes_max, into->seed);
	merged.absent_max = into->absent_max + from->absent_max;
	if (count > merged.capacity) {
		if (items[merged.capacity].count > merged.absent_max)
			merged.absent_max = items[merged.capacity].count;
		count = merged.capacity;
	}
	while (merged.room < count) {
		if (toplist_grow(&merged) < 0) {
			toplist_release(&merged);
			return -ENOMEM;
		}
	}
	for (size_t i = 0; i < count; i++)
		toplist_append(&merged, items[i].key, items[i].key_bytes,
			       hash_bytes(items[i].key, items[i].key_bytes, merged.seed), items[i].count,
			       items[i].overcount);
	toplist_release(into);
	*into = merged;
	return 0;
}
