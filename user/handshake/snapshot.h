/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot: everything the outputs and the diagnosis may know, as plain numbers and owned strings.
 *
 * Made by aggregate_snapshot() (counts) and completed by the command that runs (targets, workers, window).
 * Invariant: after snapshot_init() every pointer is NULL or owned; snapshot_release() frees them all.
 * Strings may hold foreign bytes (server names): outputs escape them.
 * Must not know: libbpf, clocks, files.
 */
#ifndef TLSWHY_HANDSHAKE_SNAPSHOT_H
#define TLSWHY_HANDSHAKE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/parts.h"
#include "handshake/authentication.h"
#include "handshake/cause.h"
#include "handshake/histogram.h"

#define SNAPSHOT_DIRECTIONS 3 /* enum direction */
#define SNAPSHOT_NAME_BYTES 256

/* A name and how often. Names are bytes with a length: foreign, may hold NUL. */
struct named_count {
	char name[SNAPSHOT_NAME_BYTES];
	size_t name_bytes;
	uint64_t count;
	uint64_t overcount; /* count is at most this much too high: the list's memory is bounded */
};

struct named_counts {
	struct named_count *items; /* most frequent first */
	size_t count;
};

struct error_count {
	uint32_t code;  /* packed, as the library does */
	uint8_t family; /* enum library_family */
	uint64_t count;
};

/* What else a verdict was based on. */
enum evidence_kind {
	EVIDENCE_LIBRARY_ERROR = 0, /* in a row's errors[], not in its evidence[] */
	EVIDENCE_VERIFY_RESULT = 1, /* X509_V_* of a refused certificate */
	EVIDENCE_ALERT = 2,         /* received, where no error says so */
	EVIDENCE_ERRNO = 3,
	EVIDENCE_PHASE = 4,     /* enum stage: how far the handshake had come */
	EVIDENCE_TRANSPORT = 5, /* EVIDENCE_OVER_QUIC; others have none */
};

#define EVIDENCE_OVER_QUIC 1

struct evidence_count {
	enum evidence_kind kind;
	uint32_t code;
	uint8_t family; /* enum library_family, for verify results */
	uint64_t count;
};

/* Where time is shown, what no part accounts for stands behind the parts. */
#define PART_UNATTRIBUTED PART_COUNT
#define PARTS_SHOWN       (PART_COUNT + 1)

/* Where the time of a set of handshakes went: those that were measured from their beginning. */
struct parts_row {
	uint64_t count;           /* spilled ones too */
	uint64_t whole_us;        /* sum of their latencies, with what was measured before their first call */
	uint64_t us[PARTS_SHOWN]; /* sums; the last one is the whole less the others, never below 0 */
	uint64_t before_us;       /* of lag: before the first call */
	uint64_t coarse; /* of count: the moment between lag and peer is known to a tick; not of spilled ones */
	uint64_t slept;  /* of count: the CPU time is, for the worker slept within a call; not of spilled ones */
	/* Of each part, the handshakes in which it was measured and whose record did not find the ring full. */
	struct histogram parts[PARTS_SHOWN];
	/* Of the same handshakes, those over TCP: the path's round trip, and how many had to send something again. */
	struct histogram round_trip;
	uint64_t resent;
};

/* What a negotiated number is of. */
enum code_kind {
	CODE_VERSION = 0, /* as on the wire */
	CODE_CIPHER = 1,  /* IANA number */
	CODE_GROUP = 2,   /* RFC 8446 section 4.2.7 */
	CODE_KINDS = 3,
};

struct code_count {
	enum code_kind kind;
	uint16_t code; /* 0: not known, or beyond those that are told apart (codes.h) */
	uint64_t count;
};

struct code_counts {
	struct code_count *items; /* by kind, most frequent first */
	size_t count;
};

#define RETURNING_UNKNOWN (-1.0) /* too many peers were ok */

struct cause_row {
	unsigned int direction;
	enum cause cause;
	uint64_t count;
	double share;               /* of begun less open and evicted, in its direction */
	struct histogram latency;   /* joined handshakes are counted above and not here */
	double cpu_seconds;         /* inside the TLS library, on a CPU; joined handshakes too */
	struct parts_row parts;     /* not of joined handshakes */
	uint64_t waited_for_worker; /* of count: the worker was the longer wait (enum waited) */
	uint64_t waited_for_peer;   /* of count: the peer was */
	bool incomplete;            /* part of its evidence was switched off for a while */
	uint64_t without_identity;  /* of count: peer and name are not known, the ring was full */
	uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC; 0 unknown */
	double peers_distinct;      /* estimate */
	double peers_returning;     /* estimate: of these, peers that also had a handshake that was ok; or
				       RETURNING_UNKNOWN */
	struct named_counts peers;
	struct named_counts server_names;
	struct error_count *errors; /* most frequent first */
	size_t error_count;
	struct evidence_count *evidence; /* most frequent first */
	size_t evidence_count;
	uint64_t requests_lost;    /* upstream: answered with 502 or 504 after this failure */
	uint64_t requests_rescued; /* upstream: the next upstream's handshake completed after this failure */
};

struct ok_row {
	unsigned int direction;
	uint64_t count;
	struct histogram latency;
	double cpu_seconds; /* as in struct cause_row */
	struct parts_row parts;
};

/* Of handshakes that were ok and kept; the rows of a direction add up to its ok. */
struct version_row {
	unsigned int direction;
	uint16_t version; /* as on the wire; 0: not known */
	uint64_t count;
};

/* Of handshakes that were ok and kept; those whose record found the ring full are missing. */
struct cipher_row {
	unsigned int direction;
	uint16_t cipher; /* IANA number */
	uint64_t count;
};

/* Of handshakes that were ok and kept and exchanged keys, resumed ones of TLS 1.3 too; spilled ones are missing. */
struct group_row {
	unsigned int direction;
	uint16_t group; /* RFC 8446 section 4.2.7 */
	uint64_t count;
};

/* What a kind of handshake costs. Of handshakes that were ok, also where nginx rejected them afterwards. */
struct cost_row {
	unsigned int direction;
	uint16_t version;
	bool resumed;
	enum authentication authentication; /* how the server proved its key */
	uint64_t count;                     /* spilled ones too */
	uint64_t cpu_us;                    /* sum */
	struct histogram cpu;               /* spilled ones are missing */
};

/* What was negotiated for a server name, in one direction; spilled handshakes are missing. */
struct server_row {
	unsigned int direction;
	char name[SNAPSHOT_NAME_BYTES];
	size_t name_bytes;                    /* 0: no name was sent, or is_rest */
	bool is_rest;                         /* all names beyond those that are kept, together */
	uint64_t ok, failed, resumed;         /* resumed is of ok */
	uint64_t full_cpu_us, resumed_cpu_us; /* of ok */
	struct code_counts codes;             /* of ok */
};

struct totals {
	uint64_t begun, ok, failed, open, evicted, resumed, joined, unmatched;
};

struct losses {
	uint64_t ring_full, spill_full, state_full, settled_full, evicted, read_faults, unmatched, undecodable;
};

struct snapshot_target {
	uint32_t master_pid;
	char *exe;
	char *library;
	char *library_version;
	char *layout; /* dwarf, accessors, table, none */
	uint32_t generation;
	uint32_t *workers;
	size_t worker_count;
};

/* Of a worker that nobody sampled. */
#define WORKER_UNSAMPLED                                                                                       \
	.cpu_ratio = -1, .run_delay_ratio = -1, .cpu_ratio_peak = -1, .run_delay_peak = -1, .cpu_seconds = -1, \
	.saturated_seconds = -1, .sampled_seconds = -1

/*
 * A worker, in one generation. What is sampled is of the process: of a pid that has several rows, each has the same.
 */
struct snapshot_worker {
	uint32_t pid, master_pid, generation;
	bool gone;                /* it ended before the watch did: what is sampled is of its last samples */
	double cpu_ratio;         /* of one CPU; negative: unknown */
	double run_delay_ratio;   /* runnable without a CPU; negative: unknown */
	double cpu_ratio_peak;    /* in the busiest second; negative: unknown */
	double run_delay_peak;    /* in the second with the most; negative: unknown */
	double cpu_seconds;       /* while it was sampled; negative: unknown */
	double saturated_seconds; /* of it: seconds in which it ran or waited for a CPU 90 % of the time or more */
	double sampled_seconds;   /* how long it was sampled; negative: unknown */
	uint64_t handshakes, failed;
	uint64_t resumed;       /* of those that were ok and kept */
	uint64_t given_up;      /* of failed: somebody stopped waiting (cause_is_given_up()) */
	uint64_t given_up_late; /* of given_up: the worker was the longer wait */
	uint64_t count; /* handshakes in whole_us, us[] and latency: amended ones once, as when they were ok */
	uint64_t whole_us, us[PARTS_SHOWN], before_us; /* as in struct parts_row */
	uint64_t cpu_us;                               /* inside the TLS library, joined handshakes too */
	struct histogram latency, lag;                 /* spilled ones are missing in lag */
	struct code_counts codes; /* of handshakes that were ok and kept; of spilled ones versions alone */
};

/* All workers of one generation of one nginx. */
struct generation_row {
	uint32_t master_pid; /* 0: unknown */
	uint32_t generation;
	size_t workers;
	uint64_t handshakes, failed, resumed, given_up, given_up_late;
	uint64_t count, whole_us, us[PARTS_SHOWN], before_us;
	struct histogram latency, lag;
	struct code_counts codes;
};

/* Connections that wait before nginx sees them, on one address that it listens on. */
struct snapshot_listener {
	uint32_t master_pid; /* whose it is; 0: unknown */
	uint32_t netns;      /* inode number of the network namespace */
	uint16_t family;     /* AF_INET, AF_INET6 */
	uint16_t port;
	uint8_t address[16];        /* IPv4 in the first four bytes */
	uint32_t sockets;           /* more than one with reuseport */
	uint32_t queue, queue_peak; /* connections that wait for accept(): at the end, and at most */
	uint32_t queue_limit;       /* of all its sockets */
	int64_t drops;              /* SYNs and connections it lost while watched, each try; negative: unknown */
	int64_t half_open, half_open_peak; /* handshakes of TCP under way; negative: unknown */
	bool half_open_is_bound;           /* there were at least so many */
};

/* What a network namespace lost before accept(), of all its listeners, while watched. */
struct snapshot_netns {
	uint32_t netns;
	int64_t listen_overflows;   /* TcpExt ListenOverflows: an accept queue was full; negative: unknown */
	int64_t listen_drops;       /* TcpExt ListenDrops: for any reason */
	int64_t request_queue_full; /* TcpExt TCPReqQFullDrop and TCPReqQFullDoCookies: too many were half-open */
};

struct snapshot {
	char *host;
	uint64_t start_unix_ns; /* of the window */
	uint64_t start_ns;      /* the same moment, CLOCK_MONOTONIC */
	double seconds;
	bool exact;
	char *inexact_reason;     /* a sentence; NULL where exact */
	uint64_t hellos_cut;      /* ClientHellos longer than a record keeps: read as far as they go */
	bool requests_incomplete; /* some answers were not seen: the probe was switched off, or the ring was full */
	struct totals totals[SNAPSHOT_DIRECTIONS];
	struct losses losses;
	struct cause_row *causes; /* without ok; most frequent first */
	size_t cause_count;
	struct ok_row ok[SNAPSHOT_DIRECTIONS];
	struct version_row *versions;
	size_t version_count;
	struct cipher_row *ciphers;
	size_t cipher_count;
	struct snapshot_target *targets;
	size_t target_count;
	struct snapshot_worker *workers;
	size_t worker_count;
	struct group_row *groups;
	size_t group_count;
	struct cost_row *costs;
	size_t cost_count;
	struct server_row *servers; /* most handshakes first */
	size_t server_count;
	struct generation_row *generations; /* made of workers, by snapshot_fill_generations() */
	size_t generation_count;
	struct snapshot_listener *listeners;
	size_t listener_count;
	struct snapshot_netns *namespaces;
	size_t namespace_count;
	double tick_seconds; /* resolution of what is measured in ticks; 0: unknown */
};

/*
 * Adds up the workers by master and generation, after their masters are known. Returns 0, or -ENOMEM with *snapshot
 * unchanged.
 */
int snapshot_fill_generations(struct snapshot *snapshot);

/* Of a cause's handshakes, those over QUIC. */
uint64_t snapshot_over_quic(const struct cause_row *row);

/*
 * Decides exact and inexact_reason from totals, losses, causes and ok; the only place that does. A snapshot is exact
 * where, for each direction,
 *   - begun = ok + failed + open + evicted + unmatched,
 *   - the causes' counts add up to failed, which includes what was ok and amended,
 *   - the counted ok are the kernel's, less what was amended,
 * and where spill_full, state_full, settled_full and undecodable are 0: what these lost is in no balance. A full ring
 * alone costs identities and no count. has_totals: totals and losses are the kernel's; without them nothing can be
 * compared and the snapshot is not exact. The reason names the first mismatch with its numbers.
 * Returns 0, or -ENOMEM with *snapshot unchanged.
 */
int snapshot_judge(struct snapshot *snapshot, bool has_totals);

void snapshot_init(struct snapshot *snapshot);
/* Frees what it owns and leaves it as snapshot_init() does. NULL is allowed. */
void snapshot_release(struct snapshot *snapshot);

#endif
