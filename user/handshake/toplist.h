/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The most frequent of very many keys, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, 2005).
 *
 * Guarantees, with N the sum of all counts added and C the capacity (of merged lists, the least one):
 *   - count - overcount <= the key's true count <= count;
 *   - overcount <= N / C, and a key whose true count is above N / C is in the list;
 *   - with at most C distinct keys every count is exact, and neither order nor merging changes it.
 * An addition costs a table probe, however many keys there were; one of a new key to a full list a look at a few
 * counts, and at all C of them at worst.
 * Memory: key_bytes_max + 40 bytes a key for C rounded up to a power of two, taken as keys come, by doubling; nothing
 * is allocated any more when the list is full.
 * Keys are bytes with a length, may hold NUL, and are copied. Their hashes are the caller's, of one function with one
 * seed for lists that are merged; where strangers choose the keys, one whose collisions they cannot find.
 * Must not know: what the keys are.
 */
#ifndef TLSWHY_HANDSHAKE_TOPLIST_H
#define TLSWHY_HANDSHAKE_TOPLIST_H

#include <stddef.h>
#include <stdint.h>

#define TOPLIST_KEY_BYTES 256

struct toplist_entry;

/* Read the fields through the functions; `= { 0 }` is a list that toplist_release() may be given. */
struct toplist {
	size_t capacity;
	size_t key_bytes_max;
	size_t count;        /* of entries[] in use */
	size_t room;         /* of entries[], counts[] and keys[] */
	uint64_t absent_max; /* no key that is not in the list has a greater true count */
	uint64_t least;      /* no count is less */
	size_t cursor;       /* all counts before it are greater than least */
	struct toplist_entry *entries;
	uint64_t *counts; /* one an entry, side by side */
	uint8_t *keys;    /* key_bytes_max bytes an entry */
	uint32_t *table;  /* index of an entry plus 1, by hash, linear probing; 2 * room slots */
};

/* What toplist_sorted() gives: the key belongs to the list and is good until the list changes. */
struct toplist_item {
	const uint8_t *key;
	size_t key_bytes;
	uint64_t count;
	uint64_t overcount;
};

/* Allocates nothing. capacity: 1 to 2^30 keys. key_bytes_max: 1 to TOPLIST_KEY_BYTES. */
void toplist_init(struct toplist *list, size_t capacity, size_t key_bytes_max);
/* Frees what it owns and leaves it empty, of the same capacity. */
void toplist_release(struct toplist *list);

/*
 * Counts a key; a count of 0 changes nothing. Returns 0, or with the list unchanged -EINVAL where the key is too
 * long, or -ENOMEM, which can only happen at the first key: where the list cannot grow later, it goes on with what it
 * has.
 */
int toplist_add(struct toplist *list, const void *key, size_t key_bytes, uint64_t hash, uint64_t count);

/*
 * Adds from to into; the capacity stays that of into. The guarantees hold for the sum (Agarwal et al., Mergeable
 * Summaries, 2012). Returns 0, -EINVAL where they are the same list, or -ENOMEM with into unchanged.
 */
int toplist_merge(struct toplist *into, const struct toplist *from);

/* The order of toplist_sorted(), for qsort() of items: the largest count first, then by key. */
int toplist_item_compare(const void *left, const void *right);

/*
 * Writes the n most frequent to items[], most frequent first, equal ones by key. Returns how many were written. Costs
 * O(count * n) at worst, O(count * log count) where n takes them all.
 */
size_t toplist_sorted(const struct toplist *list, struct toplist_item *items, size_t n);

#endif
