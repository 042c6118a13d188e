/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL's reasons (SSL_R_*) and what each means as a cause: one list.
 *
 * The numbers are stable from 1.1.1 to 4.0 but for those that say so (sslerr.h of each version compared). A reason
 * that is not here is other_error, with its code and text. Must not know: verdicts.
 */
#ifndef TLSWHY_HANDSHAKE_REASON_CAUSES_H
#define TLSWHY_HANDSHAKE_REASON_CAUSES_H

#include "handshake/cause.h"

/* What decides, where the reason alone does not. */
enum reason_rule_kind {
	RULE_NONE,    /* not in the list */
	RULE_PLAIN,   /* reason_cause() */
	RULE_VERSION, /* what the peer offered, then reason_cause() */
	RULE_RECORD_OR_NOT_TLS,
	RULE_RECORD_OR_UNEXPECTED,
	RULE_RECORD_OR_MALFORMED,
	RULE_CALLBACK,
	RULE_VERIFY,
	RULE_EOF,
};

enum reason_rule_kind reason_rule(unsigned int reason);
/* Meant where the rule is RULE_PLAIN or RULE_VERSION, where it may be left open; CAUSE_OTHER_ERROR elsewhere. */
enum cause reason_cause(unsigned int reason);

#endif
