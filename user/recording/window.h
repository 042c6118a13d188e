/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One watch, but for its records: where, when, of what, with which library, and how the kernel's own counters ended.
 *
 * A live watch fills it in from the host, a reader from a recording; a report is made of records and a window alone,
 * so that both give the same report. Invariant: after window_init() every pointer is NULL or owned. Strings may hold
 * foreign bytes. Must not know: files, the host.
 */
#ifndef TLSWHY_RECORDING_WINDOW_H
#define TLSWHY_RECORDING_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handshake/snapshot.h"

/* CPU of one worker over the window, as in struct snapshot_worker; negative: unknown. */
struct window_worker {
	uint32_t pid, master_pid;
	uint32_t generation; /* 0: unknown */
	bool gone;           /* it ended before the window did */
	double cpu_ratio, run_delay_ratio, cpu_ratio_peak, run_delay_peak;
	double cpu_seconds, saturated_seconds, sampled_seconds;
	uint64_t watched_ns; /* how long: the weight of its ratios when windows are merged */
};

/* What waits before accept() is of one boot of one host: there, address and namespace are unique. */
struct window_listener {
	struct snapshot_listener row;
	uint64_t boot;    /* made of the window's boot id; 0: unknown, and no other's */
	uint64_t seen_ns; /* CLOCK_MONOTONIC of that boot: when its window ended; 0: that has not ended */
};

struct window_netns {
	struct snapshot_netns row;
	uint64_t boot;
};

struct window {
	char *tool_version, *host, *kernel, *boot_id; /* "" or NULL: unknown */
	uint64_t start_ns, end_ns;                    /* CLOCK_MONOTONIC */
	int64_t unix_offset_ns;                       /* what to add for nanoseconds since 1970 */
	uint64_t seed;                                /* of the hashes of the report */
	struct snapshot_target *targets;
	size_t target_count;
	struct window_worker *workers;
	size_t worker_count;
	struct window_listener *listeners;
	size_t listener_count;
	struct window_netns *namespaces;
	size_t namespace_count;
	uint32_t tick_ns; /* the kernel's tick; of several the longest; 0: unknown */
	bool has_totals;  /* totals and losses are the kernel's, of the whole window */
	struct totals totals[SNAPSHOT_DIRECTIONS];
	struct losses losses;
	bool requests_incomplete; /* some of nginx's answers were not seen: struct snapshot's */
	bool answers_off;         /* because their probe was switched off: what only they tell is incomplete too */
};

void window_init(struct window *window);
/* Frees what it owns and leaves it as window_init() does. NULL is allowed. */
void window_release(struct window *window);

/* Takes the target over. Returns 0, or -ENOMEM with the target released. */
int window_add_target(struct window *window, struct snapshot_target *target);
void window_target_release(struct snapshot_target *target);
/* One of a pid that is there replaces it. */
int window_add_worker(struct window *window, const struct window_worker *worker);
/* After its boot id is known. One of an address or a namespace that is there replaces it. Return 0 or -ENOMEM. */
int window_add_listener(struct window *window, const struct snapshot_listener *row);
int window_add_netns(struct window *window, const struct snapshot_netns *row);
/* One of a pid that is there is added to it; of different boots they are two processes, and nothing is known. */
int window_merge_worker(struct window *into, const struct window_worker *worker, bool same_boot);

/* Whether the monotonic clocks of both are the same: one boot of one host. */
bool window_same_clock(const struct window *a, const struct window *b);
/* What to add to a monotonic time of from to have it in the clock of into. */
int64_t window_shift_ns(const struct window *into, const struct window *from);
/*
 * Makes into the union of both: the time from the earlier start to the later end, all targets and workers, the sums
 * of totals and losses; has_totals only where both have them. Clock and seed stay those of into. A listener that both
 * have seen in one boot is one row: what it lost added up, its queue as it was later, the higher of its peaks; a sum
 * is unknown where one part of it is. Returns 0 or -ENOMEM.
 */
int window_merge(struct window *into, const struct window *from);

/*
 * Completes a snapshot, after aggregate_snapshot(): host, window, targets, and the masters and ratios of its workers;
 * workers without a handshake are added, and all are added up by generation. Listeners are sorted by nginx, port,
 * address and namespace. Returns 0 or -ENOMEM.
 */
int window_complete(const struct window *window, struct snapshot *snapshot);
/* Its workers only. What is sampled of a process is in each of its rows; negative in rows without a sample. */
int window_complete_workers(const struct window *window, struct snapshot *snapshot);

#endif
