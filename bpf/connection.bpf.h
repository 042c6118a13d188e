/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handshakes of a library of which nothing is known: role, peer, outcome and errno through nginx's own functions. The
 * object of such a handshake is nginx's connection.
 *
 * Invariant: runs only where the layout says that objects are connections. Must not know: OpenSSL.
 */
#ifndef TLSWHY_CONNECTION_BPF_H
#define TLSWHY_CONNECTION_BPF_H

#define NGX_OK    0
#define NGX_AGAIN (-2)

/* ngx_ssl_create_connection(ssl, c, flags): its handshake begins on this thread, right after. */
static __always_inline void connection_created(__u64 connection)
{
	struct hit hit;

	if (hit_init(&hit, connection) && hit.layout->object_is_connection && hit_open(&hit))
		hit.call->created = connection;
}

/* Where the stream stands when a handshake begins: what moves later tells how far it came. */
static __always_inline void connection_mark(const struct hit *hit, struct handshake *fresh)
{
	if (hit->layout->object_is_connection)
		socket_progress(hit_socket(hit), &fresh->written, &fresh->received);
}

/*
 * A server answers a hello at once, a client sends nothing before it has one of its server: whether anything went
 * that way tells whether the peer's hello has come.
 */
static __always_inline __u8 connection_stage(const struct hit *hit, const struct handshake *handshake)
{
	__u32 written, received;

	socket_progress(hit_socket(hit), &written, &received);
	if (!written || handshake->direction == DIRECTION_UNKNOWN)
		return STAGE_UNKNOWN;
	if (handshake->direction == DIRECTION_CLIENT)
		return written == handshake->written ? STAGE_BEFORE_HELLO : STAGE_MID;
	return received == handshake->received ? STAGE_BEFORE_HELLO : STAGE_MID;
}

#endif
