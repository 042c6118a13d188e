/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of a QUIC connection. nginx closes it when a frame of the peer's or a timer says so, and frees its object
 * three probe timeouts later (RFC 9000 section 10.2): what it waited for ends here.
 *
 * Invariant: a handshake that is settled here is kept as settled until its object is freed, so that it is not taken
 * for one that was never seen. Must not know: frames. What the peer says in CONNECTION_CLOSE is not read.
 */
#ifndef TLSWHY_QUIC_BPF_H
#define TLSWHY_QUIC_BPF_H

#define NGX_OK               0
#define NGX_ERROR            (-1)
#define NGX_CONNECTION_UDP   160 /* ngx_quic_socket_t *, of every nginx with QUIC */
#define NGX_QUIC_SOCKET_QUIC 72  /* ngx_quic_connection_t *, behind ngx_udp_connection_t */
#define NGX_EVENT_BYTES      96
#define QUIC_WORDS           512 /* of ngx_quic_connection_t; its events are at about the 200th */

/*
 * The bits of the event that closes a connection, ~0 where it is not found. Three events of the connection's lie one
 * behind the other, to push, to probe, to close, and are the first to point to it; what lies before them varies.
 */
subprogram __u32 quic_close_bits(__u64 quic, __u64 connection)
{
	__u64 word, at = quic;
	__u32 bits = ~0u;

	for (__u32 i = 0; i < QUIC_WORDS; i++, at += 8) {
		word = 0;
		if (!read_user(&word, sizeof(word), at))
			return ~0u;
		if (word == connection)
			break;
	}
	at += 2 * (__u64)NGX_EVENT_BYTES;
	word = 0;
	read_user(&word, sizeof(word), at);
	if (word == connection)
		read_user(&bits, sizeof(bits), at + NGX_EVENT_BITS);
	return bits;
}

/*
 * NGX_ERROR: nginx itself will not go on. NGX_OK: the event that closes, posted when the peer's CONNECTION_CLOSE
 * came, or its timer ran out, that of the handshake. NGX_DONE: the timer of an idle connection.
 */
static __always_inline __u8 quic_closed_how(__u64 connection, __s32 result)
{
	__u64 udp = 0, quic = 0;
	__u32 bits;

	if (result == NGX_ERROR)
		return CLOSED_BY_NGINX;
	if (result != NGX_OK)
		return CLOSED_LATE;
	read_user(&udp, sizeof(udp), connection + NGX_CONNECTION_UDP);
	if (udp)
		read_user(&quic, sizeof(quic), udp + NGX_QUIC_SOCKET_QUIC);
	bits = quic ? quic_close_bits(quic, connection) : ~0u;
	if (bits == ~0u)
		return CLOSED_NOT;
	return bits & NGX_EVENT_TIMEDOUT ? CLOSED_LATE : CLOSED_BY_PEER;
}

/* The object stays for a while. Nothing more changes. */
static __always_inline void quic_keep(const struct object_key *key, const struct handshake *handshake)
{
	struct settled settled = { .begin_ns = handshake->begin_ns,
				   .generation = handshake->generation,
				   .flags = SETTLED_AMENDED,
				   .direction = handshake->direction };

	if (bpf_map_update_elem(&settled_objects, key, &settled, BPF_ANY))
		counter_add(COUNTER_SETTLED_FULL, 1);
}

/* Entry of ngx_quic_close_connection. What has failed is freed in that call, with all of its errors known. */
static __always_inline void quic_close(__u64 connection, __s32 result)
{
	struct handshake *handshake;
	struct object_key key;
	struct hit hit;
	__u64 ssl = 0;

	if (!hit_init(&hit, 0) || hit.layout->object_is_connection || !hit_open(&hit))
		return;
	if (!read_user(&ssl, sizeof(ssl), connection + NGX_CONNECTION_SSL) || !ssl ||
	    !read_user(&hit.object, sizeof(hit.object), ssl))
		return;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (!handshake || handshake->failed)
		return;
	handshake->closed = quic_closed_how(connection, result);
	sight_look(&hit, SIGHT_END);
	handshake_fail(&hit, handshake);
	quic_keep(&key, handshake);
	bpf_map_delete_elem(&handshakes, &key);
}

#endif
