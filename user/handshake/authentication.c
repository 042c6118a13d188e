/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a server proved its key. Contract: authentication.h.
 *
 * Must not know: libraries, what cipher suites there are (cipher_suites.c).
 */
#include "handshake/authentication.h"

#include "handshake/cipher_suites.h"

#define TLS_1_3 0x0304

/* RFC 8446 section 4.2.3: the low byte of the older schemes is the key's kind, from 0x08xx on they are a list. */
static enum authentication scheme_authentication(uint16_t scheme)
{
	if (scheme == 0)
		return AUTHENTICATION_UNKNOWN;
	if (scheme == 0x0807 || scheme == 0x0808)
		return AUTHENTICATION_EDDSA;
	if (scheme >= 0x0804 && scheme <= 0x080b)
		return AUTHENTICATION_RSA;
	if (scheme >= 0x081a && scheme <= 0x081c)
		return AUTHENTICATION_ECDSA;
	if (scheme >> 8 >= 0x02 && scheme >> 8 <= 0x06 && (scheme & 0xff) == 0x01)
		return AUTHENTICATION_RSA;
	if (scheme >> 8 >= 0x02 && scheme >> 8 <= 0x06 && (scheme & 0xff) == 0x03)
		return AUTHENTICATION_ECDSA;
	return AUTHENTICATION_OTHER;
}

enum authentication authentication_of(uint16_t version, uint16_t cipher, uint16_t signature, bool resumed)
{
	enum authentication by_suite;

	if (resumed)
		return AUTHENTICATION_NONE;
	if (version == TLS_1_3)
		return scheme_authentication(signature);
	by_suite = cipher_suite_authentication(cipher);
	/* RFC 8422 section 5.10: TLS 1.2 puts these keys into the suites of ECDSA. */
	if (by_suite == AUTHENTICATION_ECDSA && scheme_authentication(signature) == AUTHENTICATION_EDDSA)
		return AUTHENTICATION_EDDSA;
	return by_suite;
}

const char *authentication_name(enum authentication authentication)
{
	static const char *const names[] = {
#define X(symbol, number, id, ...) [number] = (id),
		AUTHENTICATIONS(X)
#undef X
	};

	return names[(unsigned int)authentication < AUTHENTICATION_COUNT ? authentication : AUTHENTICATION_UNKNOWN];
}
