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

#define FLOW_ERROR            1 /* MSG_FLOW_ERROR: the state machine has failed; 0: never started */
#define SSL_RECEIVED_SHUTDOWN 2
#define EARLY_DATA_ACCEPTED   2 /* SSL_EARLY_DATA_ACCEPTED */
#define CALLS_MAX             0xffff

/* Returned 1: begins its record. The object was looked at. freed: nothing will be said of it any more. */
subprogram int handshake_complete(const struct hit *hit, const struct handshake *handshake, bool freed)
{
	struct event *event;

	hit_locate(hit, handshake);
	nginx_connection(hit);
	event = event_begin(hit, EVENT_SETTLED, OUTCOME_OK);
	event->verdict.direction = handshake->direction;
	event->verdict.stage = STAGE_DONE;
	event->verdict.flags = handshake_flags(hit, handshake);
	event_times(event, handshake, hit->now_ns);
	if (seen_s32(hit, hit, 0))
		event->flags |= EVENT_RESUMED;
	if (may_amend(hit, handshake->direction)) {
		event->flags |= EVENT_MAY_AMEND;
		sight_look(hit, SIGHT_END);
		verdict_certificates(hit, &event->verdict);
	}
	/* With early data accepted SSL_do_handshake may return 1 again, when Finished has come. */
	if (!freed && (event->flags & EVENT_MAY_AMEND || seen_s32(hit, hand_state, 0) != TLS_STATE_OK))
		settled_keep(hit, event);
	counter_add(direction_row(COUNTER_OK, handshake->direction), 1);
	if (event->flags & EVENT_RESUMED)
		counter_add(direction_row(COUNTER_RESUMED, handshake->direction), 1);
	return 0;
}

/* Both ends of what is in flight: its entry leaves, its record is left to be sent. */
static __always_inline __s32 handshake_ends(bool complete)
{
	struct handshake *handshake;
	struct object_key key;
	struct hit hit;

	if (!chain_take(&hit))
		return CHAIN_END;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (!handshake)
		return CHAIN_END;
	sight_look(&hit, complete ? SIGHT_DONE : SIGHT_END);
	if (complete)
		handshake_complete(&hit, handshake, hit.call->pending.how & AMEND_FREED);
	else
		handshake_fail(&hit, handshake);
	bpf_map_delete_elem(&handshakes, &key);
	return chain_to(&hit, CHAIN_EMIT);
}

static __always_inline void handshake_sent(void)
{
	struct hit hit;

	if (!chain_take(&hit))
		return;
	event_emit(&hit);
	if (hit.call->pending.how & AMEND_FREED && hit.call->event.flags & EVENT_MAY_AMEND && knobs.final_marks)
		emit_mark(EVENT_FINAL, hit.tgid, hit.object, hit.call->event.begin_ns);
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
	fresh.generation = hit->generation;
	fresh.direction =
		(__u8)(hit->layout->object_is_connection ? nginx_direction(hit->object) : openssl_direction(hit));
	fresh.joined = joined;
	hit_locate(hit, NULL);
	fresh.fd = hit->call->place.fd;
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

static __always_inline void handshake_failed(const struct hit *hit, struct handshake *handshake)
{
	handshake->failed = 1;
	handshake->end_ns = hit->now_ns;
}

/* A call that did not complete the handshake: it waits, or it has failed. */
static __always_inline void handshake_pause(const struct hit *hit, struct handshake *handshake)
{
	__s32 read_flags = 0;
	enum waits waits = openssl_waits(hit, &read_flags);

	if (waits == WAITS_NOT) {
		handshake_failed(hit, handshake);
		handshake->eof |= (read_flags & BIO_FLAG_EOF) || closed_by_notify(hit);
	} else if (waits == WAITS_FOR_US) {
		handshake->return_ns = 0; /* the gap that follows is nobody's */
	}
}

/* The return of a call that began in a handshake: what is in flight, or NULL. */
static __always_inline struct handshake *handshake_returned(struct hit *hit, struct object_key *key, bool connection)
{
	struct handshake *handshake;

	if (!hit_init(hit, 0) || hit->layout->object_is_connection != connection || !hit_open(hit) ||
	    !hit->call->inside)
		return NULL;
	hit->call->inside = 0;
	hit->object = hit->call->object;
	key_init(key, hit);
	handshake = bpf_map_lookup_elem(&handshakes, key);
	if (!handshake)
		return NULL;
	handshake->calls += handshake->calls != CALLS_MAX;
	parts_leave(hit, handshake, hit->call);
	return handshake;
}

/* Return of SSL_do_handshake: 1 is done. The way that most go has no chain: it would be looked up once more. */
static __always_inline void handshake_step(__s32 result)
{
	struct object_key key;
	struct hit hit;
	struct handshake *handshake = handshake_returned(&hit, &key, false);

	if (!handshake)
		return;
	if (result != 1) {
		handshake_pause(&hit, handshake);
		return;
	}
	sight_look(&hit, SIGHT_DONE);
	if (completed_early(&hit))
		return;
	handshake_complete(&hit, handshake, false);
	bpf_map_delete_elem(&handshakes, &key);
	event_emit(&hit);
}

/* Return of ngx_ssl_handshake, where objects are connections. */
static __always_inline __s32 connection_step(__s32 result)
{
	struct object_key key;
	struct hit hit;
	struct handshake *handshake = handshake_returned(&hit, &key, true);

	if (!handshake)
		return CHAIN_END;
	hit.call->pending.how = 0;
	if (result == NGX_OK)
		return chain_to(&hit, CHAIN_COMPLETE);
	if (result != NGX_AGAIN)
		handshake_failed(&hit, handshake);
	return CHAIN_END;
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

/* Entry of SSL_free, the end of every object; or of ngx_ssl_shutdown, that of a connection's TLS. */
static __always_inline __s32 handshake_end(__u64 object, bool connection)
{
	struct handshake *handshake;
	struct object_key key;
	struct hit hit;

	if (!object || !hit_init(&hit, object) || hit.layout->object_is_connection != connection)
		return CHAIN_END;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (!handshake && bpf_map_lookup_elem(&settled_objects, &key))
		return hit_open(&hit) ? settled_amend(&hit, REJECTION_UPSTREAM_ALERT, AMEND_FREED) : CHAIN_END;
	if (!handshake)
		return !connection && handshake_unseen(&hit, &key) ? chain_to(&hit, CHAIN_FAIL) : CHAIN_END;
	if (!hit_open(&hit))
		return CHAIN_END;
	hit.call->pending.how = AMEND_FREED;
	/* Complete since a call of SSL_read, after early data. */
	if (!connection && !handshake->failed && field_s32(object, hit.layout->hand_state, 0) == TLS_STATE_OK)
		return chain_to(&hit, CHAIN_COMPLETE);
	return chain_to(&hit, CHAIN_FAIL);
}

#endif
