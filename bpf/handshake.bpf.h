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

#define ERRNO_ECONNRESET 104
#define FLOW_ERROR       1 /* MSG_FLOW_ERROR: the state machine has failed; 0: never started */
#define TCP_STATE_CLOSE  7

/* Eight bytes of text as they lie in memory, whatever the byte order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define EIGHT_BYTES(a, b, c, d, e, f, g, h)                                                               \
	((__u64)(h) << 56 | (__u64)(g) << 48 | (__u64)(f) << 40 | (__u64)(e) << 32 | (d) << 24 | (c) << 16 | \
	 (b) << 8 | (a))
#else
#define EIGHT_BYTES(a, b, c, d, e, f, g, h)                                                               \
	((__u64)(a) << 56 | (__u64)(b) << 48 | (__u64)(c) << 40 | (__u64)(d) << 32 | (e) << 24 | (f) << 16 | \
	 (g) << 8 | (h))
#endif

static __always_inline struct call *call_find(const struct hit *hit)
{
	return bpf_map_lookup_elem(&calls, &hit->tid);
}

static __always_inline void event_fill_ids(struct event *event, const struct hit *hit, const struct ending *ending)
{
	header_init(&event->header, sizeof(*event), ending->kind, hit->tgid);
	event->time_ns = hit->now_ns;
	event->begin_ns = ending->begin_ns;
	event->object = hit->object;
	event->verdict = ending->verdict;
	event->latency_ns = ending->latency_ns;
	event->call_ns = ending->call_ns;
	event->run_delay_ns = ending->run_delay_ns;
	event->flags = ending->flags;
	event->generation = ending->generation;
	event->calls = ending->calls;
	event->tls_version = ending->tls_version;
}

static __always_inline void event_fill_openssl(struct event *event, const struct hit *hit)
{
	const struct layout *layout = hit->layout;
	__u64 session = field_u64(hit->object, layout->session);
	__u64 cipher = session ? field_u64(session, layout->session_cipher) : 0;

	event->cipher = cipher ? (__u32)field_s32(cipher, layout->cipher_id, 0) : 0;
	event->hand_state = (__u16)field_s32(hit->object, layout->hand_state, 0);
	event->message_type = (__u32)field_s32(hit->object, layout->message_type, 0);
	if (field_s32(hit->object, layout->hello_retry, 0))
		event->flags |= EVENT_RETRIED;
}

static __always_inline void event_fill_errors(struct event *event, const struct handshake *handshake)
{
	event->error_count = handshake->error_count;
	event->errors_lost = handshake->errors_lost;
	__builtin_memcpy(event->errors, handshake->errors, sizeof(event->errors));
}

static __always_inline void event_fill_versions(struct event *event, const struct hit *hit, __u32 peer)
{
	event->peer_min_version = peer >> 16;
	event->peer_max_version = (__u16)peer;
	openssl_our_versions(hit, &event->our_min_version, &event->our_max_version);
	if (event->verdict.first_record != FIRST_RECORD_UNKNOWN)
		openssl_first_record(hit, event->first_bytes);
}

/* Peer, connection number and the client behind the PROXY protocol. */
static __always_inline void event_fill_connection(struct event *event, const struct hit *hit)
{
	__s32 fd = openssl_fd(hit);
	struct sock *sk = socket_of(fd);
	__u64 connection = nginx_connection(hit, fd);

	if (sk)
		socket_addresses(sk, event);
	if (!connection)
		return;
	event->flags |= EVENT_NGINX;
	event->connection = nginx_number(connection);
	nginx_proxy(connection, event);
}

static __always_inline void event_fill_name(struct event *event, const struct ending *ending, const char *name)
{
	__u32 bytes = ending->name_bytes;

	event->sni_bytes = (__u8)bytes;
	if (bytes > EVENT_SNI_BYTES) {
		bytes = EVENT_SNI_BYTES;
		event->flags |= EVENT_SNI_CUT;
	}
	if (bytes)
		bpf_probe_read_kernel(event->sni, bytes, name);
}

/* One of the size classes; the verifier wants constants. */
static __always_inline struct event *event_reserve(__u32 tail_bytes)
{
	struct event *event;

	if (tail_bytes == 0)
		event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	else if (tail_bytes <= EVENT_TAIL_SMALL)
		event = bpf_ringbuf_reserve(&ring, sizeof(*event) + EVENT_TAIL_SMALL, 0);
	else
		event = bpf_ringbuf_reserve(&ring, sizeof(*event) + EVENT_TAIL_LARGE, 0);
	if (event)
		__builtin_memset(event, 0, sizeof(*event));
	return event;
}

/* Copies the tail behind the fixed part, at most its class; what it was at its source is kept beside. */
static __always_inline void event_fill_tail(struct event *event, const struct ending *ending)
{
	__u32 bytes = ending->tail_bytes;
	void *tail = event + 1;
	long fault;

	if (bytes == 0)
		return;
	if (bytes <= EVENT_TAIL_SMALL) {
		fault = bpf_probe_read_user(tail, bytes, (const void *)ending->tail_from);
	} else {
		bytes = EVENT_TAIL_LARGE < bytes ? EVENT_TAIL_LARGE : bytes;
		fault = bpf_probe_read_user(tail, bytes, (const void *)ending->tail_from);
	}
	if (fault) {
		counter_add(COUNTER_READ_FAULTS, 1);
		return;
	}
	event->header.tail_bytes = (__u16)bytes;
	event->header.tail_kind = ending->tail_kind;
	event->header.tail_true_bytes = ending->tail_bytes;
}

/* What a failure's record adds to an ending: offered versions and queued errors. */
struct failure {
	const struct handshake *handshake; /* NULL: none is known */
	__u32 peer_versions;
	__u32 reserved;
};

/* The one way out: a record, or the spill map. */
static __always_inline void emit_ending(const struct hit *hit, struct ending *ending, const char *name,
					const struct failure *failure)
{
	struct event *event = event_reserve(ending->tail_bytes);

	if (!event) {
		spill_ending(ending, hit->tgid);
		return;
	}
	event_fill_ids(event, hit, ending);
	event_fill_openssl(event, hit);
	event_fill_connection(event, hit);
	event_fill_name(event, ending, name);
	if (failure) {
		event_fill_versions(event, hit, failure->peer_versions);
		if (failure->handshake)
			event_fill_errors(event, failure->handshake);
	}
	event_fill_tail(event, ending);
	bpf_ringbuf_submit(event, wake_flags());
}

/* The thread's scratch and the server name in it. */
static __always_inline char *ending_name(const struct hit *hit, struct ending *ending)
{
	static const struct call empty;
	struct call *call = call_find(hit);

	if (!call) {
		bpf_map_update_elem(&calls, &hit->tid, &empty, BPF_NOEXIST);
		call = call_find(hit);
	}
	if (!call)
		return NULL;
	ending->name_bytes = openssl_server_name(hit, call->name);
	if (ending->name_bytes)
		ending->verdict.flags |= VERDICT_SNI_SET;
	if (ending->name_bytes > EVENT_SNI_BYTES && !ending->tail_bytes) {
		__u64 text = field_u64(hit->object, hit->layout->hostname);

		ending->tail_kind = TAIL_SERVER_NAME;
		ending->tail_from = text;
		ending->tail_bytes = text ? ending->name_bytes : 0;
	}
	return call->name;
}

/* Completed at its first return of 1. What may still be refused stays, 48 bytes of it, until the object is freed. */
static __always_inline void settled_keep(const struct hit *hit, const struct ending *ending, bool joined)
{
	struct settled settled = {};
	struct object_key key = {};
	__s32 fd = openssl_fd(hit);

	settled.begin_ns = ending->begin_ns;
	settled.latency_ns = ending->latency_ns;
	settled.call_us = (__u32)(ending->call_ns / 1000);
	settled.run_delay_us = (__u32)(ending->run_delay_ns / 1000);
	settled.generation = ending->generation;
	settled.flags = (__u16)(ending->flags & (EVENT_RESUMED | EVENT_MAY_AMEND));
	settled.direction = ending->verdict.direction;
	settled.joined = joined;
	if (ending->verdict.flags & VERDICT_CERTIFICATE_ASKED)
		settled.flags |= SETTLED_CERTIFICATE_ASKED;
	socket_progress(socket_of(fd), &settled.written, &settled.received);
	if (settled.direction == DIRECTION_CLIENT && (ending->flags & EVENT_MAY_AMEND))
		settled.session = field_u64(hit->object, hit->layout->session);
	key_init(&key, hit);
	if (bpf_map_update_elem(&settled_objects, &key, &settled, BPF_ANY))
		counter_add(COUNTER_SETTLED_FULL, 1);
	if (!settled.session)
		return;
	/* nginx names the session, not the connection, when it refuses a client certificate. */
	key.object = settled.session;
	key.kind = OBJECT_SESSION;
	settled.session = hit->object;
	bpf_map_update_elem(&settled_objects, &key, &settled, BPF_ANY);
}

/*
 * A certificate check may follow: on the client side where the object asks for a certificate; to an upstream always,
 * since proxy_ssl_verify leaves no trace in the object.
 */
static __always_inline bool may_amend(const struct hit *hit, __u32 direction)
{
	if (direction == DIRECTION_UPSTREAM)
		return true;
	return field_s32(hit->object, hit->layout->verify_mode, 0) & 1;
}

static __noinline int handshake_complete(const struct hit *hit, const struct handshake *handshake)
{
	struct ending ending = {};
	char *name;

	ending.kind = EVENT_SETTLED;
	ending.verdict.outcome = OUTCOME_OK;
	ending.verdict.direction = handshake->direction;
	ending.verdict.stage = STAGE_DONE;
	ending.verdict.library = hit->layout->family;
	ending.verdict.flags = handshake->joined ? VERDICT_JOINED : 0;
	ending.begin_ns = handshake->begin_ns;
	ending.latency_ns = hit->now_ns - handshake->begin_ns;
	ending.call_ns = handshake->call_ns;
	ending.run_delay_ns = handshake->run_delay_ns;
	ending.generation = handshake->generation;
	ending.calls = handshake->calls;
	ending.tls_version = (__u16)field_s32(hit->object, hit->layout->version, 0);
	if (field_s32(hit->object, hit->layout->hit, 0))
		ending.flags |= EVENT_RESUMED;
	if (may_amend(hit, handshake->direction)) {
		ending.flags |= EVENT_MAY_AMEND;
		verdict_certificates(hit, &ending.verdict);
	}
	name = ending_name(hit, &ending);
	/* With early data SSL_do_handshake returns 1 before the client's Finished, and again (OpenSSL 1.1.1 on). */
	if (ending.flags & EVENT_MAY_AMEND || field_s32(hit->object, hit->layout->hand_state, 0) != TLS_STATE_OK)
		settled_keep(hit, &ending, handshake->joined);
	counter_add(direction_row(COUNTER_OK, handshake->direction), 1);
	if (ending.flags & EVENT_RESUMED)
		counter_add(direction_row(COUNTER_RESUMED, handshake->direction), 1);
	emit_ending(hit, &ending, name, NULL);
	return 0;
}

/* The peer's versions against ours, where this failure lets us see them. */
static __always_inline __u32 verdict_versions(const struct hit *hit, struct verdict *verdict)
{
	__u64 body, bytes = 0;
	__u32 offered = 0;
	__u16 oldest, newest;

	openssl_our_versions(hit, &oldest, &newest);
	if (verdict->direction == DIRECTION_CLIENT) {
		body = openssl_message(hit, MESSAGE_CLIENT_HELLO, &bytes);
		if (body)
			offered = hello_versions(body, bytes);
	} else if (verdict->direction == DIRECTION_UPSTREAM) {
		body = openssl_message(hit, MESSAGE_SERVER_HELLO, &bytes);
		if (body) {
			offered = read_be16(body);
			offered |= offered << 16;
		}
	}
	if (!newest)
		return offered;
	if (!offered)
		verdict->version_class = verdict->direction != DIRECTION_UPSTREAM ? VERSION_CLASS_UNKNOWN :
					 newest >= TLS1_3		  ? VERSION_CLASS_OUR_NEWEST :
									    VERSION_CLASS_OUR_OLDER;
	else if ((offered & 0xffff) < oldest)
		verdict->version_class = VERSION_CLASS_PEER_OLDER;
	else if ((offered >> 16) > newest)
		verdict->version_class = VERSION_CLASS_PEER_NEWER;
	else
		verdict->version_class = VERSION_CLASS_OVERLAP;
	return offered;
}

/* The transport's side of a failure: end, reset, nginx's own timer. */
static __always_inline void verdict_transport(const struct hit *hit, struct verdict *verdict,
					      const struct handshake *handshake)
{
	__s32 fd = openssl_fd(hit);
	struct sock *sk = socket_of(fd);
	__u64 connection = nginx_connection(hit, fd);

	verdict->error_errno = handshake->error_errno;
	if (handshake->eof || (bio_flags(hit, hit->layout->rbio) & BIO_FLAG_EOF))
		verdict->flags |= VERDICT_EOF;
	if (handshake->rejected_by_name)
		verdict->flags |= VERDICT_HANDSHAKE_REJECTED;
	if (sk && socket_is_tcp(sk) && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_STATE_CLOSE)
		verdict->flags |= VERDICT_SOCKET_RESET;
	if (!connection)
		return;
	verdict->flags |= VERDICT_NGINX_FACTS;
	if (nginx_timed_out(connection))
		verdict->flags |= VERDICT_TIMED_OUT;
}

static __always_inline void ending_tail(const struct hit *hit, struct ending *ending)
{
	__u64 bytes = 0, body = openssl_message(hit, MESSAGE_CLIENT_HELLO, &bytes);

	if (!body || ending->verdict.direction != DIRECTION_CLIENT || bytes == 0 || bytes > 1 << 17)
		return;
	ending->tail_kind = TAIL_CLIENT_HELLO;
	ending->tail_from = body;
	ending->tail_bytes = (__u32)bytes;
}

/* Never ok: it failed, or its object is freed while it waits. */
static __noinline int handshake_fail(const struct hit *hit, const struct handshake *handshake)
{
	struct failure failure = { .handshake = handshake };
	struct ending ending = {};
	struct verdict *verdict = &ending.verdict;
	__u8 bytes[5];
	char *name;

	ending.kind = EVENT_SETTLED;
	verdict->outcome = handshake->failed ? OUTCOME_FAILED : OUTCOME_ABANDONED;
	verdict->direction = handshake->direction;
	verdict->library = hit->layout->family;
	verdict->flags = handshake->joined ? VERDICT_JOINED : 0;
	verdict->error = handshake->first_ssl_error;
	verdict->other_error = handshake->first_other_error;
	verdict_alerts(hit, verdict);
	verdict_certificates(hit, verdict);
	verdict_transport(hit, verdict, handshake);
	verdict->stage = openssl_stage(hit, verdict->direction,
				       handshake->failed && !(verdict->flags & VERDICT_EOF));
	failure.peer_versions = verdict_versions(hit, verdict);
	if (handshake->failed && verdict->stage == STAGE_BEFORE_HELLO)
		verdict->first_record = openssl_first_record(hit, bytes);
	ending.begin_ns = handshake->begin_ns;
	ending.latency_ns = (handshake->end_ns ?: hit->now_ns) - handshake->begin_ns;
	ending.call_ns = handshake->call_ns;
	ending.run_delay_ns = handshake->run_delay_ns;
	ending.generation = handshake->generation;
	ending.calls = handshake->calls;
	ending_tail(hit, &ending);
	name = ending_name(hit, &ending);
	counter_add(direction_row(COUNTER_FAILED, handshake->direction), 1);
	emit_ending(hit, &ending, name, &failure);
	return 0;
}

/* It was ok and is not: takes the ok back and counts this instead, once. */
static __noinline int settled_amend(const struct hit *hit, struct settled *settled, __u8 rejection)
{
	struct ending ending = {};
	struct verdict *verdict = &ending.verdict;
	char *name;

	if (settled->flags & SETTLED_AMENDED)
		return 0;
	settled->flags |= SETTLED_AMENDED;
	ending.kind = EVENT_AMENDED;
	verdict->outcome = OUTCOME_REJECTED;
	verdict->direction = settled->direction;
	verdict->stage = STAGE_DONE;
	verdict->library = hit->layout->family;
	verdict->flags = settled->joined ? VERDICT_JOINED : 0;
	verdict_certificates(hit, verdict);
	verdict_alerts(hit, verdict);
	if (rejection == REJECTION_CLIENT_CERTIFICATE && verdict->verify_result == 0 &&
	    verdict->flags & VERDICT_PEER_CERTIFICATE)
		rejection = REJECTION_OCSP;
	verdict->rejection = rejection;
	ending.begin_ns = settled->begin_ns;
	ending.latency_ns = settled->latency_ns;
	ending.call_ns = (__u64)settled->call_us * 1000;
	ending.run_delay_ns = (__u64)settled->run_delay_us * 1000;
	ending.generation = settled->generation;
	ending.flags = settled->flags & EVENT_RESUMED;
	ending.tls_version = (__u16)field_s32(hit->object, hit->layout->version, 0);
	name = ending_name(hit, &ending);
	counter_add(direction_row(COUNTER_AMENDED, settled->direction), 1);
	emit_ending(hit, &ending, name, NULL);
	return 0;
}

/*
 * TLS 1.3: the backend's refusal of our certificate arrives in SSL_read, after completion. It is one if the backend had
 * asked, the alert is a certificate's (RFC 8446 section 6.2; 40 in practice), and nothing else came.
 */
static __always_inline void settled_check_alert(const struct hit *hit, struct settled *settled)
{
	__s32 alert = field_s32(hit->object, hit->layout->fatal_alert, 0);
	__u32 written, received;

	if (settled->direction != DIRECTION_UPSTREAM || !(settled->flags & SETTLED_CERTIFICATE_ASKED))
		return;
	if (alert != 40 && alert != 116 && (alert < 42 || alert > 49))
		return;
	socket_progress(socket_of(openssl_fd(hit)), &written, &received);
	if (received - settled->received > 64) /* an encrypted alert record has 24 bytes */
		return;
	settled_amend(hit, settled, REJECTION_UPSTREAM_ALERT);
}

static __always_inline void settled_free(const struct hit *hit, struct object_key *key, struct settled *settled)
{
	settled_check_alert(hit, settled);
	if (knobs.final_marks && (settled->flags & EVENT_MAY_AMEND) && !(settled->flags & SETTLED_AMENDED))
		emit_mark(EVENT_FINAL, hit->tgid, hit->object, settled->begin_ns);
	if (settled->session) {
		struct object_key alias = { .object = settled->session, .tgid = hit->tgid, .kind = OBJECT_SESSION };
		struct settled *its = bpf_map_lookup_elem(&settled_objects, &alias);

		if (its && its->session == hit->object)
			bpf_map_delete_elem(&settled_objects, &alias);
	}
	bpf_map_delete_elem(&settled_objects, key);
}

/* A new entry, zeroed but for what is known now. False where the map is full. */
static __always_inline bool handshake_add(const struct hit *hit, const struct object_key *key, __u8 joined)
{
	struct handshake fresh = {};

	fresh.begin_ns = hit->now_ns;
	fresh.generation = hit->target->generation;
	fresh.direction = (__u8)openssl_direction(hit);
	fresh.joined = joined;
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
	return field_s32(hit->object, hit->layout->in_init, 0) != 0 &&
	       field_s32(hit->object, hit->layout->hand_state, TLS_STATE_OK) != TLS_STATE_OK;
}

/* Entry of SSL_do_handshake: makes sure that there is an entry, unless the handshake is over. */
static __always_inline bool handshake_track(const struct hit *hit, const struct object_key *key)
{
	struct handshake *handshake = bpf_map_lookup_elem(&handshakes, key);
	bool started = field_s32(hit->object, hit->layout->flow_state, 1) != 0;

	if (handshake && started)
		return true;
	if (handshake) /* the object is back in its initial state: its end was not seen */
		counter_add(direction_row(COUNTER_UNMATCHED, handshake->direction), 1);
	if (!started)
		return handshake_add(hit, key, 0);
	if (bpf_map_lookup_elem(&settled_objects, key) || !object_in_handshake(hit))
		return false;
	return handshake_add(hit, key, 1);
}

static __always_inline void handshake_begin(__u64 object)
{
	static const struct call empty;
	struct object_key key;
	struct hit hit;
	struct call *call;

	if (!hit_init(&hit, object))
		return;
	key_init(&key, &hit);
	call = call_find(&hit);
	if (!call) {
		bpf_map_update_elem(&calls, &hit.tid, &empty, BPF_NOEXIST);
		call = call_find(&hit);
	}
	if (!call)
		return;
	call->inside = handshake_track(&hit, &key);
	call->object = object;
	call->run_delay_ns = task_run_delay_ns();
	call->entry_ns = hit.now_ns;
}

/* Return of SSL_do_handshake. */
static __always_inline void handshake_step(__s32 result)
{
	struct object_key key;
	struct hit hit;
	struct handshake *handshake;
	struct call *call;
	__s32 read_flags = 0;

	if (!hit_init(&hit, 0))
		return;
	call = call_find(&hit);
	if (!call || !call->inside)
		return;
	call->inside = 0;
	hit.object = call->object;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (!handshake)
		return;
	handshake->calls++;
	handshake->call_ns += hit.now_ns - call->entry_ns;
	handshake->run_delay_ns += task_run_delay_ns() - call->run_delay_ns;
	if (result == 1) {
		handshake_complete(&hit, handshake);
		bpf_map_delete_elem(&handshakes, &key);
	} else if (!openssl_waits(&hit, &read_flags)) {
		handshake->failed = 1;
		handshake->end_ns = hit.now_ns;
		handshake->eof = !!(read_flags & BIO_FLAG_EOF);
	}
}

/* The handshake that the thread's current error belongs to: of the running call, or of the one that just failed. */
static __always_inline struct handshake *handshake_failing(struct hit *hit)
{
	struct handshake *handshake;
	struct object_key key;
	struct call *call;

	if (!hit_init(hit, 0))
		return NULL;
	call = call_find(hit);
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
	if (word == EIGHT_BYTES('p', 'e', 'e', 'r', ' ', 'c', 'l', 'o'))
		handshake->error_errno = error_errno;
	else if (word == EIGHT_BYTES('h', 'a', 'n', 'd', 's', 'h', 'a', 'k'))
		handshake->rejected_by_name = 1;
}

/* ngx_ssl_remove_cached_session: one of the three refusals of a client certificate. */
static __always_inline void handshake_client_rejected(__u64 session)
{
	struct object_key key = { .object = session, .kind = OBJECT_SESSION };
	struct settled *settled;
	struct hit hit;

	if (!session || !hit_init(&hit, 0))
		return;
	key.tgid = hit.tgid;
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (!settled)
		return;
	hit.object = settled->session;
	key_init(&key, &hit);
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (settled && settled->session == session)
		settled_amend(&hit, settled, REJECTION_CLIENT_CERTIFICATE);
}

/*
 * The certificate or the name of an upstream is refused. nginx checks right after completion, on the same thread,
 * before it has sent a byte: that tells its check from other callers of these functions ($ssl_client_verify).
 */
static __always_inline void handshake_upstream_refused(__u8 rejection, __s32 verify_result)
{
	__u32 written, received;
	struct settled *settled;
	struct object_key key;
	struct call *call;
	struct hit hit;

	if (!hit_init(&hit, 0))
		return;
	call = call_find(&hit);
	if (!call)
		return;
	hit.object = call->object;
	key_init(&key, &hit);
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (!settled || settled->direction != DIRECTION_UPSTREAM)
		return;
	socket_progress(socket_of(openssl_fd(&hit)), &written, &received);
	if (written != settled->written)
		return;
	if (rejection == REJECTION_UPSTREAM_VERIFY &&
	    (verify_result == 0 || field_s32(hit.object, hit.layout->verify_result, 0) != verify_result))
		return;
	settled_amend(&hit, settled, rejection);
}

/* An object that never went through begin: in the middle of a handshake since before we were armed? */
static __always_inline void handshake_end_unseen(const struct hit *hit, const struct object_key *key)
{
	struct handshake *handshake;
	__s32 flow = field_s32(hit->object, hit->layout->flow_state, 0);

	if (flow == 0 || !object_in_handshake(hit) || !handshake_add(hit, key, 1))
		return;
	handshake = bpf_map_lookup_elem(&handshakes, key);
	if (!handshake)
		return;
	handshake->failed = flow == FLOW_ERROR;
	handshake_fail(hit, handshake);
	bpf_map_delete_elem(&handshakes, key);
}

/* Entry of SSL_free: the end of every object. */
static __always_inline void handshake_end(__u64 object)
{
	struct handshake *handshake;
	struct settled *settled;
	struct object_key key;
	struct hit hit;

	if (!object || !hit_init(&hit, object))
		return;
	key_init(&key, &hit);
	handshake = bpf_map_lookup_elem(&handshakes, &key);
	if (handshake) {
		handshake_fail(&hit, handshake);
		bpf_map_delete_elem(&handshakes, &key);
		return;
	}
	settled = bpf_map_lookup_elem(&settled_objects, &key);
	if (settled)
		settled_free(&hit, &key, settled);
	else
		handshake_end_unseen(&hit, &key);
}

#endif
