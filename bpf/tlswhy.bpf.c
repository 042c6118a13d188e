/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side: licence, knobs and probe entry points. Facts, never verdicts.
 *
 * Invariant: an entry point calls one function below and returns 0. Which function of which file each is attached
 * to is the user side's table (user/attach/probes.c).
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "tlswhy/config.h"
#include "tlswhy/counters.h"
#include "tlswhy/event.h"
#include "tlswhy/sight.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct knobs knobs;

/* Programs do nothing while it is 0: set after the last probe is attached, cleared before the first is detached. */
volatile __u32 armed;

/* Programs whose EVENT_EXEC found the ring full. */
volatile __u64 execs_lost;

#include "maps.bpf.h"

/* Never set: the verifier takes what depends on it away. */
const volatile bool never;

/*
 * First in every uprobe program: keeps its stack on the stack. From 6.13 on (commit a76ab5731e32) the kernel gives a
 * program of this type a stack per CPU and counts on a check against running twice there, which kprobes have and
 * uprobes have not: preempted by its like, a program comes back to another task's values, kernel addresses among
 * them, and the kernel goes down (seen on 7.2). A program with a tail call in it, even one that is never reached, is
 * exempt (kernel/bpf/verifier.c, check_max_stack_depth()).
 */
static __always_inline void keep_stack(struct pt_regs *ctx)
{
	if (never)
		bpf_tail_call(ctx, &nowhere, 0);
}

/*
 * A function of its own, verified in each of its callers. "used" keeps its result, though nobody looks at it: without
 * one, what is left in that register may be an address on the stack, which verifiers before 6.3 let no function
 * return.
 */
#define subprogram static __attribute__((noinline, used))

#include "kernel.bpf.h"
#include "emit.bpf.h"
#include "target.bpf.h"
#include "chain.bpf.h"
#include "field.bpf.h"
#include "sight.bpf.h"
#include "openssl.bpf.h"
#include "agreement.bpf.h"
#include "socket.bpf.h"
#include "nginx.bpf.h"
#include "parts.bpf.h"
#include "record.bpf.h"
#include "settled.bpf.h"
#include "connection.bpf.h"
#include "failure.bpf.h"
#include "handshake.bpf.h"
#include "reason.bpf.h"
#include "plain.bpf.h"
#include "quic.bpf.h"

SEC("uprobe")
int handshake_enter(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_begin(PT_REGS_PARM1(ctx), false);
	return 0;
}

SEC("uretprobe")
int handshake_return(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_step((__s32)PT_REGS_RC(ctx));
	return 0;
}

SEC("uprobe")
int object_free(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, handshake_end(PT_REGS_PARM1(ctx), false));
	return 0;
}

SEC("uprobe")
int error_string(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_raise((__u32)PT_REGS_PARM1(ctx));
	return 0;
}

SEC("uprobe")
int connection_error(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_connection_error((__s32)PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx));
	return 0;
}

SEC("uprobe")
int remove_cached_session(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, settled_client_rejected(PT_REGS_PARM2(ctx)));
	return 0;
}

SEC("uprobe")
int verify_error_string(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, settled_upstream_refused(REJECTION_UPSTREAM_VERIFY, (__s32)PT_REGS_PARM1(ctx)));
	return 0;
}

SEC("uretprobe")
int check_host_return(struct pt_regs *ctx)
{
	keep_stack(ctx);
	if ((__s32)PT_REGS_RC(ctx) != 0)
		chain_on(ctx, settled_upstream_refused(REJECTION_UPSTREAM_NAME, 0));
	return 0;
}

SEC("uprobe")
int special_response(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, plain_answer(PT_REGS_PARM1(ctx), (__u32)PT_REGS_PARM2(ctx)));
	return 0;
}

SEC("uprobe")
int connection_create(struct pt_regs *ctx)
{
	keep_stack(ctx);
	connection_created(PT_REGS_PARM2(ctx));
	return 0;
}

SEC("uprobe")
int connection_enter(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_begin(PT_REGS_PARM1(ctx), true);
	return 0;
}

SEC("uretprobe")
int connection_return(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, connection_step((__s32)PT_REGS_RC(ctx)));
	return 0;
}

SEC("uprobe")
int connection_shutdown(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, handshake_end(PT_REGS_PARM1(ctx), true));
	return 0;
}

SEC("uprobe")
int quic_connection_close(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, quic_close(PT_REGS_PARM1(ctx), (__s32)PT_REGS_PARM2(ctx)));
	return 0;
}

SEC("uprobe")
int ending_fail(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, handshake_ends(false));
	return 0;
}

SEC("uprobe")
int ending_complete(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, handshake_ends(true));
	return 0;
}

SEC("uprobe")
int ending_amend(struct pt_regs *ctx)
{
	keep_stack(ctx);
	chain_on(ctx, settled_ends());
	return 0;
}

SEC("uprobe")
int ending_emit(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_sent();
	return 0;
}

SEC("raw_tp/inet_sock_set_state")
int socket_change(struct bpf_raw_tracepoint_args *ctx)
{
	socket_changed((struct sock *)ctx->args[0], (__s32)ctx->args[1], (__s32)ctx->args[2]);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int process_exit(void *ctx __attribute__((unused)))
{
	target_exit();
	return 0;
}

SEC("raw_tp/sched_process_exec")
int process_exec(void *ctx __attribute__((unused)))
{
	target_exec();
	return 0;
}
