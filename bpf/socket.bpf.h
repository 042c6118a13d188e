/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a descriptor of the current task to its socket: peer, local address, TCP facts.
 *
 * Invariant: runs only in the worker's own context, where the descriptor cannot be closed under it; a descriptor
 * that is no socket gives NULL. Must not know: TLS.
 */
#ifndef TLSWHY_SOCKET_BPF_H
#define TLSWHY_SOCKET_BPF_H

#define AF_INET     2
#define AF_INET6    10
#define SOCKET_MODE 0140000 /* S_IFSOCK */
#define MODE_TYPE   0170000

#define TCP_STATE_ESTABLISHED 1
#define TCP_STATE_SYN_SENT    2
#define TCP_STATE_CLOSE       7
#define TCP_STATE_CLOSE_WAIT  8
#define TCP_STATE_LAST_ACK    9
#define MIN_RTT_NONE          (~0u)

/* As a number: verified once, see field.bpf.h. */
__noinline __u64 socket_at(__s32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct files_struct *files = kernel_read(task, files);
	struct fdtable *table = kernel_read(files, fdt);
	__u64 entries = (__u64)kernel_read(table, fd);
	struct file *file = NULL;
	struct inode *inode;
	struct socket *socket;

	if (fd < 0 || (__u32)fd >= kernel_read(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), (const void *)(entries + (__u64)fd * sizeof(file)));
	if (!file)
		return 0;
	inode = kernel_read(file, f_inode);
	if ((kernel_read(inode, i_mode) & MODE_TYPE) != SOCKET_MODE)
		return 0;
	socket = (struct socket *)kernel_read(file, private_data);
	return (__u64)BPF_CORE_READ(socket, sk); /* through the helper: a pointer that is loaded is no number */
}

static __always_inline bool socket_is_tcp(struct sock *sk)
{
	__u16 family = kernel_read(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) && kernel_read(sk, sk_protocol) == IPPROTO_TCP;
}

/* The socket that hit_locate() or nginx_connection() has found; NULL: none. */
static __always_inline struct sock *hit_socket(const struct hit *hit)
{
	return (struct sock *)hit->call->place.socket;
}

/*
 * Which descriptor the object has, and its socket; both are what a handshake had at its beginning, where it is given.
 * One that was seen without a socket of TCP is looked for anew.
 */
subprogram int hit_locate(const struct hit *hit, const struct handshake *handshake)
{
	struct place *place = &hit->call->place;

	place->fd = handshake ? handshake->fd : hit_fd(hit);
	place->socket = handshake ? handshake->socket : 0;
	place->connection = 0;
	place->quic = 0;
	if (!place->socket)
		place->socket = socket_at(place->fd);
	return 0;
}

/* How far the stream has come, both ways; 0, 0 where it is not TCP. */
static __always_inline void socket_progress(struct sock *sk, __u32 *written, __u32 *received)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	*written = 0;
	*received = 0;
	if (!sk || !socket_is_tcp(sk))
		return;
	*written = kernel_read(tcp, write_seq);
	*received = (__u32)kernel_read(tcp, bytes_received);
}

static __always_inline void socket_tcp_facts(struct sock *sk, struct event *event)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	if (!socket_is_tcp(sk))
		return;
	event->srtt_us = kernel_read(tcp, srtt_us) >> 3; /* kept eightfold */
	event->retransmits = kernel_read(tcp, total_retrans);
	event->min_rtt_us = kernel_read(tcp, rtt_min.s[0].v);
	if (event->min_rtt_us == MIN_RTT_NONE)
		event->min_rtt_us = 0;
}

/* skc_num is 0 after a reset, inet_sport stays: inet_put_port() clears only the first. */
static __always_inline void socket_addresses(struct sock *sk, struct event *event)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	struct net *net = kernel_read(sk, __sk_common.skc_net.net);

	event->flags |= EVENT_SOCKET;
	event->family = (__u8)kernel_read(sk, __sk_common.skc_family);
	event->netns = kernel_read(net, ns.inum);
	event->socket_state = kernel_read(sk, __sk_common.skc_state);
	if (event->family == AF_INET) {
		*(__u32 *)event->peer = kernel_read(sk, __sk_common.skc_daddr);
		*(__u32 *)event->local = kernel_read(sk, __sk_common.skc_rcv_saddr);
	} else if (event->family == AF_INET6) {
		BPF_CORE_READ_INTO(&event->peer, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&event->local, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
	} else {
		return;
	}
	event->peer_port = bpf_ntohs(kernel_read(sk, __sk_common.skc_dport));
	event->local_port = bpf_ntohs(kernel_read(inet, inet_sport));
	socket_tcp_facts(sk, event);
}

#endif
