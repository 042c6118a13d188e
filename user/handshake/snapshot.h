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

struct cause_row {
	unsigned int direction;
	enum cause cause;
	uint64_t count;
	double share;               /* of begun less open and evicted, in its direction */
	struct histogram latency;   /* joined handshakes are counted above and not here */
	double cpu_seconds;         /* inside SSL_do_handshake, less the time waiting for a CPU */
	bool incomplete;            /* part of its evidence was switched off for a while */
	uint64_t without_identity;  /* of count: peer and name are not known, the ring was full */
	uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC; 0 unknown */
	double peers_distinct;      /* estimate */
	double peers_returning;     /* estimate: of these, peers that also had a handshake that was ok */
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

struct snapshot_worker {
	uint32_t pid, master_pid, generation;
	double cpu_ratio;       /* of one CPU; negative: unknown */
	double run_delay_ratio; /* runnable without a CPU; negative: unknown */
	uint64_t handshakes, failed;
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
};

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
