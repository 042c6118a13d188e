/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a handshake's time goes: within calls of the library, between them, and before the first.
 *
 * Invariants: a part is the time between two moments that were measured, or what the scheduler itself counted;
 * nothing is put down to a part because it is left. A gap between two calls is the peer's until what was waited for
 * lay in the socket, and the worker's from then on. Runs in the worker's context, whose socket stays. Must not know:
 * how a handshake ends.
 */
#ifndef TLSWHY_PARTS_BPF_H
#define TLSWHY_PARTS_BPF_H

static __always_inline __u32 parts_us(__u64 ns)
{
	__u64 us = (ns + 500) / 1000;

	return us > 0xffffffff ? 0xffffffff : (__u32)us;
}

/* Voluntary switches of the current task: where their number stayed, it never slept. */
static __always_inline __u64 task_sleeps(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return kernel_read(task, nvcsw);
}

/* On a CPU, as far as the scheduler has added it up: at every switch and every tick. */
static __always_inline __u64 task_runtime_ns(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return kernel_read(task, se.sum_exec_runtime);
}

/*
 * When the last data came. The socket has two stamps for it: lrcvtime, of the last data, in ticks, and tcp_mstamp, in
 * microseconds, of the last segment of any kind, received or sent. The second is taken where it may be of that data:
 * where it is not younger by more than the ticks can tell. It is younger where the kernel has acknowledged since by
 * its timer, after 40 ms at the earliest (TCP_DELACK_MIN); the moment is known to a tick then. A segment that follows
 * within two ticks is taken for the data itself.
 */
static __always_inline __u64 socket_data_ns(struct sock *sk, __u64 last_ns, __u64 now_ns, __u16 *measured)
{
	struct inet_connection_sock *connection = (struct inet_connection_sock *)sk;
	__u64 age_ns;

	if (!bpf_core_field_exists(connection->icsk_ack.lrcvtime)) {
		*measured |= EVENT_COARSE;
		return last_ns;
	}
	age_ns = (__u64)((__u32)bpf_jiffies64() - (__u32)kernel_read(connection, icsk_ack.lrcvtime)) * knobs.tick_ns;
	if (now_ns - last_ns + knobs.tick_ns >= age_ns)
		return last_ns;
	*measured |= EVENT_COARSE;
	return now_ns - age_ns;
}

/*
 * Since when there has been something to read, 0 where there is nothing. A FIN takes one number of the sequence and
 * is no data; a reset leaves no more than the state.
 */
static __always_inline __u64 socket_arrival_ns(struct sock *sk, __u64 now_ns, __u16 *measured)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__u32 unread = kernel_read(tcp, rcv_nxt) - kernel_read(tcp, copied_seq);
	__u8 state = kernel_read(sk, __sk_common.skc_state);
	__u64 last_ns = kernel_read(tcp, tcp_mstamp) * 1000;

	if (!unread && state != TCP_STATE_CLOSE)
		return 0;
	if (unread > 1 || (unread && state == TCP_STATE_ESTABLISHED))
		return socket_data_ns(sk, last_ns, now_ns, measured);
	return last_ns;
}

/* The gap behind the last call ends now. */
subprogram int parts_gap(const struct hit *hit, struct handshake *handshake)
{
	__u64 from_ns = handshake->return_ns, arrival_ns;

	if (!handshake->socket || !from_ns || hit->now_ns < from_ns)
		return 0;
	arrival_ns = socket_arrival_ns((struct sock *)handshake->socket, hit->now_ns, &handshake->measured);
	if (!arrival_ns || arrival_ns > hit->now_ns)
		arrival_ns = hit->now_ns;
	if (arrival_ns < from_ns)
		arrival_ns = from_ns;
	handshake->peer_us += parts_us(arrival_ns - from_ns);
	handshake->lag_us += parts_us(hit->now_ns - arrival_ns);
	handshake->return_ns = 0;
	return 0;
}

/*
 * When the first data of a connection came of which nothing has been read, 0 where that is not known. The kernel
 * begins its first measurement of the receive window with that data, and it lasts a whole window. tcp_mstamp tells
 * nothing here: a listener of http looks at the first byte (MSG_PEEK) before it calls the library, and whoever looks
 * refreshes it (tcp_rcv_space_adjust()).
 */
static __always_inline __u64 socket_first_data_ns(struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__u32 unread = kernel_read(tcp, rcv_nxt) - kernel_read(tcp, copied_seq);

	if (!unread || kernel_read(tcp, bytes_received) != unread)
		return 0;
	return kernel_read(tcp, rcv_rtt_est.time) * 1000;
}

/* What is known of the time before the first call: for how long the client's bytes have waited, or the connection. */
subprogram int parts_before(const struct hit *hit, struct handshake *fresh)
{
	struct sock *sk = hit_socket(hit);
	__u64 ready_ns = 0, socket = (__u64)sk;
	const struct connect *connect;

	if (!sk || !socket_is_tcp(sk))
		return 0;
	fresh->socket = socket;
	fresh->measured = EVENT_WAITS;
	if (fresh->direction == DIRECTION_CLIENT) {
		ready_ns = socket_first_data_ns(sk);
		if (!ready_ns) {
			ready_ns = socket_arrival_ns(sk, hit->now_ns, &fresh->measured);
			fresh->measured |= ready_ns ? EVENT_COARSE : 0;
		}
	} else {
		connect = bpf_map_lookup_elem(&connects, &socket);
		if (connect && connect->established_ns) {
			ready_ns = connect->established_ns;
			fresh->connect_us = parts_us(ready_ns - connect->start_ns);
			fresh->measured |= EVENT_CONNECT;
			bpf_map_delete_elem(&connects, &socket);
		}
	}
	if (ready_ns && ready_ns < hit->now_ns)
		fresh->lag_us = fresh->before_us = parts_us(hit->now_ns - ready_ns);
	return 0;
}

/* Entry of a call. */
static __always_inline void parts_enter(const struct hit *hit, struct call *call)
{
	call->run_delay_ns = task_run_delay_ns();
	call->runtime_ns = task_runtime_ns();
	call->sleeps = task_sleeps();
	call->entry_ns = hit->now_ns;
}

/*
 * Return of a call: its wall time less what the task was ready to run without a CPU. Where it slept meanwhile, as for
 * a certificate on a slow disk, the scheduler's own sum is the CPU time, good to a tick, and the sleep is nobody's.
 */
static __always_inline void parts_leave(const struct hit *hit, struct handshake *handshake, const struct call *call)
{
	__u64 wall_ns = hit->now_ns - call->entry_ns, waited_ns = task_run_delay_ns() - call->run_delay_ns, ran_ns;

	if (waited_ns > wall_ns)
		waited_ns = wall_ns;
	ran_ns = wall_ns - waited_ns;
	if (task_sleeps() != call->sleeps) {
		__u64 counted_ns = task_runtime_ns() - call->runtime_ns;

		handshake->measured |= EVENT_SLEPT;
		if (counted_ns < ran_ns)
			ran_ns = counted_ns;
	}
	handshake->preempted_ns += waited_ns;
	handshake->cpu_ns += ran_ns;
	handshake->return_ns = hit->now_ns;
}

static __always_inline void event_parts(struct event *event, const struct handshake *handshake)
{
	event->parts.us[PART_CONNECT] = handshake->connect_us;
	event->parts.us[PART_LAG] = handshake->lag_us;
	event->parts.us[PART_PEER] = handshake->peer_us;
	event->parts.us[PART_CPU] = parts_us(handshake->cpu_ns);
	event->parts.us[PART_PREEMPTED] = parts_us(handshake->preempted_ns);
	event->parts.before_us = handshake->before_us;
	event->flags |= handshake->measured;
}

/* Whom a handshake that failed had waited for longer. One that was joined has no waits. */
static __always_inline __u8 parts_waited(const struct event *event)
{
	__u64 worker_us = (__u64)event->parts.us[PART_LAG] + event->parts.us[PART_PREEMPTED];

	if (!(event->flags & EVENT_WAITS))
		return WAITED_UNKNOWN;
	return worker_us >= LATE_US && worker_us > event->parts.us[PART_PEER] ? WAITED_WORKER : WAITED_PEER;
}

/* Connects that watched processes have begun. While it is 0 no other socket of the host costs a look at the map. */
__u64 connects_begun;

static __always_inline void connect_begins(__u64 socket)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct connect fresh = {};

	if (!bpf_map_lookup_elem(&targets, &tgid))
		return;
	fresh.start_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&connects, &socket, &fresh, BPF_ANY);
	__sync_fetch_and_add(&connects_begun, 1);
}

/*
 * A socket changes its state: a watched process connects, and the connection stands or is no more. Called in whatever
 * task the peer's segment interrupts, but for the first.
 */
static __always_inline void connect_changed(struct sock *sk, __s32 from, __s32 to)
{
	__u64 socket = (__u64)sk;
	struct connect *connect;

	if (from == TCP_STATE_CLOSE && to == TCP_STATE_SYN_SENT) {
		connect_begins(socket);
		return;
	}
	if (!connects_begun || (from != TCP_STATE_SYN_SENT && from != TCP_STATE_ESTABLISHED))
		return;
	connect = bpf_map_lookup_elem(&connects, &socket);
	if (!connect)
		return;
	if (from == TCP_STATE_SYN_SENT && to == TCP_STATE_ESTABLISHED)
		connect->established_ns = bpf_ktime_get_ns();
	else
		bpf_map_delete_elem(&connects, &socket);
}

#endif
