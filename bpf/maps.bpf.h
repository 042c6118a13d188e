/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps, and what is only in them: the state of handshakes and threads, targets, counters, the ring.
 *
 * Invariants: no map evicts silently, except that of programs, which are told once more; a thread's entry is used by
 * that thread alone. Must not know: who reads and writes them.
 */
#ifndef TLSWHY_MAPS_BPF_H
#define TLSWHY_MAPS_BPF_H

/* What was last read of a table of the library's: an entry, and its number. */
struct table_entry {
	__u64 entry; /* address */
	__u32 number;
	__u32 reserved;
};

/* What one program leaves to the next of a chain: see chain.bpf.h. */
struct pending {
	__u64 object;
	__u64 now_ns;
	__u64 http_handler;
	__u64 tail_from; /* of the record: address in the traced process */
	__u32 tail_bytes;
	__u32 tail_kind; /* enum event_tail */
	__u32 row;
	__u32 connection_index;
	__u32 own_master;
	__u32 generation;
	__u32 rejection;
	__u32 how; /* AMEND_* */
};

/*
 * Where an object is connected. In the scratch: how it was found out is nothing that the verifier has to keep apart
 * in all that follows.
 */
struct place {
	__u64 socket;     /* struct sock *; 0: none */
	__u64 connection; /* nginx's; 0: not known */
	__s32 fd;         /* -1: none */
	__u32 quic;
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
	__u64 unread_object, unread_text; /* see failure_words() */
	__s32 unread_errno;
	__u32 reserved2;
	struct pending pending;
	struct place place;
	char name[256];
	struct event event; /* the record while it is made; what lies behind it is its tail */
	unsigned char tail[EVENT_TAIL_LARGE];
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
	__uint(max_entries, SETTLED_MAX);
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
 * (kernel commit 1ae80cf31938): how the user side knows that none still counts after disarming. It is empty until
 * then: the first element would wait too, while tlswhy is being attached.
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
} quiesce SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} nowhere SEC(".maps");

#endif
