/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the server of a handshake proved who it is: what decides its cost, besides version and resumption.
 *
 * One list; enum, names, JSON and the man page come from it.
 * Must not know: libraries.
 */
#ifndef TLSWHY_HANDSHAKE_AUTHENTICATION_H
#define TLSWHY_HANDSHAKE_AUTHENTICATION_H

#include <stdbool.h>
#include <stdint.h>

/* X(symbol, number, id, meaning) */
#define AUTHENTICATIONS(X)                                                       \
	X(UNKNOWN, 0, "unknown", "not known")                                    \
	X(NONE, 1, "none", "no signature: a session was resumed, or a PSK used") \
	X(RSA, 2, "rsa", "an RSA key")                                           \
	X(ECDSA, 3, "ecdsa", "an elliptic curve key, ECDSA")                     \
	X(EDDSA, 4, "eddsa", "Ed25519 or Ed448")                                 \
	X(OTHER, 5, "other", "another kind of key")

enum authentication {
#define X(symbol, number, ...) AUTHENTICATION_##symbol = (number),
	AUTHENTICATIONS(X)
#undef X
		AUTHENTICATION_COUNT
};
#define X(...) +1
_Static_assert((0 AUTHENTICATIONS(X)) == AUTHENTICATION_COUNT, "AUTHENTICATIONS: gap or duplicate number");
#undef X

/*
 * From what a record holds: version as on the wire, the cipher suite's IANA number, the signature scheme (0 each: not
 * known), and whether a session was resumed. TLS 1.2 and older name the key in the suite, TLS 1.3 in the scheme.
 */
enum authentication authentication_of(uint16_t version, uint16_t cipher, uint16_t signature, bool resumed);
/* The id; "unknown" outside the list. Static storage. */
const char *authentication_name(enum authentication authentication);

#endif
