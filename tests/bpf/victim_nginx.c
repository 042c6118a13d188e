/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim's commands for nginx's own functions. See victim.c for their list. */
#define _GNU_SOURCE /* memfd_create() */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "victim.h"

/* A text in the page cache, as a program's are that was not read so far: the first access brings it. */
static const volatile char *absent_text(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	void *page;

	if (fd < 0 || write(fd, text, strlen(text) + 1) < 0)
		abort();
	page = mmap(NULL, strlen(text) + 1, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

void victim_says(const char *how, char *rest)
{
	char *text;
	unsigned long number = strtoul(rest, &text, 0);
	const volatile char *absent;

	text += *text == ' ';
	if (!strcmp(how, "_at")) {
		ngx_connection_error(NULL, 104, (const char *)number);
	} else if (!strcmp(how, "_absent")) {
		absent = absent_text(text);
		ngx_connection_error(NULL, (int)number, (const char *)absent);
		if (absent)
			(void)*absent; /* as nginx does when it formats it */
	} else {
		ngx_connection_error(NULL, (int)number, text);
	}
}

/* handshake ID RESULT [ERRNO]: ERRNO is what nginx says of a peer that closed. */
static void handshake(struct object *object, const char *rest)
{
	char *end;

	victim_result = (int)strtol(rest, &end, 0);
	victim_error = *end ? (int)strtol(end, NULL, 0) + 1 : 0;
	ngx_ssl_handshake(object->connection);
	victim_error = 0;
}

/* quic_close RESULT BITS: the event that closes has these bits; ~0: the connection has no such event. */
static void quic_close(struct object *object, const char *rest)
{
	uint64_t tls[1] = { (uintptr_t)object }, udp[10] = { 0 }, quic[640] = { 0 };
	uint64_t *events = quic + 200, self = (uintptr_t)object->connection;
	char *end;
	long result = strtol(rest, &end, 0);
	uint32_t bits = (uint32_t)strtoul(end, NULL, 0);

	udp[9] = (uintptr_t)quic;
	if (bits != ~0u) {
		events[0] = events[12] = events[24] = self;
		events[25] = bits;
	}
	*(uint64_t *)(object->connection + 152) = (uintptr_t)tls;
	*(uint64_t *)(object->connection + 160) = (uintptr_t)udp;
	ngx_quic_close_connection(object->connection, result);
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
	else if (!strcmp(verb, "quic_close"))
		quic_close(object, rest);
	else
		return false;
	return true;
}
