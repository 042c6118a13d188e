/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only user of the ring: reserve, zero, submit, spill when it is full, and the wake-up policy.
 *
 * Invariant: a record that cannot be reserved is counted in the spill map or, if that is full too, in a counter:
 * nothing is lost without a number. Must not know: where the facts come from.
 */
#ifndef TLSWHY_EMIT_BPF_H
#define TLSWHY_EMIT_BPF_H

/* Per-CPU rows, and atomic all the same: a uprobe program can be preempted by another on its CPU. */
__noinline int counter_add(__u32 row, __u64 n)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &row);

	if (value)
		__sync_fetch_and_add(value, n);
	return 0;
}

/*
 * Batches: the reader also drains on a timer, so a record wakes nobody until enough wait for that to be too late.
 * Where twice as much waits the reader was woken already and is behind: waking it again for each record would take
 * from it what it needs. The span is wide, for programs on several CPUs reserve before they ask.
 */
static __always_inline __u64 wake_flags(void)
{
	__u64 enough = knobs.ring_wakeup_bytes;

	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) - enough < enough ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void header_init(struct event_header *header, __u16 size, __u8 kind, __u32 tgid)
{
	header->size = size;
	header->version = EVENT_VERSION;
	header->kind = kind;
	header->tgid = tgid;
}

/* Marks are the fixed part up to the verdict; losing one costs promptness, not counts. */
static __always_inline void emit_mark(__u8 kind, __u32 tgid, __u64 object, __u64 begin_ns)
{
	const __u32 bytes = __builtin_offsetof(struct event, verdict);
	struct event *event = bpf_ringbuf_reserve(&ring, bytes, 0);

	if (!event) {
		counter_add(COUNTER_LOST_MARKS, 1);
		return;
	}
	__builtin_memset(event, 0, bytes);
	header_init(&event->header, bytes, kind, tgid);
	event->time_ns = bpf_ktime_get_ns();
	event->begin_ns = begin_ns;
	event->object = object;
	bpf_ringbuf_submit(event, wake_flags());
}

/* Somebody should look at once: the program may be gone soon. False when the ring is full. */
static __always_inline bool emit_exec(__u32 tgid, const struct program_key *program, bool called_so)
{
	const __u32 bytes = __builtin_offsetof(struct event, verdict);
	struct event *event = bpf_ringbuf_reserve(&ring, bytes, 0);

	if (!event)
		return false;
	__builtin_memset(event, 0, bytes);
	header_init(&event->header, bytes, EVENT_EXEC, tgid);
	event->header.answer = called_so;
	event->time_ns = bpf_ktime_get_ns();
	event->begin_ns = (__u64)program->generation << 32 | program->device;
	event->object = program->inode;
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	return true;
}

/* Adding a 0 that the compiler knows would become an atomic OR, which kernels before 5.12 do not have. */
static __always_inline void spill_sum(__u64 *sum, __u64 n)
{
	barrier_var(n);
	__sync_fetch_and_add(sum, n);
}

static __always_inline void spill_add(struct spill_value *value, __u64 latency_ns, const struct parts *parts)
{
	spill_sum(&value->count, 1);
	spill_sum(&value->latency_sum_ns, latency_ns);
#pragma unroll
	for (__u32 part = 0; part < PART_COUNT; part++)
		spill_sum(&value->part_sum_us[part], parts->us[part]);
	spill_sum(&value->before_sum_us, parts->before_us);
}

/*
 * Counts an ending without its identity; all of the key is given but for the bucket. Of two that insert the same key
 * at once, one finds the other's.
 */
static __always_inline void spill_count(struct spill_key *key, __u64 latency_ns, const struct parts *parts)
{
	struct spill_value fresh = {}, *value;

	counter_add(COUNTER_RING_FULL, 1);
	if (key->verdict.outcome == OUTCOME_OK)
		key->verdict.verify_result = 0; /* decides nothing there and would multiply the rows */
	key->bucket = latency_bucket(latency_ns);
	value = bpf_map_lookup_elem(&spill, key);
	if (!value) {
		bpf_map_update_elem(&spill, key, &fresh, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&spill, key);
	}
	if (value)
		spill_add(value, latency_ns, parts);
	else
		counter_add(COUNTER_SPILL_FULL, 1);
}

/* A request is answered with an error of ours: its connection number leads to the upstream handshakes that failed for
 * it. */
static __always_inline void emit_answer(__u32 tgid, __u64 connection, __u32 status)
{
	const __u32 bytes = __builtin_offsetof(struct event, flags);
	struct event *event = bpf_ringbuf_reserve(&ring, bytes, 0);

	if (!event) {
		counter_add(COUNTER_LOST_ANSWERS, 1);
		return;
	}
	__builtin_memset(event, 0, bytes);
	header_init(&event->header, bytes, EVENT_ANSWERED, tgid);
	event->header.answer = (__u8)(status - 500);
	event->time_ns = bpf_ktime_get_ns();
	event->connection = connection;
	bpf_ringbuf_submit(event, wake_flags());
}

#endif
