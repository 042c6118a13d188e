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

static __always_inline struct sock *socket_of(__s32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct file *file = NULL;
	struct socket *socket;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & MODE_TYPE) != SOCKET_MODE)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __always_inline bool socket_is_tcp(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
}

/* How far the stream has come, both ways; 0, 0 where it is not TCP. */
static __always_inline void socket_progress(struct sock *sk, __u32 *written, __u32 *received)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	*written = 0;
	*received = 0;
	if (!sk || !socket_is_tcp(sk))
		return;
	*written = BPF_CORE_READ(tcp, write_seq);
	*received = (__u32)BPF_CORE_READ(tcp, bytes_received);
}

static __always_inline void socket_tcp_facts(struct sock *sk, struct event *event)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	if (!socket_is_tcp(sk))
		return;
	event->srtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3; /* kept eightfold */
	event->retransmits = BPF_CORE_READ(tcp, total_retrans);
	event->min_rtt_us = BPF_CORE_READ(tcp, rtt_min.s[0].v);
	if (event->min_rtt_us == MIN_RTT_NONE)
		event->min_rtt_us = 0;
}

/* skc_num is 0 after a reset, inet_sport stays: inet_put_port() clears only the first. */
static __always_inline void socket_addresses(struct sock *sk, struct event *event)
{
	struct inet_sock *inet = (struct inet_sock *)sk;

	event->flags |= EVENT_SOCKET;
	event->family = (__u8)BPF_CORE_READ(sk, __sk_common.skc_family);
	event->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	event->socket_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (event->family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)event->peer, sk, __sk_common.skc_daddr);
		BPF_CORE_READ_INTO((__u32 *)event->local, sk, __sk_common.skc_rcv_saddr);
	} else if (event->family == AF_INET6) {
		BPF_CORE_READ_INTO(&event->peer, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&event->local, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
	} else {
		return;
	}
	event->peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	event->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	socket_tcp_facts(sk, event);
}

#endif
