/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where to listen: a numeric address and a port.
 *
 * Must not know: who listens, and what for.
 */
#ifndef TLSWHY_COMMAND_ADDRESS_H
#define TLSWHY_COMMAND_ADDRESS_H

#include <stdbool.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* family is AF_UNSPEC in one that is all zero. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

#define ADDRESS_BYTES (INET6_ADDRSTRLEN + 8)

/*
 * "127.0.0.1:80", "[::1]:80"; port 0 is any free one. Nothing else: names are not looked up, and an address left out
 * is not guessed. Returns 0, or -EINVAL with *out untouched.
 */
int address_parse(const char *text, union address *out);
/* The same text. Returns the buffer. */
const char *address_text(const union address *address, char buffer[ADDRESS_BYTES]);
/* Whether this host alone can reach it. */
bool address_is_loopback(const union address *address);

/*
 * Listens, without blocking later on. Returns a descriptor and sets the port that was found where 0 was asked for; or
 * a negative errno, with *address untouched.
 */
int address_listen(union address *address);

#endif
