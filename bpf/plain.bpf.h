/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Before the library: what comes to a TLS listener of http and never enters the library. http looks at the first byte
 * before it makes an object; what is no TLS it answers itself (497, 400), and who leaves before that byte is told to
 * nobody.
 *
 * Invariants: a connection counts only if its listener is one of TLS and the connection has no TLS; it is begun and
 * failed in one step, without a latency. The offsets are the same from nginx 1.18 to 1.30, those behind
 * ngx_connection_t's proxy_protocol up to a member that QUIC put there (1.25).
 */
#ifndef TLSWHY_PLAIN_BPF_H
#define TLSWHY_PLAIN_BPF_H

#define NGX_CONNECTION_SSL_OLD    144 /* or quic */
#define NGX_CONNECTION_SSL        152 /* or udp */
#define NGX_CONNECTION_LOCAL      168 /* struct sockaddr *; before QUIC its length */
#define NGX_CONNECTION_BUFFER_OLD 176
#define NGX_CONNECTION_BUFFER     184
#define NGX_BUFFER_START          32
#define NGX_LISTEN_SERVERS        88 /* ngx_http_port_t: addresses, how many */
#define NGX_ADDRESS_BYTES         32 /* ngx_http_in_addr_t: address, then ngx_http_addr_conf_t */
#define NGX_ADDRESS_BYTES_V6      40
#define NGX_ADDRESS_CONF          8
#define NGX_ADDRESS_CONF_V6       16
#define NGX_CONF_BITS             16 /* ngx_http_addr_conf_t: two pointers, then ssl:1 and others */
#define NGX_ADDRESSES_MAX         32 /* of one port; above, it is not known which one it is */
#define SOCKADDR_BYTES_MAX        128

static __always_inline __u64 user_u64(__u64 address)
{
	__u64 value = 0;

	read_user(&value, sizeof(value), address);
	return value;
}

/*
 * Which of a port's addresses, of which the thread's scratch has a copy, is that of the socket, as two words of
 * memory; the last one is the wildcard where there are several. Not static: such a function is verified by itself and
 * its result is any number. Of a static one older verifiers (6.1's) walk through what follows once for every address
 * it may return.
 */
__noinline __u32 plain_address(__u32 tid, __u32 count, __u32 family, __u64 first, __u64 second)
{
	__u32 step = family == AF_INET6 ? NGX_ADDRESS_BYTES_V6 : NGX_ADDRESS_BYTES, i;
	const struct call *call = bpf_map_lookup_elem(&calls, &tid);
	const unsigned char *its;

	for (i = 0; call && i < NGX_ADDRESSES_MAX && i + 1 < count; i++) {
		its = call->tail + i * step;
		if (family == AF_INET6 && *(const __u64 *)its == first && *(const __u64 *)(its + 8) == second)
			break;
		if (family == AF_INET && *(const __u32 *)its == (__u32)first)
			break;
	}
	return i;
}

/* Is TLS meant to be spoken on the connection's listener, and is it not? */
static __always_inline bool plain_on_tls(const struct hit *hit, __u64 connection, struct sock *sk)
{
	__u64 listening = user_u64(connection + NGX_CONNECTION_LISTEN), port, addresses, count, at;
	__u16 family = kernel_read(sk, __sk_common.skc_family);
	bool v6 = family == AF_INET6;
	__u32 step = v6 ? NGX_ADDRESS_BYTES_V6 : NGX_ADDRESS_BYTES;
	__u64 own[2] = {};
	__u32 bits = 0, bytes;

	if (!listening || user_u64(connection + NGX_CONNECTION_SSL_OLD) || user_u64(connection + NGX_CONNECTION_SSL))
		return false;
	port = user_u64(listening + NGX_LISTEN_SERVERS);
	if (!port)
		return false;
	addresses = user_u64(port);
	count = user_u64(port + 8);
	if (!addresses || !count || count > NGX_ADDRESSES_MAX)
		return false;
	bytes = (__u32)count * step;
	/* At most 1,280; verifiers of before 6.12 do not know a product's bounds from its factors'. */
	barrier_var(bytes);
	if (!read_user(hit->call->tail, bytes & 2047, addresses))
		return false;
	if (v6)
		BPF_CORE_READ_INTO(own, sk, __sk_common.skc_v6_rcv_saddr);
	else
		BPF_CORE_READ_INTO((__u32 *)own, sk, __sk_common.skc_rcv_saddr);
	at = addresses + (__u64)plain_address(hit->tid, count, family, own[0], own[1]) * step;
	read_user(&bits, sizeof(bits), at + (v6 ? NGX_ADDRESS_CONF_V6 : NGX_ADDRESS_CONF) + NGX_CONF_BITS);
	return bits & 1;
}

/* What the client sent first, from nginx's buffer. */
static __always_inline void plain_first_bytes(__u64 connection, struct event *event)
{
	bool old = user_u64(connection + NGX_CONNECTION_LOCAL) <= SOCKADDR_BYTES_MAX;
	__u64 buffer = user_u64(connection + (old ? NGX_CONNECTION_BUFFER_OLD : NGX_CONNECTION_BUFFER));
	__u64 start = buffer ? user_u64(buffer + NGX_BUFFER_START) : 0;
	__u8 *bytes = event->first_bytes;

	if (!start || !read_user(bytes, sizeof(event->first_bytes), start))
		return;
	/* GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT, TRACE (RFC 9110 section 9.3) */
	if ((bytes[0] == 'G' && bytes[1] == 'E') || (bytes[0] == 'H' && bytes[1] == 'E') ||
	    (bytes[0] == 'P' && (bytes[1] == 'O' || bytes[1] == 'U' || bytes[1] == 'A')) ||
	    (bytes[0] == 'D' && bytes[1] == 'E') || (bytes[0] == 'O' && bytes[1] == 'P') ||
	    (bytes[0] == 'C' && bytes[1] == 'O') || (bytes[0] == 'T' && bytes[1] == 'R'))
		event->verdict.first_record = FIRST_RECORD_HTTP;
}

/* A handshake that never began. */
static __always_inline void plain_verdict(struct verdict *verdict, __u32 flags)
{
	verdict->outcome = OUTCOME_FAILED;
	verdict->direction = DIRECTION_CLIENT;
	verdict->stage = STAGE_BEFORE_HELLO;
	verdict->flags = VERDICT_BEFORE_LIBRARY | flags;
	counter_add(direction_row(COUNTER_BEGUN, DIRECTION_CLIENT), 1);
	counter_add(direction_row(COUNTER_FAILED, DIRECTION_CLIENT), 1);
}

/* nginx answers 400 or 497 on this connection: the first byte was none of TLS, the request is one of HTTP or not. */
static __always_inline __s32 plain_refused(struct hit *hit, __u64 connection, __u32 status)
{
	struct event *event;

	hit->row = LAYOUT_ROW_NONE;
	if (!hit_layout(hit))
		return CHAIN_END;
	hit->object = connection;
	sight_look(hit, SIGHT_END);
	hit_locate(hit, NULL);
	nginx_connection(hit);
	if (!hit->call->place.connection || !hit_socket(hit) || !socket_is_tcp(hit_socket(hit)) ||
	    !plain_on_tls(hit, connection, hit_socket(hit)))
		return CHAIN_END;
	event = event_begin(hit, EVENT_SETTLED, OUTCOME_FAILED);
	event->verdict.library = 0;
	plain_verdict(&event->verdict, VERDICT_NGINX_FACTS);
	event->verdict.first_record = status == 497 ? FIRST_RECORD_HTTP : FIRST_RECORD_OTHER;
	plain_first_bytes(connection, event);
	event->begin_ns = hit->now_ns;
	event->generation = hit->generation;
	return chain_to(hit, CHAIN_EMIT);
}

/*
 * ngx_http_special_response_handler(r, status): the answers that a failed upstream ends in, and those to what
 * is not TLS on a listener of TLS. It also makes every
 * redirect and error page, so the status is looked at before anything else.
 */
static __always_inline __s32 plain_answer(__u64 request, __u32 status)
{
	bool lost = status == 502 || status == 504;
	__u64 connection = 0;
	struct hit hit;

	if (!armed)
		return CHAIN_END;
	counter_add(COUNTER_ANSWER_HITS, 1); /* of every process that runs this file: the budget is the host's */
	if ((!lost && status != 400 && (status < 495 || status > 497)) || !hit_init(&hit, 0) || !hit_open(&hit))
		return CHAIN_END;
	if (!read_user(&connection, sizeof(connection), request + NGX_REQUEST_CONNECTION) || !connection)
		return CHAIN_END;
	if (status == 495 || status == 496)
		return settled_answered(&hit, connection, status);
	if (!lost)
		return plain_refused(&hit, connection, status);
	emit_answer(hit.tgid, nginx_number(user_u64(connection + NGX_CONNECTION_LOG)), status);
	return CHAIN_END;
}

/* The key of the socket's local address. */
static __always_inline void listener_key_init(struct listener_key *key, struct sock *sk)
{
	struct net *net = kernel_read(sk, __sk_common.skc_net.net);
	struct inet_sock *inet = (struct inet_sock *)sk;

	__builtin_memset(key, 0, sizeof(*key));
	key->netns = kernel_read(net, ns.inum);
	key->port = bpf_ntohs(kernel_read(inet, inet_sport)); /* as in socket_addresses() */
	key->family = kernel_read(sk, __sk_common.skc_family);
	if (key->family == AF_INET6)
		BPF_CORE_READ_INTO(&key->address, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
	else
		*(__u32 *)key->address = kernel_read(sk, __sk_common.skc_rcv_saddr);
}

/*
 * A socket changes its state: the client closed and nginx closes too, or the client reset it. It left before its
 * first byte if nothing but its FIN was received. Runs in whatever task a reset interrupts: nothing of the task is
 * used.
 */
static __always_inline void plain_left(struct sock *sk, __s32 from, __s32 to)
{
	bool reset = to == TCP_STATE_CLOSE && (from == TCP_STATE_ESTABLISHED || from == TCP_STATE_CLOSE_WAIT);
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	const struct tls_listener *listener;
	const struct parts none = {};
	struct spill_key key = {};
	struct listener_key local;
	struct event *event;

	if (!reset && !(from == TCP_STATE_CLOSE_WAIT && to == TCP_STATE_LAST_ACK))
		return;
	if (kernel_read(tcp, bytes_received) > (from == TCP_STATE_CLOSE_WAIT)) /* its FIN counts as one */
		return;
	listener_key_init(&local, sk);
	listener = bpf_map_lookup_elem(&listeners, &local);
	if (!listener)
		return;
	plain_verdict(&key.verdict, reset && from == TCP_STATE_ESTABLISHED ? VERDICT_SOCKET_RESET : VERDICT_EOF);
	key.tgid = listener->tgid;
	key.generation = listener->generation;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		spill_count(&key, 0, &none);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	header_init(&event->header, sizeof(*event), EVENT_SETTLED, key.tgid);
	event->time_ns = event->begin_ns = bpf_ktime_get_ns();
	event->object = (__u64)sk; /* tells two of them apart, no more */
	event->verdict = key.verdict;
	event->generation = key.generation;
	socket_addresses(sk, event);
	bpf_ringbuf_submit(event, wake_flags());
}

static __always_inline void socket_changed(struct sock *sk, __s32 from, __s32 to)
{
	if (!armed)
		return;
	connect_changed(sk, from, to);
	plain_left(sk, from, to);
}

#endif
