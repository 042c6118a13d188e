/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a verdict's facts to a cause: the only place where causes are decided.
 *
 * Order: completed; refused after completion; nginx's own words; the peer's alert; our library's first error; how
 * the transport or nginx ended it. The more specific fact wins; where nothing fits, the answer is other_error
 * (there is a code) or unknown (there is nothing), never a guess.
 * Must not know: records, peers, times.
 */
#include "handshake/classify.h"

#include "handshake/alert.h"
#include "handshake/reason_causes.h"
#include "handshake/verify_causes.h"

#define REASON_ALERT_OFFSET   1000    /* SSL_AD_REASON_OFFSET */
#define OPENSSL_3_COMMON      0x80000 /* ERR_RFLAG_COMMON: reasons every library of OpenSSL 3 has */
#define OPENSSL_3_MALLOC      0x100
#define LIBRARY_NUMBER_SYSTEM 2
#define ERRNO_EPIPE           32
#define ERRNO_ECONNRESET      104

unsigned int error_library(__u32 code, enum library_family family)
{
	if (family == LIBRARY_OPENSSL_3)
		return code & 0x80000000u ? LIBRARY_NUMBER_SYSTEM : (code >> 23) & 0xff; /* ERR_SYSTEM_FLAG */
	return code >> 24;
}

unsigned int error_reason(__u32 code, enum library_family family)
{
	if (family == LIBRARY_OPENSSL_3)
		return code & 0x80000000u ? code & 0x7fffffffu : code & 0x7fffffu;
	return code & 0xfffu;
}

static bool has(const struct verdict *verdict, __u16 flag)
{
	return (verdict->flags & flag) != 0;
}

static bool upstream(const struct verdict *verdict)
{
	return verdict->direction == DIRECTION_UPSTREAM;
}

static bool family_known(unsigned int family)
{
	return family == LIBRARY_OPENSSL_1_1_1 || family == LIBRARY_OPENSSL_3 || family == LIBRARY_BORINGSSL;
}

/* By the moment: before the peer's hello, or after; unknown where the stage is. */
static enum cause by_stage(const struct verdict *verdict, enum cause before, enum cause mid)
{
	if (verdict->stage == STAGE_UNKNOWN || verdict->stage > STAGE_DONE)
		return CAUSE_UNKNOWN;
	return verdict->stage == STAGE_BEFORE_HELLO ? before : mid;
}

/* Our certificate was asked for and nginx had none to send. */
static bool answered_without_certificate(const struct verdict *verdict)
{
	return upstream(verdict) && has(verdict, VERDICT_CERTIFICATE_ASKED) &&
	       !has(verdict, VERDICT_OUR_CERTIFICATE_SENT) &&
	       (verdict->stage == STAGE_CLIENT_FINISHED || verdict->stage == STAGE_DONE);
}

static bool refused_without_sni(const struct verdict *verdict)
{
	return upstream(verdict) && !has(verdict, VERDICT_SNI_SET) && verdict->stage == STAGE_BEFORE_HELLO;
}

/* Alert 70: the peer did not like the versions. Ours are all that is known of an upstream. */
static enum cause alert_version_cause(const struct verdict *verdict)
{
	switch ((enum version_class)verdict->version_class) {
	case VERSION_CLASS_PEER_OLDER:
	case VERSION_CLASS_OUR_NEWEST:
		return CAUSE_PEER_VERSION_TOO_OLD;
	case VERSION_CLASS_PEER_NEWER:
	case VERSION_CLASS_OUR_OLDER:
		return CAUSE_PEER_VERSION_TOO_NEW;
	case VERSION_CLASS_UNKNOWN:
	case VERSION_CLASS_OVERLAP:
		break;
	}
	return CAUSE_OTHER_ALERT;
}

/* Alerts that mean the same wherever they occur. */
static enum cause plain_alert_cause(const struct verdict *verdict, unsigned int alert)
{
	switch (alert) {
	case ALERT_CLOSE_NOTIFY:
		return by_stage(verdict, CAUSE_PEER_CLOSED_BEFORE_HELLO, CAUSE_PEER_CLOSED_MID_HANDSHAKE);
	case ALERT_UNEXPECTED_MESSAGE:
		return CAUSE_UNEXPECTED_MESSAGE;
	case ALERT_BAD_RECORD_MAC:
	case ALERT_DECRYPTION_FAILED:
	case ALERT_DECRYPT_ERROR:
		return CAUSE_DECRYPT_ERROR;
	case ALERT_RECORD_OVERFLOW:
	case ALERT_ILLEGAL_PARAMETER:
	case ALERT_DECODE_ERROR:
	case ALERT_MISSING_EXTENSION:
	case ALERT_UNSUPPORTED_EXTENSION:
		return CAUSE_MALFORMED_MESSAGE;
	case ALERT_UNSUPPORTED_CERTIFICATE:
	case ALERT_CERTIFICATE_UNKNOWN:
		return CAUSE_OUR_CERTIFICATE_REFUSED;
	case ALERT_CERTIFICATE_REVOKED:
		return CAUSE_OUR_CERTIFICATE_REVOKED;
	case ALERT_CERTIFICATE_EXPIRED:
		return CAUSE_OUR_CERTIFICATE_EXPIRED;
	case ALERT_UNKNOWN_CA:
		return CAUSE_OUR_CERTIFICATE_UNKNOWN_CA;
	case ALERT_INAPPROPRIATE_FALLBACK:
		return CAUSE_INAPPROPRIATE_FALLBACK;
	case ALERT_UNKNOWN_PSK_IDENTITY:
		return CAUSE_SESSION_RESUMPTION_FAILED;
	case ALERT_NO_APPLICATION_PROTOCOL:
		return CAUSE_NO_APPLICATION_PROTOCOL;
	default:
		return CAUSE_OTHER_ALERT;
	}
}

static enum cause alert_cause(const struct verdict *verdict, unsigned int alert)
{
	switch (alert) {
	case ALERT_HANDSHAKE_FAILURE:
		if (answered_without_certificate(verdict))
			return CAUSE_CLIENT_CERTIFICATE_REQUIRED;
		return refused_without_sni(verdict) ? CAUSE_MISSING_SNI : CAUSE_HANDSHAKE_FAILURE;
	case ALERT_BAD_CERTIFICATE:
		return answered_without_certificate(verdict) ? CAUSE_CLIENT_CERTIFICATE_REQUIRED
							     : CAUSE_OUR_CERTIFICATE_REFUSED;
	case ALERT_CERTIFICATE_REQUIRED:
		return upstream(verdict) ? CAUSE_CLIENT_CERTIFICATE_REQUIRED : CAUSE_OTHER_ALERT;
	case ALERT_PROTOCOL_VERSION:
		return alert_version_cause(verdict);
	case ALERT_ACCESS_DENIED:
		return upstream(verdict) && has(verdict, VERDICT_OUR_CERTIFICATE_SENT) ? CAUSE_OUR_CERTIFICATE_REFUSED
										       : CAUSE_OTHER_ALERT;
	case ALERT_INTERNAL_ERROR:
		return refused_without_sni(verdict) ? CAUSE_MISSING_SNI : CAUSE_INTERNAL_ERROR;
	case ALERT_UNRECOGNIZED_NAME:
		return upstream(verdict) && !has(verdict, VERDICT_SNI_SET) ? CAUSE_MISSING_SNI
									   : CAUSE_UNRECOGNIZED_NAME;
	default:
		return plain_alert_cause(verdict, alert);
	}
}

/* Completed by OpenSSL, refused afterwards. */
static enum cause rejection_cause(const struct verdict *verdict)
{
	switch ((enum rejection)verdict->rejection) {
	case REJECTION_CLIENT_CERTIFICATE:
		if (!has(verdict, VERDICT_PEER_CERTIFICATE))
			return CAUSE_PEER_CERTIFICATE_MISSING;
		return verify_cause(verdict->verify_result, verdict->library);
	case REJECTION_OCSP:
		return CAUSE_OCSP_FAILED;
	case REJECTION_UPSTREAM_VERIFY:
		return verify_cause(verdict->verify_result, verdict->library);
	case REJECTION_UPSTREAM_NAME:
		return CAUSE_PEER_CERTIFICATE_WRONG_HOST;
	case REJECTION_UPSTREAM_ALERT:
		return alert_cause(verdict, verdict->alert_received);
	case REJECTION_NONE:
		break;
	}
	return CAUSE_UNKNOWN;
}

/*
 * Our library found no version in common. What the peer offered decides; then what the library says, if it says
 * which way; then that a server that answers can only have chosen one below ours.
 */
static enum cause version_cause(const struct verdict *verdict, enum cause said)
{
	if (verdict->version_class == VERSION_CLASS_PEER_NEWER)
		return CAUSE_PEER_VERSION_TOO_NEW;
	if (verdict->version_class != VERSION_CLASS_PEER_OLDER && said != CAUSE_OTHER_ERROR)
		return said;
	switch ((enum version_class)verdict->version_class) {
	case VERSION_CLASS_PEER_NEWER:
	case VERSION_CLASS_PEER_OLDER:
	case VERSION_CLASS_OVERLAP: /* allowed by protocols, refused by the security level */
	case VERSION_CLASS_OUR_NEWEST:
	case VERSION_CLASS_OUR_OLDER:
		return CAUSE_PEER_VERSION_TOO_OLD;
	case VERSION_CLASS_UNKNOWN:
		break;
	}
	return upstream(verdict) ? CAUSE_PEER_VERSION_TOO_OLD : CAUSE_OTHER_ERROR;
}

/* The record layer could not read the peer's first record: what is it? */
static enum cause record_cause(const struct verdict *verdict, enum cause otherwise)
{
	switch ((enum first_record)verdict->first_record) {
	case FIRST_RECORD_HTTP:
		return CAUSE_PLAIN_HTTP;
	case FIRST_RECORD_OTHER:
		return CAUSE_NOT_TLS;
	case FIRST_RECORD_UNKNOWN:
	case FIRST_RECORD_TLS:
		break;
	}
	return otherwise;
}

/* A record of no known version: after a hello, or where its header is that of TLS, it is broken TLS. */
static enum cause unreadable_record_cause(const struct verdict *verdict)
{
	if (verdict->stage != STAGE_BEFORE_HELLO || verdict->first_record == FIRST_RECORD_TLS)
		return CAUSE_MALFORMED_MESSAGE;
	return CAUSE_NOT_TLS;
}

/* ERR_R_* of OpenSSL 3, which carry a flag, and of 1.1.1 and BoringSSL, which are below 100; 65 is malloc. */
static enum cause common_reason_cause(unsigned int reason, enum library_family family)
{
	if (family == LIBRARY_OPENSSL_3) {
		if (!(reason & OPENSSL_3_COMMON))
			return CAUSE_OTHER_ERROR;
		return (reason & 0xffff) == OPENSSL_3_MALLOC ? CAUSE_RESOURCE_EXHAUSTED : CAUSE_INTERNAL_ERROR;
	}
	if (!family_known(family))
		return CAUSE_OTHER_ERROR;
	if (reason == 65)
		return CAUSE_RESOURCE_EXHAUSTED;
	return reason > 0 && reason < 100 ? CAUSE_INTERNAL_ERROR : CAUSE_OTHER_ERROR;
}

/* 294 had another meaning before 3.0. */
static enum cause eof_cause(const struct verdict *verdict)
{
	if (verdict->library == LIBRARY_OPENSSL_1_1_1)
		return CAUSE_OTHER_ERROR;
	return by_stage(verdict, CAUSE_PEER_CLOSED_BEFORE_HELLO, CAUSE_PEER_CLOSED_MID_HANDSHAKE);
}

static enum cause error_cause(const struct verdict *verdict)
{
	unsigned int reason = error_reason(verdict->error, verdict->library);

	if (!family_known(verdict->library)) /* the code cannot be unpacked */
		return has(verdict, VERDICT_ALERT_RECEIVED) ? alert_cause(verdict, verdict->alert_received)
							    : CAUSE_OTHER_ERROR;
	if (reason >= REASON_ALERT_OFFSET && reason < REASON_ALERT_OFFSET + 256)
		return alert_cause(verdict, reason - REASON_ALERT_OFFSET);
	if (verdict->library == LIBRARY_BORINGSSL) /* its other reasons are numbered its own way */
		return common_reason_cause(reason, verdict->library);
	switch (reason_rule(reason)) {
	case RULE_VERSION:
		return version_cause(verdict, reason_cause(reason));
	case RULE_RECORD_OR_NOT_TLS:
		return record_cause(verdict, unreadable_record_cause(verdict));
	case RULE_RECORD_OR_UNEXPECTED:
		return record_cause(verdict, CAUSE_UNEXPECTED_MESSAGE);
	case RULE_RECORD_OR_MALFORMED:
		return record_cause(verdict, CAUSE_MALFORMED_MESSAGE);
	case RULE_CALLBACK:
		return has(verdict, VERDICT_ALERT_SENT) && verdict->alert_sent == ALERT_UNRECOGNIZED_NAME
			       ? CAUSE_UNRECOGNIZED_NAME
			       : CAUSE_INTERNAL_ERROR;
	case RULE_VERIFY:
		return verify_cause(verdict->verify_result, verdict->library);
	case RULE_EOF:
		return eof_cause(verdict);
	case RULE_PLAIN:
		return reason_cause(reason);
	case RULE_NONE:
		break;
	}
	return common_reason_cause(reason, verdict->library);
}

/* Nothing was queued: the transport ended it, or nginx did. */
static enum cause ending_cause(const struct verdict *verdict)
{
	if (has(verdict, VERDICT_EOF))
		return by_stage(verdict, CAUSE_PEER_CLOSED_BEFORE_HELLO, CAUSE_PEER_CLOSED_MID_HANDSHAKE);
	if (verdict->error_errno == ERRNO_ECONNRESET)
		return CAUSE_PEER_RESET;
	if (verdict->error_errno == ERRNO_EPIPE)
		return by_stage(verdict, CAUSE_PEER_CLOSED_BEFORE_HELLO, CAUSE_PEER_CLOSED_MID_HANDSHAKE);
	if (verdict->error_errno != 0)
		return CAUSE_OTHER_ERROR;
	if (verdict->outcome == OUTCOME_FAILED)
		return has(verdict, VERDICT_SOCKET_RESET) ? CAUSE_PEER_RESET : CAUSE_UNKNOWN;
	if (verdict->outcome != OUTCOME_ABANDONED)
		return CAUSE_UNKNOWN;
	if (has(verdict, VERDICT_NGINX_FACTS) && has(verdict, VERDICT_TIMED_OUT))
		return by_stage(verdict, CAUSE_TIMEOUT_BEFORE_HELLO, CAUSE_TIMEOUT_MID_HANDSHAKE);
	if (has(verdict, VERDICT_SOCKET_RESET))
		return CAUSE_PEER_RESET;
	if (has(verdict, VERDICT_QUIC) && !has(verdict, VERDICT_QUIC_CLOSED)) /* it was closed before we came */
		return CAUSE_UNKNOWN;
	return has(verdict, VERDICT_NGINX_FACTS) ? CAUSE_ABORTED_BY_NGINX : CAUSE_UNKNOWN;
}

/* Several causes share alert 40: what a server of TLS 1.3 could not agree is what it had not agreed yet. */
static enum cause agreed_cause(const struct verdict *verdict)
{
	if (verdict->direction != DIRECTION_CLIENT || verdict->stage != STAGE_HELLO)
		return CAUSE_UNKNOWN;
	switch ((enum agreed)verdict->agreed) {
	case AGREED_NOTHING:
		return CAUSE_NO_SHARED_CIPHER;
	case AGREED_CIPHER:
		return CAUSE_NO_SHARED_GROUP;
	case AGREED_GROUP:
		return CAUSE_NO_SHARED_SIGNATURE_ALGORITHM;
	case AGREED_UNKNOWN:
		break;
	}
	return CAUSE_UNKNOWN;
}

/* The errors were queued before we came, or nginx threw them away; the alert we sent is still in the object. */
static enum cause sent_alert_cause(const struct verdict *verdict)
{
	switch (verdict->alert_sent) {
	case ALERT_HANDSHAKE_FAILURE:
		return agreed_cause(verdict);
	case ALERT_UNEXPECTED_MESSAGE:
		return CAUSE_UNEXPECTED_MESSAGE;
	case ALERT_BAD_RECORD_MAC:
	case ALERT_DECRYPT_ERROR:
		return CAUSE_DECRYPT_ERROR;
	case ALERT_ILLEGAL_PARAMETER:
	case ALERT_DECODE_ERROR:
	case ALERT_MISSING_EXTENSION:
		return CAUSE_MALFORMED_MESSAGE;
	case ALERT_PROTOCOL_VERSION:
		return version_cause(verdict, CAUSE_OTHER_ERROR);
	case ALERT_INTERNAL_ERROR:
		return CAUSE_INTERNAL_ERROR;
	case ALERT_INAPPROPRIATE_FALLBACK:
		return CAUSE_INAPPROPRIATE_FALLBACK;
	case ALERT_UNRECOGNIZED_NAME:
		return CAUSE_UNRECOGNIZED_NAME;
	case ALERT_NO_APPLICATION_PROTOCOL:
		return CAUSE_NO_APPLICATION_PROTOCOL;
	default:
		return CAUSE_UNKNOWN;
	}
}

static enum cause other_library_cause(const struct verdict *verdict)
{
	unsigned int reason = error_reason(verdict->other_error, verdict->library);
	enum cause cause = common_reason_cause(reason, verdict->library);

	/* Over QUIC the library's own error may be missing behind those that nginx tells in its certificate callback.
	 */
	if (has(verdict, VERDICT_QUIC) && has(verdict, VERDICT_ALERT_SENT) &&
	    verdict->alert_sent == ALERT_INTERNAL_ERROR && cause != CAUSE_RESOURCE_EXHAUSTED)
		return CAUSE_LOCAL_CERTIFICATE_PROBLEM;
	if (error_library(verdict->other_error, verdict->library) ==
	    LIBRARY_NUMBER_SYSTEM) /* the reason is an errno */
		return CAUSE_OTHER_ERROR;
	return cause == CAUSE_RESOURCE_EXHAUSTED ? cause : CAUSE_OTHER_ERROR;
}

enum cause classify(const struct verdict *verdict)
{
	if (verdict->outcome == OUTCOME_OK)
		return CAUSE_OK;
	if (verdict->outcome == OUTCOME_REJECTED)
		return rejection_cause(verdict);
	if (has(verdict, VERDICT_BEFORE_LIBRARY))
		return record_cause(verdict, ending_cause(verdict));
	if (has(verdict, VERDICT_HANDSHAKE_REJECTED))
		return CAUSE_UNRECOGNIZED_NAME;
	if (verdict->error != 0)
		return error_cause(verdict);
	if (has(verdict, VERDICT_ALERT_RECEIVED))
		return alert_cause(verdict, verdict->alert_received);
	if (verdict->other_error != 0)
		return other_library_cause(verdict);
	if (verdict->outcome == OUTCOME_FAILED && has(verdict, VERDICT_ALERT_SENT))
		return sent_alert_cause(verdict);
	return ending_cause(verdict);
}
