/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that probes meet without being meant: they map the file of a watched nginx's libssl or libcrypto.
 *
 * The list is of one moment: a process that vanishes while it is looked at is in none.
 */
#ifndef TLSWHY_ATTACH_FOREIGN_H
#define TLSWHY_ATTACH_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "attach/process.h"
#include "attach/watch.h"

#define FOREIGN_NAMED 5

struct foreign_process {
	pid_t pid;
	char name[PROCESS_NAME_BYTES]; /* foreign bytes */
};

struct foreign_processes {
	struct foreign_process named[FOREIGN_NAMED]; /* the first of them */
	size_t count;
	bool cut; /* there are too many processes on this host: count is a minimum */
};

/*
 * Looks at every process but the usable targets' and our own, of which a probe's hits are no foreign ones. Returns 0
 * or a negative errno with *out untouched.
 */
int foreign_find(const struct watch_targets *targets, struct foreign_processes *out);

#endif
