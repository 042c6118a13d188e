/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What handshakes a burst is dealt from: the victim plays them, the test knows what each must be counted as.
 * Must not know: how either does it.
 */
#ifndef TLSWHY_TESTS_BPF_BURST_H
#define TLSWHY_TESTS_BPF_BURST_H

/* X(symbol, number, one in so many, direction, cause). The first one takes what the others leave. */
#define BURST_KINDS(X)                                                      \
	X(OK, 0, 1, CLIENT, OK)                                             \
	X(SLOW, 1, 6, CLIENT, OK)                                           \
	X(UPSTREAM, 2, 8, UPSTREAM, OK)                                     \
	X(CIPHER, 3, 10, CLIENT, NO_SHARED_CIPHER)                          \
	X(CLOSED, 4, 11, CLIENT, PEER_CLOSED_BEFORE_HELLO)                  \
	X(ALERT, 5, 12, UPSTREAM, OUR_CERTIFICATE_UNKNOWN_CA)               \
	X(TIMEOUT, 6, 13, CLIENT, TIMEOUT_MID_HANDSHAKE)                    \
	X(VERIFY, 7, 14, UPSTREAM, PEER_CERTIFICATE_EXPIRED)                \
	X(NO_CERTIFICATE, 8, 15, CLIENT, PEER_CERTIFICATE_MISSING)          \
	X(LATE_ALERT, 9, 16, UPSTREAM, CLIENT_CERTIFICATE_REQUIRED)         \
	X(FORGOTTEN, 10, 500, CLIENT, UNKNOWN) /* SSL_free is not called */ \
	X(REUSED, 11, 50, CLIENT, UNKNOWN)     /* the object begins again without SSL_free, and is ok */

enum burst_kind {
#define X(symbol, number, ...) BURST_##symbol = (number),
	BURST_KINDS(X)
#undef X
		BURST_KIND_COUNT
};

#endif
