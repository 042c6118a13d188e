/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a certificate's verification result (X509_V_ERR_*) means as a cause, in the numbers of each library.
 *
 * Numbers: x509_vfy.h of 1.1.1 to 4.0, x509.h of BoringSSL. Must not know: verdicts.
 */
#ifndef TLSWHY_HANDSHAKE_VERIFY_CAUSES_H
#define TLSWHY_HANDSHAKE_VERIFY_CAUSES_H

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"

/* A verification is known to have failed, with this result; one that is not in the list is peer_certificate_invalid.
 */
enum cause verify_cause(__s32 result, enum library_family family);

#endif
