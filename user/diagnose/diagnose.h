/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a snapshot to findings: what is wrong, how it is known, what to change, how to see that it helped.
 *
 * Invariant: pure; the same snapshot gives the same findings in the same order, the worst first. Nothing is said that
 * the snapshot does not hold. Texts may hold foreign bytes (server names): outputs escape them.
 * Must not know: output forms, the host (who does adds its findings with findings_add()).
 */
#ifndef TLSWHY_DIAGNOSE_DIAGNOSE_H
#define TLSWHY_DIAGNOSE_DIAGNOSE_H

#include <stddef.h>

#include "handshake/snapshot.h"

#define FINDINGS_MAX       27
#define FINDING_LINES      5
#define FINDING_TEXT_BYTES 224
#define FINDING_ID_BYTES   48

enum severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_CRITICAL,
};

struct finding_lines {
	char text[FINDING_LINES][FINDING_TEXT_BYTES];
	size_t count;
};

struct finding {
	char id[FINDING_ID_BYTES]; /* "client.no_shared_cipher", "workers_saturated"; stable */
	enum severity severity;
	char title[FINDING_TEXT_BYTES];
	struct finding_lines evidence, change, verify;
};

/* About 100 KB: for the heap or static storage of a command. `= { 0 }` is none. */
struct findings {
	struct finding items[FINDINGS_MAX];
	size_t count;
};

/*
 * Fills *findings, which need not be initialised.
 *
 * A finding a cause and direction, n of N settled handshakes of that direction:
 *   critical  n >= 20 and n/N >= 10 %, or n >= 5 and n/N >= 50 %
 *   warning   n >= 10 and n/N >= 1 %, or n >= 3 and n/N >= 10 %
 *   info      less, the three most frequent only
 * It is one step lower where nobody can fix the cause, and where a client must fix it and no peer that failed was
 * also seen to succeed: scanners, health checks and those who never got in look like that. Where no peer is known
 * (the ring was full) it is not lowered, nor where peers gave up and most had waited longer for nginx's worker than
 * nginx for them: that is ours to fix, and what to change is then about the workers.
 *
 * Then the workers. One is short of CPU where it ran or waited for one 90 % of the time, or for 2 seconds or more did
 * so nearly all the second; where no seconds were sampled, also where it waited 10 % of the time. It is starved,
 * others use its CPU, where it waited at least half as long as it ran; else busy itself. One is blocked where its CPU
 * is known and it is not short of it, and yet late: lag of 100 ms or more at the 99th percentile, of 20 handshakes or
 * more, three of them so late.
 *   workers_saturated  those that are short of CPU
 *   workers_blocked    those that are blocked
 *     critical where 20 or more of their timeouts and abandoned handshakes, and 10 % of all settled handshakes,
 * waited longer for the worker than for the peer; else warning accept_queue_overflow  warning: a listener of nginx
 * dropped connections, and neither of the above is there; where one is, the listener is evidence of it resumption_low
 * info: full handshakes took CPU that resumed ones would have spared, 1 s or more and 20 % or more of the workers'
 * Then the measurement itself: info where counts are not exact, or evidence was switched off for a while.
 */
void diagnose(const struct snapshot *snapshot, struct findings *findings);

/*
 * The cause an answer starts with: of the highest severity, then the most frequent. NULL where nothing failed. Points
 * into the snapshot.
 */
const struct cause_row *diagnose_leading_cause(const struct snapshot *snapshot);
/* By the rules above. */
enum severity diagnose_severity(const struct cause_row *row);

/* What to look at or change: cause_advice(), or of nginx's workers where these were what was waited for. Static. */
const char *diagnose_advice(const struct snapshot *snapshot, const struct cause_row *row);

/* Settled handshakes of a direction: begun, less open and evicted ones. The denominator of every share. */
uint64_t diagnose_settled(const struct snapshot *snapshot, unsigned int direction);

/*
 * What is unseen of a cause's handshakes over QUIC, to follow their number; "" where nothing is. A client's alert is
 * there in a frame (RFC 9001 section 4.8) that nginx does not hand to the library.
 */
const char *diagnose_quic_hides(enum cause cause);

/*
 * Adds an empty finding and returns it, or NULL where there is no room; the following take NULL. Texts beyond
 * FINDING_TEXT_BYTES are cut, lines beyond FINDING_LINES dropped.
 */
struct finding *findings_add(struct findings *findings, const char *id, enum severity severity);
__attribute__((format(printf, 2, 3))) void finding_title(struct finding *finding, const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_evidence(struct finding *finding, const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_change(struct finding *finding, const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_verify(struct finding *finding, const char *format, ...);

/* Sorts the worst first; equal ones keep their order. diagnose() has done so. */
void findings_sort(struct findings *findings);
/* "info", "warning", "critical". */
const char *severity_name(enum severity severity);

#endif
