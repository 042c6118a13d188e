/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2), parsed into a fixed-size value, and the
 * blanking of everything in it that must not leave the process.
 *
 * Invariants: nothing is allocated, nothing past the given length is read, and the struct is in a defined state
 * whatever the bytes were. They come from strangers: every length is checked against the one around it.
 * Must not know: events, causes, how the bytes were obtained.
 */
#ifndef TLSWHY_HANDSHAKE_CLIENTHELLO_H
#define TLSWHY_HANDSHAKE_CLIENTHELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENTHELLO_CIPHERS    128
#define CLIENTHELLO_VERSIONS   16
#define CLIENTHELLO_GROUPS     32
#define CLIENTHELLO_SIGNATURES 64
#define CLIENTHELLO_KEY_SHARES 16
#define CLIENTHELLO_EXTENSIONS 64
#define CLIENTHELLO_ALPN       16
#define CLIENTHELLO_ALPN_BYTES 256
#define CLIENTHELLO_SNI_BYTES  255

/* Names of the extension types that are looked into. IANA TLS ExtensionType Values. */
enum clienthello_extension {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_SUPPORTED_GROUPS = 10,
	EXTENSION_SIGNATURE_ALGORITHMS = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_SESSION_TICKET = 35,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_COOKIE = 44,
	EXTENSION_KEY_SHARE = 51,
};

/* One ALPN name: bytes of alpn_store. */
struct clienthello_name {
	uint16_t offset;
	uint16_t bytes;
};

/*
 * Lists keep the order of the message and hold GREASE values (RFC 8701) as they came; X_count of them are in the
 * array, X_total were there to be seen.
 */
struct clienthello {
	uint16_t legacy_version;
	uint16_t min_version; /* oldest version offered; 0: not known (no supported_versions) */
	uint16_t max_version; /* newest version offered, GREASE ignored; 0: not known (the bytes ended before) */
	uint16_t cipher_count, cipher_total;
	uint16_t version_count, version_total;
	uint16_t group_count, group_total;
	uint16_t signature_count, signature_total;
	uint16_t key_share_count, key_share_total;
	uint16_t extension_count, extension_total;
	uint16_t alpn_count, alpn_total;
	uint16_t ciphers[CLIENTHELLO_CIPHERS];
	uint16_t versions[CLIENTHELLO_VERSIONS];     /* supported_versions */
	uint16_t groups[CLIENTHELLO_GROUPS];         /* supported_groups */
	uint16_t signatures[CLIENTHELLO_SIGNATURES]; /* signature_algorithms */
	uint16_t key_shares[CLIENTHELLO_KEY_SHARES]; /* the groups a key share was sent for */
	uint16_t extensions[CLIENTHELLO_EXTENSIONS]; /* types, in order */
	struct clienthello_name alpn[CLIENTHELLO_ALPN];
	uint8_t alpn_store[CLIENTHELLO_ALPN_BYTES];
	uint8_t sni[CLIENTHELLO_SNI_BYTES];
	uint8_t sni_bytes;      /* of sni[] */
	bool sni_present;       /* a host name was there; it may be cut where truncated */
	bool alpn_present;      /* the extension was there */
	bool has_fallback_scsv; /* TLS_FALLBACK_SCSV, RFC 7507 */
	bool truncated;         /* the bytes end before the message does */
	bool malformed;         /* lengths do not fit, or an extension came twice */
};

/*
 * Parses the body of a ClientHello, after the 4-byte handshake header.
 *   bytes:      how many of body may be read
 *   true_bytes: how long the message was at its source; what is missing is not held against it
 * Returns 0 for a whole and sound message, -EMSGSIZE where it is cut and sound so far, -EBADMSG where it is
 * malformed. *hello is written in every case, with all that could be read.
 */
int clienthello_parse(struct clienthello *hello, const uint8_t *body, size_t bytes, size_t true_bytes);

/*
 * Overwrites with zeros, in place, what could be a secret or link a person: random, session id, and the bodies of
 * all extensions but a list of harmless ones (server name, versions, groups, signature algorithms, ALPN, ...). Of
 * key shares, cookies and pre-shared keys the structure stays: types, groups and lengths. Where the
 * structure is not understood, or a kept part is cut, it is blanked. A message that parses with 0 parses to the same
 * struct afterwards.
 */
void clienthello_blank(uint8_t *body, size_t bytes);

/* A value reserved by RFC 8701 so that peers tolerate unknown ones: 0x0a0a, 0x1a1a, ... 0xfafa. */
static inline bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

#endif
