/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cheapest safe place for a probe at the beginning of a function. The kernel emulates a few instructions in the
 * breakpoint itself; a copy of any other runs by itself and traps again, which costs several times as much, and more
 * on a virtual machine whose host takes that trap.
 */
#ifndef TLSWHY_ATTACH_SITE_H
#define TLSWHY_ATTACH_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "attach/library.h"

#define SITE_INSTRUCTION_BYTES 192         /* as long as capstone makes it */
#define SITE_ARGUMENT(n)       (1u << (n)) /* of a function, from 1 */

/* What must still hold where the probe fires, as it does at the function's first instruction. */
struct site_query {
	unsigned int arguments; /* that are read: each is in its register */
	bool returns;           /* there is a return probe: the return address is where the call has left it */
};

/* How the kernel gets past the instruction that the probe replaces. */
enum site_cost { SITE_EMULATED, SITE_STEPPED };

struct site {
	uint32_t offset; /* bytes from the function's start; 0 is its entry */
	enum site_cost cost;
	char instruction[SITE_INSTRUCTION_BYTES]; /* "push rbx"; "" where it is not decoded */
	const char *reason;                       /* why the entry was kept though it is stepped; NULL otherwise */
};

/*
 * Reads the function's code and chooses the first instruction that the kernel emulates and that every call runs once,
 * with all that the query asks for; the entry where there is none or where it cannot be proven. What a process has
 * made of its code in memory is not seen: the kernel too compares with the file only where it places the breakpoint.
 * Returns 0 and *out, or a negative errno (-ENOMEM, or the code cannot be read); *out is untouched then.
 */
int site_find(const struct library *library, const struct symbol *function, struct site_query query,
	      struct site *out);

#endif
