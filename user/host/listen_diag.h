/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel answers when it is asked for the TCP sockets of a network namespace: sock_diag(7), messages of
 * struct inet_diag_msg.
 *
 * Invariant: every length is checked against what holds it; what is handed out was whole.
 * Must not know: sockets of ours, whom a listener belongs to.
 */
#ifndef TLSWHY_HOST_LISTEN_DIAG_H
#define TLSWHY_HOST_LISTEN_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTEN_ADDRESS_BYTES 16

/* A socket that listens, or a handshake of TCP that is under way to one. */
struct listen_socket {
	bool half_open;                        /* the latter: nothing but family, port and address is known of it */
	uint16_t family, port;                 /* AF_INET, AF_INET6; the local port */
	uint8_t address[LISTEN_ADDRESS_BYTES]; /* the local one; IPv4 in the first four bytes, the others 0 */
	uint32_t inode;                        /* as in /proc/PID/fd; 0: no process has it open */
	uint64_t cookie;                       /* no other socket of this boot has it */
	uint32_t queue, queue_limit; /* connections that wait for accept(); it holds one more than its limit */
	bool has_drops;
	uint32_t drops; /* since the socket was made, wraps around; a SYN that is sent again counts again */
};

typedef void listen_socket_fn(void *context, const struct listen_socket *socket);

/* Of all parts of one answer; `= { 0 }` before the first. */
struct listen_answer {
	size_t sockets;   /* that were in it */
	bool done;        /* there is no other part */
	bool interrupted; /* sockets came and went meanwhile: some may be missing, some may be in it twice */
};

/*
 * Takes one part of the answer to the request of that number, and hands out its sockets that listen or are half-open;
 * answers to other requests are passed over. bytes need no alignment. Returns 0; what the kernel refused with; or
 * -EBADMSG where a length does not fit: what came before has been handed out.
 */
int listen_answer_parse(const void *bytes, size_t count, uint32_t sequence, struct listen_answer *answer,
			listen_socket_fn *each, void *context);

#endif
