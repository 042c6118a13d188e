/* SPDX-License-Identifier: BSD-2-Clause */
/* What `check -v` says of the probes: where each would be placed, and what the kernel makes of a hit there. */
#ifndef TLSWHY_COMMAND_CHECK_SITES_H
#define TLSWHY_COMMAND_CHECK_SITES_H

#include <jansson.h>
#include <stdio.h>

#include "attach/examine.h"

/* The sites of all targets; `= { 0 }` is none. */
struct check_sites {
	struct examined_site *items;
	size_t count;
};

/* Adds a target's sites; those of a file that another target has too are told once. Returns 0 or -ENOMEM. */
int check_sites_add(struct check_sites *sites, const struct watch_target *target);
void check_sites_release(struct check_sites *sites);

/* A line a probe: "     /usr/sbin/nginx ngx_connection_error+9 'je 0x3e060', emulated". Nothing where there is none.
 */
void check_sites_print(const struct check_sites *sites, FILE *stream);
/* The same as an array, which may be empty; NULL where there is no memory. */
json_t *check_sites_json(const struct check_sites *sites);

#endif
