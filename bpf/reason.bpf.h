/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a handshake failed, in the library's words and nginx's: what nginx takes from the error queue, and what it says
 * where nothing is queued.
 *
 * Invariant: only what a good handshake never calls is listened to. Must not know: how a handshake ends.
 */
#ifndef TLSWHY_REASON_BPF_H
#define TLSWHY_REASON_BPF_H

/* Eight bytes of text as they lie in memory, whatever the byte order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define EIGHT_BYTES(a, b, c, d, e, f, g, h)                                                                  \
	((__u64)(h) << 56 | (__u64)(g) << 48 | (__u64)(f) << 40 | (__u64)(e) << 32 | (d) << 24 | (c) << 16 | \
	 (b) << 8 | (a))
#else
#define EIGHT_BYTES(a, b, c, d, e, f, g, h)                                                                  \
	((__u64)(a) << 56 | (__u64)(b) << 48 | (__u64)(c) << 40 | (__u64)(d) << 32 | (e) << 24 | (f) << 16 | \
	 (g) << 8 | (h))
#endif

/* The handshake that the thread's current error belongs to: of the running call, or of the one that just failed. */
static __always_inline struct handshake *handshake_failing(struct hit *hit)
{
	struct handshake *handshake;
	struct object_key key;
	struct call *call;

	if (!hit_init(hit, 0))
		return NULL;
	call = bpf_map_lookup_elem(&calls, &hit->tid);
	if (!call)
		return NULL;
	hit->object = call->object;
	key_init(&key, hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	return handshake && (handshake->failed || call->inside) ? handshake : NULL;
}

/* One queued error, as nginx takes it from the queue to format it: oldest first, at any log level. */
static __always_inline void handshake_raise(__u32 code)
{
	struct hit hit;
	struct handshake *handshake = handshake_failing(&hit);
	__u32 at;

	if (!handshake)
		return;
	if (code >> hit.layout->error_lib_shift == hit.layout->error_lib_ssl) {
		if (!handshake->first_ssl_error)
			handshake->first_ssl_error = code;
	} else if (!handshake->first_other_error) {
		handshake->first_other_error = code;
	}
	at = handshake->error_count;
	if (at >= EVENT_ERRORS) {
		handshake->errors_lost += handshake->errors_lost < 255;
		return;
	}
	handshake->errors[at] = code;
	handshake->error_count = (__u8)(at + 1);
}

/* nginx's words where OpenSSL queued nothing: "peer closed connection in SSL handshake", "handshake rejected". */
static __always_inline void handshake_connection_error(__s32 error_errno, __u64 text)
{
	struct hit hit;
	struct handshake *handshake = handshake_failing(&hit);
	__u64 word = 0;

	if (!handshake || !read_user(&word, sizeof(word), text))
		return;
	if (word == EIGHT_BYTES('p', 'e', 'e', 'r', ' ', 'c', 'l', 'o')) {
		handshake->error_errno = error_errno;
		/* nginx says so without an errno where the transport has ended; elsewhere the BIO says it. */
		if (hit.layout->object_is_connection && error_errno == 0)
			handshake->eof = 1;
	} else if (word == EIGHT_BYTES('h', 'a', 'n', 'd', 's', 'h', 'a', 'k')) {
		handshake->rejected_by_name = 1;
	}
}

#endif
