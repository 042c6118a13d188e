/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs that go on where another stops: how an ending is told is verified once, and not once more below each of
 * the programs that can end a handshake.
 *
 * Invariants: what goes on runs on the same thread, in the same hit, with the thread's scratch as it was left; a
 * chain is followed last of all. Must not know: what the programs do.
 */
#ifndef TLSWHY_CHAIN_BPF_H
#define TLSWHY_CHAIN_BPF_H

enum chain {
	CHAIN_FAIL = 0,     /* the object's handshake has failed, or is abandoned */
	CHAIN_COMPLETE = 1, /* it is complete */
	CHAIN_AMEND = 2,    /* it was complete, and may be refused */
	CHAIN_EMIT = 3,     /* the record is made but for what every record says */
	CHAIN_LENGTH = 4,
	CHAIN_END = -1,
};

int ending_fail(struct pt_regs *ctx);
int ending_complete(struct pt_regs *ctx);
int ending_amend(struct pt_regs *ctx);
int ending_emit(struct pt_regs *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CHAIN_LENGTH);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct pt_regs *));
} chain SEC(".maps") = {
	.values = { [CHAIN_FAIL] = &ending_fail,
		    [CHAIN_COMPLETE] = &ending_complete,
		    [CHAIN_AMEND] = &ending_amend,
		    [CHAIN_EMIT] = &ending_emit },
};

/* Does not come back where there is something to go on with. */
static __always_inline void chain_on(struct pt_regs *ctx, __s32 next)
{
	if (next >= 0)
		bpf_tail_call(ctx, &chain, (__u32)next);
}

/* What is handed on: of struct hit and of struct pending. X(member) */
#define HANDED_ON(X)        \
	X(object)           \
	X(now_ns)           \
	X(http_handler)     \
	X(row)              \
	X(connection_index) \
	X(own_master)       \
	X(generation)

/* Leaves the hit to the next program. Returns it. */
static __always_inline __s32 chain_to(const struct hit *hit, enum chain next)
{
	struct pending *pending = &hit->call->pending;

#define X(member) pending->member = hit->member;
	HANDED_ON(X)
#undef X
	return next;
}

/* The hit that was left. False where there is none, which cannot be. */
static __always_inline bool chain_take(struct hit *hit)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	const struct pending *pending;

	hit->tgid = pid_tgid >> 32;
	hit->tid = (__u32)pid_tgid;
	hit->call = bpf_map_lookup_elem(&calls, &hit->tid);
	if (!hit->call)
		return false;
	pending = &hit->call->pending;
#define X(member) hit->member = pending->member;
	HANDED_ON(X)
#undef X
	return hit_layout(hit);
}

#endif
