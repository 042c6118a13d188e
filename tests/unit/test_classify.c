/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From facts, as nginx and OpenSSL produce them, to causes: each cause on each side that can have it, and what
 * separates neighbours. Errors are packed as the library packs them.
 */
#include <check.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"
#include "handshake/classify.h"

#define LENGTH(array)        ((int)(sizeof(array) / sizeof((array)[0])))
#define ERROR_3(reason)      (0x0A000000u | (reason))
#define ERROR_1_1_1(reason)  (0x1417A000u | (reason)) /* in tls_post_process_client_hello */
#define ERROR_BORING(reason) (0x10000000u | (reason))
#define EITHER               DIRECTION_UNKNOWN /* in a row: both directions are tried */
#define EPIPE_               32
#define ETIMEDOUT_           110
#define ECONNRESET_          104

/* The flags and stages that occur together. */
#define ASKED        VERDICT_CERTIFICATE_ASKED
#define PEER         VERDICT_PEER_CERTIFICATE
#define SNI          VERDICT_SNI_SET
#define OURS         VERDICT_OUR_CERTIFICATE_SENT
#define FACTS        VERDICT_NGINX_FACTS
#define RESET        VERDICT_SOCKET_RESET
#define QUIC         (VERDICT_NGINX_FACTS | VERDICT_QUIC | VERDICT_QUIC_CLOSED)
#define BEFORE       .stage = STAGE_BEFORE_HELLO
#define HELLO        .stage = STAGE_HELLO
#define MID          .stage = STAGE_MID
#define FINISHED     .stage = STAGE_CLIENT_FINISHED
#define DONE         .stage = STAGE_DONE
#define VERSIONS(is) .version_class = VERSION_CLASS_##is
#define RECORD(is)   .first_record = FIRST_RECORD_##is
#define AGREED(on)   .agreed = AGREED_##on
#define SENT(alert)  .alert_sent = (alert)
#define RECEIVED     VERDICT_ALERT_RECEIVED

Suite *suite_classify(void);

struct row {
	enum direction direction;
	enum cause cause;
	struct verdict facts;
};

#define ROW(side, symbol, ...)                                                         \
	{                                                                              \
		.direction = (side), .cause = CAUSE_##symbol, .facts = { __VA_ARGS__ } \
	}
/* SSL_do_handshake failed in OpenSSL 3, with this reason. */
#define FAIL(side, symbol, reason, ...)                                                                      \
	ROW(side, symbol, .outcome = OUTCOME_FAILED, .library = LIBRARY_OPENSSL_3, .error = ERROR_3(reason), \
	    __VA_ARGS__)
/* The same in 1.1.1. */
#define FAIL_1_1_1(side, symbol, reason, ...)                                                                        \
	ROW(side, symbol, .outcome = OUTCOME_FAILED, .library = LIBRARY_OPENSSL_1_1_1, .error = ERROR_1_1_1(reason), \
	    __VA_ARGS__)
/* The peer's alert: the reason, and the byte in the object. */
#define ALERT(side, symbol, alert, flags_, ...) \
	FAIL(side, symbol, 1000 + (alert), .alert_received = (alert), .flags = (flags_) | RECEIVED, __VA_ARGS__)
/* Failed with an empty error queue. */
#define QUIET(side, symbol, ...) \
	ROW(side, symbol, .outcome = OUTCOME_FAILED, .library = LIBRARY_OPENSSL_3, __VA_ARGS__)
#define ABANDON(side, symbol, ...) \
	ROW(side, symbol, .outcome = OUTCOME_ABANDONED, .library = LIBRARY_OPENSSL_3, __VA_ARGS__)
#define REJECT(side, symbol, by, ...)                                                                     \
	ROW(side, symbol, .outcome = OUTCOME_REJECTED, .library = LIBRARY_OPENSSL_3, .stage = STAGE_DONE, \
	    .rejection = REJECTION_##by, __VA_ARGS__)
#define CLIENT   DIRECTION_CLIENT
#define UPSTREAM DIRECTION_UPSTREAM

static const struct row rows[] = {
	/* completed; with proxy_ssl_verify off a verification result is there and means nothing */
	ROW(EITHER, OK, .outcome = OUTCOME_OK, .library = LIBRARY_OPENSSL_3, DONE),
	ROW(UPSTREAM, OK, .outcome = OUTCOME_OK, .library = LIBRARY_OPENSSL_3, DONE, .verify_result = 18,
	    .flags = PEER),
	ROW(EITHER, OK, .outcome = OUTCOME_OK, .error = ERROR_3(193), .other_error = 0x0300009C, DONE),
	/* versions */
	FAIL(EITHER, PEER_VERSION_TOO_OLD, 258, HELLO, VERSIONS(PEER_OLDER), SENT(70), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, PEER_VERSION_TOO_NEW, 258, HELLO, VERSIONS(PEER_NEWER), SENT(70), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, PEER_VERSION_TOO_OLD, 258, HELLO, VERSIONS(OVERLAP)), /* the security level */
	FAIL(CLIENT, OTHER_ERROR, 258, HELLO),
	FAIL(UPSTREAM, PEER_VERSION_TOO_OLD, 258, HELLO),
	FAIL(UPSTREAM, PEER_VERSION_TOO_OLD, 258, HELLO, VERSIONS(OUR_NEWEST)),
	FAIL(EITHER, PEER_VERSION_TOO_OLD, 266, HELLO, VERSIONS(PEER_OLDER)),
	FAIL(EITHER, PEER_VERSION_TOO_NEW, 266, HELLO, VERSIONS(PEER_NEWER)),
	FAIL(EITHER, PEER_VERSION_TOO_OLD, 396, HELLO, VERSIONS(PEER_OLDER)),
	FAIL(EITHER, PEER_VERSION_TOO_OLD, 396, HELLO),
	FAIL(EITHER, PEER_VERSION_TOO_NEW, 396, HELLO, VERSIONS(PEER_NEWER)),
	FAIL(EITHER, PEER_VERSION_TOO_NEW, 166, HELLO, VERSIONS(PEER_NEWER)),
	FAIL(EITHER, PEER_VERSION_TOO_NEW, 166, HELLO),
	FAIL(UPSTREAM, PEER_VERSION_TOO_NEW, 166, HELLO, VERSIONS(OUR_OLDER)),
	FAIL(EITHER, PEER_VERSION_TOO_OLD, 166, HELLO, VERSIONS(PEER_OLDER)),
	FAIL_1_1_1(EITHER, PEER_VERSION_TOO_OLD, 258, HELLO, VERSIONS(PEER_OLDER)),
	ALERT(UPSTREAM, PEER_VERSION_TOO_OLD, 70, SNI, BEFORE, VERSIONS(OUR_NEWEST)),
	ALERT(UPSTREAM, PEER_VERSION_TOO_NEW, 70, SNI, BEFORE, VERSIONS(OUR_OLDER)),
	ALERT(UPSTREAM, PEER_VERSION_TOO_OLD, 70, 0, BEFORE, VERSIONS(OUR_NEWEST)),
	ALERT(EITHER, PEER_VERSION_TOO_OLD, 70, 0, MID, VERSIONS(PEER_OLDER)),
	ALERT(EITHER, PEER_VERSION_TOO_NEW, 70, 0, MID, VERSIONS(PEER_NEWER)),
	ALERT(CLIENT, OTHER_ALERT, 70, SNI, MID, VERSIONS(OVERLAP)),
	ALERT(EITHER, OTHER_ALERT, 70, SNI, MID),
	/* nothing in common */
	FAIL(EITHER, NO_SHARED_CIPHER, 193, HELLO, SENT(40), .flags = VERDICT_ALERT_SENT),
	FAIL_1_1_1(EITHER, NO_SHARED_CIPHER, 193, HELLO, SENT(40), .flags = VERDICT_ALERT_SENT),
	FAIL(UPSTREAM, NO_SHARED_CIPHER, 261, HELLO, SENT(47), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, NO_SHARED_GROUP, 101, HELLO, SENT(40), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, NO_SHARED_SIGNATURE_ALGORITHM, 118, HELLO, SENT(40), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, NO_APPLICATION_PROTOCOL, 235, HELLO, SENT(120), .flags = VERDICT_ALERT_SENT),
	ALERT(EITHER, NO_APPLICATION_PROTOCOL, 120, SNI, BEFORE),
	FAIL(EITHER, INAPPROPRIATE_FALLBACK, 373, HELLO, SENT(86), .flags = VERDICT_ALERT_SENT),
	ALERT(EITHER, INAPPROPRIATE_FALLBACK, 86, SNI, BEFORE),
	/* no TLS */
	FAIL(EITHER, PLAIN_HTTP, 156, BEFORE),
	FAIL(EITHER, PLAIN_HTTP, 155, BEFORE),
	FAIL(EITHER, PLAIN_HTTP, 267, BEFORE, RECORD(HTTP)),
	FAIL(EITHER, NOT_TLS, 267, BEFORE, RECORD(OTHER)),
	FAIL(EITHER, NOT_TLS, 267, BEFORE),
	FAIL(EITHER, MALFORMED_MESSAGE, 267, BEFORE, RECORD(TLS)),
	FAIL(EITHER, MALFORMED_MESSAGE, 267, MID),
	FAIL(EITHER, NOT_TLS, 244, BEFORE, RECORD(OTHER)),
	FAIL(EITHER, NOT_TLS, 198, BEFORE, RECORD(OTHER)),
	FAIL_1_1_1(EITHER, NOT_TLS, 267, BEFORE, RECORD(OTHER)),
	/* broken TLS */
	FAIL(EITHER, MALFORMED_MESSAGE, 159, HELLO, SENT(50), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, MALFORMED_MESSAGE, 198, MID, SENT(22), .flags = VERDICT_ALERT_SENT),
	ALERT(EITHER, MALFORMED_MESSAGE, 47, SNI, HELLO),
	ALERT(EITHER, MALFORMED_MESSAGE, 50, SNI, BEFORE),
	FAIL(EITHER, UNEXPECTED_MESSAGE, 244, MID, SENT(10), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, UNEXPECTED_MESSAGE, 244, BEFORE, RECORD(TLS)),
	ALERT(EITHER, UNEXPECTED_MESSAGE, 10, SNI, MID),
	FAIL(EITHER, DECRYPT_ERROR, 281, MID, SENT(20), .flags = VERDICT_ALERT_SENT),
	ALERT(EITHER, DECRYPT_ERROR, 20, SNI, MID),
	ALERT(EITHER, DECRYPT_ERROR, 51, SNI, MID),
	FAIL(EITHER, SESSION_RESUMPTION_FAILED, 253, HELLO, SENT(51), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, LEGACY_RENEGOTIATION_REFUSED, 338, HELLO, SENT(40), .flags = VERDICT_ALERT_SENT),
	FAIL(EITHER, WEAK_DH, 394, MID, SENT(40), .flags = VERDICT_ALERT_SENT),
	/* our certificate, in the peer's eyes */
	ALERT(EITHER, OUR_CERTIFICATE_UNKNOWN_CA, 48, SNI, MID),
	ALERT(EITHER, OUR_CERTIFICATE_EXPIRED, 45, SNI, MID),
	ALERT(EITHER, OUR_CERTIFICATE_REVOKED, 44, SNI, MID),
	ALERT(EITHER, OUR_CERTIFICATE_REFUSED, 42, SNI, MID),
	ALERT(EITHER, OUR_CERTIFICATE_REFUSED, 43, SNI, MID),
	ALERT(EITHER, OUR_CERTIFICATE_REFUSED, 46, SNI, MID),
	FAIL_1_1_1(EITHER, OUR_CERTIFICATE_REFUSED, 1042, MID, .alert_received = 42, .flags = RECEIVED),
	ALERT(UPSTREAM, OUR_CERTIFICATE_REFUSED, 42, SNI | ASKED | OURS, FINISHED),
	ALERT(UPSTREAM, OUR_CERTIFICATE_REFUSED, 49, SNI | ASKED | OURS, FINISHED),
	ALERT(UPSTREAM, OTHER_ALERT, 49, SNI, FINISHED),
	REJECT(UPSTREAM, OUR_CERTIFICATE_UNKNOWN_CA, UPSTREAM_ALERT, .alert_received = 48, .flags = ASKED | OURS),
	REJECT(UPSTREAM, OUR_CERTIFICATE_REFUSED, UPSTREAM_ALERT, .alert_received = 42, .flags = ASKED | OURS),
	/* the peer's certificate: nginx decides after completion; results are in test_verify_causes.c */
	REJECT(CLIENT, PEER_CERTIFICATE_MISSING, CLIENT_CERTIFICATE, .flags = ASKED),
	REJECT(CLIENT, PEER_CERTIFICATE_EXPIRED, CLIENT_CERTIFICATE, .verify_result = 10, .flags = ASKED | PEER),
	REJECT(CLIENT, PEER_CERTIFICATE_NOT_YET_VALID, CLIENT_CERTIFICATE, .verify_result = 9, .flags = ASKED | PEER),
	REJECT(CLIENT, PEER_CERTIFICATE_UNTRUSTED, CLIENT_CERTIFICATE, .verify_result = 21, .flags = ASKED | PEER),
	REJECT(CLIENT, PEER_CERTIFICATE_SELF_SIGNED, CLIENT_CERTIFICATE, .verify_result = 18, .flags = ASKED | PEER),
	REJECT(CLIENT, PEER_CERTIFICATE_REVOKED, CLIENT_CERTIFICATE, .verify_result = 23, .flags = ASKED | PEER),
	REJECT(CLIENT, PEER_CERTIFICATE_WRONG_PURPOSE, CLIENT_CERTIFICATE, .verify_result = 26,
	       .flags = ASKED | PEER),
	REJECT(CLIENT, PEER_CERTIFICATE_WEAK, CLIENT_CERTIFICATE, .verify_result = 66, .flags = ASKED | PEER),
	REJECT(CLIENT, PEER_CERTIFICATE_INVALID, CLIENT_CERTIFICATE, .verify_result = 22, .flags = ASKED | PEER),
	REJECT(CLIENT, OCSP_FAILED, OCSP, .flags = ASKED | PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_EXPIRED, UPSTREAM_VERIFY, .verify_result = 10, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_NOT_YET_VALID, UPSTREAM_VERIFY, .verify_result = 9, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_UNTRUSTED, UPSTREAM_VERIFY, .verify_result = 20, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_SELF_SIGNED, UPSTREAM_VERIFY, .verify_result = 19, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_REVOKED, UPSTREAM_VERIFY, .verify_result = 3, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_WRONG_PURPOSE, UPSTREAM_VERIFY, .verify_result = 79, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_WEAK, UPSTREAM_VERIFY, .verify_result = 68, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_INVALID, UPSTREAM_VERIFY, .verify_result = 7, .flags = PEER),
	REJECT(UPSTREAM, PEER_CERTIFICATE_WRONG_HOST, UPSTREAM_NAME, .flags = PEER | SNI),
	REJECT(EITHER, UNKNOWN, NONE, .verify_result = 10, .flags = PEER),
	/* a client certificate was wanted */
	REJECT(UPSTREAM, CLIENT_CERTIFICATE_REQUIRED, UPSTREAM_ALERT, .alert_received = 116,
	       .flags = ASKED | RECEIVED),
	REJECT(UPSTREAM, CLIENT_CERTIFICATE_REQUIRED, UPSTREAM_ALERT, .alert_received = 42,
	       .flags = ASKED | RECEIVED),
	ALERT(UPSTREAM, CLIENT_CERTIFICATE_REQUIRED, 40, ASKED, FINISHED),
	ALERT(UPSTREAM, CLIENT_CERTIFICATE_REQUIRED, 42, ASKED | SNI, FINISHED),
	ALERT(UPSTREAM, CLIENT_CERTIFICATE_REQUIRED, 116, SNI, FINISHED),
	ALERT(UPSTREAM, HANDSHAKE_FAILURE, 40, ASKED | OURS | SNI, FINISHED),
	ALERT(UPSTREAM, HANDSHAKE_FAILURE, 40, ASKED | SNI, MID), /* before we answered */
	ALERT(CLIENT, OTHER_ALERT, 116, ASKED, MID),
	ALERT(CLIENT, OUR_CERTIFICATE_REFUSED, 42, ASKED, FINISHED),
	/* names */
	ALERT(UPSTREAM, MISSING_SNI, 112, 0, BEFORE),
	ALERT(UPSTREAM, MISSING_SNI, 40, 0, BEFORE),
	ALERT(UPSTREAM, MISSING_SNI, 80, 0, BEFORE),
	ALERT(UPSTREAM, UNRECOGNIZED_NAME, 112, SNI, BEFORE),
	ALERT(UPSTREAM, HANDSHAKE_FAILURE, 40, SNI, BEFORE),
	ALERT(UPSTREAM, HANDSHAKE_FAILURE, 40, 0, MID),
	ALERT(UPSTREAM, INTERNAL_ERROR, 80, SNI, BEFORE),
	ALERT(UPSTREAM, INTERNAL_ERROR, 80, 0, MID),
	ALERT(CLIENT, HANDSHAKE_FAILURE, 40, 0, BEFORE),
	FAIL(CLIENT, UNRECOGNIZED_NAME, 234, HELLO, SENT(112), .flags = VERDICT_ALERT_SENT),
	FAIL(CLIENT, INTERNAL_ERROR, 234, HELLO, SENT(80), .flags = VERDICT_ALERT_SENT),
	FAIL(CLIENT, INTERNAL_ERROR, 234, HELLO),
	QUIET(CLIENT, UNRECOGNIZED_NAME, HELLO, .flags = VERDICT_HANDSHAKE_REJECTED),
	/* the end of the transport */
	QUIET(EITHER, PEER_CLOSED_BEFORE_HELLO, BEFORE, .flags = VERDICT_EOF),
	QUIET(EITHER, PEER_CLOSED_MID_HANDSHAKE, MID, .flags = VERDICT_EOF),
	QUIET(UPSTREAM, PEER_CLOSED_MID_HANDSHAKE, FINISHED, .flags = VERDICT_EOF),
	QUIET(EITHER, UNKNOWN, .flags = VERDICT_EOF | VERDICT_OBJECT_UNREADABLE),
	QUIET(EITHER, PEER_CLOSED_BEFORE_HELLO, BEFORE, .error_errno = EPIPE_),
	QUIET(EITHER, PEER_CLOSED_MID_HANDSHAKE, MID, .error_errno = EPIPE_),
	FAIL(EITHER, PEER_CLOSED_BEFORE_HELLO, 294, BEFORE),
	FAIL(EITHER, PEER_CLOSED_MID_HANDSHAKE, 294, MID),
	FAIL_1_1_1(EITHER, OTHER_ERROR, 294, MID), /* the callback for OCSP */
	ALERT(EITHER, PEER_CLOSED_MID_HANDSHAKE, 0, SNI, MID),
	QUIET(EITHER, PEER_RESET, BEFORE, .error_errno = ECONNRESET_),
	QUIET(EITHER, PEER_RESET, MID, .error_errno = ECONNRESET_, .flags = RESET | FACTS),
	QUIET(EITHER, PEER_RESET, MID, .flags = RESET),
	ABANDON(EITHER, PEER_RESET, MID, .flags = RESET | FACTS),
	QUIET(EITHER, OTHER_ERROR, MID, .error_errno = ETIMEDOUT_),
	/* nginx ended it */
	ABANDON(EITHER, TIMEOUT_BEFORE_HELLO, BEFORE, .flags = FACTS | VERDICT_TIMED_OUT),
	ABANDON(EITHER, TIMEOUT_MID_HANDSHAKE, MID, .flags = FACTS | VERDICT_TIMED_OUT),
	ABANDON(EITHER, TIMEOUT_MID_HANDSHAKE, MID, .flags = FACTS | VERDICT_TIMED_OUT | RESET),
	ABANDON(EITHER, ABORTED_BY_NGINX, BEFORE, .flags = FACTS),
	ABANDON(EITHER, ABORTED_BY_NGINX, MID, .flags = FACTS),
	ABANDON(EITHER, UNKNOWN, MID), /* nginx's connection was not found: no mark is no sign */
	ABANDON(EITHER, UNKNOWN, MID, .flags = VERDICT_TIMED_OUT),
	/* our own trouble */
	FAIL(EITHER, LOCAL_CERTIFICATE_PROBLEM, 377, HELLO, SENT(80), .other_error = 0x80000002),
	FAIL_1_1_1(EITHER, LOCAL_CERTIFICATE_PROBLEM, 377, HELLO, SENT(80), .other_error = 0x02001002),
	FAIL(EITHER, LOCAL_CERTIFICATE_PROBLEM, 399, HELLO, SENT(80)),
	FAIL(EITHER, RESOURCE_EXHAUSTED, 0xC0100, HELLO),
	FAIL_1_1_1(EITHER, RESOURCE_EXHAUSTED, 65, HELLO),
	FAIL(EITHER, INTERNAL_ERROR, 0xC0103, HELLO),
	FAIL(EITHER, INTERNAL_ERROR, 0x80006, MID), /* ERR_R_EVP_LIB */
	FAIL_1_1_1(EITHER, INTERNAL_ERROR, 68, HELLO),
	FAIL_1_1_1(EITHER, INTERNAL_ERROR, 6, MID),
	ALERT(CLIENT, INTERNAL_ERROR, 80, 0, BEFORE),
	/* other libraries: what they queue is not about the peer, memory excepted */
	QUIET(EITHER, RESOURCE_EXHAUSTED, MID, .other_error = 0x030C0100),
	QUIET(EITHER, OTHER_ERROR, MID, .other_error = 0x0300009C),
	QUIET(EITHER, OTHER_ERROR, MID, .other_error = 0x030C0103),
	QUIET(EITHER, OTHER_ERROR, MID, .other_error = 0x80000002),
	ROW(EITHER, RESOURCE_EXHAUSTED, .outcome = OUTCOME_FAILED, .library = LIBRARY_OPENSSL_1_1_1,
	    .other_error = 0x06066041),
	ROW(EITHER, OTHER_ERROR, .outcome = OUTCOME_FAILED, .library = LIBRARY_OPENSSL_1_1_1,
	    .other_error = 0x02001041),
	FAIL(EITHER, NO_SHARED_CIPHER, 193, HELLO, .other_error = 0x030C0100),
	/* the peer's other alerts, and what no list has */
	ALERT(EITHER, OTHER_ALERT, 90, SNI, MID),
	ALERT(EITHER, OTHER_ALERT, 71, SNI, BEFORE),
	ALERT(EITHER, OTHER_ALERT, 255, 0, BEFORE),
	FAIL(EITHER, OTHER_ERROR, 339, MID),
	FAIL(EITHER, OTHER_ERROR, 511, MID),
	FAIL(EITHER, OTHER_ERROR, 313, MID),
	QUIET(EITHER, OTHER_ALERT, MID, .alert_received = 90, .flags = RECEIVED),
	QUIET(EITHER, UNKNOWN, MID, .alert_received = 48, .alert_sent = 70), /* bytes that are not meant */
	QUIET(EITHER, UNKNOWN, MID),
	/* joined in the middle: the alert we sent is all there is */
	QUIET(EITHER, UNEXPECTED_MESSAGE, MID, SENT(10), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, DECRYPT_ERROR, MID, SENT(20), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, MALFORMED_MESSAGE, HELLO, SENT(50), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, PEER_VERSION_TOO_NEW, HELLO, SENT(70), VERSIONS(PEER_NEWER), .flags = VERDICT_ALERT_SENT),
	QUIET(CLIENT, OTHER_ERROR, HELLO, SENT(70), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, INTERNAL_ERROR, HELLO, SENT(80), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, INAPPROPRIATE_FALLBACK, HELLO, SENT(86), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, UNRECOGNIZED_NAME, HELLO, SENT(112), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, NO_APPLICATION_PROTOCOL, HELLO, SENT(120), .flags = VERDICT_JOINED | VERDICT_ALERT_SENT),
	QUIET(EITHER, UNKNOWN, HELLO, SENT(40),
	      .flags = VERDICT_JOINED | VERDICT_ALERT_SENT), /* many causes share it */
	/* over QUIC: nginx closes, and may throw the errors away */
	ABANDON(CLIENT, PEER_CLOSED_BEFORE_HELLO, BEFORE, .flags = QUIC | VERDICT_EOF),
	ABANDON(CLIENT, PEER_CLOSED_MID_HANDSHAKE, MID, .flags = QUIC | VERDICT_EOF),
	ABANDON(CLIENT, TIMEOUT_BEFORE_HELLO, BEFORE, .flags = QUIC | VERDICT_TIMED_OUT),
	ABANDON(CLIENT, TIMEOUT_MID_HANDSHAKE, MID, .flags = QUIC | VERDICT_TIMED_OUT),
	ABANDON(CLIENT, ABORTED_BY_NGINX, MID, .flags = QUIC),
	ABANDON(CLIENT, UNKNOWN, MID, .flags = FACTS | VERDICT_QUIC),
	QUIET(CLIENT, NO_SHARED_CIPHER, HELLO, SENT(40), AGREED(NOTHING), .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(CLIENT, NO_SHARED_GROUP, HELLO, SENT(40), AGREED(CIPHER), .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(CLIENT, NO_SHARED_SIGNATURE_ALGORITHM, HELLO, SENT(40), AGREED(GROUP),
	      .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(CLIENT, UNKNOWN, HELLO, SENT(40), .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(CLIENT, UNKNOWN, MID, SENT(40), AGREED(GROUP), .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(UPSTREAM, UNKNOWN, HELLO, SENT(40), AGREED(GROUP), .flags = VERDICT_ALERT_SENT),
	QUIET(CLIENT, MALFORMED_MESSAGE, HELLO, SENT(109), .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(CLIENT, LOCAL_CERTIFICATE_PROBLEM, MID, SENT(80), .other_error = 0x80000002,
	      .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(CLIENT, RESOURCE_EXHAUSTED, MID, SENT(80), .other_error = 0x078C0100,
	      .flags = QUIC | VERDICT_ALERT_SENT),
	QUIET(CLIENT, OTHER_ERROR, MID, SENT(80), .other_error = 0x80000002, .flags = FACTS | VERDICT_ALERT_SENT),
	/* numbers of libraries that are not OpenSSL's: alerts are the same, reasons are not */
	ROW(EITHER, OTHER_ERROR, .outcome = OUTCOME_FAILED, .library = LIBRARY_BORINGSSL, .error = ERROR_BORING(240),
	    HELLO),
	ROW(EITHER, OUR_CERTIFICATE_UNKNOWN_CA, .outcome = OUTCOME_FAILED, .library = LIBRARY_BORINGSSL,
	    .error = ERROR_BORING(1048), MID),
	ROW(EITHER, RESOURCE_EXHAUSTED, .outcome = OUTCOME_FAILED, .library = LIBRARY_BORINGSSL,
	    .error = ERROR_BORING(65)),
	ROW(EITHER, OTHER_ERROR, .outcome = OUTCOME_FAILED, .error = ERROR_3(0xC0103), HELLO),
	ROW(EITHER, OTHER_ERROR, .outcome = OUTCOME_FAILED, .other_error = 0x06066041, HELLO),
	ROW(EITHER, OUR_CERTIFICATE_EXPIRED, .outcome = OUTCOME_FAILED, .error = ERROR_3(1045), .alert_received = 45,
	    .flags = RECEIVED),
};

START_TEST(facts_have_their_cause)
{
	struct verdict verdict = rows[_i].facts;

	for (__u8 direction = DIRECTION_CLIENT; direction < DIRECTION_COUNT; direction++) {
		if (rows[_i].direction != EITHER && rows[_i].direction != direction)
			continue;
		verdict.direction = direction;
		ck_assert_msg(classify(&verdict) == rows[_i].cause, "row %d, direction %u: %s instead of %s", _i,
			      direction, cause_id(classify(&verdict)), cause_id(rows[_i].cause));
	}
}
END_TEST

/* Which sides cannot have a cause; every other pair must have a row. */
static enum direction impossible_direction(enum cause cause)
{
	if (cause == CAUSE_PEER_CERTIFICATE_MISSING || cause == CAUSE_OCSP_FAILED)
		return DIRECTION_UPSTREAM;
	if (cause == CAUSE_PEER_CERTIFICATE_WRONG_HOST || cause == CAUSE_CLIENT_CERTIFICATE_REQUIRED ||
	    cause == CAUSE_MISSING_SNI)
		return DIRECTION_CLIENT;
	return DIRECTION_UNKNOWN;
}

START_TEST(cause_has_rows)
{
	int found[DIRECTION_COUNT] = { 0 };

	for (int i = 0; i < LENGTH(rows); i++) {
		if (rows[i].cause != (enum cause)_i)
			continue;
		for (int direction = DIRECTION_CLIENT; direction < DIRECTION_COUNT; direction++)
			found[direction] += rows[i].direction == EITHER || (int)rows[i].direction == direction;
	}
	for (int direction = DIRECTION_CLIENT; direction < DIRECTION_COUNT; direction++)
		ck_assert_msg((found[direction] > 0) != ((int)impossible_direction((enum cause)_i) == direction),
			      "%s has %d rows in direction %d", cause_id((enum cause)_i), found[direction],
			      direction);
}
END_TEST

START_TEST(error_is_unpacked)
{
	static const struct {
		__u32 code;
		enum library_family family;
		unsigned int library, reason;
	} codes[] = {
		{ .code = 0x0A0000C1, .family = LIBRARY_OPENSSL_3, .library = 20, .reason = 193 },
		{ .code = 0x0A000412, .family = LIBRARY_OPENSSL_3, .library = 20, .reason = 1042 },
		{ .code = 0x0A0C0103, .family = LIBRARY_OPENSSL_3, .library = 20, .reason = 0xC0103 },
		{ .code = 0x80000002, .family = LIBRARY_OPENSSL_3, .library = 2, .reason = 2 },
		{ .code = 0x10000080, .family = LIBRARY_OPENSSL_3, .library = 32, .reason = 128 },
		{ .code = 0x1417A0C1, .family = LIBRARY_OPENSSL_1_1_1, .library = 20, .reason = 193 },
		{ .code = 0x14094412, .family = LIBRARY_OPENSSL_1_1_1, .library = 20, .reason = 1042 },
		{ .code = 0x02001002, .family = LIBRARY_OPENSSL_1_1_1, .library = 2, .reason = 2 },
		{ .code = 0x2006D080, .family = LIBRARY_OPENSSL_1_1_1, .library = 32, .reason = 128 },
		{ .code = 0x100000B8, .family = LIBRARY_BORINGSSL, .library = 16, .reason = 184 },
	};

	for (int i = 0; i < LENGTH(codes); i++) {
		ck_assert_uint_eq(error_library(codes[i].code, codes[i].family), codes[i].library);
		ck_assert_uint_eq(error_reason(codes[i].code, codes[i].family), codes[i].reason);
	}
}
END_TEST

Suite *suite_classify(void)
{
	Suite *suite = suite_create("classify");
	TCase *facts = tcase_create("facts");
	TCase *causes = tcase_create("causes");
	TCase *errors = tcase_create("errors");

	tcase_add_loop_test(facts, facts_have_their_cause, 0, LENGTH(rows));
	tcase_add_loop_test(causes, cause_has_rows, 0, CAUSE_COUNT);
	tcase_add_test(errors, error_is_unpacked);
	suite_add_tcase(suite, facts);
	suite_add_tcase(suite, causes);
	suite_add_tcase(suite, errors);
	return suite;
}
