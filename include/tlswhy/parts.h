/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of a handshake's time, as the kernel side measures them.
 *
 * The whole of a handshake is its latency, from the first call of the library to its end, and what came before that
 * first call and can be measured: the TCP connect to an upstream, and how long the worker was late for it. Each part
 * lies between two moments of its own that were measured; none is what the others leave. What they leave together is
 * nobody's, and called unattributed where it is shown.
 * Must not know: who adds them up.
 */
#ifndef TLSWHY_PARTS_H
#define TLSWHY_PARTS_H

/* X(symbol, number, name, meaning) */
#define PARTS(X)                                                                                               \
	X(CONNECT, 0, "connect", "TCP connect to an upstream, from the first SYN until the connection stands") \
	X(LAG, 1, "lag", "what nginx waited for lay in the socket, and the worker had not read it")            \
	X(PEER, 2, "peer", "waiting for the peer, and for the path to it")                                     \
	X(CPU, 3, "cpu", "inside the TLS library, on a CPU")                                                   \
	X(PREEMPTED, 4, "preempted", "inside the TLS library, ready to run and without a CPU")

enum part {
#define X(symbol, number, name, meaning) PART_##symbol = (number),
	PARTS(X)
#undef X
		PART_COUNT
};
#define X(...) +1
_Static_assert((0 PARTS(X)) == PART_COUNT, "PARTS: gap or duplicate number");
#undef X

/*
 * Of one handshake, in microseconds, rounded; 71 minutes at most, more than nginx waits for anything. 0 where there
 * was nothing or nothing was measured; EVENT_CONNECT_MEASURED and EVENT_WAITS_MEASURED tell the two apart.
 */
struct parts {
	__u32 us[PART_COUNT];
	__u32 before_us; /* of us[PART_LAG]: before the first call, so not in the latency; us[PART_CONNECT] never is
			  */
};
_Static_assert(sizeof(struct parts) == 24, "struct parts is in records: no padding");

#endif
