/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every reason with which OpenSSL ends a handshake has the cause that its meaning has, in both packings.
 *
 * The list of reasons is generated from the SSLfatal and RLAYERfatal calls of 1.1.1w, 3.0.20, 3.5.7 and 3.6.3; the
 * second column is what each is about.
 */
#include <stdbool.h>
#include <string.h>

#include <check.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"
#include "handshake/classify.h"
#include "handshake/reason_causes.h"

#define LENGTH(array)    ((int)(sizeof(array) / sizeof((array)[0])))
#define IN_3(reason)     (0x0A000000u | (reason))
#define IN_1_1_1(reason) (0x1417A000u | (reason))

Suite *suite_reason_causes(void);

struct reason_row {
	unsigned int reason;
	bool in_1_1_1, in_3;
	const char *about;
};

#define BOTH(number, subject)                                                         \
	{                                                                             \
		.reason = (number), .in_1_1_1 = true, .in_3 = true, .about = #subject \
	}
#define ONLY_1_1_1(number, subject)                                     \
	{                                                               \
		.reason = (number), .in_1_1_1 = true, .about = #subject \
	}
#define ONLY_3(number, subject)                                     \
	{                                                           \
		.reason = (number), .in_3 = true, .about = #subject \
	}

static const struct reason_row reasons[] = {
	BOTH(100, unexpected_message),                   /* APP_DATA_IN_HANDSHAKE */
	BOTH(101, no_shared_group),                      /* NO_SUITABLE_KEY_SHARE */
	BOTH(102, handshake_crypto_error),               /* BAD_DH_VALUE */
	BOTH(103, unexpected_message),                   /* BAD_CHANGE_CIPHER_SPEC */
	BOTH(104, bad_extension),                        /* INCONSISTENT_EXTMS */
	BOTH(107, peer_cert_unsupported),                /* BAD_DECOMPRESSION */
	BOTH(108, no_shared_group),                      /* BAD_KEY_SHARE */
	BOTH(109, unexpected_message),                   /* CANNOT_CHANGE_CIPHER */
	BOTH(110, bad_extension),                        /* BAD_EXTENSION */
	BOTH(111, bad_handshake_message),                /* BAD_DIGEST_LENGTH */
	BOTH(112, no_shared_sigalg),                     /* MISSING_SIGALGS_EXTENSION */
	BOTH(114, session_ticket_error),                 /* BAD_PSK_IDENTITY */
	BOTH(116, unsupported_protocol),                 /* BAD_PROTOCOL_VERSION_NUMBER */
	BOTH(118, no_shared_sigalg),                     /* NO_SUITABLE_SIGNATURE_ALGORITHM */
	BOTH(119, handshake_crypto_error),               /* BAD_RSA_ENCRYPT */
	BOTH(122, unexpected_message),                   /* BAD_KEY_UPDATE */
	BOTH(123, handshake_crypto_error),               /* BAD_SIGNATURE */
	BOTH(127, internal_error),                       /* BAD_WRITE_RETRY */
	BOTH(128, internal_error),                       /* BIO_NOT_SET */
	ONLY_1_1_1(129, bad_record_mac),                 /* BLOCK_CIPHER_PAD_IS_WRONG */
	ONLY_1_1_1(130, handshake_crypto_error),         /* BN_LIB */
	BOTH(131, bad_handshake_message),                /* CA_DN_LENGTH_MISMATCH */
	BOTH(133, unexpected_message),                   /* CCS_RECEIVED_EARLY */
	BOTH(134, client_cert_verify_failed),            /* CERTIFICATE_VERIFY_FAILED */
	BOTH(135, bad_handshake_message),                /* CERT_LENGTH_MISMATCH */
	ONLY_1_1_1(138, no_shared_cipher),               /* CIPHER_OR_HASH_UNAVAILABLE */
	BOTH(140, record_overflow),                      /* COMPRESSED_LENGTH_TOO_LONG */
	BOTH(141, compression_error),                    /* COMPRESSION_FAILURE */
	BOTH(142, compression_error),                    /* COMPRESSION_LIBRARY_ERROR */
	BOTH(145, unexpected_message),                   /* DATA_BETWEEN_CCS_AND_FINISHED */
	BOTH(146, record_overflow),                      /* DATA_LENGTH_TOO_LONG */
	BOTH(147, bad_record_mac),                       /* DECRYPTION_FAILED */
	BOTH(148, bad_handshake_message),                /* DH_PUBLIC_VALUE_LENGTH_IS_WRONG */
	BOTH(149, handshake_crypto_error),               /* DIGEST_CHECK_FAILED */
	BOTH(150, record_overflow),                      /* ENCRYPTED_LENGTH_TOO_LONG */
	BOTH(151, bad_handshake_message),                /* ERROR_IN_RECEIVED_CIPHER_LIST */
	BOTH(152, record_overflow),                      /* EXCESSIVE_MESSAGE_SIZE */
	BOTH(153, unexpected_message),                   /* EXTRA_DATA_IN_MESSAGE */
	BOTH(154, unexpected_message),                   /* GOT_A_FIN_BEFORE_A_CCS */
	BOTH(155, http_request_on_tls_port),             /* HTTPS_PROXY_REQUEST */
	BOTH(156, http_request_on_tls_port),             /* HTTP_REQUEST */
	BOTH(157, no_shared_group),                      /* TLS_INVALID_ECPOINTFORMAT_LIST */
	BOTH(159, bad_handshake_message),                /* LENGTH_MISMATCH */
	BOTH(160, bad_handshake_message),                /* LENGTH_TOO_SHORT */
	BOTH(162, no_shared_group),                      /* ILLEGAL_POINT_COMPRESSION */
	BOTH(164, early_data_error),                     /* TOO_MUCH_EARLY_DATA */
	BOTH(166, version_too_low),                      /* VERSION_TOO_HIGH */
	BOTH(168, server_cert_config_error),             /* MISSING_RSA_CERTIFICATE */
	BOTH(169, peer_cert_unsupported),                /* MISSING_RSA_ENCRYPTING_CERT */
	BOTH(171, dh_key_too_small),                     /* MISSING_TMP_DH_KEY */
	BOTH(174, early_data_error),                     /* INVALID_MAX_EARLY_DATA */
	BOTH(176, client_cert_missing),                  /* NO_CERTIFICATES_RETURNED */
	BOTH(181, no_shared_cipher),                     /* NO_CIPHERS_AVAILABLE */
	BOTH(182, unexpected_message),                   /* NOT_ON_RECORD_BOUNDARY */
	BOTH(183, no_shared_cipher),                     /* NO_CIPHERS_SPECIFIED */
	BOTH(186, no_shared_cipher),                     /* BAD_CIPHER */
	BOTH(187, compression_error),                    /* NO_COMPRESSION_SPECIFIED */
	BOTH(191, unsupported_protocol),                 /* NO_PROTOCOLS_AVAILABLE */
	BOTH(193, no_shared_cipher),                     /* NO_SHARED_CIPHER */
	BOTH(194, record_overflow),                      /* EXCEEDS_MAX_FRAGMENT_SIZE */
	BOTH(197, session_ticket_error),                 /* OLD_SESSION_CIPHER_NOT_RETURNED */
	BOTH(198, record_overflow),                      /* PACKET_LENGTH_TOO_LONG */
	BOTH(199, client_cert_missing),                  /* PEER_DID_NOT_RETURN_A_CERTIFICATE */
	BOTH(205, bad_peer_alert),                       /* INVALID_ALERT */
	BOTH(208, ocsp_stapling_error),                  /* SCT_VERIFICATION_FAILED */
	BOTH(209, no_shared_group),                      /* MISSING_SUPPORTED_GROUPS_EXTENSION */
	BOTH(210, session_ticket_error),                 /* SSL_SESSION_VERSION_MISMATCH */
	BOTH(211, internal_error),                       /* READ_BIO_NOT_SET */
	BOTH(213, bad_handshake_message),                /* RECORD_LENGTH_MISMATCH */
	BOTH(214, no_shared_group),                      /* NO_CHANGE_FOLLOWING_HRR */
	BOTH(215, no_shared_cipher),                     /* REQUIRED_CIPHER_MISSING */
	BOTH(217, bad_extension),                        /* UNSOLICITED_EXTENSION */
	BOTH(218, session_ticket_error),                 /* CIPHERSUITE_DIGEST_HAS_CHANGED */
	BOTH(219, session_ticket_error),                 /* BAD_PSK */
	BOTH(220, no_shared_sigalg),                     /* SIGNATURE_FOR_NON_SIGNING_CERTIFICATE */
	BOTH(221, peer_cert_unsupported),                /* MISSING_SIGNING_CERT */
	BOTH(222, early_data_error),                     /* INCONSISTENT_EARLY_DATA_ALPN */
	BOTH(223, session_ticket_error),                 /* PSK_IDENTITY_NOT_FOUND */
	BOTH(224, session_ticket_error),                 /* PSK_NO_CLIENT_CB */
	BOTH(225, session_ticket_error),                 /* PSK_NO_SERVER_CB */
	BOTH(226, bad_extension),                        /* CLIENTHELLO_TLSEXT */
	BOTH(231, early_data_error),                     /* INCONSISTENT_EARLY_DATA_SNI */
	BOTH(232, bad_extension),                        /* SSL3_EXT_INVALID_MAX_FRAGMENT_LENGTH */
	BOTH(233, early_data_error),                     /* BAD_EARLY_DATA */
	BOTH(234, callback),                             /* CALLBACK_FAILED */
	BOTH(235, no_application_protocol),              /* NO_APPLICATION_PROTOCOL */
	BOTH(236, internal_error),                       /* BAD_HANDSHAKE_STATE */
	BOTH(237, internal_error),                       /* OVERFLOW_ERROR */
	BOTH(239, handshake_crypto_error),               /* UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS */
	BOTH(240, bad_handshake_message),                /* BAD_PACKET */
	BOTH(241, bad_handshake_message),                /* INSUFFICIENT_SECURITY */
	BOTH(244, unexpected_message),                   /* UNEXPECTED_MESSAGE */
	BOTH(245, unexpected_message),                   /* UNEXPECTED_RECORD */
	BOTH(246, bad_peer_alert),                       /* UNKNOWN_ALERT_TYPE */
	BOTH(247, peer_cert_unsupported),                /* UNKNOWN_CERTIFICATE_TYPE */
	BOTH(248, no_shared_cipher),                     /* UNKNOWN_CIPHER_RETURNED */
	BOTH(249, no_shared_cipher),                     /* UNKNOWN_CIPHER_TYPE */
	BOTH(250, internal_error),                       /* UNKNOWN_KEY_EXCHANGE_TYPE */
	BOTH(252, unsupported_protocol),                 /* UNKNOWN_PROTOCOL */
	BOTH(253, handshake_crypto_error),               /* BINDER_DOES_NOT_VERIFY */
	BOTH(256, internal_error),                       /* MISSING_FATAL */
	BOTH(257, compression_error),                    /* UNSUPPORTED_COMPRESSION_ALGORITHM */
	BOTH(258, unsupported_protocol),                 /* UNSUPPORTED_PROTOCOL */
	BOTH(259, unsupported_protocol),                 /* UNSUPPORTED_SSL_VERSION */
	BOTH(260, unexpected_message),                   /* INVALID_CCS_MESSAGE */
	BOTH(261, no_shared_cipher),                     /* WRONG_CIPHER_RETURNED */
	BOTH(262, unexpected_message),                   /* UNEXPECTED_CCS_MESSAGE */
	ONLY_1_1_1(264, no_shared_sigalg),               /* WRONG_SIGNATURE_LENGTH */
	ONLY_1_1_1(265, no_shared_sigalg),               /* WRONG_SIGNATURE_SIZE */
	BOTH(266, unsupported_protocol),                 /* WRONG_SSL_VERSION */
	BOTH(267, wrong_version_number),                 /* WRONG_VERSION_NUMBER */
	BOTH(271, bad_handshake_message),                /* BAD_LENGTH */
	BOTH(272, session_ticket_error),                 /* ATTEMPT_TO_REUSE_SESSION_IN_DIFFERENT_CONTEXT */
	BOTH(274, internal_error),                       /* LIBRARY_BUG */
	BOTH(277, session_ticket_error),                 /* SESSION_ID_CONTEXT_UNINITIALIZED */
	BOTH(278, bad_handshake_message),                /* POST_HANDSHAKE_AUTH_ENCODING_ERR */
	BOTH(281, bad_record_mac),                       /* DECRYPTION_FAILED_OR_BAD_RECORD_MAC */
	BOTH(282, bad_handshake_message),                /* INVALID_CONTEXT */
	BOTH(287, internal_error),                       /* NO_COOKIE_CALLBACK_SET */
	BOTH(291, unexpected_message),                   /* APPLICATION_DATA_AFTER_CLOSE_NOTIFY */
	BOTH(292, unsupported_protocol),                 /* BAD_LEGACY_VERSION */
	BOTH(293, unexpected_message),                   /* MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA */
	ONLY_3(294, peer_closed),                        /* UNEXPECTED_EOF_WHILE_READING */
	ONLY_3(295, no_shared_group),                    /* NO_SUITABLE_GROUPS */
	ONLY_3(296, handshake_crypto_error),             /* COPY_PARAMETERS_FAILED */
	ONLY_3(297, no_shared_sigalg),                   /* NO_SUITABLE_DIGEST_ALGORITHM */
	BOTH(298, record_overflow),                      /* RECORD_TOO_SMALL */
	BOTH(300, bad_handshake_message),                /* SSL3_SESSION_ID_TOO_LONG */
	BOTH(301, session_ticket_error),                 /* SSL_SESSION_ID_CALLBACK_FAILED */
	BOTH(302, session_ticket_error),                 /* SSL_SESSION_ID_CONFLICT */
	BOTH(303, session_ticket_error),                 /* SSL_SESSION_ID_HAS_BAD_LENGTH */
	BOTH(304, peer_cert_unsupported),                /* BAD_ECC_CERT */
	BOTH(305, ocsp_stapling_error),                  /* OCSP_CALLBACK_FAILURE */
	BOTH(306, no_shared_group),                      /* BAD_ECPOINT */
	BOTH(308, bad_handshake_message),                /* COOKIE_MISMATCH */
	BOTH(310, session_ticket_error),                 /* MISSING_PSK_KEX_MODES_EXTENSION */
	BOTH(311, no_shared_group),                      /* MISSING_TMP_ECDH_KEY */
	BOTH(312, internal_error),                       /* READ_TIMEOUT_EXPIRED */
	ONLY_3(313, wrapper),                            /* RECORD_LAYER_FAILURE */
	BOTH(314, no_shared_group),                      /* UNABLE_TO_FIND_ECDH_PARAMETERS */
	BOTH(315, no_shared_group),                      /* UNSUPPORTED_ELLIPTIC_CURVE */
	ONLY_3(317, bad_handshake_message),              /* INVALID_RECORD */
	ONLY_3(321, internal_error),                     /* RECORDS_NOT_RELEASED */
	ONLY_3(322, internal_error),                     /* NO_SUITABLE_RECORD_LAYER */
	BOTH(324, internal_error),                       /* NO_REQUIRED_DIGEST */
	ONLY_3(326, peer_cert_unsupported),              /* BAD_COMPRESSION_ALGORITHM */
	ONLY_3(327, internal_error),                     /* SEQUENCE_CTR_WRAPPED */
	BOTH(328, ocsp_stapling_error),                  /* INVALID_STATUS_RESPONSE */
	BOTH(329, ocsp_stapling_error),                  /* UNSUPPORTED_STATUS_TYPE */
	BOTH(330, peer_cert_unsupported),                /* NO_GOST_CERTIFICATE_SENT_BY_PEER */
	BOTH(332, bad_handshake_message),                /* BAD_HANDSHAKE_LENGTH */
	ONLY_3(333, no_shared_sigalg),                   /* LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED */
	BOTH(336, renegotiation_refused),                /* RENEGOTIATION_ENCODING_ERR */
	BOTH(337, renegotiation_refused),                /* RENEGOTIATION_MISMATCH */
	BOTH(338, unsafe_legacy_renegotiation_disabled), /* UNSAFE_LEGACY_RENEGOTIATION_DISABLED */
	BOTH(339, renegotiation_refused),                /* NO_RENEGOTIATION */
	BOTH(340, compression_error),                    /* INCONSISTENT_COMPRESSION */
	BOTH(341, compression_error),                    /* INVALID_COMPRESSION_ALGORITHM */
	BOTH(342, compression_error),                    /* REQUIRED_COMPRESSION_ALGORITHM_MISSING */
	BOTH(343, compression_error),                    /* COMPRESSION_DISABLED */
	BOTH(344, session_ticket_error),                 /* OLD_SESSION_COMPRESSION_ALGORITHM_NOT_RETURNED */
	BOTH(345, renegotiation_refused),                /* SCSV_RECEIVED_WHEN_RENEGOTIATING */
	BOTH(347, bad_handshake_message),                /* BAD_SRP_A_LENGTH */
	ONLY_3(348, peer_cert_unsupported),              /* BAD_CERTIFICATE */
	ONLY_3(349, peer_cert_unsupported),              /* EMPTY_RAW_PUBLIC_KEY */
	ONLY_3(350, peer_cert_unsupported),              /* INVALID_RAW_PUBLIC_KEY */
	ONLY_3(351, peer_cert_unsupported),              /* WRONG_RPK_TYPE */
	BOTH(352, bad_extension),                        /* BAD_SRTP_MKI_VALUE */
	BOTH(353, bad_extension),                        /* BAD_SRTP_PROTECTION_PROFILE_LIST */
	BOTH(358, internal_error),                       /* MISSING_SRP_PARAM */
	BOTH(359, bad_extension),                        /* NO_SRTP_PROFILES */
	BOTH(360, no_shared_sigalg),                     /* SIGNATURE_ALGORITHMS_ERROR */
	BOTH(361, internal_error),                       /* SRP_A_CALC */
	BOTH(368, no_shared_sigalg),                     /* UNKNOWN_DIGEST */
	BOTH(370, no_shared_sigalg),                     /* WRONG_SIGNATURE_TYPE */
	BOTH(371, bad_handshake_message),                /* BAD_SRP_PARAMETERS */
	BOTH(373, inappropriate_fallback),               /* INAPPROPRIATE_FALLBACK */
	BOTH(376, no_shared_sigalg),                     /* NO_SHARED_SIGNATURE_ALGORITHMS */
	BOTH(377, server_cert_config_error),             /* CERT_CB_ERROR */
	BOTH(378, no_shared_group),                      /* WRONG_CURVE */
	BOTH(383, peer_cert_unsupported),                /* WRONG_CERTIFICATE_TYPE */
	ONLY_3(384, bad_handshake_message),              /* BAD_VALUE */
	BOTH(390, bad_handshake_message),                /* BAD_DATA */
	BOTH(394, dh_key_too_small),                     /* DH_KEY_TOO_SMALL */
	BOTH(396, version_too_low),                      /* VERSION_TOO_LOW */
	BOTH(397, our_cert_too_weak),                    /* CA_KEY_TOO_SMALL */
	BOTH(398, our_cert_too_weak),                    /* CA_MD_TOO_WEAK */
	BOTH(399, our_cert_too_weak),                    /* EE_KEY_TOO_SMALL */
	BOTH(400, internal_error),                       /* COOKIE_GEN_CALLBACK_FAILURE */
	BOTH(404, record_overflow),                      /* LENGTH_TOO_LONG */
	BOTH(406, internal_error),                       /* PIPELINE_FAILURE */
	BOTH(409, bad_peer_alert),                       /* TOO_MANY_WARN_ALERTS */
	ONLY_3(420, unsupported_protocol),               /* MISSING_SUPPORTED_VERSIONS_EXTENSION */
	BOTH(443, unexpected_message),                   /* BAD_RECORD_TYPE */
	BOTH(999, bad_handshake_message),                /* INVALID_SESSION_ID */
};

/* What a reason is about, with the facts that come with it, and its cause. One subject may have several rows. */
static const struct subject {
	const char *about;
	struct verdict facts;
	enum cause cause;
} subjects[] = {
#define ABOUT(subject, symbol, ...)                                                  \
	{                                                                            \
		.about = #subject, .cause = CAUSE_##symbol, .facts = { __VA_ARGS__ } \
	}
	ABOUT(bad_extension, MALFORMED_MESSAGE, .stage = STAGE_HELLO),
	ABOUT(bad_handshake_message, MALFORMED_MESSAGE, .stage = STAGE_HELLO),
	ABOUT(bad_peer_alert, MALFORMED_MESSAGE, .stage = STAGE_MID),
	ABOUT(bad_record_mac, DECRYPT_ERROR, .stage = STAGE_MID),
	ABOUT(callback, UNRECOGNIZED_NAME, .alert_sent = 112, .flags = VERDICT_ALERT_SENT),
	ABOUT(callback, INTERNAL_ERROR, .alert_sent = 80, .flags = VERDICT_ALERT_SENT),
	ABOUT(callback, INTERNAL_ERROR, .alert_sent = 112), /* a byte that is not meant */
	ABOUT(client_cert_missing, PEER_CERTIFICATE_MISSING, .stage = STAGE_MID),
	ABOUT(client_cert_verify_failed, PEER_CERTIFICATE_EXPIRED, .verify_result = 10),
	ABOUT(client_cert_verify_failed, PEER_CERTIFICATE_UNTRUSTED, .verify_result = 20),
	ABOUT(client_cert_verify_failed, PEER_CERTIFICATE_INVALID, .verify_result = 0),
	ABOUT(compression_error, OTHER_ERROR, .stage = STAGE_HELLO),
	ABOUT(dh_key_too_small, WEAK_DH, .stage = STAGE_MID),
	ABOUT(early_data_error, OTHER_ERROR, .stage = STAGE_MID),
	ABOUT(handshake_crypto_error, DECRYPT_ERROR, .stage = STAGE_MID),
	ABOUT(http_request_on_tls_port, PLAIN_HTTP, .stage = STAGE_BEFORE_HELLO),
	ABOUT(inappropriate_fallback, INAPPROPRIATE_FALLBACK, .stage = STAGE_HELLO),
	ABOUT(internal_error, INTERNAL_ERROR, .stage = STAGE_HELLO),
	ABOUT(no_application_protocol, NO_APPLICATION_PROTOCOL, .stage = STAGE_HELLO),
	ABOUT(no_shared_cipher, NO_SHARED_CIPHER, .stage = STAGE_HELLO),
	ABOUT(no_shared_group, NO_SHARED_GROUP, .stage = STAGE_HELLO),
	ABOUT(no_shared_sigalg, NO_SHARED_SIGNATURE_ALGORITHM, .stage = STAGE_HELLO),
	ABOUT(ocsp_stapling_error, OTHER_ERROR, .stage = STAGE_MID),
	ABOUT(our_cert_too_weak, LOCAL_CERTIFICATE_PROBLEM, .stage = STAGE_HELLO),
	ABOUT(peer_cert_unsupported, PEER_CERTIFICATE_INVALID, .stage = STAGE_MID),
	ABOUT(peer_closed, PEER_CLOSED_BEFORE_HELLO, .stage = STAGE_BEFORE_HELLO),
	ABOUT(peer_closed, PEER_CLOSED_MID_HANDSHAKE, .stage = STAGE_MID),
	ABOUT(record_overflow, MALFORMED_MESSAGE, .stage = STAGE_MID),
	ABOUT(record_overflow, MALFORMED_MESSAGE, .first_record = FIRST_RECORD_TLS, .stage = STAGE_BEFORE_HELLO),
	ABOUT(renegotiation_refused, OTHER_ERROR, .stage = STAGE_MID),
	ABOUT(server_cert_config_error, LOCAL_CERTIFICATE_PROBLEM, .stage = STAGE_HELLO),
	ABOUT(session_ticket_error, SESSION_RESUMPTION_FAILED, .stage = STAGE_HELLO),
	ABOUT(unexpected_message, UNEXPECTED_MESSAGE, .stage = STAGE_MID),
	ABOUT(unexpected_message, UNEXPECTED_MESSAGE, .first_record = FIRST_RECORD_TLS, .stage = STAGE_BEFORE_HELLO),
	ABOUT(unsafe_legacy_renegotiation_disabled, LEGACY_RENEGOTIATION_REFUSED, .stage = STAGE_HELLO),
	ABOUT(unsupported_protocol, PEER_VERSION_TOO_OLD, .version_class = VERSION_CLASS_PEER_OLDER),
	ABOUT(unsupported_protocol, PEER_VERSION_TOO_NEW, .version_class = VERSION_CLASS_PEER_NEWER),
	ABOUT(version_too_low, PEER_VERSION_TOO_OLD, .version_class = VERSION_CLASS_PEER_OLDER),
	ABOUT(version_too_low, PEER_VERSION_TOO_NEW, .version_class = VERSION_CLASS_PEER_NEWER),
	ABOUT(wrapper, OTHER_ERROR, .stage = STAGE_MID),
	ABOUT(wrong_version_number, NOT_TLS, .first_record = FIRST_RECORD_OTHER, .stage = STAGE_BEFORE_HELLO),
	ABOUT(wrong_version_number, PLAIN_HTTP, .first_record = FIRST_RECORD_HTTP, .stage = STAGE_BEFORE_HELLO),
	ABOUT(wrong_version_number, MALFORMED_MESSAGE, .first_record = FIRST_RECORD_TLS, .stage = STAGE_BEFORE_HELLO),
	ABOUT(wrong_version_number, MALFORMED_MESSAGE, .stage = STAGE_MID),
};

/* Reasons with a more fitting cause than what they are about. */
static const struct exception {
	unsigned int reason;
	enum cause cause;
} exceptions[] = {
	{ .reason = 102, .cause = CAUSE_WEAK_DH },                   /* parameters that the library does not take */
	{ .reason = 104, .cause = CAUSE_SESSION_RESUMPTION_FAILED }, /* against the session that is resumed */
	{ .reason = 108, .cause = CAUSE_MALFORMED_MESSAGE },         /* alert 47: a share that is no valid point */
	{ .reason = 157, .cause = CAUSE_MALFORMED_MESSAGE },         /* alert 47: points, whatever the group */
	{ .reason = 162, .cause = CAUSE_MALFORMED_MESSAGE },
	{ .reason = 191, .cause = CAUSE_OTHER_ERROR },               /* we offer none: says nothing about the peer */
	{ .reason = 252, .cause = CAUSE_PEER_VERSION_TOO_OLD },      /* an SSLv2 hello that offers nothing newer */
	{ .reason = 253, .cause = CAUSE_SESSION_RESUMPTION_FAILED }, /* the binder of a PSK */
	{ .reason = 306, .cause = CAUSE_MALFORMED_MESSAGE },
	{ .reason = 332, .cause = CAUSE_INTERNAL_ERROR }, /* alert 80: our own buffer */
};

static enum cause expected_cause(const struct subject *subject, unsigned int reason)
{
	for (int i = 0; i < LENGTH(exceptions); i++) {
		if (exceptions[i].reason == reason)
			return exceptions[i].cause;
	}
	return subject->cause;
}

static void check_reason(const struct subject *subject, unsigned int reason, __u32 error, enum library_family family)
{
	struct verdict verdict = subject->facts;
	enum cause expected = expected_cause(subject, reason), cause;

	verdict.outcome = OUTCOME_FAILED;
	verdict.library = (__u8)family;
	verdict.error = error;
	for (__u8 direction = DIRECTION_CLIENT; direction < DIRECTION_COUNT; direction++) {
		verdict.direction = direction;
		cause = classify(&verdict);
		ck_assert_int_ne(cause, CAUSE_UNKNOWN);
		ck_assert_msg(cause == expected, "reason %u (%s), family %u, direction %u: %s instead of %s", reason,
			      subject->about, family, direction, cause_id(cause), cause_id(expected));
	}
}

START_TEST(reason_has_its_cause)
{
	const struct reason_row *row = &reasons[_i];
	int subjects_found = 0;

	for (int i = 0; i < LENGTH(subjects); i++) {
		if (strcmp(subjects[i].about, row->about) != 0)
			continue;
		subjects_found++;
		if (row->in_3)
			check_reason(&subjects[i], row->reason, IN_3(row->reason), LIBRARY_OPENSSL_3);
		if (row->in_1_1_1)
			check_reason(&subjects[i], row->reason, IN_1_1_1(row->reason), LIBRARY_OPENSSL_1_1_1);
	}
	ck_assert_msg(subjects_found > 0, "reason %u is about '%s', which has no cause", row->reason, row->about);
}
END_TEST

START_TEST(numbers_outside_of_the_list)
{
	static const unsigned int numbers[] = { 0, 99, 511, 512, 998, 1000, 4095, 0x7fffff, ~0u };

	for (int i = 0; i < LENGTH(numbers); i++) {
		ck_assert_int_eq(reason_rule(numbers[i]), RULE_NONE);
		ck_assert_int_eq(reason_cause(numbers[i]), CAUSE_OTHER_ERROR);
	}
	ck_assert_int_eq(reason_cause(134), CAUSE_OTHER_ERROR); /* in the list, and not decided by the reason alone */
	ck_assert_int_eq(reason_cause(258), CAUSE_OTHER_ERROR);
	ck_assert_int_eq(reason_cause(999), CAUSE_MALFORMED_MESSAGE);
}
END_TEST

Suite *suite_reason_causes(void)
{
	Suite *suite = suite_create("reason_causes");
	TCase *list = tcase_create("list");

	tcase_add_loop_test(list, reason_has_its_cause, 0, LENGTH(reasons));
	tcase_add_test(list, numbers_outside_of_the_list);
	suite_add_tcase(suite, list);
	return suite;
}
