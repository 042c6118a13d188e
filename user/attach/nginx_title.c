/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line of an nginx says of it. Must not know: processes, files. */
#include "attach/nginx.h"

#include <string.h>

static bool starts_with(const char *text, size_t bytes, const char *prefix)
{
	size_t n = strlen(prefix);

	return bytes >= n && !memcmp(text, prefix, n);
}

enum nginx_title nginx_title_of(const char *command_line, size_t bytes)
{
	static const char *const programs[] = { "nginx: ", "angie: " };

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		size_t skip = strlen(programs[i]);

		if (!starts_with(command_line, bytes, programs[i]))
			continue;
		if (starts_with(command_line + skip, bytes - skip, "master process"))
			return NGINX_TITLE_MASTER;
		if (starts_with(command_line + skip, bytes - skip, "worker process is shutting down"))
			return NGINX_TITLE_WORKER_SHUTTING_DOWN;
		if (starts_with(command_line + skip, bytes - skip, "worker process"))
			return NGINX_TITLE_WORKER;
		return NGINX_TITLE_OTHER;
	}
	return NGINX_TITLE_NONE;
}

bool nginx_is_command(const char *command_line, size_t bytes)
{
	const char *p = command_line, *end = command_line + bytes;

	while ((p = memchr(p, '\0', (size_t)(end - p))) && ++p < end - 1) {
		if (*p == '-' && p[1] && strchr("tTsvVh?", p[1]))
			return true;
	}
	return false;
}
