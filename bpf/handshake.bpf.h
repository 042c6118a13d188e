/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life of one handshake: begin, step, raise, end; and what is refused after it was complete.
 *
 * Invariants: state is keyed {tgid, object}, the thread only joins entry and return of one call. A handshake is
 * settled once: ok at its first return of 1, otherwise when its object is freed, where every error that nginx
 * took from the queue is known. begun = ok + failed + still in the map (+ unmatched), per direction.
 */
#ifndef TLSWHY_HANDSHAKE_BPF_H
#define TLSWHY_HANDSHAKE_BPF_H

#define FLOW_ERROR              1 /* MSG_FLOW_ERROR: the state machine has failed; 0: never started */
#define SSL_RECEIVED_SHUTDOWN   2
#define ALERT_HANDSHAKE_FAILURE 40
#define EARLY_DATA_ACCEPTED     2 /* SSL_EARLY_DATA_ACCEPTED */
#define CALLS_MAX               0xffff

/* An object whose role cannot be read cannot be read. */
static __always_inline __u16 handshake_flags(const struct hit *hit, const struct handshake *handshake)
{
	bool unreadable = handshake->direction == DIRECTION_UNKNOWN || hit->layout->object_is_connection;

	return (handshake->joined ? VERDICT_JOINED : 0) | (unreadable ? VERDICT_OBJECT_UNREADABLE : 0);
}

static __always_inline void ending_times(struct ending *ending, const struct handshake *handshake, __u64 end_ns)
{
	ending->begin_ns = handshake->begin_ns;
	ending->latency_ns = end_ns - handshake->begin_ns;
	ending_parts(ending, handshake);
	ending->generation = handshake->generation;
	ending->calls = handshake->calls;
}

/* Returned 1. The object was looked at. */
subprogram int handshake_complete(struct hit *hit, const struct handshake *handshake)
{
	struct ending *ending = &hit->call->ending;

	hit_locate(hit, handshake);
	nginx_connection(hit);
	ending_init(ending, hit, EVENT_SETTLED, OUTCOME_OK);
	ending->verdict.direction = handshake->direction;
	ending->verdict.stage = STAGE_DONE;
	ending->verdict.flags = handshake_flags(hit, handshake);
	ending_times(ending, handshake, hit->now_ns);
	if (seen_s32(hit, hit, 0))
		ending->flags |= EVENT_RESUMED;
	if (may_amend(hit, handshake->direction)) {
		ending->flags |= EVENT_MAY_AMEND;
		sight_look(hit, SIGHT_END);
		verdict_certificates(hit, &ending->verdict);
	}
	ending_name(hit);
	/* With early data accepted SSL_do_handshake may return 1 again, when Finished has come. */
	if (ending->flags & EVENT_MAY_AMEND || seen_s32(hit, hand_state, 0) != TLS_STATE_OK)
		settled_keep(hit, ending);
	counter_add(direction_row(COUNTER_OK, handshake->direction), 1);
	if (ending->flags & EVENT_RESUMED)
		counter_add(direction_row(COUNTER_RESUMED, handshake->direction), 1);
	return emit_ending(hit, NULL);
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
static __always_inline void verdict_transport(const struct hit *hit, struct verdict *verdict,
					      const struct handshake *handshake)
{
	struct sock *sk = hit->sk;

	verdict->error_errno = handshake->error_errno;
	if (handshake->eof || handshake->closed == CLOSED_BY_PEER ||
	    (bio_flags(hit, seen_u64(hit, rbio)) & BIO_FLAG_EOF))
		verdict->flags |= VERDICT_EOF;
	if (handshake->rejected_by_name)
		verdict->flags |= VERDICT_HANDSHAKE_REJECTED;
	if (sk && socket_is_tcp(sk) && kernel_read(sk, __sk_common.skc_state) == TCP_STATE_CLOSE)
		verdict->flags |= VERDICT_SOCKET_RESET;
	if (!hit->connection)
		return;
	verdict->flags |= VERDICT_NGINX_FACTS;
	if (hit->quic)
		verdict_quic(hit, verdict, handshake);
	if (handshake->closed == CLOSED_LATE || nginx_timed_out(hit))
		verdict->flags |= VERDICT_TIMED_OUT;
}

static __always_inline void ending_tail(const struct hit *hit, struct ending *ending)
{
	__u64 bytes = 0, body;

	if (ending->verdict.direction != DIRECTION_CLIENT)
		return;
	body = openssl_message(hit, MESSAGE_CLIENT_HELLO, &bytes);
	if (!body || bytes == 0 || bytes > HELLO_BYTES_MAX)
		return;
	ending->tail_kind = TAIL_CLIENT_HELLO;
	ending->tail_from = body;
	ending->tail_bytes = (__u32)bytes;
}

static __always_inline void ending_verdict(const struct hit *hit, struct ending *ending,
					   const struct handshake *handshake)
{
	struct verdict *verdict = &ending->verdict;

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
	ending->our_versions = openssl_our_versions(hit);
	ending->peer_versions = peer_versions(hit, verdict->direction);
	verdict->version_class = version_class(verdict->direction, ending->our_versions, ending->peer_versions);
	if (handshake->failed && verdict->stage == STAGE_BEFORE_HELLO)
		verdict->first_record = openssl_first_record(hit, ending->first_bytes);
}

/* Never ok: it failed, or its object is freed while it waits. The object was looked at. */
subprogram int handshake_fail(struct hit *hit, struct handshake *handshake)
{
	struct call *call = hit->call;

	hit_locate(hit, handshake);
	nginx_connection(hit);
	if (!handshake->failed)
		parts_gap(hit, handshake);
	ending_init(&call->ending, hit, EVENT_SETTLED, handshake->failed ? OUTCOME_FAILED : OUTCOME_ABANDONED);
	ending_verdict(hit, &call->ending, handshake);
	if (call->ending.verdict.stage < STAGE_MID)
		call->ending.tls_version = 0; /* the object holds our newest until one is negotiated */
	ending_times(&call->ending, handshake, handshake->end_ns ?: hit->now_ns);
	call->ending.verdict.waited = parts_waited(&call->ending);
	ending_tail(hit, &call->ending);
	ending_name(hit);
	counter_add(direction_row(COUNTER_FAILED, handshake->direction), 1);
	return emit_ending(hit, handshake);
}

/*
 * A new entry, zeroed but for what is known now, and looked at. False where the map is full. A function, so that its
 * stack is not its caller's too: 512 bytes serve a whole chain of calls, each function rounded up to 32 on older
 * kernels.
 */
subprogram bool handshake_add(struct hit *hit, const struct object_key *key, __u8 joined)
{
	struct handshake fresh = {};

	fresh.begin_ns = hit->now_ns;
	fresh.generation = hit->target->generation;
	fresh.direction =
		(__u8)(hit->layout->object_is_connection ? nginx_direction(hit->object) : openssl_direction(hit));
	fresh.joined = joined;
	hit_locate(hit, NULL);
	fresh.fd = hit->fd;
	connection_mark(hit, &fresh);
	if (!joined)
		parts_before(hit, &fresh);
	if (bpf_map_update_elem(&handshakes, key, &fresh, BPF_ANY)) {
		counter_add(COUNTER_STATE_FULL, 1);
		return false;
	}
	counter_add(direction_row(COUNTER_BEGUN, fresh.direction), 1);
	if (joined)
		counter_add(direction_row(COUNTER_JOINED, fresh.direction), 1);
	return true;
}

/* Is the object in the middle of a handshake that was never seen? Completed ones have in_init 0 or state OK. */
static __always_inline bool object_in_handshake(const struct hit *hit)
{
	return seen_s32(hit, in_init, 0) != 0 && seen_s32(hit, hand_state, TLS_STATE_OK) != TLS_STATE_OK;
}

/* The same of an object that is a connection: a completed one is kept, an unknown one was seen when it was made. */
static __always_inline bool connection_track(struct hit *hit, const struct object_key *key)
{
	bool created = hit->call->created == hit->object;
	struct handshake *handshake;

	hit->call->created = 0;
	handshake = bpf_map_lookup_elem(&handshakes, key);
	if (handshake) {
		parts_gap(hit, handshake);
		return true;
	}
	if (bpf_map_lookup_elem(&settled_objects, key) && !created)
		return false;
	return handshake_add(hit, key, !created);
}

/* Entry of SSL_do_handshake: makes sure that there is an entry, unless the handshake is over. */
static __always_inline bool handshake_track(struct hit *hit, const struct object_key *key)
{
	struct handshake *handshake = bpf_map_lookup_elem(&handshakes, key);
	bool started;

	sight_look(hit, SIGHT_CALL);
	started = openssl_flow(hit) != 0;
	if (handshake && (started || hit->sight->flow_state == LAYOUT_NONE)) {
		parts_gap(hit, handshake);
		return true;
	}
	if (handshake) /* the object is back in its initial state: its end was not seen */
		counter_add(direction_row(COUNTER_UNMATCHED, handshake->direction), 1);
	if (!started)
		return handshake_add(hit, key, 0);
	if (bpf_map_lookup_elem(&settled_objects, key) || !object_in_handshake(hit))
		return false;
	return handshake_add(hit, key, 1);
}

/* connection: the object is nginx's, as the layout must say. */
static __always_inline void handshake_begin(__u64 object, bool connection)
{
	struct object_key key;
	struct hit hit;
	struct call *call;

	if (!hit_init(&hit, object) || hit.layout->object_is_connection != connection || !hit_open(&hit))
		return;
	key_init(&key, &hit);
	call = hit.call;
	call->object = object;
	call->inside = connection ? connection_track(&hit, &key) : handshake_track(&hit, &key);
	if (call->inside)
		parts_enter(&hit, call);
}

/* close_notify instead of a message: the library marks the end and queues nothing. A fatal alert marks it too. */
static __always_inline bool closed_by_notify(const struct hit *hit)
{
	return (seen_s32(hit, shutdown, 0) & SSL_RECEIVED_SHUTDOWN) && openssl_alert_received(hit) == 0;
}

/*
 * A return of 1 where the server still waits for the client's Finished, which it does when nginx calls
 * SSL_read_early_data(), that is on every listener with ssl_early_data on (OpenSSL 1.1.1 on). nginx goes on with the
 * request only if early data was accepted; else it waits for Finished, and so do we.
 */
static __always_inline bool completed_early(const struct hit *hit)
{
	return seen_s32(hit, hand_state, TLS_STATE_OK) == hit->layout->state_early_data &&
	       field_s32(hit->object, hit->layout->early_data, 0) != EARLY_DATA_ACCEPTED;
}

/* A call that did not complete the handshake: it waits, or it has failed. */
static __always_inline void handshake_pause(const struct hit *hit, struct handshake *handshake, __s32 result,
					    bool connection)
{
	__s32 read_flags = 0;
	enum waits waits = WAITS_FOR_PEER;

	if (!connection)
		waits = openssl_waits(hit, &read_flags);
	else if (result < 0)
		waits = WAITS_NOT;
	if (waits == WAITS_NOT) {
		handshake->failed = 1;
		handshake->end_ns = hit->now_ns;
		handshake->eof |= (read_flags & BIO_FLAG_EOF) || (!connection && closed_by_notify(hit));
	} else if (waits == WAITS_FOR_US) {
		handshake->return_ns = 0; /* the gap that follows is nobody's */
	}
}

/* Return of SSL_do_handshake: 1 is done. connection: of ngx_ssl_handshake, by connection_step(). */
static __always_inline void handshake_step(__s32 result, bool connection)
{
	struct object_key key;
	struct hit hit;
	struct handshake *handshake;

	if (!hit_init(&hit, 0) || hit.layout->object_is_connection != connection || !hit_open(&hit) ||
	    !hit.call->inside)
		return;
	hit.call->inside = 0;
	hit.object = hit.call->object;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (!handshake)
		return;
	handshake->calls += handshake->calls != CALLS_MAX;
	parts_leave(&hit, handshake, hit.call);
	if (result != 1) {
		handshake_pause(&hit, handshake, result, connection);
		return;
	}
	sight_look(&hit, SIGHT_DONE);
	if (completed_early(&hit))
		return;
	handshake_complete(&hit, handshake);
	bpf_map_delete_elem(&handshakes, &key);
}

/*
 * An object that never went through begin: in the middle of a handshake since before we were armed? Then it is begun
 * and ended here. One that is not in a handshake at all, as most are that end, is known by its one field.
 */
static __always_inline struct handshake *handshake_unseen(struct hit *hit, const struct object_key *key)
{
	struct handshake *handshake;
	__s32 flow;

	if (!field_s32(hit->object, hit->layout->in_init, 0) || !hit_open(hit))
		return NULL;
	sight_look(hit, SIGHT_END);
	flow = openssl_flow(hit);
	if (flow <= 0 || !object_in_handshake(hit) || !handshake_add(hit, key, 1))
		return NULL;
	handshake = bpf_map_lookup_elem(&handshakes, key);
	if (handshake)
		handshake->failed = flow == FLOW_ERROR; /* where the flow is not known: the state 1 is OK */
	return handshake;
}

/* Of one that is in flight: it has failed, or is complete since a call of SSL_read, after early data. */
static __always_inline bool handshake_is_complete(const struct hit *hit, const struct handshake *handshake,
						  bool connection)
{
	return !connection && !handshake->failed && seen_s32(hit, hand_state, 0) == TLS_STATE_OK;
}

/* Entry of SSL_free, the end of every object; or of ngx_ssl_shutdown, that of a connection's TLS. */
static __always_inline void handshake_end(__u64 object, bool connection)
{
	struct handshake *handshake;
	struct settled *settled;
	struct object_key key;
	struct hit hit;

	if (!object || !hit_init(&hit, object) || hit.layout->object_is_connection != connection)
		return;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (!handshake) {
		settled = bpf_map_lookup_elem(&settled_objects, &key);
		if (settled && hit_open(&hit))
			settled_free(&hit, &key, settled);
		if (settled || connection)
			return;
		handshake = handshake_unseen(&hit, &key);
	} else if (hit_open(&hit)) {
		sight_look(&hit, SIGHT_END);
		if (handshake_is_complete(&hit, handshake, connection)) {
			handshake_complete(&hit, handshake);
			bpf_map_delete_elem(&handshakes, &key);
			settled = bpf_map_lookup_elem(&settled_objects, &key); /* what completion kept of it */
			if (settled)
				settled_free(&hit, &key, settled);
			return;
		}
	} else {
		return;
	}
	if (!handshake)
		return;
	handshake_fail(&hit, handshake);
	bpf_map_delete_elem(&handshakes, &key);
}

#endif
