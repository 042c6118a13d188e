/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /metrics over HTTP, without a thread: driven by whoever waits for its descriptor.
 *
 * Invariants: it never blocks; connections are bounded, and none lasts longer than ten seconds, whatever the other
 * end does or fails to do. One request a connection.
 * Must not know: what the metrics are of.
 */
#ifndef TLSWHY_COMMAND_EXPORT_HTTP_H
#define TLSWHY_COMMAND_EXPORT_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "output/openmetrics.h"

struct export_http;

/* Makes the text now, in memory for free(). Returns 0 or a negative errno with the outputs untouched. */
typedef int export_http_fn(void *context, enum openmetrics_form form, char **text, size_t *bytes);

/* Why this build cannot serve; NULL: it can. */
const char *export_http_missing(void);

/*
 * Takes over a listening descriptor, also where it fails. Returns 0 and a server for export_http_free(), or a
 * negative errno.
 */
int export_http_new(struct export_http **out, int listen_fd, export_http_fn *render, void *context);
/* Closes everything. NULL is allowed. */
void export_http_free(struct export_http *http);

/* Readable when there is something to do. */
int export_http_fd(const struct export_http *http);
/* Does what can be done without waiting. Call when the descriptor is readable, and every 100 ms or so. */
void export_http_run(struct export_http *http, uint64_t now_ns);

#endif
