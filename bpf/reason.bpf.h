/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a handshake failed, in the library's words and nginx's: what nginx takes from the error queue, and what it says
 * where nothing is queued.
 *
 * Invariant: only what a good handshake never calls is listened to. Must not know: how a handshake ends.
 */
#ifndef TLSWHY_REASON_BPF_H
#define TLSWHY_REASON_BPF_H

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

/*
 * nginx's words where OpenSSL queued nothing: "peer closed connection in SSL handshake", "handshake rejected". The
 * first time that a worker says something, the page that it lies on need not be there yet: it is when nginx has said
 * it, so failure_words() looks once more.
 */
static __always_inline void handshake_connection_error(__s32 error_errno, __u64 text)
{
	struct hit hit;
	struct handshake *handshake = handshake_failing(&hit);
	struct call *call;
	__u64 word = 0;

	if (!handshake)
		return;
	if (bpf_probe_read_user(&word, sizeof(word), (const void *)text) == 0) {
		failure_word(hit.layout, handshake, word, error_errno);
		return;
	}
	call = bpf_map_lookup_elem(&calls, &hit.tid);
	if (!call)
		return;
	call->unread_text = text;
	call->unread_errno = error_errno;
	call->unread_object = hit.object;
}

#endif
