/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of verify_causes.h, in OpenSSL 3's numbers. */
#include "handshake/verify_causes.h"

#define RESULT_UNSPECIFIED 1

/* X509_V_ERR_*: renumbered between 1.1.1 and 3.0 (24, 76 to 79); 0 to 23 and 25 to 75 never were. */
static __s32 verify_result_of_3(__s32 result, enum library_family family)
{
	if (family != LIBRARY_OPENSSL_1_1_1 && family != LIBRARY_BORINGSSL)
		return result;
	switch (result) {
	case 24:
		return 79; /* INVALID_CA */
	case 77:
		return 24; /* NO_ISSUER_PUBLIC_KEY */
	case 79:
		return 94; /* EC_KEY_EXPLICIT_PARAMS */
	case 66:
	case 67: /* BoringSSL: STORE_LOOKUP, NAME_CONSTRAINTS_WITHOUT_SANS */
		return family == LIBRARY_BORINGSSL ? RESULT_UNSPECIFIED : result;
	default:
		return result;
	}
}

enum cause verify_cause(__s32 result, enum library_family family)
{
	switch (verify_result_of_3(result, family)) {
	case 9:
		return CAUSE_PEER_CERTIFICATE_NOT_YET_VALID;
	case 10:
		return CAUSE_PEER_CERTIFICATE_EXPIRED;
	case 2:
	case 20:
	case 21:
	case 24:
	case 27:
	case 28:
		return CAUSE_PEER_CERTIFICATE_UNTRUSTED;
	case 18:
	case 19:
		return CAUSE_PEER_CERTIFICATE_SELF_SIGNED;
	case 3:
	case 11:
	case 12:
	case 23:
		return CAUSE_PEER_CERTIFICATE_REVOKED;
	case 26:
	case 79:
		return CAUSE_PEER_CERTIFICATE_WRONG_PURPOSE;
	case 62:
		return CAUSE_PEER_CERTIFICATE_WRONG_HOST;
	case 66:
	case 67:
	case 68:
		return CAUSE_PEER_CERTIFICATE_WEAK;
	default:
		return CAUSE_PEER_CERTIFICATE_INVALID;
	}
}
