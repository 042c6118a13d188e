/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One watch from attach to the end: what report and trace share.
 *
 * The order that makes counts exact is kept here: disarm, drain, evict the dead, read counters, walk what is open.
 */
#ifndef TLSWHY_COMMAND_SESSION_H
#define TLSWHY_COMMAND_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "attach/watch.h"
#include "command/answer_budget.h"
#include "command/backlog.h"
#include "command/foreign_budget.h"
#include "command/options.h"
#include "handshake/observation.h"
#include "handshake/snapshot.h"

struct session {
	struct watch *watch;
	uint64_t start_ns, end_ns; /* CLOCK_MONOTONIC: armed, disarmed */
	int64_t unix_offset_ns;
	uint64_t evicted[DIRECTION_COUNT];
	uint64_t undecodable;
	struct answer_budget answers;
	struct foreign_budget foreign;
	int signal_fd, timer_fd, poll_fd;
	uint64_t tick_ns; /* of the timer */
	int wake_fd; /* the caller's, waited for besides; -1: none. Set between session_open() and session_run(). */
	const struct session_handlers *handlers;
	void *context;
};

struct session_handlers {
	/*
	 * Each record before it is decoded, with *size its length. Returns what is to be decoded instead and sets
	 * *size, or NULL where that is impossible: the record is then lost, and counted. May be NULL.
	 */
	const void *(*raw)(void *context, const void *bytes, size_t *size);
	/* Each record, marks too. */
	void (*observe)(void *context, const struct observation *observation);
	/* Every 100 ms, after what waited was observed. May be NULL. */
	void (*tick)(void *context, uint64_t now_ns);
	/* A target came or went, or came and was refused; the user was told. May be NULL. */
	void (*changed)(void *context, const struct watch_target *target, enum watch_change change);
	/* After every wait, wake_fd's too, and after what waited was observed. May be NULL. */
	void (*wake)(void *context);
};

/*
 * Finds, attaches, arms, opens what waits before accept() where that is asked for (backlog may be NULL), drops
 * privileges. Returns EXIT_FINE and a session for session_release(), or an exit code after having told the user.
 */
int session_open(struct session *session, const struct options *options, bool final_marks, struct backlog *backlog);
/*
 * Watches until the duration is over, SIGINT or SIGTERM comes or a budget is used up; then disarms and drains.
 * Returns 0 or -errno.
 */
int session_run(struct session *session, const struct options *options, const struct session_handlers *handlers,
		void *context);
/* After session_run(): the kernel's totals, for aggregate_set_totals(). Returns 0 or -errno. */
int session_totals(const struct session *session, struct totals totals[SNAPSHOT_DIRECTIONS], struct losses *losses);
/* After session_run(): whether answers with 502 or 504 may have been missed. */
bool session_requests_incomplete(const struct session *session);
/* Whether the probe on nginx's own answers was switched off. */
bool session_answers_off(const struct session *session);
/* Detaches: slow; print first. */
void session_release(struct session *session);

/* Whether output to the stream is to be coloured. */
bool session_color(const struct options *options, FILE *stream);
/* Tells a problem with its hint. Returns the exit code it stands for. */
int session_tell(const struct watch_problem *problem);

#endif
