/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses to listen on: see address.h. Must not know: who listens. */
#include "command/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BACKLOG 64

static int parse_port(const char *text, in_port_t *port)
{
	unsigned long value;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 5 || text[digits])
		return -EINVAL;
	value = strtoul(text, NULL, 10);
	if (value > UINT16_MAX)
		return -EINVAL;
	*port = htons((uint16_t)value);
	return 0;
}

int address_parse(const char *text, union address *out)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t bytes = colon ? (size_t)(colon - text) : 0;
	union address parsed = { 0 };
	in_port_t port;

	if (bytes == 0 || bytes >= sizeof(host) || parse_port(colon + 1, &port))
		return -EINVAL;
	memcpy(host, text, bytes);
	host[bytes] = '\0';
	if (host[0] == '[' && host[bytes - 1] == ']') {
		host[bytes - 1] = '\0';
		parsed.v6.sin6_family = AF_INET6;
		parsed.v6.sin6_port = port;
		if (inet_pton(AF_INET6, host + 1, &parsed.v6.sin6_addr) != 1)
			return -EINVAL;
	} else {
		parsed.v4.sin_family = AF_INET;
		parsed.v4.sin_port = port;
		if (inet_pton(AF_INET, host, &parsed.v4.sin_addr) != 1)
			return -EINVAL;
	}
	*out = parsed;
	return 0;
}

const char *address_text(const union address *address, char buffer[ADDRESS_BYTES])
{
	bool is_v6 = address->any.sa_family == AF_INET6;
	const void *host = is_v6 ? (const void *)&address->v6.sin6_addr : (const void *)&address->v4.sin_addr;
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(address->any.sa_family, host, text, sizeof(text));
	snprintf(buffer, ADDRESS_BYTES, is_v6 ? "[%s]:%u" : "%s:%u", text,
		 (unsigned int)ntohs(is_v6 ? address->v6.sin6_port : address->v4.sin_port));
	return buffer;
}

bool address_is_loopback(const union address *address)
{
	if (address->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
	return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

int address_listen(union address *address)
{
	socklen_t bytes = address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
	autoclose int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union address bound = { 0 };
	int on = 1;

	if (fd < 0)
		return -errno;
	/* A restart must not wait for the last scrape's TIME_WAIT. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, &address->any, bytes) ||
	    listen(fd, BACKLOG))
		return -errno;
	bytes = sizeof(bound);
	if (getsockname(fd, &bound.any, &bytes))
		return -errno;
	*address = bound;
	return take_fd(&fd);
}
