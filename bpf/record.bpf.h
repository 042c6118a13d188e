/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From an ending to a record: everything that a full record says beyond the verdict.
 *
 * Invariant: the object and its connection are read when the ending is emitted, by whoever ends it, and not kept
 * before.
 * Must not know: when a handshake ends.
 */
#ifndef TLSWHY_RECORD_BPF_H
#define TLSWHY_RECORD_BPF_H

static __always_inline void event_fill_ids(struct event *event, const struct hit *hit, const struct ending *ending)
{
	header_init(&event->header, sizeof(*event), ending->kind, hit->tgid);
	event->time_ns = hit->now_ns;
	event->begin_ns = ending->begin_ns;
	event->object = hit->object;
	event->verdict = ending->verdict;
	event->latency_ns = ending->latency_ns;
	event->parts = ending->parts;
	event->flags = ending->flags;
	event->generation = ending->generation;
	event->calls = ending->calls;
	event->tls_version = ending->tls_version;
	event->peer_min_version = ending->peer_versions >> 16;
	event->peer_max_version = (__u16)ending->peer_versions;
	event->our_min_version = ending->our_versions >> 16;
	event->our_max_version = (__u16)ending->our_versions;
	__builtin_memcpy(event->first_bytes, ending->first_bytes, sizeof(event->first_bytes));
}

static __always_inline void event_fill_openssl(struct event *event, const struct hit *hit)
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
}

static __always_inline void event_fill_errors(struct event *event, const struct handshake *handshake)
{
	event->error_count = handshake->error_count;
	event->errors_lost = handshake->errors_lost;
	__builtin_memcpy(event->errors, handshake->errors, sizeof(event->errors));
}

/* Peer, connection number and the client behind the PROXY protocol. */
static __always_inline void event_fill_connection(struct event *event, const struct hit *hit)
{
	if (hit->sk)
		socket_addresses(hit->sk, event);
	if (!hit->connection)
		return;
	event->flags |= EVENT_NGINX;
	if (hit->quic) {
		event->flags |= EVENT_QUIC;
		nginx_peer(hit, event);
	} else if (event->verdict.direction == DIRECTION_CLIENT && nginx_is_http(hit)) {
		event->flags |= EVENT_HTTP;
	}
	event->connection = nginx_number(nginx_word(hit, NGX_CONNECTION_LOG));
	nginx_proxy(hit, event);
}

static __always_inline void event_fill_name(struct event *event, const struct call *call)
{
	__u32 bytes = call->ending.name_bytes;

	event->sni_bytes = (__u8)bytes;
	if (bytes > EVENT_SNI_BYTES) {
		bytes = EVENT_SNI_BYTES;
		event->flags |= EVENT_SNI_CUT;
	}
	if (bytes)
		bpf_probe_read_kernel(event->sni, bytes, call->name);
}

/*
 * Copies the tail behind the fixed part, at most the room reserved there, a constant; what it was at its source is
 * kept beside. The bound is tested here and not where the class was chosen: older verifiers (6.1's) forget it in
 * between.
 */
static __always_inline void event_fill_tail(struct event *event, const struct ending *ending, const __u32 room)
{
	__u32 true_bytes = ending->tail_bytes, bytes = true_bytes > room ? room : true_bytes;

	if (bpf_probe_read_user(event + 1, bytes, (const void *)ending->tail_from)) {
		counter_add(COUNTER_READ_FAULTS, 1);
		return;
	}
	event->header.tail_bytes = (__u16)bytes;
	event->header.tail_kind = ending->tail_kind;
	event->header.tail_true_bytes = true_bytes;
}

/* The fixed part. One copy for the three classes. handshake is NULL where no errors are known. */
subprogram int event_fill(struct event *event, const struct hit *hit, const struct handshake *handshake)
{
	__builtin_memset(event, 0, sizeof(*event));
	event_fill_ids(event, hit, &hit->call->ending);
	event_fill_openssl(event, hit);
	event_fill_connection(event, hit);
	event_fill_name(event, hit->call);
	if (handshake)
		event_fill_errors(event, handshake);
	return 0;
}

/* The same. Beside event_fill() and not below it: what the two need of the stack is not needed at once. */
subprogram int event_fill_agreement(struct event *event, const struct hit *hit)
{
	struct agreement agreement;

	agreement_read(hit, &agreement);
	event->group = agreement_group(hit, &agreement);
	event->signature = agreement_signature(hit, &agreement, event->verdict.direction);
	return 0;
}

/* A record with constant room for a tail, since the verifier wants constants. False when the ring is full. */
static __always_inline bool emit_record(const struct hit *hit, const struct handshake *handshake, const __u32 room)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event) + room, 0);

	if (!event)
		return false;
	event_fill(event, hit, handshake);
	event_fill_agreement(event, hit);
	if (room)
		event_fill_tail(event, &hit->call->ending, room);
	bpf_ringbuf_submit(event, wake_flags());
	return true;
}

/* The one way out: a record of one of the size classes, or the spill map. */
subprogram int emit_ending(const struct hit *hit, const struct handshake *handshake)
{
	__u32 tail_bytes = hit->call->ending.tail_bytes;
	bool done;

	if (tail_bytes == 0)
		done = emit_record(hit, handshake, 0);
	else if (tail_bytes <= EVENT_TAIL_SMALL)
		done = emit_record(hit, handshake, EVENT_TAIL_SMALL);
	else
		done = emit_record(hit, handshake, EVENT_TAIL_LARGE);
	if (!done)
		spill_ending(&hit->call->ending, hit->tgid);
	return 0;
}

/* Reads the server name into the thread's scratch; a long one also becomes the tail if nothing else is. */
static __always_inline void ending_name(const struct hit *hit)
{
	struct call *call = hit->call;
	struct ending *ending = &call->ending;

	ending->name_bytes = openssl_server_name(hit, call->name);
	if (ending->name_bytes)
		ending->verdict.flags |= VERDICT_SNI_SET;
	if (ending->name_bytes > EVENT_SNI_BYTES && !ending->tail_bytes) {
		ending->tail_kind = TAIL_SERVER_NAME;
		ending->tail_from = seen_u64(hit, hostname);
		ending->tail_bytes = ending->tail_from ? ending->name_bytes : 0;
	}
}

#endif
