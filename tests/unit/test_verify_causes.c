/* SPDX-License-Identifier: BSD-2-Clause */
/* Every verification result has the cause that its number stands for in its library, whichever side verified. */
#include <check.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"
#include "handshake/classify.h"

#define LENGTH(array)  ((int)(sizeof(array) / sizeof((array)[0])))
#define VERIFY_RESULTS 104

Suite *suite_verify_causes(void);

/* X509_V_ERR_*: the symbols' numbers in each family, -1 is none. Any other result is "invalid". */
static const struct verification {
	__s32 in_1_1_1, in_3, in_boringssl;
	enum cause cause;
} verifications[] = {
#define SAME(number, symbol)                                                      \
	{                                                                         \
		.in_1_1_1 = (number), .in_3 = (number), .in_boringssl = (number), \
		.cause = CAUSE_PEER_CERTIFICATE_##symbol                          \
	}
	SAME(2, UNTRUSTED),
	SAME(20, UNTRUSTED),
	SAME(21, UNTRUSTED),
	SAME(27, UNTRUSTED),
	SAME(28, UNTRUSTED),
	SAME(3, REVOKED),
	SAME(11, REVOKED),
	SAME(12, REVOKED),
	SAME(23, REVOKED),
	SAME(9, NOT_YET_VALID),
	SAME(10, EXPIRED),
	SAME(18, SELF_SIGNED),
	SAME(19, SELF_SIGNED),
	SAME(26, WRONG_PURPOSE),
	SAME(62, WRONG_HOST),
	/* INVALID_CA, NO_ISSUER_PUBLIC_KEY, EC_KEY_EXPLICIT_PARAMS; EE_KEY_TOO_SMALL, CA_KEY_TOO_SMALL,
	   CA_MD_TOO_WEAK */
	{ .in_1_1_1 = 24, .in_3 = 79, .in_boringssl = 24, .cause = CAUSE_PEER_CERTIFICATE_WRONG_PURPOSE },
	{ .in_1_1_1 = 77, .in_3 = 24, .in_boringssl = 77, .cause = CAUSE_PEER_CERTIFICATE_UNTRUSTED },
	{ .in_1_1_1 = 79, .in_3 = 94, .in_boringssl = 79, .cause = CAUSE_PEER_CERTIFICATE_INVALID },
	{ .in_1_1_1 = 66, .in_3 = 66, .in_boringssl = -1, .cause = CAUSE_PEER_CERTIFICATE_WEAK },
	{ .in_1_1_1 = 67, .in_3 = 67, .in_boringssl = -1, .cause = CAUSE_PEER_CERTIFICATE_WEAK },
	{ .in_1_1_1 = 68, .in_3 = 68, .in_boringssl = 68, .cause = CAUSE_PEER_CERTIFICATE_WEAK },
};

static enum cause expected_verification(__s32 result, enum library_family family)
{
	for (int i = 0; i < LENGTH(verifications); i++) {
		const struct verification *row = &verifications[i];
		__s32 number = family == LIBRARY_OPENSSL_1_1_1 ? row->in_1_1_1
			       : family == LIBRARY_BORINGSSL   ? row->in_boringssl
							       : row->in_3;

		if (number == result)
			return row->cause;
	}
	return CAUSE_PEER_CERTIFICATE_INVALID;
}

START_TEST(verify_result_has_its_cause)
{
	for (__u8 family = LIBRARY_OPENSSL_1_1_1; family <= LIBRARY_BORINGSSL; family++) {
		struct verdict client = {
			.direction = DIRECTION_CLIENT,
			.outcome = OUTCOME_REJECTED,
			.library = family,
			.verify_result = _i,
			.rejection = REJECTION_CLIENT_CERTIFICATE,
			.stage = STAGE_DONE,
			.flags = VERDICT_CERTIFICATE_ASKED | VERDICT_PEER_CERTIFICATE,
		};
		struct verdict upstream = {
			.direction = DIRECTION_UPSTREAM,
			.outcome = OUTCOME_REJECTED,
			.library = family,
			.rejection = REJECTION_UPSTREAM_VERIFY,
			.stage = STAGE_DONE,
			.verify_result = _i,
			.flags = VERDICT_PEER_CERTIFICATE,
		};
		const char *expected = cause_id(expected_verification(_i, family));

		ck_assert_str_eq(cause_id(classify(&client)), expected);
		ck_assert_str_eq(cause_id(classify(&upstream)), expected);
	}
}
END_TEST

Suite *suite_verify_causes(void)
{
	Suite *suite = suite_create("verify_causes");
	TCase *results = tcase_create("results");

	tcase_add_loop_test(results, verify_result_has_its_cause, 1, VERIFY_RESULTS);
	suite_add_tcase(suite, results);
	return suite;
}
