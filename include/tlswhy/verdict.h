/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few facts that decide a cause.
 *
 * The kernel side fills a struct verdict, user/handshake/classify.c is the only reader that draws a
 * conclusion from it. The same bytes travel inside a full record and as the key of the spill map, so a
 * cause is decided by one rule whichever way the facts came.
 *
 * Invariants: at most 64 bytes, fixed-width fields, no padding, every byte written (it is a hash key), and few
 * distinct values: whatever a stranger may choose freely is reduced to a class here.
 * Must not know: peers, names, times. Included by both sides; needs __u8..__u64 from the includer.
 */
#ifndef TLSWHY_VERDICT_H
#define TLSWHY_VERDICT_H

/* Which side of nginx. */
enum direction {
	DIRECTION_UNKNOWN = 0,  /* the object's role could not be read */
	DIRECTION_CLIENT = 1,   /* somebody connected to nginx */
	DIRECTION_UPSTREAM = 2, /* nginx connected to a backend */
	DIRECTION_COUNT = 3,
};

/* How the handshake ended. */
enum outcome {
	OUTCOME_OK = 0,        /* SSL_do_handshake returned 1 */
	OUTCOME_FAILED = 1,    /* it returned an error that is not a retry */
	OUTCOME_ABANDONED = 2, /* the object was freed while it waited */
	OUTCOME_REJECTED = 3,  /* it had returned 1, and nginx or the peer refused afterwards */
};

/* How far it came; the object's handshake state reduced to what causes need. */
enum stage {
	STAGE_UNKNOWN = 0,
	STAGE_BEFORE_HELLO = 1,    /* the peer's hello was not complete */
	STAGE_HELLO = 2,           /* failed while handling the peer's hello */
	STAGE_MID = 3,             /* later */
	STAGE_CLIENT_FINISHED = 4, /* upstream: our last flight is out, its answer is awaited */
	STAGE_DONE = 5,
};

/* Who refused a handshake that OpenSSL had completed. */
enum rejection {
	REJECTION_NONE = 0,
	REJECTION_CLIENT_CERTIFICATE = 1, /* ngx_ssl_remove_cached_session: ssl_verify_client */
	REJECTION_OCSP = 2,               /* the same, chain valid and a certificate there */
	REJECTION_UPSTREAM_VERIFY = 3,    /* X509_verify_cert_error_string right after completion */
	REJECTION_UPSTREAM_NAME = 4,      /* ngx_ssl_check_host failed */
	REJECTION_UPSTREAM_ALERT = 5,     /* TLS 1.3: the backend's alert came after completion */
};

/* The peer's protocol versions against ours. */
enum version_class {
	VERSION_CLASS_UNKNOWN = 0,
	VERSION_CLASS_PEER_OLDER = 1, /* its newest is below our oldest */
	VERSION_CLASS_PEER_NEWER = 2, /* its oldest is above our newest */
	VERSION_CLASS_OVERLAP = 3,
	VERSION_CLASS_OUR_NEWEST = 4, /* upstream, nothing seen of the peer: we offered the newest version */
	VERSION_CLASS_OUR_OLDER = 5,  /* the same: our newest is below TLS 1.3 */
};

/* The first bytes of the record that could not be read. */
enum first_record {
	FIRST_RECORD_UNKNOWN = 0,
	FIRST_RECORD_TLS = 1,
	FIRST_RECORD_HTTP = 2,
	FIRST_RECORD_OTHER = 3,
};

/*
 * What a server had agreed with its client when it refused with handshake_failure and its errors were not seen.
 * OpenSSL chooses the cipher, then the group, then how to sign.
 */
enum agreed {
	AGREED_UNKNOWN = 0,
	AGREED_NOTHING = 1,
	AGREED_CIPHER = 2,
	AGREED_GROUP = 3,
};

/*
 * Whom a handshake had waited for longer when it ended without success. The worker counts from LATE_US on: below, its
 * lag is what the clock's resolution leaves.
 */
enum waited {
	WAITED_UNKNOWN = 0,
	WAITED_PEER = 1,
	WAITED_WORKER = 2, /* to read what lay in the socket, or to get a CPU */
};
#define LATE_US 20000

/* Whose numbers error and verify_result are. */
enum library_family {
	LIBRARY_UNKNOWN = 0,
	LIBRARY_OPENSSL_1_1_1 = 1, /* code = lib << 24 | function << 12 | reason */
	LIBRARY_OPENSSL_3 = 2,     /* 3.x and 4.0: code = lib << 23 | reason */
	LIBRARY_BORINGSSL = 3,
};

#define VERDICT_SNI_SET              (1u << 0)  /* server name sent (upstream) or received (client) */
#define VERDICT_CERTIFICATE_ASKED    (1u << 1)  /* a CertificateRequest was sent (client) or received (upstream) */
#define VERDICT_PEER_CERTIFICATE     (1u << 2)  /* the peer showed a certificate */
#define VERDICT_TIMED_OUT            (1u << 3)  /* nginx's own mark on the connection's read or write event */
#define VERDICT_EOF                  (1u << 4)  /* the transport ended */
#define VERDICT_JOINED               (1u << 5)  /* first seen in the middle */
#define VERDICT_HANDSHAKE_REJECTED   (1u << 6)  /* nginx said "handshake rejected" (ssl_reject_handshake) */
#define VERDICT_ALERT_RECEIVED       (1u << 7)  /* alert_received is meant */
#define VERDICT_ALERT_SENT           (1u << 8)  /* alert_sent is meant */
#define VERDICT_OBJECT_UNREADABLE    (1u << 9)  /* the library's layout is unknown or a read faulted */
#define VERDICT_NGINX_FACTS          (1u << 10) /* nginx's connection was found: TIMED_OUT is meaningful */
#define VERDICT_SOCKET_RESET         (1u << 11) /* the socket's pending or last error was ECONNRESET */
#define VERDICT_OUR_CERTIFICATE_SENT (1u << 12) /* upstream: a client certificate was configured */
#define VERDICT_BEFORE_LIBRARY       (1u << 13) /* refused or left before nginx called the TLS library */
#define VERDICT_QUIC                 (1u << 14) /* HTTP/3: the peer refuses in a frame that nginx keeps to itself */
#define VERDICT_QUIC_CLOSED          (1u << 15) /* nginx closed it; why, EOF and TIMED_OUT say, or it wanted to */
#define VERDICT_UNMEASURED           (VERDICT_JOINED | VERDICT_BEFORE_LIBRARY) /* its latency is not meant */

struct verdict {
	__u8 direction;      /* enum direction */
	__u8 outcome;        /* enum outcome */
	__u8 stage;          /* enum stage */
	__u8 rejection;      /* enum rejection */
	__u8 version_class;  /* enum version_class */
	__u8 first_record;   /* enum first_record */
	__u8 library;        /* enum library_family */
	__u8 alert_received; /* RFC 8446 section 6; meant only with VERDICT_ALERT_RECEIVED */
	__u8 alert_sent;     /* meant only with VERDICT_ALERT_SENT */
	__u8 agreed;         /* enum agreed */
	__u16 flags;         /* VERDICT_* */
	__u32 error;         /* first queued error of the SSL library, packed as the library does; else 0 */
	__u32 other_error;   /* first queued error of any other library; else 0 */
	__s32 verify_result; /* X509_V_*; meant for rejections and where the peer showed a certificate */
	__s32 error_errno;   /* errno that nginx passed on; 0 is none */
	__u8 waited;         /* enum waited; failures only */
	__u8 reserved1[3];
};
_Static_assert(sizeof(struct verdict) == 32, "struct verdict is a hash key: no padding, at most 64 bytes");

/*
 * Latency buckets: bucket 0 holds up to 1 us, then four a doubling, upper bounds inclusive, the last one open.
 * Bound of bucket i (i >= 1), in nanoseconds: (4 + (i - 1) % 4 + 1) << ((i - 1) / 4) quarters of 1024 ns.
 * 1024 * 2^28 ns is 275 s, above every timeout a handshake can have in practice.
 */
#define LATENCY_BUCKETS         114
#define LATENCY_UNIT_SHIFT      8 /* a quarter of 1024 ns */
#define LATENCY_BUCKET_OVERFLOW (LATENCY_BUCKETS - 1)

/* Upper bound of a bucket in ns, inclusive; the last bucket has none (~0). */
static inline __u64 latency_bucket_bound_ns(__u32 bucket)
{
	if (bucket == 0)
		return 1024;
	if (bucket >= LATENCY_BUCKET_OVERFLOW)
		return ~0ull;
	return (__u64)(5 + (bucket - 1) % 4) << ((bucket - 1) / 4 + LATENCY_UNIT_SHIFT);
}

/* The bucket whose bounds hold latency_ns: the smallest i with latency_ns <= bound(i). No loop: BPF runs it too. */
static inline __u32 latency_bucket(__u64 latency_ns)
{
	__u64 units;
	__u32 exponent = 0, bucket;

	if (latency_ns <= 1024)
		return 0;
	units = (latency_ns - 1) >> LATENCY_UNIT_SHIFT; /* >= 4; bounds are inclusive, hence the -1 */
	if (units >> 32)
		return LATENCY_BUCKET_OVERFLOW;
	if (units >> (exponent + 18))
		exponent += 16;
	if (units >> (exponent + 10))
		exponent += 8;
	if (units >> (exponent + 6))
		exponent += 4;
	if (units >> (exponent + 4))
		exponent += 2;
	if (units >> (exponent + 3))
		exponent += 1;
	bucket = 1 + exponent * 4 + (__u32)((units >> exponent) & 3);
	return bucket < LATENCY_BUCKET_OVERFLOW ? bucket : LATENCY_BUCKET_OVERFLOW;
}

#endif
