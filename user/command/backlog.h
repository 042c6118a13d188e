/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits before nginx's accept(), watched: the queues of the listeners of every watched nginx, in whichever
 * network namespace they are, and what the kernel threw away there.
 *
 * Looked at every second, half-open connections every four where there are none, and less often where that took long:
 * a hundredth of the time at most goes into it.
 * Invariant: a namespace is open while a watched nginx lives in it, and not for long after.
 */
#ifndef TLSWHY_COMMAND_BACKLOG_H
#define TLSWHY_COMMAND_BACKLOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/watch.h"
#include "recording/window.h"

#define BACKLOG_SPACES_MAX 64   /* namespaces; of those that are left the oldest make room */
#define BACKLOG_NGINX_MAX  1024 /* as many as a recording holds */

struct backlog_space;
struct backlog_nginx;

/* `= { 0 }` watches nothing. */
struct backlog {
	struct backlog_space *spaces;
	size_t space_count;
	struct backlog_nginx *nginx;
	size_t nginx_count;
	uint64_t listening_due_ns, half_open_due_ns;
	uint64_t rested_ns, half_open_rested_ns; /* before this nothing is looked at that could wait */
	size_t half_open_next;                   /* which namespace's turn it is */
};

/*
 * Takes in what is usable of these and looks for the first time. To be called while the privileges to enter their
 * namespaces and to see their descriptors are there: see listen_space.h. Whose may not be seen is left out.
 */
void backlog_open(struct backlog *backlog, const struct watch_targets *targets);
/* Takes in one that came later, where the privileges still allow it. */
void backlog_add(struct backlog *backlog, const struct nginx_instance *instance);
/* A worker came: its nginx may have been reloaded, and listen elsewhere. */
void backlog_renew(struct backlog *backlog, pid_t worker);
/* To be called about every 100 ms. */
void backlog_tick(struct backlog *backlog, uint64_t now_ns);
/* Looks once more, and adds all listeners and namespaces. Returns 0 or -ENOMEM. */
int backlog_end(struct backlog *backlog, struct window *window);
void backlog_release(struct backlog *backlog);

/* When to look again: after every_ns, and not before a hundred times what the last time took is over. */
uint64_t backlog_due_ns(uint64_t begin_ns, uint64_t end_ns, uint64_t every_ns);

#endif
