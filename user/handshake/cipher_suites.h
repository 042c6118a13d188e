/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cipher suites: what OpenSSL calls them, and how a server proves its key in them.
 *
 * Must not know: versions, signature schemes.
 */
#ifndef TLSWHY_HANDSHAKE_CIPHER_SUITES_H
#define TLSWHY_HANDSHAKE_CIPHER_SUITES_H

#include <stdint.h>

#include "handshake/authentication.h"

/* By IANA number, OpenSSL's spelling; NULL where it is not in the list. Static storage. */
const char *cipher_suite_name(uint16_t suite);
/* AUTHENTICATION_UNKNOWN where it is not in the list, and for the suites of TLS 1.3, which do not say. */
enum authentication cipher_suite_authentication(uint16_t suite);

#endif
