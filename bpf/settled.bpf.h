/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * After completion: what stays of a handshake that returned 1, and what nginx or the peer refuse afterwards.
 *
 * Invariants: 56 bytes stay, and only where something may still be refused or SSL_do_handshake is called again;
 * an ok is taken back at most once.
 */
#ifndef TLSWHY_SETTLED_BPF_H
#define TLSWHY_SETTLED_BPF_H

#define LATE_ALERT_BYTES       64 /* an encrypted alert record has 24 */
#define X509_V_ERR_UNSPECIFIED 1

/*
 * A certificate check may follow: on the client side where the object asks for a certificate; to an upstream always,
 * since proxy_ssl_verify leaves no trace in the object.
 */
static __always_inline bool may_amend(const struct hit *hit, __u32 direction)
{
	if (direction == DIRECTION_UPSTREAM || hit->layout->object_is_connection)
		return true;
	return seen_s32(hit, verify_mode, 0) & 1;
}

/* nginx names the session, not the connection, when it refuses a client certificate: this leads back to the object.
 */
static __always_inline void settled_alias(const struct hit *hit, __u64 session)
{
	struct object_key key = { .object = session, .tgid = hit->tgid, .kind = OBJECT_SESSION };
	struct settled alias = { .session = hit->object };

	bpf_map_update_elem(&settled_objects, &key, &alias, BPF_ANY);
}

subprogram int settled_keep(const struct hit *hit, const struct event *event)
{
	struct settled settled = {};
	struct object_key key;
	__u64 session = 0;

	settled.begin_ns = event->begin_ns;
	settled.latency_ns = event->latency_ns;
	settled.parts = event->parts;
	settled.generation = event->generation;
	settled.flags = (__u16)(event->flags & (EVENT_RESUMED | EVENT_MAY_AMEND | EVENT_MEASURED));
	settled.direction = event->verdict.direction;
	settled.joined = !!(event->verdict.flags & VERDICT_JOINED);
	if (event->verdict.flags & VERDICT_CERTIFICATE_ASKED)
		settled.flags |= SETTLED_CERTIFICATE_ASKED;
	if (settled.direction == DIRECTION_UPSTREAM)
		socket_progress(hit_socket(hit), &settled.written, &settled.received);
	else if (settled.direction == DIRECTION_CLIENT && (event->flags & EVENT_MAY_AMEND))
		session = settled.session = seen_u64(hit, session);
	key_init(&key, hit);
	if (bpf_map_update_elem(&settled_objects, &key, &settled, BPF_ANY))
		counter_add(COUNTER_SETTLED_FULL, 1);
	else if (session)
		settled_alias(hit, session);
	return 0;
}

/* How an ok is taken back. */
#define AMEND_SHOWN 1 /* a certificate was shown, although no object says so */
#define AMEND_FREED 2 /* the object is freed: only if an alert refused it late */

/* Leaves the settled object of the hit to ending_amend(). */
static __always_inline __s32 settled_amend(const struct hit *hit, __u8 rejection, __u32 how)
{
	hit->call->pending.rejection = rejection;
	hit->call->pending.how = how;
	return chain_to(hit, CHAIN_AMEND);
}

static __always_inline void amend_verdict(const struct hit *hit, struct verdict *verdict,
					  const struct settled *settled)
{
	__u8 rejection = (__u8)hit->call->pending.rejection;

	verdict->direction = settled->direction;
	verdict->stage = STAGE_DONE;
	verdict->flags = settled->joined ? VERDICT_JOINED : 0;
	verdict->flags |= hit->call->place.quic ? VERDICT_QUIC : 0;
	verdict_certificates(hit, verdict);
	verdict_alerts(hit, verdict);
	if (rejection == REJECTION_CLIENT_CERTIFICATE && verdict->verify_result == 0 &&
	    verdict->flags & VERDICT_PEER_CERTIFICATE)
		rejection = REJECTION_OCSP;
	if (hit->call->pending.how & AMEND_SHOWN) {
		verdict->flags |= VERDICT_PEER_CERTIFICATE;
		verdict->verify_result = X509_V_ERR_UNSPECIFIED;
	}
	verdict->rejection = rejection;
}

/* It was ok and is not: begins the record that takes the ok back and counts this instead. */
static __always_inline void amend_begin(const struct hit *hit, struct settled *settled)
{
	struct event *event = event_begin(hit, EVENT_AMENDED, OUTCOME_REJECTED);

	settled->flags |= SETTLED_AMENDED;
	amend_verdict(hit, &event->verdict, settled);
	event->begin_ns = settled->begin_ns;
	event->latency_ns = settled->latency_ns;
	event->parts = settled->parts;
	event->generation = settled->generation;
	event->flags = settled->flags & (EVENT_RESUMED | EVENT_MEASURED);
	counter_add(direction_row(COUNTER_AMENDED, settled->direction), 1);
}

/*
 * TLS 1.3: the backend's refusal of our certificate arrives in SSL_read, after completion. It is one if the backend
 * had asked, the alert is a certificate's (RFC 8446 section 6.2; 40 in practice), and nothing else came.
 */
static __always_inline bool settled_refused_late(const struct hit *hit, const struct settled *settled)
{
	__u32 written, received;
	__s32 alert;

	if (settled->direction != DIRECTION_UPSTREAM || !(settled->flags & SETTLED_CERTIFICATE_ASKED))
		return false;
	alert = openssl_alert_received(hit);
	if (alert != 40 && alert != 116 && (alert < 42 || alert > 49))
		return false;
	socket_progress(hit_socket(hit), &written, &received);
	return received - settled->received <= LATE_ALERT_BYTES;
}

static __always_inline void settled_drop_alias(const struct hit *hit, const struct settled *settled)
{
	struct object_key key = { .object = settled->session, .tgid = hit->tgid, .kind = OBJECT_SESSION };
	struct settled *alias = bpf_map_lookup_elem(&settled_objects, &key);

	if (alias && alias->session == hit->object)
		bpf_map_delete_elem(&settled_objects, &key);
}

static __always_inline void settled_drop(const struct hit *hit, const struct object_key *key,
					 const struct settled *settled)
{
	if (knobs.final_marks && (settled->flags & EVENT_MAY_AMEND) && !(settled->flags & SETTLED_AMENDED))
		emit_mark(EVENT_FINAL, hit->tgid, hit->object, settled->begin_ns);
	if (settled->direction == DIRECTION_CLIENT && settled->session)
		settled_drop_alias(hit, settled);
	bpf_map_delete_elem(&settled_objects, key);
}

/* An ok is taken back, at most once, and let go of where its object is freed. */
static __always_inline __s32 settled_ends(void)
{
	struct settled *settled;
	struct object_key key;
	bool freed, amends;
	struct hit hit;

	if (!chain_take(&hit))
		return CHAIN_END;
	key_init(&key, &hit);
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (!settled)
		return CHAIN_END;
	freed = hit.call->pending.how & AMEND_FREED;
	sight_look(&hit, SIGHT_END);
	hit_locate(&hit, NULL);
	amends = !(settled->flags & SETTLED_AMENDED) && (!freed || settled_refused_late(&hit, settled));
	if (amends) {
		nginx_connection(&hit);
		amend_begin(&hit, settled);
	}
	if (freed)
		settled_drop(&hit, &key, settled);
	return amends ? chain_to(&hit, CHAIN_EMIT) : CHAIN_END;
}

/* ngx_ssl_remove_cached_session: one of the three refusals of a client certificate. */
static __always_inline __s32 settled_client_rejected(__u64 session)
{
	struct object_key key = { .object = session, .kind = OBJECT_SESSION };
	struct settled *settled;
	struct hit hit;

	if (!session || !hit_init(&hit, 0) || !hit_open(&hit))
		return CHAIN_END;
	key.tgid = hit.tgid;
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (!settled)
		return CHAIN_END;
	hit.object = settled->session;
	key_init(&key, &hit);
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (!settled || settled->session != session)
		return CHAIN_END;
	return settled_amend(&hit, REJECTION_CLIENT_CERTIFICATE, 0);
}

/* nginx answers 495 or 496 on a connection of which nothing else is known: it refuses the client's certificate. */
static __always_inline __s32 settled_answered(struct hit *hit, __u64 connection, __u32 status)
{
	if (!hit->layout->object_is_connection)
		return CHAIN_END;
	hit->object = connection;
	return settled_amend(hit, REJECTION_CLIENT_CERTIFICATE, status == 495 ? AMEND_SHOWN : 0);
}

/*
 * The certificate or the name of an upstream is refused. nginx checks right after completion, on the same thread,
 * before it has sent a byte: that tells its check from other callers of these functions ($ssl_client_verify).
 */
static __always_inline __s32 settled_upstream_refused(__u8 rejection, __s32 verify_result)
{
	__u32 written, received;
	struct settled *settled;
	struct object_key key;
	struct hit hit;

	if (!hit_init(&hit, 0) || !hit_open(&hit))
		return CHAIN_END;
	hit.object = hit.call->object;
	key_init(&key, &hit);
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (!settled || settled->direction != DIRECTION_UPSTREAM)
		return CHAIN_END;
	sight_look(&hit, SIGHT_END);
	hit_locate(&hit, NULL);
	socket_progress(hit_socket(&hit), &written, &received);
	if (written != settled->written)
		return CHAIN_END;
	if (rejection == REJECTION_UPSTREAM_VERIFY &&
	    (verify_result == 0 || seen_s32(&hit, verify_result, 0) != verify_result))
		return CHAIN_END;
	return settled_amend(&hit, rejection, 0);
}

#endif
