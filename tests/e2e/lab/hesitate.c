/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into an nginx: a new worker does not get beyond initgroups(), which comes before it takes its own title,
 * while the file named by LAB_HESITATE exists. A directory of users that is slow to answer does the same.
 *
 * Invariant: nothing else differs. Must not know: what is done meanwhile.
 */
#include <dlfcn.h>
#include <grp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *switch_path;

/* At load: nginx writes its titles over its environment later. */
__attribute__((constructor)) static void hesitate_init(void)
{
	const char *path = getenv("LAB_HESITATE");

	switch_path = path ? strdup(path) : NULL;
}

int initgroups(const char *user, gid_t group)
{
	static int (*next)(const char *, gid_t);

	while (switch_path && access(switch_path, F_OK) == 0)
		(void)usleep(10000);
	if (!next)
		next = (int (*)(const char *, gid_t))dlsym(RTLD_NEXT, "initgroups");
	return next(user, group);
}
