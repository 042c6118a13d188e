/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An open-addressing table of names. Contract: servers.h.
 *
 * Invariant: at most half of the table's slots are used, so that probing ends; an entry never leaves.
 */
#include "handshake/servers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM       16
#define FIRST_NAMES_ROOM 512
#define NAME_BYTES_MAX   (SNAPSHOT_NAME_BYTES - 1)

struct server_entry {
	uint64_t hash;
	uint32_t name_at; /* in names[] */
	uint32_t name_bytes;
	struct server_tally tally;
};

/* With a part of the hash, so that a name that is not kept costs no look at entries that are. */
struct server_slot {
	uint32_t entry; /* its index plus 1; 0: free */
	uint32_t tag;
};

void servers_init(struct servers *servers, size_t limit)
{
	*servers = (struct servers){ .limit = limit };
}

void servers_release(struct servers *servers)
{
	free(servers->entries);
	free(servers->table);
	free(servers->names);
	servers_init(servers, servers->limit);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static void table_put(struct server_slot *table, size_t slots, uint64_t hash, size_t index)
{
	size_t slot = hash & (slots - 1);

	while (table[slot].entry != 0)
		slot = (slot + 1) & (slots - 1);
	table[slot] = (struct server_slot){ .entry = (uint32_t)index + 1, .tag = tag_of(hash) };
}

static struct server_entry *find(const struct servers *servers, uint64_t hash, const void *name, size_t name_bytes)
{
	size_t mask = 2 * servers->room - 1;

	for (size_t slot = hash & mask; servers->room > 0 && servers->table[slot].entry != 0;
	     slot = (slot + 1) & mask) {
		struct server_entry *entry = &servers->entries[servers->table[slot].entry - 1];

		if (servers->table[slot].tag == tag_of(hash) && entry->hash == hash &&
		    entry->name_bytes == name_bytes && memcmp(servers->names + entry->name_at, name, name_bytes) == 0)
			return entry;
	}
	return NULL;
}

static int grow(struct servers *servers)
{
	size_t room = servers->room ? 2 * servers->room : FIRST_ROOM;
	struct server_entry *entries;
	struct server_slot *table;

	if (servers->count < servers->room)
		return 0;
	entries = reallocarray(servers->entries, room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	servers->entries = entries;
	table = calloc(2 * room, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < servers->count; i++)
		table_put(table, 2 * room, entries[i].hash, i);
	free(servers->table);
	servers->table = table;
	servers->room = room;
	return 0;
}

static int names_grow(struct servers *servers, size_t name_bytes)
{
	size_t room = servers->names_room ? 2 * servers->names_room : FIRST_NAMES_ROOM;
	size_t most = servers->limit * NAME_BYTES_MAX;
	uint8_t *names;

	if (servers->names_bytes + name_bytes <= servers->names_room)
		return 0;
	if (room > most)
		room = most;
	names = realloc(servers->names, room);
	if (!names)
		return -ENOMEM;
	servers->names = names;
	servers->names_room = room;
	return 0;
}

static struct server_tally *insert(struct servers *servers, uint64_t hash, const void *name, size_t name_bytes)
{
	struct server_entry *entry;

	if (servers->count >= servers->limit || grow(servers) < 0 || names_grow(servers, name_bytes) < 0)
		return &servers->rest;
	entry = &servers->entries[servers->count];
	*entry = (struct server_entry){ .hash = hash,
					.name_at = (uint32_t)servers->names_bytes,
					.name_bytes = (uint32_t)name_bytes };
	memcpy(servers->names + servers->names_bytes, name, name_bytes);
	servers->names_bytes += name_bytes;
	table_put(servers->table, 2 * servers->room, hash, servers->count++);
	return &entry->tally;
}

static struct server_tally *tally_of(struct servers *servers, uint64_t hash, const void *name, size_t name_bytes)
{
	struct server_entry *entry = find(servers, hash, name, name_bytes);

	return entry ? &entry->tally : insert(servers, hash, name, name_bytes);
}

static void count(struct server_tally *tally, const struct batch *batch)
{
	int64_t kept = batch_kept(batch), cpu_us = (int64_t)batch->part_us[PART_CPU];

	if (batch->cause != CAUSE_OK)
		tally->failed += batch->count;
	tally->ok += kept;
	if (kept < 0)
		cpu_us = -cpu_us;
	if (kept == 0)
		return;
	if (batch->resumed) {
		tally->resumed += kept;
		tally->resumed_cpu_us += cpu_us;
	} else {
		tally->full_cpu_us += cpu_us;
	}
	code_tally_add(&tally->codes, batch);
}

void servers_add(struct servers *servers, const struct batch *batch, const void *name, size_t name_bytes,
		 uint64_t hash)
{
	count(name_bytes > 0 ? tally_of(servers, hash, name, name_bytes) : &servers->nameless, batch);
}

static void merge(struct server_tally *into, const struct server_tally *from)
{
	into->ok += from->ok;
	into->failed += from->failed;
	into->resumed += from->resumed;
	into->full_cpu_us += from->full_cpu_us;
	into->resumed_cpu_us += from->resumed_cpu_us;
	code_tally_merge(&into->codes, &from->codes);
}

void servers_merge(struct servers *into, const struct servers *from)
{
	merge(&into->nameless, &from->nameless);
	merge(&into->rest, &from->rest);
	for (size_t i = 0; i < from->count; i++) {
		const struct server_entry *entry = &from->entries[i];

		merge(tally_of(into, entry->hash, from->names + entry->name_at, entry->name_bytes), &entry->tally);
	}
}

size_t servers_rows_max(const struct servers *servers)
{
	return servers->count + 2;
}

/* Appends a row, where there is something to say in it. */
static int add_row(const struct server_tally *tally, const struct server_row *row, struct snapshot *snapshot)
{
	struct server_row *made = &snapshot->servers[snapshot->server_count];

	if (tally->ok <= 0 && tally->failed == 0)
		return 0;
	*made = *row;
	made->ok = count_settled(tally->ok);
	made->failed = tally->failed;
	made->resumed = count_settled(tally->resumed);
	made->full_cpu_us = count_settled(tally->full_cpu_us);
	made->resumed_cpu_us = count_settled(tally->resumed_cpu_us);
	snapshot->server_count++;
	return code_tally_list(&tally->codes, &made->codes);
}

int servers_rows(const struct servers *servers, unsigned int direction, struct snapshot *snapshot)
{
	int err = add_row(&servers->nameless, &(struct server_row){ .direction = direction }, snapshot);

	if (err == 0)
		err = add_row(&servers->rest, &(struct server_row){ .direction = direction, .is_rest = true },
			      snapshot);
	for (size_t i = 0; i < servers->count && err == 0; i++) {
		const struct server_entry *entry = &servers->entries[i];
		struct server_row row = { .direction = direction, .name_bytes = entry->name_bytes };

		memcpy(row.name, servers->names + entry->name_at, entry->name_bytes);
		err = add_row(&entry->tally, &row, snapshot);
	}
	return err;
}
