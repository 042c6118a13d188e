/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into an nginx: while the file named by LAB_STARVE exists, no memory is to be had inside SSL_do_handshake
 * for the sizes between LAB_STARVE_FROM and LAB_STARVE_TO bytes.
 *
 * Invariant: everywhere else, and while the file is not there, nothing differs. Must not know: what is done with it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ssl_st;
int SSL_do_handshake(struct ssl_st *object);
void *__libc_malloc(size_t bytes);

static char *switch_path;
static size_t starve_from, starve_to;
static __thread bool is_inside;

/* At load: nginx writes its titles over its environment later. */
__attribute__((constructor)) static void starve_init(void)
{
	const char *from = getenv("LAB_STARVE_FROM"), *to = getenv("LAB_STARVE_TO"), *path = getenv("LAB_STARVE");

	switch_path = path ? strdup(path) : NULL;
	starve_from = from ? strtoul(from, NULL, 10) : 0;
	starve_to = to ? strtoul(to, NULL, 10) : 0;
}

void *malloc(size_t bytes)
{
	if (is_inside && bytes >= starve_from && bytes <= starve_to) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(bytes);
}

int SSL_do_handshake(struct ssl_st *object)
{
	static int (*next)(struct ssl_st *);
	int result;

	if (!next)
		next = (int (*)(struct ssl_st *))dlsym(RTLD_NEXT, "SSL_do_handshake");
	is_inside = switch_path && access(switch_path, F_OK) == 0;
	result = next(object);
	is_inside = false;
	return result;
}
