/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network namespace lost before accept(), of all its listeners, since it was made: /proc/PID/net/netstat.
 * Must not know: whose the listeners are.
 */
#ifndef TLSWHY_HOST_LISTEN_COUNTERS_H
#define TLSWHY_HOST_LISTEN_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#define LISTEN_COUNTER_UNKNOWN (-1)

/* Each is LISTEN_COUNTER_UNKNOWN where the kernel does not count it. */
struct listen_counters {
	int64_t overflows;          /* TcpExt ListenOverflows */
	int64_t drops;              /* TcpExt ListenDrops; the overflows are among them */
	int64_t request_queue_full; /* TcpExt TCPReqQFullDrop and TCPReqQFullDoCookies, together */
};

#define LISTEN_COUNTERS_UNKNOWN                                                        \
	{                                                                              \
		LISTEN_COUNTER_UNKNOWN, LISTEN_COUNTER_UNKNOWN, LISTEN_COUNTER_UNKNOWN \
	}

/*
 * Reads the text of the file: a line of names and a line of values for each of its groups. It need not end with NUL,
 * and is foreign. Returns 0; or -EBADMSG with *out untouched where the group's lines are not there, are cut or do not
 * fit each other, or what is looked for is no number.
 */
int listen_counters_parse(const char *text, size_t bytes, struct listen_counters *out);

/*
 * Adds what came since the last reading: to *lost, which is all unknown before the first one. *last becomes now.
 */
void listen_counters_advance(struct listen_counters *lost, struct listen_counters *last,
			     const struct listen_counters *now);

#endif
