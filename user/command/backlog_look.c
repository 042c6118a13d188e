/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking the kernel about one namespace. Contract: backlog_private.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "command/backlog_private.h"

#define SOCKETS_MAX 65536 /* that are read of one answer of the kernel */
#define CLAIMS_MAX  65536

static int by_inode(const void *a, const void *b)
{
	struct listen_claim x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x.inode > y.inode) - (x.inode < y.inode);
}

/* Whatever sockets an nginx has, added to a list. Returns how many there are then. */
static size_t claim(const struct backlog_nginx *nginx, struct listen_claim **claims, size_t count)
{
	autofree uint32_t *inodes = NULL;
	struct listen_claim *more;
	ssize_t found = listen_inodes_of(nginx->master, &inodes);

	if (found < 0)
		log_debug("the sockets of nginx (master %d) cannot be seen: %s", (int)nginx->master,
			  strerror((int)-found));
	if (found <= 0)
		return count;
	more = reallocarray(*claims, count + (size_t)found, sizeof(*more));
	if (!more)
		return count;
	*claims = more;
	for (size_t i = 0; i < (size_t)found; i++)
		more[count + i] = (struct listen_claim){ .inode = inodes[i], .owner = (uint32_t)nginx->master };
	return count + (size_t)found;
}

/* What is claimed in a namespace by those whose sockets are to be read anew; by inode, for free(). */
static size_t claims_in(struct backlog *backlog, size_t space, struct listen_claim **out)
{
	struct listen_claim *claims = NULL;
	size_t count = 0;

	for (size_t i = 0; i < backlog->nginx_count && count < CLAIMS_MAX; i++) {
		struct backlog_nginx *nginx = &backlog->nginx[i];

		if (nginx->space != space || !nginx->stale)
			continue;
		count = claim(nginx, &claims, count);
		nginx->stale = false;
	}
	if (count)
		qsort(claims, count, sizeof(*claims), by_inode);
	*out = claims;
	return count;
}

static size_t rows_elsewhere(const struct backlog *backlog, const struct backlog_space *here)
{
	size_t rows = 0;

	for (size_t i = 0; i < backlog->space_count; i++)
		if (&backlog->spaces[i] != here)
			rows += backlog->spaces[i].table.count;
	return rows;
}

void backlog_look_at_listening(struct backlog *backlog, size_t at)
{
	struct backlog_space *space = &backlog->spaces[at];
	autofree struct listen_claim *claims = NULL;
	size_t count = claims_in(backlog, at, &claims), elsewhere = rows_elsewhere(backlog, space);
	struct listen_counters now;
	int error;

	listen_table_begin(&space->table, claims, count,
			   elsewhere < LISTEN_ROWS_MAX ? LISTEN_ROWS_MAX - elsewhere : 0);
	error = listen_space_listening(&space->space, AF_INET, SOCKETS_MAX, listen_table_add, &space->table);
	if (!error)
		error = listen_space_listening(&space->space, AF_INET6, SOCKETS_MAX, listen_table_add, &space->table);
	listen_table_end(&space->table, error == 0);
	if (error)
		log_debug("no look at the listeners of network namespace %u: %s", space->space.netns,
			  strerror(-error));
	if (listen_space_counters(&space->space, &now) == 0)
		listen_counters_advance(&space->lost, &space->last, &now);
}

/* Only families that nginx listens on are worth a walk; IPv4 comes to a listener of IPv6 too. */
static bool has_family(const struct listen_table *table, uint16_t family)
{
	bool found = family == AF_INET && table->count > 0;

	for (size_t i = 0; i < table->count && !found; i++)
		found = table->rows[i].address.family == family;
	return found;
}

void backlog_look_at_half_open(struct backlog_space *space)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	bool is_bound = false;

	listen_table_begin_half_open(&space->table);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		int result;

		if (!has_family(&space->table, families[i]))
			continue;
		result = listen_space_half_open(&space->space, families[i], SOCKETS_MAX, listen_table_add_half_open,
						&space->table);
		if (result < 0)
			return;
		is_bound |= result > 0;
		if (is_bound)
			break; /* the rest of this answer is in the way of another */
	}
	listen_table_end_half_open(&space->table, is_bound);
}
