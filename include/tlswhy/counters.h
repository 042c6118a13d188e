/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel counters: one list. Rows of a per-CPU array, summed by the user side after disarming.
 * Those PER_DIRECTION have one row a direction (enum direction); numbers are the first row.
 */
#ifndef TLSWHY_COUNTERS_H
#define TLSWHY_COUNTERS_H

/* X(symbol, first row, rows, name, meaning) */
#define COUNTERS(X)                                                                                      \
	X(BEGUN, 0, 3, "begun", "handshakes seen for the first time")                                    \
	X(OK, 3, 3, "ok", "returned 1")                                                                  \
	X(FAILED, 6, 3, "failed", "failed or abandoned, never ok")                                       \
	X(AMENDED, 9, 3, "amended", "were ok and rejected afterwards")                                   \
	X(JOINED, 12, 3, "joined", "of begun: first seen in the middle")                                 \
	X(RESUMED, 15, 3, "resumed", "of ok: resumed a session")                                         \
	X(UNMATCHED, 18, 3, "unmatched", "of begun: the object was reused without having been freed")    \
	X(EVICTED, 21, 3, "evicted", "of begun: the process ended first; counted by the user side")      \
	X(RING_FULL, 24, 1, "ring_full", "records that went to the spill map")                           \
	X(SPILL_FULL, 25, 1, "spill_full", "records that are in the totals only")                        \
	X(STATE_FULL, 26, 1, "state_full", "handshakes that found the state map full, in no total")      \
	X(SETTLED_FULL, 27, 1, "settled_full", "completed handshakes whose later rejection is not seen") \
	X(READ_FAULTS, 28, 1, "read_faults", "reads of the traced process's memory that failed")         \
	X(FOREIGN_HITS, 29, 1, "foreign_hits", "probe hits in processes that are not nginx")             \
	X(ANSWER_HITS, 30, 1, "answer_hits", "hits of ngx_http_special_response_handler")                \
	X(LOST_ANSWERS, 31, 1, "lost_answers", "answers with 502 or 504 that found the ring full")       \
	X(LOST_MARKS, 32, 1, "lost_marks", "exit, target and final marks that found the ring full")

enum counter {
#define X(symbol, row, rows, name, meaning) COUNTER_##symbol = (row),
	COUNTERS(X)
#undef X
#define X(symbol, row, rows, name, meaning) +(rows)
		COUNTER_ROWS = 0 COUNTERS(X)
#undef X
};
_Static_assert(COUNTER_LOST_MARKS == COUNTER_ROWS - 1, "COUNTERS: gap or overlap");

#endif
