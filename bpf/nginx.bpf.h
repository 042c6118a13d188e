/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only reader of nginx's memory: from an SSL object to its ngx_connection_t.
 *
 * Invariant: a connection is believed only if its descriptor is the one of the object's BIO; else nothing of it is
 * used. The offsets are the same from nginx 1.18 to 1.30: ngx_connection_t's, ngx_event_t's and ngx_log_t's heads
 * have not changed (src/core/ngx_connection.h, src/event/ngx_event.h, src/core/ngx_log.h).
 */
#ifndef TLSWHY_NGINX_BPF_H
#define TLSWHY_NGINX_BPF_H

#define NGX_CONNECTION_READ    8
#define NGX_CONNECTION_WRITE   16
#define NGX_CONNECTION_FD      24
#define NGX_CONNECTION_LOG     80
#define NGX_CONNECTION_PROXY   136 /* ngx_proxy_protocol_t: src_addr {len, data}, dst_addr {len, data}, src_port */
#define NGX_PROXY_SRC_PORT     32
#define NGX_REQUEST_CONNECTION 8 /* after the signature */
#define NGX_LOG_CONNECTION     16
#define NGX_EVENT_BITS         8 /* after void *data: write, accept, instance, ... */
#define NGX_EVENT_TIMEDOUT     (1u << 10)

/* The connection of the object, or 0. */
static __always_inline __u64 nginx_connection(const struct hit *hit, __s32 fd)
{
	__u32 index = hit->target->connection_index;
	__u64 stack = field_u64(hit->object, hit->layout->ex_data), slots = 0, connection = 0;
	__s32 its_fd = -1;

	if (!stack || index > 64)
		return 0;
	read_user(&slots, sizeof(slots), stack + 8);
	if (!slots)
		return 0;
	read_user(&connection, sizeof(connection), slots + 8 * (__u64)index);
	if (!connection)
		return 0;
	read_user(&its_fd, sizeof(its_fd), connection + NGX_CONNECTION_FD);
	return its_fd == fd && fd >= 0 ? connection : 0;
}

static __always_inline bool event_timed_out(__u64 connection, __u32 which)
{
	__u64 event = 0;
	__u32 bits = 0;

	read_user(&event, sizeof(event), connection + which);
	if (event)
		read_user(&bits, sizeof(bits), event + NGX_EVENT_BITS);
	return bits & NGX_EVENT_TIMEDOUT;
}

static __always_inline bool nginx_timed_out(__u64 connection)
{
	return event_timed_out(connection, NGX_CONNECTION_READ) || event_timed_out(connection, NGX_CONNECTION_WRITE);
}

/* The *N of nginx's log lines. */
static __always_inline __u64 nginx_number(__u64 connection)
{
	__u64 log = 0, number = 0;

	read_user(&log, sizeof(log), connection + NGX_CONNECTION_LOG);
	if (log)
		read_user(&number, sizeof(number), log + NGX_LOG_CONNECTION);
	return number;
}

/* The client as the PROXY protocol header named it. */
static __always_inline void nginx_proxy(__u64 connection, struct event *event)
{
	__u64 proxy = 0, text[2] = {};
	__u64 bytes;

	read_user(&proxy, sizeof(proxy), connection + NGX_CONNECTION_PROXY);
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

/*
 * ngx_http_special_response_handler(r, status): the answers that a failed upstream ends in. It also makes every
 * redirect and error page, so the status is looked at before anything else.
 */
static __always_inline void nginx_answer(__u64 request, __u32 status)
{
	__u64 connection = 0;
	struct hit hit;

	if (!armed)
		return;
	counter_add(COUNTER_ANSWER_HITS, 1); /* of every process that runs this file: the budget is the host's */
	if ((status != 502 && status != 504) || !hit_init(&hit, 0))
		return;
	if (read_user(&connection, sizeof(connection), request + NGX_REQUEST_CONNECTION) && connection)
		emit_answer(hit.tgid, nginx_number(connection), status);
}

#endif
