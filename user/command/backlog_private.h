/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The insides of struct backlog, for the two files that make it: backlog.c says when and where to look,
 * backlog_look.c looks. Must not be included by anything else.
 */
#ifndef TLSWHY_COMMAND_BACKLOG_PRIVATE_H
#define TLSWHY_COMMAND_BACKLOG_PRIVATE_H

#include <stdbool.h>

#include "command/backlog.h"
#include "host/listen_space.h"
#include "host/listen_table.h"

struct backlog_space {
	struct listen_space space;
	struct listen_table table;
	struct listen_counters last, lost;
	bool is_open;
	uint64_t closed_ns;
};

struct backlog_nginx {
	pid_t master;
	uint64_t start_ticks;
	size_t space;
	bool stale; /* which sockets it has is to be read anew */
};

/* Both are of an open namespace. What cannot be seen this time stays as it was. */
void backlog_look_at_listening(struct backlog *backlog, size_t space);
void backlog_look_at_half_open(struct backlog_space *space);

#endif
