/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP server of a build that has none: in place of export_http.c in a static program, since libmicrohttpd as
 * Debian builds it needs GnuTLS, which needs p11-kit, of which there is no static library.
 *
 * Invariant: no server is ever made, so nothing but export_http_new() is ever called with one.
 */
#include "command/export_http.h"

#include <errno.h>
#include <unistd.h>

const char *export_http_missing(void)
{
	return "libmicrohttpd needs GnuTLS, which cannot be linked statically";
}

int export_http_new(struct export_http **out, int listen_fd, export_http_fn *render, void *context)
{
	(void)out;
	(void)render;
	(void)context;
	close(listen_fd);
	return -ENOTSUP;
}

void export_http_free(struct export_http *http)
{
	(void)http;
}

int export_http_fd(const struct export_http *http)
{
	(void)http;
	return -1;
}

void export_http_run(struct export_http *http, uint64_t now_ns)
{
	(void)http;
	(void)now_ns;
}
