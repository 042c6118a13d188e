/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ring record: the facts of one handshake, and the maps' values that both sides read.
 *
 * This header is the single source of truth for what the kernel side hands over. A record is a struct
 * event, at most EVENT_FIXED_MAX bytes and zeroed before it is filled, then a tail of tail_bytes bytes. A record may
 * be longer than that: what lies behind the tail is rubbish and must not be read.
 * Fixed-width fields only; numbers are in host order except where a name ends in _be.
 * Must not know: causes (user/handshake), libraries' offsets (config.h).
 */
#ifndef TLSWHY_EVENT_H
#define TLSWHY_EVENT_H

#include "parts.h"
#include "verdict.h"

#define EVENT_VERSION     1
#define EVENT_FIXED_MAX   384
#define EVENT_ERRORS      6
#define EVENT_SNI_BYTES   100
#define EVENT_PROXY_BYTES 46 /* INET6_ADDRSTRLEN */
#define EVENT_TAIL_LARGE  2304

enum event_kind {
	EVENT_SETTLED = 1,  /* a handshake ended: ok, failed or abandoned */
	EVENT_AMENDED = 2,  /* one that was ok is not: take one ok in its bucket back, count this instead */
	EVENT_FINAL = 3,    /* one that was ok and could have been amended is over; header and ids only */
	EVENT_EXIT = 4,     /* a target process ended: header, tgid and time only */
	EVENT_TARGET = 5,   /* a process was taken in by the kernel side: header, tgid and time only */
	EVENT_ANSWERED = 6, /* nginx answers a request with 502 or 504: up to and with connection; status in answer */
	/*
	 * A process runs a program that was not told yet: up to and with object. object is its inode, begin_ns the
	 * two other halves of struct program_key (device low); answer is 1 where it is called as nginx is. For the
	 * watch alone: never recorded.
	 */
	EVENT_EXEC = 7,
};

enum event_tail {
	TAIL_NONE = 0,
	TAIL_CLIENT_HELLO = 1, /* body of the ClientHello, after the 4-byte handshake header */
	TAIL_SERVER_NAME = 2,  /* the server name, where it is longer than sni[] */
};

#define EVENT_RESUMED   (1u << 0)  /* session resumption */
#define EVENT_MAY_AMEND (1u << 1)  /* ok for now: a check may follow */
#define EVENT_SNI_CUT   (1u << 2)  /* sni[] holds the beginning of sni_bytes bytes */
#define EVENT_SOCKET    (1u << 3)  /* addresses are meant */
#define EVENT_NGINX     (1u << 4)  /* connection and proxy are meant */
#define EVENT_RETRIED   (1u << 6)  /* TLS 1.3 HelloRetryRequest was used */
#define EVENT_QUIC      (1u << 7)  /* over QUIC; the peer is the one that nginx knows */
#define EVENT_HTTP      (1u << 8)  /* accepted by a listener of http */
#define EVENT_WAITS     (1u << 9)  /* the parts lag and peer were measured */
#define EVENT_CONNECT   (1u << 10) /* the part connect was measured */
#define EVENT_COARSE    (1u << 11) /* the moment between peer and lag is known to a tick only */
#define EVENT_SLEPT     (1u << 12) /* the task slept within a call: its CPU time is good to a tick */
#define EVENT_MEASURED  (EVENT_WAITS | EVENT_CONNECT | EVENT_COARSE | EVENT_SLEPT)

struct event_header {
	__u16 size;            /* bytes of the fixed part as the writer knew it */
	__u8 version;          /* EVENT_VERSION */
	__u8 kind;             /* enum event_kind */
	__u16 tail_bytes;      /* bytes of the tail that are meant */
	__u8 tail_kind;        /* enum event_tail */
	__u8 answer;           /* EVENT_ANSWERED: the HTTP status less 500; else 0 */
	__u32 tail_true_bytes; /* how long it was at its source */
	__u32 tgid;            /* as the initial PID namespace counts */
};

struct event {
	struct event_header header;
	__u64 time_ns;  /* settled; CLOCK_MONOTONIC */
	__u64 begin_ns; /* first SSL_do_handshake of it; with tgid and object the handshake's identity */
	__u64 object;   /* the SSL pointer */
	struct verdict verdict;
	__u64 latency_ns;                         /* begin to end: return of 1, failing return, or free */
	struct parts parts;                       /* where the time went */
	__u64 connection;                         /* nginx's connection number, *N in its log */
	__u32 flags;                              /* EVENT_* */
	__u32 generation;                         /* of the worker, from the targets map */
	__u32 calls;                              /* SSL_do_handshake calls */
	__u32 cipher;                             /* SSL_CIPHER id, low 16 bits are the IANA number; 0 is none */
	__u16 tls_version;                        /* 0x0304 is TLS 1.3; 0 is none */
	__u16 hand_state;                         /* raw, as the library counts */
	__u32 message_type;                       /* last handshake message, RFC 8446 section 4 */
	__u16 peer_min_version, peer_max_version; /* what the peer offered, where known */
	__u16 our_min_version, our_max_version;   /* what the object allows */
	__u8 first_bytes[5];                      /* of the record that could not be read */
	__u8 error_count;                         /* of errors[] */
	__u8 errors_lost;                         /* queued errors beyond EVENT_ERRORS */
	__u8 family;                              /* AF_INET, AF_INET6, AF_UNIX; 0 is none */
	__u32 errors[EVENT_ERRORS];               /* oldest first, packed as the library does */
	__u8 peer[16], local[16];                 /* IPv4 in the first four bytes */
	__u16 peer_port, local_port;
	__u32 netns; /* inode number of the network namespace */
	__u32 srtt_us, retransmits;
	__u32 min_rtt_us;  /* least round trip the socket has measured; 0 is none */
	__u16 group;       /* of the key exchange (RFC 8446 section 4.2.7); 0 is none or not known */
	__u16 signature;   /* scheme the server signed with (RFC 8446 section 4.2.3); 0 is none or not known */
	__u8 socket_state; /* TCP_* */
	__u8 sni_bytes;    /* true length of the server name, at most 255; 0 is none */
	__u16 proxy_port;  /* the client's port in the PROXY protocol header */
	__u8 proxy_bytes;  /* length of proxy[]; 0: no PROXY protocol */
	__u8 reserved0;
	char proxy[EVENT_PROXY_BYTES]; /* the client's address in the PROXY protocol header, text, no NUL */
	char sni[EVENT_SNI_BYTES];     /* no NUL; foreign bytes */
};
_Static_assert(sizeof(struct event) <= EVENT_FIXED_MAX, "the fixed part of a record has a budget");
_Static_assert(sizeof(struct event) % 8 == 0, "records are padded explicitly");
_Static_assert(sizeof(struct event_header) == 16, "header layout");
_Static_assert(__builtin_offsetof(struct event, verdict) == 40, "no hole before verdict");
_Static_assert(__builtin_offsetof(struct event, sni) + EVENT_SNI_BYTES == sizeof(struct event), "no hole at the end");

/* Key and value of the spill map: what is kept of a record that found the ring full. */
struct spill_key {
	struct verdict verdict;
	__u32 bucket; /* latency_bucket() */
	__u32 tgid;
	__u16 tls_version;
	__u8 resumed;
	__u8 amends; /* 1: also take one ok back, in the same bucket, of the same version and resumption */
	__u32 generation;
};
_Static_assert(sizeof(struct spill_key) == 48, "struct spill_key is a hash key: no padding");

struct spill_value {
	__u64 count;
	__u64 latency_sum_ns;
	__u64 part_sum_us[PART_COUNT];
	__u64 before_sum_us;
};

/* Key of the two state maps: an object of a process. */
struct object_key {
	__u64 object;
	__u32 tgid;
	__u32 kind; /* enum object_kind */
};

enum object_kind {
	OBJECT_SSL = 0,
	OBJECT_SESSION = 1, /* settled objects only: an SSL_SESSION; its value's session is the SSL it belongs to */
};
_Static_assert(sizeof(struct object_key) == 16, "struct object_key is a hash key: no padding");

/* How nginx closed a QUIC connection; it frees its object later. */
enum closed {
	CLOSED_NOT = 0,     /* or nobody knows how */
	CLOSED_BY_PEER = 1, /* its CONNECTION_CLOSE came */
	CLOSED_LATE = 2,    /* a timer ran out */
	CLOSED_BY_NGINX = 3,
};

/* A handshake in flight. */
struct handshake {
	__u64 begin_ns;
	__u64 end_ns;       /* of the failing return; 0 while it waits */
	__u64 return_ns;    /* of the last call; 0 before the first and where the gap behind it is nobody's */
	__u64 cpu_ns;       /* PART_CPU so far */
	__u64 preempted_ns; /* PART_PREEMPTED so far */
	__u64 socket;       /* struct sock *, of TCP; 0: none, and then lag and peer are not known */
	__u32 lag_us, peer_us, connect_us, before_us; /* struct parts */
	__u16 measured;                               /* EVENT_MEASURED */
	__u16 calls;                                  /* at most 65,535 are counted */
	__s32 fd;                                     /* -1: none */
	__u32 generation;
	union {
		__u32 errors[EVENT_ERRORS];
		struct { /* of objects that are connections, whose errors nobody knows, at the beginning: */
			__u32 written;  /* TCP write_seq */
			__u32 received; /* low half of TCP bytes_received */
		};
	};
	__u8 error_count; /* of errors */
	__u8 errors_lost;
	__u8 direction;
	__u8 joined;
	__u8 failed;           /* SSL_do_handshake returned an error that is not a retry */
	__u8 rejected_by_name; /* nginx said "handshake rejected" */
	__u8 eof;
	__u8 closed; /* enum closed */
	__s32 error_errno;
	__u32 first_ssl_error;
	__u32 first_other_error;
};
/* As struct settled it fills an allocation: of 192. */
_Static_assert(sizeof(struct handshake) == 120, "struct handshake is walked by the user side: no padding");

/* What stays of a handshake that returned 1, until its object is freed. */
struct settled {
	__u64 begin_ns;
	__u64 latency_ns;
	union {
		__u64 session; /* of a client, and where a certificate check is in force: its SSL_SESSION; else 0 */
		struct {
			__u32 written; /* of an upstream: TCP write_seq at completion, to see that nothing was sent */
			__u32 received; /* low half of TCP bytes_received at completion */
		};
	};
	struct parts parts;
	__u32 generation;
	__u16 flags; /* EVENT_*, SETTLED_* */
	__u8 direction;
	__u8 joined;
};
/* Of them at a time: with all of them and their table the kernel side stays below 128 MiB. */
#define SETTLED_MAX               (11 << 16)
#define SETTLED_AMENDED           (1u << 14) /* nothing more changes */
#define SETTLED_CERTIFICATE_ASKED (1u << 15)
/* With its key, the kernel's own 48 bytes and the 8 of its allocator (6.1 on) it fills an allocation of 128. */
_Static_assert(sizeof(struct settled) <= 56, "a million open connections are affordable");

#endif
