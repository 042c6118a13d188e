/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP server, by libmicrohttpd: see export_http.h.
 *
 * libmicrohttpd's own timeout is of silence: one byte now and then would hold a connection for ever. Hence the
 * deadline here, which is of the whole connection. Must not know: what the metrics are of.
 */
#include "command/export_http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/cleanup.h"
#include "command/accept.h"
#include "host/clock.h"

#define CONNECTIONS 32
#define DEADLINE_NS 10000000000ull
#define PATH        "/metrics"

struct connection {
	int fd; /* -1: free */
	uint64_t deadline_ns;
};

struct export_http {
	struct MHD_Daemon *daemon;
	export_http_fn *render;
	void *context;
	struct connection connections[CONNECTIONS];
};

static int descriptor_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static struct connection *find_connection(struct export_http *http, int fd)
{
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (http->connections[i].fd == fd)
			return &http->connections[i];
	return NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
			  enum MHD_ConnectionNotificationCode code)
{
	struct export_http *http = context;
	struct connection *entry = *slot;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		entry = find_connection(http, -1);
		if (entry)
			*entry = (struct connection){ .fd = descriptor_of(connection),
						      .deadline_ns = clock_monotonic_ns() + DEADLINE_NS };
		*slot = entry;
	} else if (entry) {
		entry->fd = -1;
	}
}

/* The other end's part is over; libmicrohttpd finds the connection closed and lets go of it. */
static void expire(struct export_http *http, uint64_t now_ns)
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *entry = &http->connections[i];

		if (entry->fd >= 0 && now_ns >= entry->deadline_ns)
			shutdown(entry->fd, SHUT_RDWR);
	}
}

/* Owns the response from here on. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned int status,
				     struct MHD_Response *response, const char *header, const char *value)
{
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES &&
	    MHD_add_response_header(response, header, value) == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status, const char *sentence)
{
	/* libmicrohttpd only reads it: MHD_RESPMEM_PERSISTENT. */
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(sentence), (void *)(uintptr_t)sentence,
									MHD_RESPMEM_PERSISTENT);

	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		return send_response(connection, status, response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return send_response(connection, status, response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
}

static enum MHD_Result send_metrics(struct export_http *http, struct MHD_Connection *connection)
{
	enum openmetrics_form form =
		accept_form(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	struct MHD_Response *response = NULL;
	autofree char *text = NULL;
	size_t bytes = 0;

	if (http->render(http->context, form, &text, &bytes))
		return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "cannot make the metrics\n");
	response = MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	take_pointer(text);
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT) == MHD_NO) {
		MHD_destroy_response(response);
		return MHD_NO;
	}
	return send_response(connection, MHD_HTTP_OK, response, MHD_HTTP_HEADER_CONTENT_TYPE,
			     accept_content_type(form));
}

/* Called when a request's header is there, for each part of a body, and when the request is complete. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload, size_t *upload_bytes,
				  void **request)
{
	struct export_http *http = context;

	(void)version;
	(void)upload;
	if (strcmp(url, PATH) != 0)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "not found; the metrics are at " PATH "\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	if (!*request || *upload_bytes > 0) {
		*request = http;
		*upload_bytes = 0;
		return MHD_YES;
	}
	return send_metrics(http, connection);
}

const char *export_http_missing(void)
{
	return NULL;
}

int export_http_new(struct export_http **out, int listen_fd, export_http_fn *render, void *context)
{
	autoclose int fd = listen_fd;
	autofree struct export_http *http = calloc(1, sizeof(*http));

	if (!http)
		return -ENOMEM;
	http->render = render;
	http->context = context;
	for (size_t i = 0; i < CONNECTIONS; i++)
		http->connections[i].fd = -1;
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, fd,
					MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS,
					MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
	if (!http->daemon)
		return errno ? -errno : -EIO;
	take_fd(&fd);
	*out = take_pointer(http);
	return 0;
}

void export_http_free(struct export_http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}

int export_http_fd(const struct export_http *http)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}

void export_http_run(struct export_http *http, uint64_t now_ns)
{
	expire(http, now_ns);
	MHD_run(http->daemon);
}
