/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network namespace, opened through one of its processes to ask the kernel for what waits before accept() in it.
 *
 * Opening needs CAP_SYS_PTRACE for a process of another user, and CAP_SYS_ADMIN where the namespace is not our own;
 * asking needs no privilege. While it is open the namespace stays, its last process gone or not: close it in time.
 * Invariant: the caller's own namespace is never changed.
 * Must not know: nginx, whom a listener belongs to.
 */
#ifndef TLSWHY_HOST_LISTEN_SPACE_H
#define TLSWHY_HOST_LISTEN_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/listen_counters.h"
#include "host/listen_diag.h"

/* One line to the kernel. An answer that was not read to its end keeps it busy. */
struct listen_line {
	int fd; /* -1: not there, or broken */
	uint32_t sequence;
	bool busy;
	struct listen_answer answer; /* the one that is being read */
};

struct listen_space {
	uint32_t netns; /* its inode number, which the kernel's own records have too */
	struct listen_line listening, half_open;
	int counters_fd;
};

/* The namespace of a process. Returns 0, -ESRCH, -EACCES or another negative errno. */
int listen_space_of(pid_t pid, uint32_t *netns);
/* Returns 0 and a namespace for listen_space_close(), or a negative errno: -EPERM it may not be entered. */
int listen_space_open(pid_t pid, struct listen_space *out);
void listen_space_close(struct listen_space *space);

/*
 * Asks for the sockets of a family that listen: the kernel looks through these alone. Reads at most about max of
 * them, and leaves the rest for a later call, which throws it away. Returns 0; -EAGAIN where nothing can be told this
 * time: there were more, or the rest of an answer was in the way, or they changed too fast; or a negative errno.
 */
int listen_space_listening(struct listen_space *space, uint16_t family, size_t max, listen_socket_fn *each,
			   void *context);
/*
 * The same for handshakes of TCP under way. The kernel looks through all connections of the host for them: not to be
 * asked often. Returns 0; 1 where there are more than max, and all that can be told is that there are so many; or as
 * above.
 */
int listen_space_half_open(struct listen_space *space, uint16_t family, size_t max, listen_socket_fn *each,
			   void *context);
/* Returns 0 or a negative errno. */
int listen_space_counters(const struct listen_space *space, struct listen_counters *out);

/*
 * The inodes of a process's open sockets, rising; of its first descriptors, where it has very many. Returns how many
 * and a list for free(), or a negative errno: -EACCES without privileges.
 */
ssize_t listen_inodes_of(pid_t pid, uint32_t **out);

#endif
