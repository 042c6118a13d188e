/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is said of a handshake that was never ok: the facts that decide its cause, and what the peer had sent.
 *
 * Invariant: read from the object as it is when it is freed, where every error that nginx took from the queue is
 * known. Must not know: causes.
 */
#ifndef TLSWHY_FAILURE_BPF_H
#define TLSWHY_FAILURE_BPF_H

#define ALERT_HANDSHAKE_FAILURE 40

/* An object whose role cannot be read cannot be read. */
static __always_inline __u16 handshake_flags(const struct hit *hit, const struct handshake *handshake)
{
	bool unreadable = handshake->direction == DIRECTION_UNKNOWN || hit->layout->object_is_connection;

	return (handshake->joined ? VERDICT_JOINED : 0) | (unreadable ? VERDICT_OBJECT_UNREADABLE : 0);
}

static __always_inline void event_times(struct event *event, const struct handshake *handshake, __u64 end_ns)
{
	event->begin_ns = handshake->begin_ns;
	event->latency_ns = end_ns - handshake->begin_ns;
	event_parts(event, handshake);
	event->generation = handshake->generation;
	event->calls = handshake->calls;
}

/* What the peer offers or chose, where this failure lets us see it: oldest << 16 | newest, else 0. */
static __always_inline __u32 peer_versions(const struct hit *hit, __u32 direction)
{
	__u64 bytes = 0, body;
	__u32 chosen;

	if (direction == DIRECTION_CLIENT) {
		body = openssl_message(hit, MESSAGE_CLIENT_HELLO, &bytes);
		return body ? hello_versions(body, bytes) : 0;
	}
	if (direction != DIRECTION_UPSTREAM)
		return 0;
	body = openssl_message(hit, MESSAGE_SERVER_HELLO, &bytes);
	chosen = body ? read_be16(body) : 0;
	return chosen << 16 | chosen;
}

static __always_inline __u8 version_class(__u32 direction, __u32 ours, __u32 peers)
{
	if (!ours)
		return VERSION_CLASS_UNKNOWN;
	if (!peers && direction != DIRECTION_UPSTREAM)
		return VERSION_CLASS_UNKNOWN;
	if (!peers)
		return (ours & 0xffff) >= TLS1_3 ? VERSION_CLASS_OUR_NEWEST : VERSION_CLASS_OUR_OLDER;
	if ((peers & 0xffff) < ours >> 16)
		return VERSION_CLASS_PEER_OLDER;
	return peers >> 16 > (ours & 0xffff) ? VERSION_CLASS_PEER_NEWER : VERSION_CLASS_OVERLAP;
}

/* nginx 1.29 and later clears the library's errors of a QUIC handshake unread: what is left of them is the alert. */
static __always_inline void verdict_quic(const struct hit *hit, struct verdict *verdict,
					 const struct handshake *handshake)
{
	verdict->flags |= VERDICT_QUIC | (handshake->closed ? VERDICT_QUIC_CLOSED : 0);
	if (!verdict->error && (verdict->flags & VERDICT_ALERT_SENT) &&
	    verdict->alert_sent == ALERT_HANDSHAKE_FAILURE)
		verdict->agreed = openssl_agreed(hit);
}

/* The transport's side of a failure: end, reset, nginx's own timer. */
subprogram int verdict_transport(const struct hit *hit, struct verdict *verdict, const struct handshake *handshake)
{
	struct sock *sk = hit_socket(hit);

	verdict->error_errno = handshake->error_errno;
	if (handshake->eof || handshake->closed == CLOSED_BY_PEER ||
	    (bio_flags(hit, seen_u64(hit, rbio)) & BIO_FLAG_EOF))
		verdict->flags |= VERDICT_EOF;
	if (handshake->rejected_by_name)
		verdict->flags |= VERDICT_HANDSHAKE_REJECTED;
	if (sk && socket_is_tcp(sk) && kernel_read(sk, __sk_common.skc_state) == TCP_STATE_CLOSE)
		verdict->flags |= VERDICT_SOCKET_RESET;
	if (!hit->call->place.connection)
		return 0;
	verdict->flags |= VERDICT_NGINX_FACTS;
	if (hit->call->place.quic)
		verdict_quic(hit, verdict, handshake);
	if (handshake->closed == CLOSED_LATE || nginx_timed_out(hit))
		verdict->flags |= VERDICT_TIMED_OUT;
	return 0;
}

static __always_inline void event_tail(const struct hit *hit, const struct event *event)
{
	struct pending *pending = &hit->call->pending;
	__u64 bytes = 0, body;

	if (event->verdict.direction != DIRECTION_CLIENT)
		return;
	body = openssl_message(hit, MESSAGE_CLIENT_HELLO, &bytes);
	if (!body || bytes == 0 || bytes > HELLO_BYTES_MAX)
		return;
	pending->tail_kind = TAIL_CLIENT_HELLO;
	pending->tail_from = body;
	pending->tail_bytes = (__u32)bytes;
}

subprogram int event_versions(const struct hit *hit, struct event *event)
{
	__u32 ours = openssl_our_versions(hit), peers = peer_versions(hit, event->verdict.direction);

	event->our_min_version = ours >> 16;
	event->our_max_version = (__u16)ours;
	event->peer_min_version = peers >> 16;
	event->peer_max_version = (__u16)peers;
	event->verdict.version_class = version_class(event->verdict.direction, ours, peers);
	return 0;
}

static __always_inline void event_verdict(const struct hit *hit, struct event *event,
					  const struct handshake *handshake)
{
	struct verdict *verdict = &event->verdict;

	verdict->direction = handshake->direction;
	verdict->flags = handshake_flags(hit, handshake);
	verdict->error = handshake->first_ssl_error;
	verdict->other_error = handshake->first_other_error;
	verdict_alerts(hit, verdict);
	verdict_certificates(hit, verdict);
	verdict_transport(hit, verdict, handshake);
	verdict->stage = hit->layout->object_is_connection
				 ? connection_stage(hit, handshake)
				 : openssl_stage(hit, verdict->direction,
						 handshake->failed && !(verdict->flags & VERDICT_EOF));
	event_versions(hit, event);
	if (handshake->failed && verdict->stage == STAGE_BEFORE_HELLO)
		verdict->first_record = openssl_first_record(hit, event->first_bytes);
}

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

/* What nginx has said of a failure, by its first eight bytes. */
static __always_inline void failure_word(const struct layout *layout, struct handshake *handshake, __u64 word,
					 __s32 error_errno)
{
	if (word == EIGHT_BYTES('p', 'e', 'e', 'r', ' ', 'c', 'l', 'o')) {
		handshake->error_errno = error_errno;
		/* nginx says so without an errno where the transport has ended; elsewhere the BIO says it. */
		if (layout->object_is_connection && error_errno == 0)
			handshake->eof = 1;
	} else if (word == EIGHT_BYTES('h', 'a', 'n', 'd', 's', 'h', 'a', 'k')) {
		handshake->rejected_by_name = 1;
	}
}

/* What could not be read when nginx said it. */
static __always_inline void failure_words(const struct hit *hit, struct handshake *handshake)
{
	struct call *call = hit->call;
	__u64 word = 0;

	if (call->unread_object != hit->object)
		return;
	call->unread_object = 0;
	if (read_user(&word, sizeof(word), call->unread_text))
		failure_word(hit->layout, handshake, word, call->unread_errno);
}

static __always_inline void event_errors(struct event *event, const struct handshake *handshake)
{
	event->error_count = handshake->error_count;
	event->errors_lost = handshake->errors_lost;
	if (handshake->error_count)
		__builtin_memcpy(event->errors, handshake->errors, sizeof(event->errors));
}

/* Never ok: it failed, or its object is freed while it waits. Begins its record. The object was looked at. */
static __always_inline void handshake_fail(struct hit *hit, struct handshake *handshake)
{
	struct event *event;

	hit_locate(hit, handshake);
	nginx_connection(hit);
	failure_words(hit, handshake);
	if (!handshake->failed)
		parts_gap(hit, handshake);
	event = event_begin(hit, EVENT_SETTLED, handshake->failed ? OUTCOME_FAILED : OUTCOME_ABANDONED);
	event_verdict(hit, event, handshake);
	if (event->verdict.stage < STAGE_MID)
		event->tls_version = 0; /* the object holds our newest until one is negotiated */
	event_times(event, handshake, handshake->end_ns ?: hit->now_ns);
	event->verdict.waited = parts_waited(event);
	event_errors(event, handshake);
	event_tail(hit, event);
	counter_add(direction_row(COUNTER_FAILED, handshake->direction), 1);
}

#endif
