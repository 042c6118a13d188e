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

#define NGX_ERROR            (-1)
#define NGX_CONNECTION_UDP   160 /* ngx_quic_socket_t *, of every nginx with QUIC */
#define NGX_QUIC_SOCKET_QUIC 72  /* ngx_quic_connection_t *, behind ngx_udp_connection_t */
#define NGX_EVENT_BYTES      96
#define QUIC_WORDS           320 /* of ngx_quic_connection_t; its events are at about the 200th */
#define QUIC_WORDS_AT_ONCE   64

/* Where in the thread's scratch a word is; QUIC_WORDS_AT_ONCE: nowhere. Verified once, see field.bpf.h. */
__noinline __u32 quic_find(__u32 tid, __u64 word)
{
	const struct call *call = bpf_map_lookup_elem(&calls, &tid);
	__u32 i = 0;

	while (call && i < QUIC_WORDS_AT_ONCE && ((const __u64 *)call->tail)[i] != word)
		i++;
	return i;
}

/*
 * The bits of the event that closes a connection, ~0 where it is not found. Three events of the connection's lie one
 * behind the other, to push, to probe, to close, and are the first to point to it; what lies before them varies.
 */
static __always_inline __u32 quic_close_bits(const struct hit *hit, __u64 quic, __u64 connection)
{
	__u32 found = QUIC_WORDS_AT_ONCE, bits = ~0u;
	__u64 word = 0;

	for (__u32 i = 0; i < QUIC_WORDS && found >= QUIC_WORDS_AT_ONCE; i += QUIC_WORDS_AT_ONCE) {
		quic += i ? QUIC_WORDS_AT_ONCE * sizeof(word) : 0;
		/* No record is being made, so that the place of its tail is free. */
		if (!read_user(hit->call->tail, QUIC_WORDS_AT_ONCE * sizeof(word), quic))
			return ~0u;
		found = quic_find(hit->tid, connection);
	}
	quic += found * sizeof(word) + 2 * (__u64)NGX_EVENT_BYTES;
	read_user(&word, sizeof(word), quic);
	if (word == connection)
		read_user(&bits, sizeof(bits), quic + NGX_EVENT_BITS);
	return bits;
}

/*
 * NGX_ERROR: nginx itself will not go on. NGX_OK: the event that closes, posted when the peer's CONNECTION_CLOSE
 * came, or its timer ran out, that of the handshake. NGX_DONE: the timer of an idle connection.
 */
static __always_inline __u8 quic_closed_how(const struct hit *hit, __u64 connection, __s32 result)
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
	bits = quic ? quic_close_bits(hit, quic, connection) : ~0u;
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
static __always_inline __s32 quic_close(__u64 connection, __s32 result)
{
	struct handshake *handshake;
	struct object_key key;
	struct hit hit;
	__u64 ssl = 0;

	if (!hit_init(&hit, 0) || hit.layout->object_is_connection || !hit_open(&hit))
		return CHAIN_END;
	if (!read_user(&ssl, sizeof(ssl), connection + NGX_CONNECTION_SSL) || !ssl ||
	    !read_user(&hit.object, sizeof(hit.object), ssl))
		return CHAIN_END;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (!handshake || handshake->failed)
		return CHAIN_END;
	handshake->closed = quic_closed_how(&hit, connection, result);
	quic_keep(&key, handshake);
	return chain_to(&hit, CHAIN_FAIL);
}

#endif
