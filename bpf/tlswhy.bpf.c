/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side: maps, licence and probe entry points. Facts, never verdicts.
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

/* How a handshake ended: what a record and a spilled verdict share. */
struct ending {
	struct verdict verdict;
	__u64 begin_ns;
	__u64 latency_ns;
	struct parts parts;
	__u64 tail_from; /* address in the traced process */
	__u32 tail_bytes;
	__u32 name_bytes; /* of the thread's name[] */
	__u32 flags;      /* EVENT_* */
	__u32 generation;
	__u32 calls;
	__u32 our_versions; /* oldest << 16 | newest; 0 unknown */
	__u32 peer_versions;
	__u16 tls_version;
	__u8 kind;           /* enum event_kind */
	__u8 tail_kind;      /* enum event_tail */
	__u8 first_bytes[5]; /* of a record that could not be read */
	__u8 reserved[7];
};

/* What was last read of a table of the library's: an entry, and its number. */
struct table_entry {
	__u64 entry; /* address */
	__u32 number;
	__u32 reserved;
};

#define NGX_CONNECTION_BYTES 144 /* the head of ngx_connection_t, up to proxy_protocol */

/*
 * What a thread is doing: the object of its last SSL_do_handshake, with times that are meant between entry and return
 * only; and its scratch, for programs on one thread do not nest. Scratch in a map's value also hides from the
 * verifier which constants were stored, so that it does not walk through every combination of them.
 */
struct call {
	__u64 object;
	__u64 entry_ns;
	__u64 run_delay_ns; /* of the task at entry, as the next two */
	__u64 runtime_ns;
	__u64 sleeps;
	__u32 inside;
	__u32 reserved;
	__u64 created; /* connection that this thread has given an object of the library's, until its handshake */
	__u64 seen;    /* the object of the copy in sight */
	__u64 unseen;  /* 1: a part of it could not be read */
	struct table_entry cipher, scheme;
	__u64 listening; /* nginx's listener that the last connection came by */
	__u64 listening_is_http;
	struct ending ending;
	char name[256];
	unsigned char connection[NGX_CONNECTION_BYTES];
	unsigned char sight[SIGHT_BYTES + SIGHT_SPARE];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 18);
	__type(key, struct object_key);
	__type(value, struct handshake);
} handshakes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 21);
	__type(key, struct object_key);
	__type(value, struct settled);
} settled_objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 16);
	__type(key, __u32);
	__type(value, struct call);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 14);
	__type(key, struct spill_key);
	__type(value, struct spill_value);
} spill SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 16);
	__type(key, __u32);
	__type(value, struct target);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct binary_key);
	__type(value, struct target);
} binaries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 12);
	__type(key, struct cycle_key);
	__type(value, __u32);
} cycles SEC(".maps");

/* No state: a program that is forgotten is told once more. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 13);
	__type(key, struct program_key);
	__type(value, __u8);
} programs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 12);
	__type(key, struct listener_key);
	__type(value, struct tls_listener);
} listeners SEC(".maps");

/* A TCP connect that a watched process has begun; by its socket, until the socket's first handshake or its end. */
struct connect {
	__u64 start_ns;
	__u64 established_ns; /* 0: not yet */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 13);
	__type(key, __u64);
	__type(value, struct connect);
} connects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LAYOUT_ROWS);
	__type(key, __u32);
	__type(value, struct layout_entry);
} layouts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_ROWS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/*
 * Updating an element of a map of maps waits until every program that could run has ended
 * (kernel commit 1ae80cf31938): how the user side knows that none still counts after disarming.
 */
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} quiesce_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner);
} quiesce SEC(".maps") = { .values = { &quiesce_inner } };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} nowhere SEC(".maps");

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
	handshake_step((__s32)PT_REGS_RC(ctx), false);
	return 0;
}

SEC("uprobe")
int object_free(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_end(PT_REGS_PARM1(ctx), false);
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
	settled_client_rejected(PT_REGS_PARM2(ctx));
	return 0;
}

SEC("uprobe")
int verify_error_string(struct pt_regs *ctx)
{
	keep_stack(ctx);
	settled_upstream_refused(REJECTION_UPSTREAM_VERIFY, (__s32)PT_REGS_PARM1(ctx));
	return 0;
}

SEC("uretprobe")
int check_host_return(struct pt_regs *ctx)
{
	keep_stack(ctx);
	if ((__s32)PT_REGS_RC(ctx) != 0)
		settled_upstream_refused(REJECTION_UPSTREAM_NAME, 0);
	return 0;
}

SEC("uprobe")
int special_response(struct pt_regs *ctx)
{
	keep_stack(ctx);
	plain_answer(PT_REGS_PARM1(ctx), (__u32)PT_REGS_PARM2(ctx));
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
	handshake_step(connection_step((__s32)PT_REGS_RC(ctx)), true);
	return 0;
}

SEC("uprobe")
int connection_shutdown(struct pt_regs *ctx)
{
	keep_stack(ctx);
	handshake_end(PT_REGS_PARM1(ctx), true);
	return 0;
}

SEC("uprobe")
int quic_connection_close(struct pt_regs *ctx)
{
	keep_stack(ctx);
	quic_close(PT_REGS_PARM1(ctx), (__s32)PT_REGS_PARM2(ctx));
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
