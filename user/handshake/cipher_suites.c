/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cipher suites of OpenSSL 1.1.1 to 4.0, as `openssl ciphers -V` lists them. Contract: cipher_suites.h.
 *
 * Invariant: ordered by number, for they are looked up once a record. A suite whose server shows no certificate (PSK,
 * SRP, anonymous) proves no key; in RSA-PSK and SRP-RSA it shows one.
 */
#include "handshake/cipher_suites.h"

#include <stddef.h>
#include <stdlib.h>

/* X(number, authentication, name) */
#define CIPHER_SUITES(X)                                       \
	X(0x0001, RSA, "NULL-MD5")                             \
	X(0x0002, RSA, "NULL-SHA")                             \
	X(0x0004, RSA, "RC4-MD5")                              \
	X(0x0005, RSA, "RC4-SHA")                              \
	X(0x0007, RSA, "IDEA-CBC-SHA")                         \
	X(0x000a, RSA, "DES-CBC3-SHA")                         \
	X(0x0013, OTHER, "DHE-DSS-DES-CBC3-SHA")               \
	X(0x0016, RSA, "DHE-RSA-DES-CBC3-SHA")                 \
	X(0x0018, NONE, "ADH-RC4-MD5")                         \
	X(0x001b, NONE, "ADH-DES-CBC3-SHA")                    \
	X(0x002c, NONE, "PSK-NULL-SHA")                        \
	X(0x002d, NONE, "DHE-PSK-NULL-SHA")                    \
	X(0x002e, RSA, "RSA-PSK-NULL-SHA")                     \
	X(0x002f, RSA, "AES128-SHA")                           \
	X(0x0032, OTHER, "DHE-DSS-AES128-SHA")                 \
	X(0x0033, RSA, "DHE-RSA-AES128-SHA")                   \
	X(0x0034, NONE, "ADH-AES128-SHA")                      \
	X(0x0035, RSA, "AES256-SHA")                           \
	X(0x0038, OTHER, "DHE-DSS-AES256-SHA")                 \
	X(0x0039, RSA, "DHE-RSA-AES256-SHA")                   \
	X(0x003a, NONE, "ADH-AES256-SHA")                      \
	X(0x003b, RSA, "NULL-SHA256")                          \
	X(0x003c, RSA, "AES128-SHA256")                        \
	X(0x003d, RSA, "AES256-SHA256")                        \
	X(0x0040, OTHER, "DHE-DSS-AES128-SHA256")              \
	X(0x0041, RSA, "CAMELLIA128-SHA")                      \
	X(0x0044, OTHER, "DHE-DSS-CAMELLIA128-SHA")            \
	X(0x0045, RSA, "DHE-RSA-CAMELLIA128-SHA")              \
	X(0x0046, NONE, "ADH-CAMELLIA128-SHA")                 \
	X(0x0067, RSA, "DHE-RSA-AES128-SHA256")                \
	X(0x006a, OTHER, "DHE-DSS-AES256-SHA256")              \
	X(0x006b, RSA, "DHE-RSA-AES256-SHA256")                \
	X(0x006c, NONE, "ADH-AES128-SHA256")                   \
	X(0x006d, NONE, "ADH-AES256-SHA256")                   \
	X(0x0081, OTHER, "GOST2001-GOST89-GOST89")             \
	X(0x0083, OTHER, "GOST2001-NULL-GOST94")               \
	X(0x0084, RSA, "CAMELLIA256-SHA")                      \
	X(0x0087, OTHER, "DHE-DSS-CAMELLIA256-SHA")            \
	X(0x0088, RSA, "DHE-RSA-CAMELLIA256-SHA")              \
	X(0x0089, NONE, "ADH-CAMELLIA256-SHA")                 \
	X(0x008a, NONE, "PSK-RC4-SHA")                         \
	X(0x008b, NONE, "PSK-3DES-EDE-CBC-SHA")                \
	X(0x008c, NONE, "PSK-AES128-CBC-SHA")                  \
	X(0x008d, NONE, "PSK-AES256-CBC-SHA")                  \
	X(0x008e, NONE, "DHE-PSK-RC4-SHA")                     \
	X(0x008f, NONE, "DHE-PSK-3DES-EDE-CBC-SHA")            \
	X(0x0090, NONE, "DHE-PSK-AES128-CBC-SHA")              \
	X(0x0091, NONE, "DHE-PSK-AES256-CBC-SHA")              \
	X(0x0092, RSA, "RSA-PSK-RC4-SHA")                      \
	X(0x0093, RSA, "RSA-PSK-3DES-EDE-CBC-SHA")             \
	X(0x0094, RSA, "RSA-PSK-AES128-CBC-SHA")               \
	X(0x0095, RSA, "RSA-PSK-AES256-CBC-SHA")               \
	X(0x0096, RSA, "SEED-SHA")                             \
	X(0x0099, OTHER, "DHE-DSS-SEED-SHA")                   \
	X(0x009a, RSA, "DHE-RSA-SEED-SHA")                     \
	X(0x009b, NONE, "ADH-SEED-SHA")                        \
	X(0x009c, RSA, "AES128-GCM-SHA256")                    \
	X(0x009d, RSA, "AES256-GCM-SHA384")                    \
	X(0x009e, RSA, "DHE-RSA-AES128-GCM-SHA256")            \
	X(0x009f, RSA, "DHE-RSA-AES256-GCM-SHA384")            \
	X(0x00a2, OTHER, "DHE-DSS-AES128-GCM-SHA256")          \
	X(0x00a3, OTHER, "DHE-DSS-AES256-GCM-SHA384")          \
	X(0x00a6, NONE, "ADH-AES128-GCM-SHA256")               \
	X(0x00a7, NONE, "ADH-AES256-GCM-SHA384")               \
	X(0x00a8, NONE, "PSK-AES128-GCM-SHA256")               \
	X(0x00a9, NONE, "PSK-AES256-GCM-SHA384")               \
	X(0x00aa, NONE, "DHE-PSK-AES128-GCM-SHA256")           \
	X(0x00ab, NONE, "DHE-PSK-AES256-GCM-SHA384")           \
	X(0x00ac, RSA, "RSA-PSK-AES128-GCM-SHA256")            \
	X(0x00ad, RSA, "RSA-PSK-AES256-GCM-SHA384")            \
	X(0x00ae, NONE, "PSK-AES128-CBC-SHA256")               \
	X(0x00af, NONE, "PSK-AES256-CBC-SHA384")               \
	X(0x00b0, NONE, "PSK-NULL-SHA256")                     \
	X(0x00b1, NONE, "PSK-NULL-SHA384")                     \
	X(0x00b2, NONE, "DHE-PSK-AES128-CBC-SHA256")           \
	X(0x00b3, NONE, "DHE-PSK-AES256-CBC-SHA384")           \
	X(0x00b4, NONE, "DHE-PSK-NULL-SHA256")                 \
	X(0x00b5, NONE, "DHE-PSK-NULL-SHA384")                 \
	X(0x00b6, RSA, "RSA-PSK-AES128-CBC-SHA256")            \
	X(0x00b7, RSA, "RSA-PSK-AES256-CBC-SHA384")            \
	X(0x00b8, RSA, "RSA-PSK-NULL-SHA256")                  \
	X(0x00b9, RSA, "RSA-PSK-NULL-SHA384")                  \
	X(0x00ba, RSA, "CAMELLIA128-SHA256")                   \
	X(0x00bd, OTHER, "DHE-DSS-CAMELLIA128-SHA256")         \
	X(0x00be, RSA, "DHE-RSA-CAMELLIA128-SHA256")           \
	X(0x00bf, NONE, "ADH-CAMELLIA128-SHA256")              \
	X(0x00c0, RSA, "CAMELLIA256-SHA256")                   \
	X(0x00c3, OTHER, "DHE-DSS-CAMELLIA256-SHA256")         \
	X(0x00c4, RSA, "DHE-RSA-CAMELLIA256-SHA256")           \
	X(0x00c5, NONE, "ADH-CAMELLIA256-SHA256")              \
	X(0x1301, UNKNOWN, "TLS_AES_128_GCM_SHA256")           \
	X(0x1302, UNKNOWN, "TLS_AES_256_GCM_SHA384")           \
	X(0x1303, UNKNOWN, "TLS_CHACHA20_POLY1305_SHA256")     \
	X(0x1304, UNKNOWN, "TLS_AES_128_CCM_SHA256")           \
	X(0x1305, UNKNOWN, "TLS_AES_128_CCM_8_SHA256")         \
	X(0xc006, ECDSA, "ECDHE-ECDSA-NULL-SHA")               \
	X(0xc007, ECDSA, "ECDHE-ECDSA-RC4-SHA")                \
	X(0xc008, ECDSA, "ECDHE-ECDSA-DES-CBC3-SHA")           \
	X(0xc009, ECDSA, "ECDHE-ECDSA-AES128-SHA")             \
	X(0xc00a, ECDSA, "ECDHE-ECDSA-AES256-SHA")             \
	X(0xc010, RSA, "ECDHE-RSA-NULL-SHA")                   \
	X(0xc011, RSA, "ECDHE-RSA-RC4-SHA")                    \
	X(0xc012, RSA, "ECDHE-RSA-DES-CBC3-SHA")               \
	X(0xc013, RSA, "ECDHE-RSA-AES128-SHA")                 \
	X(0xc014, RSA, "ECDHE-RSA-AES256-SHA")                 \
	X(0xc015, NONE, "AECDH-NULL-SHA")                      \
	X(0xc016, NONE, "AECDH-RC4-SHA")                       \
	X(0xc017, NONE, "AECDH-DES-CBC3-SHA")                  \
	X(0xc018, NONE, "AECDH-AES128-SHA")                    \
	X(0xc019, NONE, "AECDH-AES256-SHA")                    \
	X(0xc01a, NONE, "SRP-3DES-EDE-CBC-SHA")                \
	X(0xc01b, RSA, "SRP-RSA-3DES-EDE-CBC-SHA")             \
	X(0xc01c, OTHER, "SRP-DSS-3DES-EDE-CBC-SHA")           \
	X(0xc01d, NONE, "SRP-AES-128-CBC-SHA")                 \
	X(0xc01e, RSA, "SRP-RSA-AES-128-CBC-SHA")              \
	X(0xc01f, OTHER, "SRP-DSS-AES-128-CBC-SHA")            \
	X(0xc020, NONE, "SRP-AES-256-CBC-SHA")                 \
	X(0xc021, RSA, "SRP-RSA-AES-256-CBC-SHA")              \
	X(0xc022, OTHER, "SRP-DSS-AES-256-CBC-SHA")            \
	X(0xc023, ECDSA, "ECDHE-ECDSA-AES128-SHA256")          \
	X(0xc024, ECDSA, "ECDHE-ECDSA-AES256-SHA384")          \
	X(0xc027, RSA, "ECDHE-RSA-AES128-SHA256")              \
	X(0xc028, RSA, "ECDHE-RSA-AES256-SHA384")              \
	X(0xc02b, ECDSA, "ECDHE-ECDSA-AES128-GCM-SHA256")      \
	X(0xc02c, ECDSA, "ECDHE-ECDSA-AES256-GCM-SHA384")      \
	X(0xc02f, RSA, "ECDHE-RSA-AES128-GCM-SHA256")          \
	X(0xc030, RSA, "ECDHE-RSA-AES256-GCM-SHA384")          \
	X(0xc033, NONE, "ECDHE-PSK-RC4-SHA")                   \
	X(0xc034, NONE, "ECDHE-PSK-3DES-EDE-CBC-SHA")          \
	X(0xc035, NONE, "ECDHE-PSK-AES128-CBC-SHA")            \
	X(0xc036, NONE, "ECDHE-PSK-AES256-CBC-SHA")            \
	X(0xc037, NONE, "ECDHE-PSK-AES128-CBC-SHA256")         \
	X(0xc038, NONE, "ECDHE-PSK-AES256-CBC-SHA384")         \
	X(0xc039, NONE, "ECDHE-PSK-NULL-SHA")                  \
	X(0xc03a, NONE, "ECDHE-PSK-NULL-SHA256")               \
	X(0xc03b, NONE, "ECDHE-PSK-NULL-SHA384")               \
	X(0xc050, RSA, "ARIA128-GCM-SHA256")                   \
	X(0xc051, RSA, "ARIA256-GCM-SHA384")                   \
	X(0xc052, RSA, "DHE-RSA-ARIA128-GCM-SHA256")           \
	X(0xc053, RSA, "DHE-RSA-ARIA256-GCM-SHA384")           \
	X(0xc056, OTHER, "DHE-DSS-ARIA128-GCM-SHA256")         \
	X(0xc057, OTHER, "DHE-DSS-ARIA256-GCM-SHA384")         \
	X(0xc05c, ECDSA, "ECDHE-ECDSA-ARIA128-GCM-SHA256")     \
	X(0xc05d, ECDSA, "ECDHE-ECDSA-ARIA256-GCM-SHA384")     \
	X(0xc060, RSA, "ECDHE-ARIA128-GCM-SHA256")             \
	X(0xc061, RSA, "ECDHE-ARIA256-GCM-SHA384")             \
	X(0xc06a, NONE, "PSK-ARIA128-GCM-SHA256")              \
	X(0xc06b, NONE, "PSK-ARIA256-GCM-SHA384")              \
	X(0xc06c, NONE, "DHE-PSK-ARIA128-GCM-SHA256")          \
	X(0xc06d, NONE, "DHE-PSK-ARIA256-GCM-SHA384")          \
	X(0xc06e, RSA, "RSA-PSK-ARIA128-GCM-SHA256")           \
	X(0xc06f, RSA, "RSA-PSK-ARIA256-GCM-SHA384")           \
	X(0xc072, ECDSA, "ECDHE-ECDSA-CAMELLIA128-SHA256")     \
	X(0xc073, ECDSA, "ECDHE-ECDSA-CAMELLIA256-SHA384")     \
	X(0xc076, RSA, "ECDHE-RSA-CAMELLIA128-SHA256")         \
	X(0xc077, RSA, "ECDHE-RSA-CAMELLIA256-SHA384")         \
	X(0xc094, NONE, "PSK-CAMELLIA128-SHA256")              \
	X(0xc095, NONE, "PSK-CAMELLIA256-SHA384")              \
	X(0xc096, NONE, "DHE-PSK-CAMELLIA128-SHA256")          \
	X(0xc097, NONE, "DHE-PSK-CAMELLIA256-SHA384")          \
	X(0xc098, RSA, "RSA-PSK-CAMELLIA128-SHA256")           \
	X(0xc099, RSA, "RSA-PSK-CAMELLIA256-SHA384")           \
	X(0xc09a, NONE, "ECDHE-PSK-CAMELLIA128-SHA256")        \
	X(0xc09b, NONE, "ECDHE-PSK-CAMELLIA256-SHA384")        \
	X(0xc09c, RSA, "AES128-CCM")                           \
	X(0xc09d, RSA, "AES256-CCM")                           \
	X(0xc09e, RSA, "DHE-RSA-AES128-CCM")                   \
	X(0xc09f, RSA, "DHE-RSA-AES256-CCM")                   \
	X(0xc0a0, RSA, "AES128-CCM8")                          \
	X(0xc0a1, RSA, "AES256-CCM8")                          \
	X(0xc0a2, RSA, "DHE-RSA-AES128-CCM8")                  \
	X(0xc0a3, RSA, "DHE-RSA-AES256-CCM8")                  \
	X(0xc0a4, NONE, "PSK-AES128-CCM")                      \
	X(0xc0a5, NONE, "PSK-AES256-CCM")                      \
	X(0xc0a6, NONE, "DHE-PSK-AES128-CCM")                  \
	X(0xc0a7, NONE, "DHE-PSK-AES256-CCM")                  \
	X(0xc0a8, NONE, "PSK-AES128-CCM8")                     \
	X(0xc0a9, NONE, "PSK-AES256-CCM8")                     \
	X(0xc0aa, NONE, "DHE-PSK-AES128-CCM8")                 \
	X(0xc0ab, NONE, "DHE-PSK-AES256-CCM8")                 \
	X(0xc0ac, ECDSA, "ECDHE-ECDSA-AES128-CCM")             \
	X(0xc0ad, ECDSA, "ECDHE-ECDSA-AES256-CCM")             \
	X(0xc0ae, ECDSA, "ECDHE-ECDSA-AES128-CCM8")            \
	X(0xc0af, ECDSA, "ECDHE-ECDSA-AES256-CCM8")            \
	X(0xc100, OTHER, "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC") \
	X(0xc101, OTHER, "GOST2012-MAGMA-MAGMAOMAC")           \
	X(0xc102, OTHER, "IANA-GOST2012-GOST8912-GOST8912")    \
	X(0xcca8, RSA, "ECDHE-RSA-CHACHA20-POLY1305")          \
	X(0xcca9, ECDSA, "ECDHE-ECDSA-CHACHA20-POLY1305")      \
	X(0xccaa, RSA, "DHE-RSA-CHACHA20-POLY1305")            \
	X(0xccab, NONE, "PSK-CHACHA20-POLY1305")               \
	X(0xccac, NONE, "ECDHE-PSK-CHACHA20-POLY1305")         \
	X(0xccad, NONE, "DHE-PSK-CHACHA20-POLY1305")           \
	X(0xccae, RSA, "RSA-PSK-CHACHA20-POLY1305")            \
	X(0xff85, OTHER, "GOST2012-GOST8912-GOST8912")         \
	X(0xff87, OTHER, "GOST2012-NULL-GOST12")

struct cipher_suite {
	uint16_t number;
	enum authentication authentication;
	const char *name;
};

static const struct cipher_suite suites[] = {
#define X(number_, authentication_, name_) \
	{ .number = (number_), .authentication = AUTHENTICATION_##authentication_, .name = (name_) },
	CIPHER_SUITES(X)
#undef X
};

static int suite_compare(const void *key, const void *row)
{
	return (int)*(const uint16_t *)key - (int)((const struct cipher_suite *)row)->number;
}

static const struct cipher_suite *suite_of(uint16_t number)
{
	return bsearch(&number, suites, sizeof(suites) / sizeof(suites[0]), sizeof(suites[0]), suite_compare);
}

const char *cipher_suite_name(uint16_t suite)
{
	const struct cipher_suite *row = suite_of(suite);

	return row ? row->name : NULL;
}

enum authentication cipher_suite_authentication(uint16_t suite)
{
	const struct cipher_suite *row = suite_of(suite);

	return row ? row->authentication : AUTHENTICATION_UNKNOWN;
}
