/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy --version: what this program is, and, line by line, what its build goes without and why.
 *
 * Each part that a build may lack answers for itself, so that the list cannot differ from what was linked.
 */
#include "command/command.h"

#include <stdio.h>

#include "attach/dwarf.h"
#include "command/export_http.h"

#ifndef TLSWHY_VERSION
#define TLSWHY_VERSION "unknown"
#endif

/* A part of the program that not every build has. */
struct optional_part {
	const char *name;
	const char *(*missing)(void); /* why it is not there; NULL: it is */
};

static const struct optional_part parts[] = {
	{ .name = "export --listen", .missing = export_http_missing },
	{ .name = "debuginfod", .missing = dwarf_fetch_missing },
};

int command_version(void)
{
	puts("tlswhy " TLSWHY_VERSION);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *reason = parts[i].missing();

		if (reason)
			printf("without %s: %s\n", parts[i].name, reason);
	}
	return EXIT_FINE;
}
