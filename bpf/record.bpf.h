/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The record of an ending, made in the thread's scratch: begun by who knows how it ended, filled with what every
 * record says beyond the verdict, and sent.
 *
 * Invariants: a record is zeroed when it is begun; the object and its connection were looked at by whoever ends it,
 * and are not kept before; behind the fixed part there is the tail and nothing else. Must not know: when a handshake
 * ends.
 */
#ifndef TLSWHY_RECORD_BPF_H
#define TLSWHY_RECORD_BPF_H

/* What is known while the object lives; the rest is zero. */
static __always_inline struct event *event_begin(const struct hit *hit, __u8 kind, __u8 outcome)
{
	struct event *event = &hit->call->event;

	__builtin_memset(event, 0, sizeof(*event));
	header_init(&event->header, sizeof(*event), kind, hit->tgid);
	event->time_ns = hit->now_ns;
	event->object = hit->object;
	event->verdict.outcome = outcome;
	event->verdict.library = hit->layout->family;
	event->tls_version = (__u16)seen_s32(hit, version, 0);
	hit->call->pending.tail_from = 0;
	hit->call->pending.tail_bytes = 0;
	return event;
}

subprogram int event_fill_openssl(struct event *event, const struct hit *hit)
{
	const struct layout *layout = hit->layout;
	__u64 cipher = event->verdict.outcome == OUTCOME_OK ? seen_u64(hit, new_cipher) : 0, session;

	if (!cipher) { /* of one that failed: that of the session it was about to resume, or has made */
		session = seen_u64(hit, session);
		cipher = session ? field_u64(session, layout->session_cipher) : 0;
	}
	if (cipher && layout->cipher_id != LAYOUT_NONE)
		event->cipher = table_number(&hit->call->cipher, cipher, layout->cipher_id);
	event->hand_state = (__u16)seen_s32(hit, hand_state, 0);
	event->message_type = (__u32)seen_s32(hit, message_type, 0);
	if (seen_s32(hit, hello_retry, 0))
		event->flags |= EVENT_RETRIED;
	return 0;
}

/* What the two sides agreed on. */
subprogram int event_fill_agreement(struct event *event, const struct hit *hit)
{
	struct agreement agreement;

	agreement_read(hit, &agreement);
	event->group = agreement_group(hit, &agreement);
	event->signature = agreement_signature(hit, &agreement, event->verdict.direction);
	return 0;
}

/* Peer, connection number and the client behind the PROXY protocol. */
subprogram int event_fill_connection(struct event *event, const struct hit *hit)
{
	if (hit_socket(hit))
		socket_addresses(hit_socket(hit), event);
	if (!hit->call->place.connection)
		return 0;
	event->flags |= EVENT_NGINX;
	if (hit->call->place.quic) {
		event->flags |= EVENT_QUIC;
		nginx_peer(hit, event);
	} else if (event->verdict.direction == DIRECTION_CLIENT && nginx_is_http(hit)) {
		event->flags |= EVENT_HTTP;
	}
	event->connection = nginx_number(nginx_word(hit, NGX_CONNECTION_LOG));
	nginx_proxy(hit, event);
	return 0;
}

/* The server name; a long one also becomes the tail if nothing else is. */
subprogram int event_fill_name(struct event *event, const struct hit *hit)
{
	struct call *call = hit->call;
	__u32 bytes;

	__builtin_memset(call->name, 0, EVENT_SNI_BYTES); /* what is behind a shorter name is another one's */
	bytes = openssl_server_name(hit, call->name);
	if (!bytes)
		return 0;
	event->verdict.flags |= VERDICT_SNI_SET;
	event->sni_bytes = (__u8)bytes;
	__builtin_memcpy(event->sni, call->name, EVENT_SNI_BYTES);
	if (bytes <= EVENT_SNI_BYTES)
		return 0;
	event->flags |= EVENT_SNI_CUT;
	if (call->pending.tail_bytes)
		return 0;
	call->pending.tail_kind = TAIL_SERVER_NAME;
	call->pending.tail_from = seen_u64(hit, hostname);
	call->pending.tail_bytes = call->pending.tail_from ? bytes : 0;
	return 0;
}

/* Copies the tail behind the fixed part; what it was at its source is kept beside. Returns its bytes here. */
static __always_inline __u32 event_fill_tail(struct event *event, const struct hit *hit)
{
	const struct pending *pending = &hit->call->pending;
	__u32 bytes = pending->tail_bytes;

	if (!bytes)
		return 0;
	if (bytes > EVENT_TAIL_LARGE)
		bytes = EVENT_TAIL_LARGE;
	if (bpf_probe_read_user(hit->call->tail, bytes, (const void *)pending->tail_from)) {
		counter_add(COUNTER_READ_FAULTS, 1);
		return 0;
	}
	event->header.tail_bytes = (__u16)bytes;
	event->header.tail_kind = (__u8)pending->tail_kind;
	event->header.tail_true_bytes = pending->tail_bytes;
	return bytes;
}

/* A ClientHello stays in no map. A read that is refused leaves zeros. */
static __always_inline void event_forget_tail(const struct hit *hit, __u32 bytes)
{
	bpf_probe_read_user(hit->call->tail, bytes, (const void *)FIELD_NOWHERE);
}

static __always_inline void event_spill(const struct event *event)
{
	struct spill_key key = {};

	key.verdict = event->verdict;
	key.tgid = event->header.tgid;
	key.tls_version = event->tls_version;
	key.resumed = !!(event->flags & EVENT_RESUMED);
	key.amends = event->header.kind == EVENT_AMENDED;
	key.generation = event->generation;
	spill_count(&key, event->latency_ns, &event->parts);
}

/* The one way out: the rest of the record that was begun, into the ring or the spill map. */
subprogram int event_emit(const struct hit *hit)
{
	struct event *event = &hit->call->event;
	__u32 tail_bytes;

	event_fill_openssl(event, hit);
	event_fill_agreement(event, hit);
	event_fill_connection(event, hit);
	event_fill_name(event, hit);
	tail_bytes = event_fill_tail(event, hit);
	if (bpf_ringbuf_output(&ring, event, sizeof(*event) + tail_bytes, wake_flags()))
		event_spill(event);
	if (tail_bytes)
		event_forget_tail(hit, tail_bytes);
	return 0;
}

#endif
