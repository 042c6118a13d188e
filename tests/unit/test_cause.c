/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of causes: every row is complete and found again, and numbers outside the list are unknown. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <check.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"

Suite *suite_cause(void);

START_TEST(id_is_stable_and_found_again)
{
	enum cause cause = (enum cause)_i, found = CAUSE_COUNT;
	const char *id = cause_id(cause);

	ck_assert_uint_gt(strlen(id), 0);
	for (const char *at = id; *at; at++)
		ck_assert_msg(islower((unsigned char)*at) || *at == '_', "'%s' is not an id", id);
	ck_assert_int_eq(cause_from_id(id, &found), 0);
	ck_assert_int_eq(found, cause);
}
END_TEST

START_TEST(row_is_complete)
{
	enum cause cause = (enum cause)_i;
	const char *meaning = cause_meaning(cause);
	bool advised = false;

	ck_assert_uint_gt(strlen(meaning), 0);
	ck_assert_int_ne(meaning[strlen(meaning) - 1], '.');
	for (unsigned int direction = DIRECTION_CLIENT; direction < DIRECTION_COUNT; direction++) {
		ck_assert_ptr_nonnull(cause_advice(cause, direction));
		advised |= cause_advice(cause, direction)[0] != '\0';
	}
	/* A cause that one side only can have has no advice for the other; what is ours has one somewhere. */
	ck_assert_msg(advised || cause == CAUSE_OK || cause == CAUSE_UNKNOWN, "'%s' has no advice", cause_id(cause));
	ck_assert_str_eq(cause_advice(cause, DIRECTION_UNKNOWN), "");
	ck_assert_int_eq(cause_fixer(cause, DIRECTION_UNKNOWN), FIXER_NOBODY);
}
END_TEST

START_TEST(rows_are_in_their_places)
{
	ck_assert_int_eq(CAUSE_OK, 0);
	ck_assert_str_eq(cause_id(CAUSE_OK), "ok");
	ck_assert_str_eq(cause_id(CAUSE_NO_SHARED_CIPHER), "no_shared_cipher");
	ck_assert_str_eq(cause_id(CAUSE_UNKNOWN), "unknown");
	ck_assert_int_eq(cause_fixer(CAUSE_PEER_VERSION_TOO_OLD, DIRECTION_CLIENT), FIXER_PEER);
	ck_assert_int_eq(cause_fixer(CAUSE_PEER_VERSION_TOO_OLD, DIRECTION_UPSTREAM), FIXER_BACKEND);
	ck_assert_ptr_nonnull(strstr(cause_advice(CAUSE_PEER_VERSION_TOO_OLD, DIRECTION_CLIENT), "ssl_protocols"));
	ck_assert_ptr_nonnull(
		strstr(cause_advice(CAUSE_PEER_VERSION_TOO_OLD, DIRECTION_UPSTREAM), "proxy_ssl_protocols"));
}
END_TEST

START_TEST(outside_of_the_list)
{
	enum cause cause = CAUSE_TIMEOUT_BEFORE_HELLO;

	ck_assert_str_eq(cause_id(CAUSE_COUNT), "unknown");
	ck_assert_str_eq(cause_id((enum cause) - 1), "unknown");
	ck_assert_str_eq(cause_advice(CAUSE_NOT_TLS, DIRECTION_COUNT), "");
	ck_assert_int_eq(cause_from_id("no_such_cause", &cause), -ENOENT);
	ck_assert_int_eq(cause_from_id("", &cause), -ENOENT);
	ck_assert_int_eq(cause_from_id("OK", &cause), -ENOENT);
	ck_assert_int_eq(cause, CAUSE_TIMEOUT_BEFORE_HELLO);
}
END_TEST

START_TEST(somebody_stopped_waiting)
{
	unsigned int count = 0;

	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
		count += cause_is_given_up((enum cause)cause);
	ck_assert_uint_eq(count, 6);
	ck_assert(cause_is_given_up(CAUSE_TIMEOUT_BEFORE_HELLO));
	ck_assert(cause_is_given_up(CAUSE_TIMEOUT_MID_HANDSHAKE));
	ck_assert(cause_is_given_up(CAUSE_PEER_CLOSED_BEFORE_HELLO));
	ck_assert(cause_is_given_up(CAUSE_PEER_CLOSED_MID_HANDSHAKE));
	ck_assert(cause_is_given_up(CAUSE_PEER_RESET));
	ck_assert(cause_is_given_up(CAUSE_ABORTED_BY_NGINX));
	ck_assert(!cause_is_given_up(CAUSE_COUNT));
}
END_TEST

Suite *suite_cause(void)
{
	Suite *suite = suite_create("cause");
	TCase *rows = tcase_create("rows");
	TCase *lookup = tcase_create("lookup");

	tcase_add_loop_test(rows, id_is_stable_and_found_again, 0, CAUSE_COUNT);
	tcase_add_loop_test(rows, row_is_complete, 0, CAUSE_COUNT);
	tcase_add_test(rows, rows_are_in_their_places);
	tcase_add_test(rows, somebody_stopped_waiting);
	tcase_add_test(lookup, outside_of_the_list);
	suite_add_tcase(suite, rows);
	suite_add_tcase(suite, lookup);
	return suite;
}
