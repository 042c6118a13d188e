/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listeners of one network namespace over the time they are watched: made of one look after another.
 *
 * A look is begun, given each socket that is there, and ended; what it said counts only then. Sockets that are not
 * known to be ours are passed over, and what does not fit, by room or memory, is left out. Several sockets on one
 * address are one row.
 * Must not know: where sockets come from, clocks.
 */
#ifndef TLSWHY_HOST_LISTEN_TABLE_H
#define TLSWHY_HOST_LISTEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/listen_diag.h"

#define LISTEN_ROWS_MAX    1024
#define LISTEN_SOCKETS_MAX 16384
#define LISTEN_UNKNOWN     (-1)

struct listen_address {
	uint16_t family, port; /* AF_INET, AF_INET6 */
	uint8_t bytes[LISTEN_ADDRESS_BYTES];
};

/* What is said of an address. */
struct listen_row {
	struct listen_address address;
	uint32_t owner;                    /* whoever was said to own one of its sockets, last */
	uint32_t sockets;                  /* in the last look that found one */
	uint32_t queue, queue_peak;        /* of all its sockets: in the last look, and at most */
	uint32_t queue_limit;              /* of all its sockets, in the last look that found one */
	int64_t drops;                     /* since each socket was first seen; LISTEN_UNKNOWN */
	int64_t half_open, half_open_peak; /* LISTEN_UNKNOWN before the first look that was ended */
	bool half_open_is_bound;           /* once there were more than could be counted */
	/* Of the look that was begun. */
	uint32_t new_sockets, new_queue, new_limit;
	int64_t new_half_open;
};

/* Whose a socket may be. */
struct listen_claim {
	uint32_t inode, owner;
};

struct listen_known;

/* `= { 0 }` is empty. */
struct listen_table {
	struct listen_row *rows; /* in the order they were found */
	size_t count;
	uint16_t *order; /* of rows, by address */
	struct listen_known *known;
	size_t known_count;
	const struct listen_claim *claims; /* borrowed, by inode; during a look */
	size_t claim_count;
	size_t room; /* how many rows there may be */
	uint32_t look;
};

void listen_table_release(struct listen_table *table);

/*
 * Begins a look at what listens. claims: sockets that are ours from now on where they are found, rising by inode;
 * borrowed until the look ends. room: how many rows there may be in all, at most LISTEN_ROWS_MAX; what comes beyond
 * is left out.
 */
void listen_table_begin(struct listen_table *table, const struct listen_claim *claims, size_t claim_count,
			size_t room);
/* A listen_socket_fn; context is the table. One that came already in this look is passed over. */
void listen_table_add(void *context, const struct listen_socket *socket);
/* whole: nothing was missed. Else only drops count, and sockets that were found to be ours. */
void listen_table_end(struct listen_table *table, bool whole);

/* A look at what is half-open, likewise. Each counts for the listener that the kernel gives it to. */
void listen_table_begin_half_open(struct listen_table *table);
void listen_table_add_half_open(void *context, const struct listen_socket *socket);
/* is_bound: there were more than came. */
void listen_table_end_half_open(struct listen_table *table, bool is_bound);

/* The row that handshakes to this address belong to: its own, or that of all addresses. NULL: none. */
const struct listen_row *listen_table_find(const struct listen_table *table, const struct listen_address *address);

#endif
