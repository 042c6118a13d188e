/* SPDX-License-Identifier: BSD-2-Clause */
/* How a server proved its key, and what suites, groups and signature schemes are called. */
#include <check.h>

#include "handshake/authentication.h"
#include "handshake/names.h"
#include "handshake/cipher_suites.h"

Suite *suite_authentication(void);

static const struct {
	uint16_t version, cipher, signature;
	bool resumed;
	enum authentication expected;
} cases[] = {
	{ .version = 0x0303, .cipher = 0xc02f, .expected = AUTHENTICATION_RSA },
	{ .version = 0x0303, .cipher = 0xc02b, .expected = AUTHENTICATION_ECDSA },
	{ .version = 0x0303, .cipher = 0xc0ae, .expected = AUTHENTICATION_ECDSA },
	{ .version = 0x0303, .cipher = 0x009c, .expected = AUTHENTICATION_RSA }, /* RSA key exchange */
	{ .version = 0x0301, .cipher = 0x0035, .expected = AUTHENTICATION_RSA },
	{ .version = 0x0303, .cipher = 0xc060, .expected = AUTHENTICATION_RSA },   /* ECDHE-ARIA128-GCM-SHA256 */
	{ .version = 0x0303, .cipher = 0x00ac, .expected = AUTHENTICATION_RSA },   /* RSA-PSK */
	{ .version = 0x0303, .cipher = 0x00a8, .expected = AUTHENTICATION_NONE },  /* PSK */
	{ .version = 0x0303, .cipher = 0x00a6, .expected = AUTHENTICATION_NONE },  /* ADH */
	{ .version = 0x0303, .cipher = 0xc018, .expected = AUTHENTICATION_NONE },  /* AECDH */
	{ .version = 0x0303, .cipher = 0x0032, .expected = AUTHENTICATION_OTHER }, /* DSS */
	{ .version = 0x0303, .cipher = 0xff85, .expected = AUTHENTICATION_OTHER }, /* GOST */
	{ .version = 0x0303, .cipher = 0xc02b, .signature = 0x0403, .expected = AUTHENTICATION_ECDSA },
	{ .version = 0x0303, .cipher = 0xc02b, .signature = 0x0807, .expected = AUTHENTICATION_EDDSA },
	{ .version = 0x0303, .cipher = 0xc02f, .signature = 0x0804, .expected = AUTHENTICATION_RSA },
	{ .version = 0x0303, .cipher = 0, .expected = AUTHENTICATION_UNKNOWN },
	{ .version = 0x0303, .cipher = 0xeeee, .expected = AUTHENTICATION_UNKNOWN },
	{ .version = 0, .cipher = 0, .expected = AUTHENTICATION_UNKNOWN },
	{ .version = 0x0304, .cipher = 0x1301, .expected = AUTHENTICATION_UNKNOWN },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0401, .expected = AUTHENTICATION_RSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0804, .expected = AUTHENTICATION_RSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x080b, .expected = AUTHENTICATION_RSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0403, .expected = AUTHENTICATION_ECDSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0603, .expected = AUTHENTICATION_ECDSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x081a, .expected = AUTHENTICATION_ECDSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0807, .expected = AUTHENTICATION_EDDSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0808, .expected = AUTHENTICATION_EDDSA },
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0905, .expected = AUTHENTICATION_OTHER }, /* ML-DSA */
	{ .version = 0x0304, .cipher = 0x1301, .signature = 0x0402, .expected = AUTHENTICATION_OTHER }, /* DSA */
	{ .version = 0x0304,
	  .cipher = 0x1301,
	  .signature = 0x0403,
	  .resumed = true,
	  .expected = AUTHENTICATION_NONE },
	{ .version = 0x0303, .cipher = 0xc02f, .resumed = true, .expected = AUTHENTICATION_NONE },
};

START_TEST(key_is_in_the_suite_or_in_the_scheme)
{
	ck_assert_str_eq(authentication_name(authentication_of(cases[_i].version, cases[_i].cipher,
							       cases[_i].signature, cases[_i].resumed)),
			 authentication_name(cases[_i].expected));
}
END_TEST

START_TEST(names_of_keys)
{
	ck_assert_str_eq(authentication_name(AUTHENTICATION_UNKNOWN), "unknown");
	ck_assert_str_eq(authentication_name(AUTHENTICATION_EDDSA), "eddsa");
	ck_assert_str_eq(authentication_name(AUTHENTICATION_COUNT), "unknown");
	ck_assert_str_eq(authentication_name((enum authentication) - 1), "unknown");
}
END_TEST

/* A list out of order would hide rows from the search. */
START_TEST(every_suite_is_found)
{
	static const uint16_t ends[] = { 0x0001, 0x00c5, 0x1301, 0xc006, 0xc102, 0xccae, 0xff87 };
	unsigned int found = 0;

	for (unsigned int number = 0; number <= 0xffff; number++)
		found += cipher_suite_name((uint16_t)number) != NULL;
	ck_assert_uint_eq(found, 196);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		ck_assert_ptr_nonnull(cipher_suite_name(ends[i]));
}
END_TEST

START_TEST(names_of_groups_and_schemes)
{
	char buffer[NAME_BYTES];

	ck_assert_str_eq(group_name(0, buffer), "none");
	ck_assert_str_eq(group_name(23, buffer), "secp256r1");
	ck_assert_str_eq(group_name(29, buffer), "x25519");
	ck_assert_str_eq(group_name(256, buffer), "ffdhe2048");
	ck_assert_str_eq(group_name(0x11ec, buffer), "X25519MLKEM768");
	ck_assert_str_eq(group_name(0x11eb, buffer), "SecP256r1MLKEM768");
	ck_assert_str_eq(group_name(0x11ed, buffer), "SecP384r1MLKEM1024");
	ck_assert_str_eq(group_name(0x0a0a, buffer), "GREASE");
	ck_assert_str_eq(group_name(0xfafa, buffer), "GREASE");
	ck_assert_str_eq(group_name(0x0a1a, buffer), "0x0A1A");
	ck_assert_str_eq(group_name(0xfe0d, buffer), "0xFE0D");
	ck_assert_str_eq(signature_name(0, buffer), "none");
	ck_assert_str_eq(signature_name(0x0403, buffer), "ecdsa_secp256r1_sha256");
	ck_assert_str_eq(signature_name(0x0804, buffer), "rsa_pss_rsae_sha256");
	ck_assert_str_eq(signature_name(0x0905, buffer), "mldsa65");
	ck_assert_str_eq(signature_name(0x0bff, buffer), "0x0BFF");
}
END_TEST

Suite *suite_authentication(void)
{
	Suite *suite = suite_create("authentication");
	TCase *keys = tcase_create("keys");
	TCase *names = tcase_create("names");

	tcase_add_loop_test(keys, key_is_in_the_suite_or_in_the_scheme, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(names, names_of_keys);
	tcase_add_test(names, every_suite_is_found);
	tcase_add_test(names, names_of_groups_and_schemes);
	suite_add_tcase(suite, keys);
	suite_add_tcase(suite, names);
	return suite;
}
