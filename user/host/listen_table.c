/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at listeners, added up. Invariant: order lists every row, known is sorted by inode.
 * Contract: listen_table.h.
 */
#include "host/listen_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A socket of ours. */
struct listen_known {
	uint32_t inode;
	uint32_t owner;
	uint64_t cookie;
	uint32_t drops; /* as last seen */
	uint32_t look;  /* in which it was seen last */
	uint16_t row;
};

void listen_table_release(struct listen_table *table)
{
	free(table->rows);
	free(table->order);
	free(table->known);
	*table = (struct listen_table){ 0 };
}

static uint32_t sum_of(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* Where an address is in order, or belongs. */
static size_t place_of(const struct listen_table *table, const struct listen_address *address, bool *found)
{
	size_t low = 0, high = table->count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int sign = memcmp(&table->rows[table->order[middle]].address, address, sizeof(*address));

		*found = sign == 0;
		if (sign < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return *found ? high : low;
}

/* The index of the row of an address, made where it is not there; or a negative errno. */
static int row_of(struct listen_table *table, const struct listen_address *address)
{
	struct listen_row *rows;
	uint16_t *order;
	bool found;
	size_t at = place_of(table, address, &found);

	if (found)
		return table->order[at];
	if (table->count >= table->room)
		return -ENOSPC;
	rows = reallocarray(table->rows, table->count + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	order = reallocarray(table->order, table->count + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	table->order = order;
	rows[table->count] = (struct listen_row){
		.address = *address,
		.drops = LISTEN_UNKNOWN,
		.half_open = LISTEN_UNKNOWN,
		.half_open_peak = LISTEN_UNKNOWN,
	};
	memmove(order + at + 1, order + at, (table->count - at) * sizeof(*order));
	order[at] = (uint16_t)table->count;
	return (int)table->count++;
}

/* Where an inode is among the known ones, or belongs. */
static size_t known_place(const struct listen_table *table, uint32_t inode)
{
	size_t low = 0, high = table->known_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->known[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct listen_claim *claim_of(const struct listen_table *table, uint32_t inode)
{
	size_t low = 0, high = table->claim_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->claims[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->claim_count && table->claims[low].inode == inode ? &table->claims[low] : NULL;
}

/* Sockets that were closed: nginx with a socket a worker makes new ones at each reload. */
static void forget_closed(struct listen_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->known_count; i++)
		if (table->look - table->known[i].look <= 1)
			table->known[kept++] = table->known[i];
	table->known_count = kept;
}

static struct listen_known *learn(struct listen_table *table, const struct listen_socket *socket)
{
	struct listen_address address = { .family = socket->family, .port = socket->port };
	struct listen_known *known;
	size_t at;
	int row;

	if (table->known_count >= LISTEN_SOCKETS_MAX)
		forget_closed(table);
	if (table->known_count >= LISTEN_SOCKETS_MAX)
		return NULL;
	memcpy(address.bytes, socket->address, sizeof(address.bytes));
	row = row_of(table, &address);
	known = row < 0 ? NULL : reallocarray(table->known, table->known_count + 1, sizeof(*known));
	if (!known)
		return NULL;
	table->known = known;
	at = known_place(table, socket->inode);
	memmove(known + at + 1, known + at, (table->known_count++ - at) * sizeof(*known));
	known[at] = (struct listen_known){
		.inode = socket->inode,
		.cookie = socket->cookie,
		.drops = socket->drops,
		.look = table->look - 1,
		.row = (uint16_t)row,
	};
	if (socket->has_drops && table->rows[row].drops == LISTEN_UNKNOWN)
		table->rows[row].drops = 0;
	return &known[at];
}

void listen_table_begin(struct listen_table *table, const struct listen_claim *claims, size_t claim_count,
			size_t room)
{
	table->claims = claims;
	table->claim_count = claim_count;
	table->room = room < LISTEN_ROWS_MAX ? room : LISTEN_ROWS_MAX;
	table->look++;
	for (size_t i = 0; i < table->count; i++) {
		struct listen_row *row = &table->rows[i];

		row->new_sockets = row->new_queue = row->new_limit = 0;
	}
}

/* A socket of ours; NULL: it is not. An inode number is used again one day, a cookie is not. */
static struct listen_known *recognize(struct listen_table *table, const struct listen_socket *socket)
{
	const struct listen_claim *claim = claim_of(table, socket->inode);
	size_t at = known_place(table, socket->inode);
	struct listen_known *known = NULL;

	if (!socket->inode)
		return NULL;
	if (at < table->known_count && table->known[at].inode == socket->inode) {
		known = &table->known[at];
		if (known->cookie != socket->cookie) {
			memmove(known, known + 1, (--table->known_count - at) * sizeof(*known));
			known = NULL;
		}
	}
	if (!known && claim)
		known = learn(table, socket);
	if (known && claim)
		known->owner = claim->owner;
	return known;
}

void listen_table_add(void *context, const struct listen_socket *socket)
{
	struct listen_table *table = context;
	struct listen_known *known = socket->half_open ? NULL : recognize(table, socket);
	struct listen_row *row;

	if (!known || known->look == table->look)
		return;
	row = &table->rows[known->row];
	if (socket->has_drops && row->drops != LISTEN_UNKNOWN)
		row->drops += (uint32_t)(socket->drops - known->drops);
	known->drops = socket->drops;
	known->look = table->look;
	row->owner = known->owner;
	row->new_sockets++;
	row->new_queue = sum_of(row->new_queue, socket->queue);
	row->new_limit = sum_of(row->new_limit, socket->queue_limit);
}

void listen_table_end(struct listen_table *table, bool whole)
{
	for (size_t i = 0; whole && i < table->count; i++) {
		struct listen_row *row = &table->rows[i];

		row->queue = row->new_queue;
		if (row->queue > row->queue_peak)
			row->queue_peak = row->queue;
		if (row->new_sockets) {
			row->sockets = row->new_sockets;
			row->queue_limit = row->new_limit;
		}
	}
	table->claims = NULL;
	table->claim_count = 0;
}

const struct listen_row *listen_table_find(const struct listen_table *table, const struct listen_address *address)
{
	/* Those of its own family come first; :: takes IPv4 too where it was told to. */
	const struct listen_address tries[] = {
		*address,
		{ .family = address->family, .port = address->port },
		{ .family = AF_INET6, .port = address->port },
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		bool found;
		size_t at = place_of(table, &tries[i], &found);

		if (found)
			return &table->rows[table->order[at]];
	}
	return NULL;
}

void listen_table_begin_half_open(struct listen_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		table->rows[i].new_half_open = 0;
}

void listen_table_add_half_open(void *context, const struct listen_socket *socket)
{
	struct listen_table *table = context;
	struct listen_address address = { .family = socket->family, .port = socket->port };
	const struct listen_row *row;

	if (!socket->half_open)
		return;
	memcpy(address.bytes, socket->address, sizeof(address.bytes));
	row = listen_table_find(table, &address);
	if (row)
		table->rows[row - table->rows].new_half_open++;
}

void listen_table_end_half_open(struct listen_table *table, bool is_bound)
{
	for (size_t i = 0; i < table->count; i++) {
		struct listen_row *row = &table->rows[i];

		row->half_open = row->new_half_open;
		if (row->half_open > row->half_open_peak)
			row->half_open_peak = row->half_open;
		row->half_open_is_bound |= is_bound;
	}
}
