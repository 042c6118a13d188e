/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What numbers are called: versions, cipher suites, groups, signature schemes, alerts, errno, verify results, library
 * errors.
 *
 * Invariant: every number has a text, in lower-case ASCII or the spelling of its standard or library, the same in
 * every locale; a number without a name is printed as a number. No text holds foreign bytes.
 * Must not know: causes, output forms.
 */
#ifndef TLSWHY_HANDSHAKE_NAMES_H
#define TLSWHY_HANDSHAKE_NAMES_H

#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/event.h"

/* Enough for every text below. Each function returns static storage or the buffer given. */
#define NAME_BYTES 96

/* "TLSv1.3", as OpenSSL and nginx spell it; "unknown" for 0, "0x0305" for a number without a name. */
const char *version_name(uint16_t version, char buffer[NAME_BYTES]);
/* "TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256": OpenSSL's spelling; "none" for 0, else "0xC02F". */
const char *cipher_name(uint16_t cipher, char buffer[NAME_BYTES]);
/* "x25519", a key exchange's group as IANA spells it; "none" for 0, "GREASE", else "0x11FF". */
const char *group_name(uint16_t group, char buffer[NAME_BYTES]);
/* "rsa_pss_rsae_sha256", a signature scheme as RFC 8446 spells it; "none" for 0, "GREASE", else "0x0BFF". */
const char *signature_name(uint16_t scheme, char buffer[NAME_BYTES]);
/* "handshake_failure", RFC 8446 section 6 and the older ones; else "alert 99". */
const char *alert_name(uint8_t alert, char buffer[NAME_BYTES]);
/* "ECONNRESET"; else "errno 199". Linux numbers. */
const char *errno_name(int number, char buffer[NAME_BYTES]);
/* How far a handshake came (enum stage), as words behind "failed"; "at an unknown moment" outside the list. Static.
 */
const char *stage_text(unsigned int stage);
/* OpenSSL's text for an X509_V_* result, by the family whose number it is; else "verify result 199". */
const char *verify_text(int32_t result, enum library_family family, char buffer[NAME_BYTES]);
/* Text of a packed error code: "no shared cipher", "alert handshake_failure received", "rsa: bad signature". */
const char *error_text(uint32_t code, enum library_family family, char buffer[NAME_BYTES]);
/* "client", "upstream", "unknown". */
const char *direction_name(unsigned int direction);
/* "ok", "failed", "abandoned", "rejected"; "unknown" outside the enum. */
const char *outcome_name(unsigned int outcome);

#endif
