/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of names. Invariant and limits: names.h. Library errors are in reasons.c, cipher suites in cipher_suites.c.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "handshake/names.h"
#include "handshake/cipher_suites.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct name {
	uint16_t number;
	const char *name;
};

static const struct name versions[] = {
	{ .number = 0x0002, .name = "SSLv2" },   { .number = 0x0300, .name = "SSLv3" },
	{ .number = 0x0301, .name = "TLSv1" },   { .number = 0x0302, .name = "TLSv1.1" },
	{ .number = 0x0303, .name = "TLSv1.2" }, { .number = 0x0304, .name = "TLSv1.3" },
};

/* RFC 8446 section 4.2.7 and IANA's list of supported groups; the older curves as RFC 8422 spells them. */
static const struct name groups[] = {
	{ .number = 1, .name = "sect163k1" },
	{ .number = 2, .name = "sect163r1" },
	{ .number = 3, .name = "sect163r2" },
	{ .number = 4, .name = "sect193r1" },
	{ .number = 5, .name = "sect193r2" },
	{ .number = 6, .name = "sect233k1" },
	{ .number = 7, .name = "sect233r1" },
	{ .number = 8, .name = "sect239k1" },
	{ .number = 9, .name = "sect283k1" },
	{ .number = 10, .name = "sect283r1" },
	{ .number = 11, .name = "sect409k1" },
	{ .number = 12, .name = "sect409r1" },
	{ .number = 13, .name = "sect571k1" },
	{ .number = 14, .name = "sect571r1" },
	{ .number = 15, .name = "secp160k1" },
	{ .number = 16, .name = "secp160r1" },
	{ .number = 17, .name = "secp160r2" },
	{ .number = 18, .name = "secp192k1" },
	{ .number = 19, .name = "secp192r1" },
	{ .number = 20, .name = "secp224k1" },
	{ .number = 21, .name = "secp224r1" },
	{ .number = 22, .name = "secp256k1" },
	{ .number = 23, .name = "secp256r1" },
	{ .number = 24, .name = "secp384r1" },
	{ .number = 25, .name = "secp521r1" },
	{ .number = 26, .name = "brainpoolP256r1" },
	{ .number = 27, .name = "brainpoolP384r1" },
	{ .number = 28, .name = "brainpoolP512r1" },
	{ .number = 29, .name = "x25519" },
	{ .number = 30, .name = "x448" },
	{ .number = 31, .name = "brainpoolP256r1tls13" },
	{ .number = 32, .name = "brainpoolP384r1tls13" },
	{ .number = 33, .name = "brainpoolP512r1tls13" },
	{ .number = 41, .name = "curveSM2" },
	{ .number = 256, .name = "ffdhe2048" },
	{ .number = 257, .name = "ffdhe3072" },
	{ .number = 258, .name = "ffdhe4096" },
	{ .number = 259, .name = "ffdhe6144" },
	{ .number = 260, .name = "ffdhe8192" },
	{ .number = 0x0200, .name = "MLKEM512" },
	{ .number = 0x0201, .name = "MLKEM768" },
	{ .number = 0x0202, .name = "MLKEM1024" },
	{ .number = 0x11eb, .name = "SecP256r1MLKEM768" },
	{ .number = 0x11ec, .name = "X25519MLKEM768" },
	{ .number = 0x11ed, .name = "SecP384r1MLKEM1024" },
	{ .number = 0x11ee, .name = "curveSM2MLKEM768" },
	{ .number = 0x6399, .name = "X25519Kyber768Draft00" },
	{ .number = 0x639a, .name = "SecP256r1Kyber768Draft00" },
};

static const struct name signatures[] = {
	{ .number = 0x0201, .name = "rsa_pkcs1_sha1" },
	{ .number = 0x0203, .name = "ecdsa_sha1" },
	{ .number = 0x0401, .name = "rsa_pkcs1_sha256" },
	{ .number = 0x0403, .name = "ecdsa_secp256r1_sha256" },
	{ .number = 0x0501, .name = "rsa_pkcs1_sha384" },
	{ .number = 0x0503, .name = "ecdsa_secp384r1_sha384" },
	{ .number = 0x0601, .name = "rsa_pkcs1_sha512" },
	{ .number = 0x0603, .name = "ecdsa_secp521r1_sha512" },
	{ .number = 0x0708, .name = "sm2sig_sm3" },
	{ .number = 0x0804, .name = "rsa_pss_rsae_sha256" },
	{ .number = 0x0805, .name = "rsa_pss_rsae_sha384" },
	{ .number = 0x0806, .name = "rsa_pss_rsae_sha512" },
	{ .number = 0x0807, .name = "ed25519" },
	{ .number = 0x0808, .name = "ed448" },
	{ .number = 0x0809, .name = "rsa_pss_pss_sha256" },
	{ .number = 0x080a, .name = "rsa_pss_pss_sha384" },
	{ .number = 0x080b, .name = "rsa_pss_pss_sha512" },
	{ .number = 0x081a, .name = "ecdsa_brainpoolP256r1tls13_sha256" },
	{ .number = 0x081b, .name = "ecdsa_brainpoolP384r1tls13_sha384" },
	{ .number = 0x081c, .name = "ecdsa_brainpoolP512r1tls13_sha512" },
	{ .number = 0x0904, .name = "mldsa44" },
	{ .number = 0x0905, .name = "mldsa65" },
	{ .number = 0x0906, .name = "mldsa87" },
};

static const char *const alerts[256] = {
	[0] = "close_notify",
	[10] = "unexpected_message",
	[20] = "bad_record_mac",
	[21] = "decryption_failed",
	[22] = "record_overflow",
	[30] = "decompression_failure",
	[40] = "handshake_failure",
	[41] = "no_certificate",
	[42] = "bad_certificate",
	[43] = "unsupported_certificate",
	[44] = "certificate_revoked",
	[45] = "certificate_expired",
	[46] = "certificate_unknown",
	[47] = "illegal_parameter",
	[48] = "unknown_ca",
	[49] = "access_denied",
	[50] = "decode_error",
	[51] = "decrypt_error",
	[60] = "export_restriction",
	[70] = "protocol_version",
	[71] = "insufficient_security",
	[80] = "internal_error",
	[86] = "inappropriate_fallback",
	[90] = "user_canceled",
	[100] = "no_renegotiation",
	[109] = "missing_extension",
	[110] = "unsupported_extension",
	[111] = "certificate_unobtainable",
	[112] = "unrecognized_name",
	[113] = "bad_certificate_status_response",
	[114] = "bad_certificate_hash_value",
	[115] = "unknown_psk_identity",
	[116] = "certificate_required",
	[120] = "no_application_protocol",
	[121] = "ech_required",
};

#define ERRNOS(X)                                                                                                   \
	X(EPERM)                                                                                                    \
	X(ENOENT) X(EINTR) X(EIO) X(EBADF) X(EAGAIN) X(ENOMEM) X(EACCES) X(EFAULT) X(EINVAL) X(ENFILE) X(EMFILE)    \
		X(ENOSPC) X(EPIPE) X(EPROTO) X(ENOTSOCK) X(ENETDOWN) X(ENETUNREACH) X(ENETRESET) X(ECONNABORTED)    \
			X(ECONNRESET) X(ENOBUFS) X(ENOTCONN) X(ESHUTDOWN) X(ETIMEDOUT) X(ECONNREFUSED) X(EHOSTDOWN) \
				X(EHOSTUNREACH) X(EADDRINUSE) X(EADDRNOTAVAIL) X(EINPROGRESS) X(EALREADY)           \
					X(EMSGSIZE)

static const struct name errnos[] = {
#define X(symbol) { .number = symbol, .name = #symbol },
	ERRNOS(X)
#undef X
};

/* As OpenSSL 3.0 says them. 0 to 23 and 25 to 75 never changed. */
static const char *const verify_texts[] = {
	[0] = "ok",
	[1] = "unspecified certificate verification error",
	[2] = "unable to get issuer certificate",
	[3] = "unable to get certificate CRL",
	[4] = "unable to decrypt certificate's signature",
	[5] = "unable to decrypt CRL's signature",
	[6] = "unable to decode issuer public key",
	[7] = "certificate signature failure",
	[8] = "CRL signature failure",
	[9] = "certificate is not yet valid",
	[10] = "certificate has expired",
	[11] = "CRL is not yet valid",
	[12] = "CRL has expired",
	[13] = "format error in certificate's notBefore field",
	[14] = "format error in certificate's notAfter field",
	[15] = "format error in CRL's lastUpdate field",
	[16] = "format error in CRL's nextUpdate field",
	[17] = "out of memory",
	[18] = "self-signed certificate",
	[19] = "self-signed certificate in certificate chain",
	[20] = "unable to get local issuer certificate",
	[21] = "unable to verify the first certificate",
	[22] = "certificate chain too long",
	[23] = "certificate revoked",
	[24] = "issuer certificate doesn't have a public key",
	[25] = "path length constraint exceeded",
	[26] = "unsuitable certificate purpose",
	[27] = "certificate not trusted",
	[28] = "certificate rejected",
	[29] = "subject issuer mismatch",
	[30] = "authority and subject key identifier mismatch",
	[31] = "authority and issuer serial number mismatch",
	[32] = "key usage does not include certificate signing",
	[33] = "unable to get CRL issuer certificate",
	[34] = "unhandled critical extension",
	[35] = "key usage does not include CRL signing",
	[36] = "unhandled critical CRL extension",
	[37] = "invalid non-CA certificate (has CA markings)",
	[38] = "proxy path length constraint exceeded",
	[39] = "key usage does not include digital signature",
	[40] = "proxy certificates not allowed, please set the appropriate flag",
	[41] = "invalid or inconsistent certificate extension",
	[42] = "invalid or inconsistent certificate policy extension",
	[43] = "no explicit policy",
	[44] = "different CRL scope",
	[45] = "unsupported extension feature",
	[46] = "RFC 3779 resource not subset of parent's resources",
	[47] = "permitted subtree violation",
	[48] = "excluded subtree violation",
	[49] = "name constraints minimum and maximum not supported",
	[50] = "application verification failure",
	[51] = "unsupported name constraint type",
	[52] = "unsupported or invalid name constraint syntax",
	[53] = "unsupported or invalid name syntax",
	[54] = "CRL path validation error",
	[55] = "path loop",
	[56] = "Suite B: certificate version invalid",
	[57] = "Suite B: invalid public key algorithm",
	[58] = "Suite B: invalid ECC curve",
	[59] = "Suite B: invalid signature algorithm",
	[60] = "Suite B: curve not allowed for this LOS",
	[61] = "Suite B: cannot sign P-384 with P-256",
	[62] = "hostname mismatch",
	[63] = "email address mismatch",
	[64] = "IP address mismatch",
	[65] = "no matching DANE TLSA records",
	[66] = "EE certificate key too weak",
	[67] = "CA certificate key too weak",
	[68] = "CA signature digest algorithm too weak",
	[69] = "invalid certificate verification context",
	[70] = "issuer certificate lookup error",
	[71] = "Certificate Transparency required, but no valid SCTs found",
	[72] = "proxy subject name violation",
	[73] = "OCSP verification needed",
	[74] = "OCSP verification failed",
	[75] = "OCSP unknown cert",
	[76] = "Cannot find certificate signature algorithm",
	[77] = "subject signature algorithm and issuer public key algorithm mismatch",
	[78] = "cert info signature and signature algorithm mismatch",
	[79] = "invalid CA certificate",
	[80] = "Path length invalid for non-CA cert",
	[81] = "Path length given without key usage keyCertSign",
	[82] = "Key usage keyCertSign invalid for non-CA cert",
	[83] = "Issuer name empty",
	[84] = "Subject name empty",
	[85] = "Missing Authority Key Identifier",
	[86] = "Missing Subject Key Identifier",
	[87] = "Empty Subject Alternative Name extension",
	[88] = "Subject empty and Subject Alt Name extension not critical",
	[89] = "Basic Constraints of CA cert not marked critical",
	[90] = "Authority Key Identifier marked critical",
	[91] = "Subject Key Identifier marked critical",
	[92] = "CA cert does not include key usage extension",
	[93] = "Using cert extension requires at least X509v3",
	[94] = "Certificate public key has explicit ECC parameters",
};

/* The numbers that OpenSSL 1.1.1, and BoringSSL with it, uses otherwise. */
static const struct name verify_texts_1_1_1[] = {
	{ .number = 24, .name = "invalid CA certificate" },
	{ .number = 76, .name = "subject signature algorithm and issuer public key algorithm mismatch" },
	{ .number = 77, .name = "issuer certificate doesn't have a public key" },
	{ .number = 78, .name = "cannot find certificate signature algorithm" },
	{ .number = 79, .name = "certificate public key has explicit ECC parameters" },
};

static const char *lookup(const struct name *names, size_t count, unsigned int number)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	return NULL;
}

static const char *numbered(const char *prefix, long number, char buffer[NAME_BYTES])
{
	snprintf(buffer, NAME_BYTES, "%s %ld", prefix, number);
	return buffer;
}

static const char *hexed(const char *name, uint16_t number, char buffer[NAME_BYTES])
{
	if (name)
		return name;
	snprintf(buffer, NAME_BYTES, "0x%04X", number);
	return buffer;
}

const char *version_name(uint16_t version, char buffer[NAME_BYTES])
{
	return hexed(version ? lookup(versions, LENGTH(versions), version) : "unknown", version, buffer);
}

const char *cipher_name(uint16_t cipher, char buffer[NAME_BYTES])
{
	return hexed(cipher ? cipher_suite_name(cipher) : "none", cipher, buffer);
}

/* Offered to see whether others bear what they do not know (RFC 8701): 0x0A0A, 0x1A1A and so on to 0xFAFA. */
static bool is_grease(uint16_t number)
{
	return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

const char *group_name(uint16_t group, char buffer[NAME_BYTES])
{
	if (group == 0)
		return "none";
	return hexed(is_grease(group) ? "GREASE" : lookup(groups, LENGTH(groups), group), group, buffer);
}

const char *signature_name(uint16_t scheme, char buffer[NAME_BYTES])
{
	if (scheme == 0)
		return "none";
	return hexed(is_grease(scheme) ? "GREASE" : lookup(signatures, LENGTH(signatures), scheme), scheme, buffer);
}

const char *alert_name(uint8_t alert, char buffer[NAME_BYTES])
{
	return alerts[alert] ? alerts[alert] : numbered("alert", alert, buffer);
}

const char *errno_name(int number, char buffer[NAME_BYTES])
{
	const char *name = number > 0 ? lookup(errnos, LENGTH(errnos), (unsigned int)number) : NULL;

	return name ? name : numbered("errno", number, buffer);
}

const char *verify_text(int32_t result, enum library_family family, char buffer[NAME_BYTES])
{
	const char *text = NULL;

	if (result >= 0 && (family == LIBRARY_OPENSSL_1_1_1 || family == LIBRARY_BORINGSSL))
		text = lookup(verify_texts_1_1_1, LENGTH(verify_texts_1_1_1), (unsigned int)result);
	if (!text && result >= 0 && (size_t)result < LENGTH(verify_texts))
		text = verify_texts[result];
	return text ? text : numbered("verify result", result, buffer);
}

const char *direction_name(unsigned int direction)
{
	static const char *const names[] = {
		[DIRECTION_UNKNOWN] = "unknown",
		[DIRECTION_CLIENT] = "client",
		[DIRECTION_UPSTREAM] = "upstream",
	};

	return direction < LENGTH(names) ? names[direction] : "unknown";
}

const char *outcome_name(unsigned int outcome)
{
	static const char *const names[] = {
		[OUTCOME_OK] = "ok",
		[OUTCOME_FAILED] = "failed",
		[OUTCOME_ABANDONED] = "abandoned",
		[OUTCOME_REJECTED] = "rejected",
	};

	return outcome < LENGTH(names) ? names[outcome] : "unknown";
}

const char *stage_text(unsigned int stage)
{
	static const char *const texts[] = {
		[STAGE_UNKNOWN] = "at an unknown moment",
		[STAGE_BEFORE_HELLO] = "before the peer's hello",
		[STAGE_HELLO] = "at the peer's hello",
		[STAGE_MID] = "after the hellos",
		[STAGE_CLIENT_FINISHED] = "after our last flight",
		[STAGE_DONE] = "after completion",
	};

	return texts[stage < sizeof(texts) / sizeof(texts[0]) ? stage : STAGE_UNKNOWN];
}
