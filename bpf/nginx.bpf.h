/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only reader of nginx's connections: from an SSL object to its ngx_connection_t.
 *
 * Invariants: a connection is read once a hit, its head as a copy; it is believed only if its descriptor is the one
 * of the object's BIO, or if it is one of QUIC, whose objects have no descriptor; else nothing of it is used. The
 * offsets are the same from nginx 1.18 to 1.30: ngx_connection_t's, ngx_event_t's and ngx_log_t's heads have not
 * changed (src/core/ngx_connection.h, src/event/ngx_event.h, src/core/ngx_log.h).
 */
#ifndef TLSWHY_NGINX_BPF_H
#define TLSWHY_NGINX_BPF_H

#define NGX_CONNECTION_READ    8
#define NGX_CONNECTION_WRITE   16
#define NGX_CONNECTION_LISTEN  64
#define NGX_CONNECTION_LOG     80
#define NGX_CONNECTION_TYPE    96  /* SOCK_STREAM, SOCK_DGRAM */
#define NGX_CONNECTION_PEER    104 /* struct sockaddr *; NULL in connections to upstreams */
#define NGX_CONNECTION_PROXY   136 /* ngx_proxy_protocol_t: src_addr {len, data}, dst_addr {len, data}, src_port */
#define NGX_PROXY_SRC_PORT     32
#define NGX_LISTEN_HANDLER     80
#define NGX_REQUEST_CONNECTION 8 /* after the signature */
#define SOCKET_DATAGRAM        2 /* SOCK_DGRAM */
#define NGX_LOG_CONNECTION     16
#define NGX_EVENT_BITS         8 /* after void *data: write, accept, instance, ... */
#define NGX_EVENT_TIMEDOUT     (1u << 10)

/* What the object's ex_data has at nginx's index. */
static __always_inline __u64 nginx_candidate(const struct hit *hit)
{
	__u32 index = hit->connection_index;
	__u64 stack = seen_u64(hit, ex_data), slots = 0, connection = 0;

	if (!stack || index > 64)
		return 0;
	read_user(&slots, sizeof(slots), stack + 8);
	if (slots)
		read_user(&connection, sizeof(connection), slots + 8 * (__u64)index);
	return connection;
}

/* A word of the head of the hit's connection. */
static __always_inline __u64 nginx_word(const struct hit *hit, __u32 offset)
{
	return *(const __u64 *)(hit->call->connection + offset);
}

/*
 * Finds the connection of the object, whose descriptor is known: hit_locate(). QUIC: nginx gives the object a BIO of
 * its own (compatibility layer of 1.25 to 1.28) or none (OpenSSL 3.5 on), and the connection the descriptor of the
 * listening socket.
 */
subprogram int nginx_connection(const struct hit *hit)
{
	__u64 connection = nginx_candidate(hit) | object_if_connection(hit);
	struct call *call = hit->call;
	struct place *place = &call->place;
	__s32 its_fd;

	if (!connection || !read_user(call->connection, sizeof(call->connection), connection))
		return 0;
	its_fd = *(const __s32 *)(call->connection + NGX_CONNECTION_FD);
	if (its_fd != place->fd) {
		if (its_fd < 0 || *(const __s32 *)(call->connection + NGX_CONNECTION_TYPE) != SOCKET_DATAGRAM)
			return 0;
		place->fd = its_fd;
		place->socket = socket_at(its_fd);
		place->quic = 1;
	}
	place->connection = its_fd < 0 ? 0 : connection;
	return 0;
}

/* The role of nginx's end: a connection that it made to an upstream has no peer's address. */
static __always_inline __u32 nginx_direction(__u64 connection)
{
	__u64 peer = 0;

	if (!read_user(&peer, sizeof(peer), connection + NGX_CONNECTION_PEER))
		return DIRECTION_UNKNOWN;
	return peer ? DIRECTION_CLIENT : DIRECTION_UPSTREAM;
}

/*
 * Did a listener of http accept it? mail and stream have handlers of their own. A worker has its listeners for life;
 * a process that is its own master gets others when it is told to reload.
 */
static __always_inline bool nginx_is_http(const struct hit *hit)
{
	__u64 listening = nginx_word(hit, NGX_CONNECTION_LISTEN), handler = 0;
	struct call *call = hit->call;

	if (!hit->http_handler || !listening)
		return false;
	if (call->listening == listening && !hit->own_master)
		return call->listening_is_http;
	read_user(&handler, sizeof(handler), listening + NGX_LISTEN_HANDLER);
	call->listening = listening;
	call->listening_is_http = handler == hit->http_handler;
	return call->listening_is_http;
}

/* The peer as nginx has it: the socket of QUIC is everybody's. */
static __always_inline void nginx_peer(const struct hit *hit, struct event *event)
{
	__u64 address = nginx_word(hit, NGX_CONNECTION_PEER);
	__u16 head[2] = {}; /* family, port in network order */

	if (!address || !read_user(head, sizeof(head), address) || head[0] != event->family)
		return;
	event->peer_port = bpf_ntohs(head[1]);
	if (event->family == AF_INET)
		read_user(event->peer, 4, address + 4);
	else if (event->family == AF_INET6)
		read_user(event->peer, 16, address + 8);
}

static __always_inline bool event_timed_out(__u64 event)
{
	__u32 bits = 0;

	if (event)
		read_user(&bits, sizeof(bits), event + NGX_EVENT_BITS);
	return bits & NGX_EVENT_TIMEDOUT;
}

static __always_inline bool nginx_timed_out(const struct hit *hit)
{
	return event_timed_out(nginx_word(hit, NGX_CONNECTION_READ)) ||
	       event_timed_out(nginx_word(hit, NGX_CONNECTION_WRITE));
}

/* The *N of nginx's log lines, by a connection's log. */
static __always_inline __u64 nginx_number(__u64 log)
{
	__u64 number = 0;

	if (log)
		read_user(&number, sizeof(number), log + NGX_LOG_CONNECTION);
	return number;
}

/* The client as the PROXY protocol header named it. */
static __always_inline void nginx_proxy(const struct hit *hit, struct event *event)
{
	__u64 proxy = nginx_word(hit, NGX_CONNECTION_PROXY), text[2] = {};
	__u64 bytes;

	if (!proxy || !read_user(text, sizeof(text), proxy))
		return;
	bytes = text[0];
	if (bytes == 0 || bytes > EVENT_PROXY_BYTES)
		return;
	if (!read_user(event->proxy, bytes, text[1]))
		return;
	event->proxy_bytes = (__u8)bytes;
	read_user(&event->proxy_port, sizeof(event->proxy_port), proxy + NGX_PROXY_SRC_PORT);
}

#endif
