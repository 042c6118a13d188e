/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim's commands for nginx's own functions. See victim.c for their list. */
#include <stdlib.h>
#include <string.h>

#include "victim.h"

/* handshake ID RESULT [ERRNO]: ERRNO is what nginx says of a peer that closed. */
static void handshake(struct object *object, const char *rest)
{
	char *end;

	victim_result = (int)strtol(rest, &end, 0);
	victim_error = *end ? (int)strtol(end, NULL, 0) + 1 : 0;
	ngx_ssl_handshake(object->connection);
	victim_error = 0;
}

bool victim_nginx(struct object *object, const char *verb, const char *rest)
{
	void *request[8] = { NULL, object->connection }; /* signature, connection */

	if (!strcmp(verb, "answer"))
		ngx_http_special_response_handler(request, strtol(rest, NULL, 0));
	else if (!strcmp(verb, "create"))
		ngx_ssl_create_connection(NULL, object->connection, 0);
	else if (!strcmp(verb, "handshake"))
		handshake(object, rest);
	else if (!strcmp(verb, "shutdown"))
		ngx_ssl_shutdown(object->connection);
	else
		return false;
	return true;
}
