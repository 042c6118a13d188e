/* SPDX-License-Identifier: BSD-2-Clause */
/* What hits of foreign processes cost, and when that is too much. */
#include <errno.h>
#include <stdio.h>

#include <check.h>

#include "command/foreign_budget.h"
#include "command/options.h"

Suite *suite_foreign_budget(void);

#define SECOND_NS 1000000000ull
#define START_NS  (12345 * SECOND_NS) /* CLOCK_MONOTONIC is not 0 when a watch begins */

/* The hits of each second, one after the other; the second in which the budget was used up, or 0. */
static unsigned int run(double limit_percent, const uint64_t *per_second, unsigned int seconds)
{
	struct foreign_budget budget = { .limit_percent = limit_percent };
	uint64_t hits = 700000; /* of the time before: no hits of a second */

	ck_assert(!foreign_budget_count(&budget, hits, START_NS));
	for (unsigned int second = 1; second <= seconds; second++) {
		hits += per_second[second - 1];
		if (foreign_budget_count(&budget, hits, START_NS + second * SECOND_NS)) {
			ck_assert_uint_eq(budget.per_second, per_second[second - 1]);
			return second;
		}
	}
	return 0;
}

START_TEST(cost_of_hits)
{
	ck_assert_double_eq(foreign_percent(0), 0);
	ck_assert_double_eq_tol(foreign_percent(1), 0.0005, 1e-12);
	ck_assert_double_eq_tol(foreign_percent(2000), OPTIONS_FOREIGN_PERCENT, 1e-9);
	ck_assert_double_eq_tol(foreign_percent(400000), 200, 1e-6); /* two cores */
}
END_TEST

START_TEST(at_the_limit_is_within)
{
	static const uint64_t at[] = { 2000, 2000, 2000, 2000 }, above[] = { 2001, 2001 };

	ck_assert_uint_eq(run(1, at, 4), 0);
	ck_assert_uint_eq(run(1, above, 2), 2);
}
END_TEST

START_TEST(one_second_is_no_load)
{
	static const uint64_t bursts[] = { 90000, 0, 90000, 1999, 90000, 0 }, later[] = { 90000, 10, 3000, 3000 };

	ck_assert_uint_eq(run(1, bursts, 6), 0);
	ck_assert_uint_eq(run(1, later, 4), 4);
}
END_TEST

START_TEST(limit_is_the_users)
{
	static const uint64_t hits[] = { 30, 30, 30 };

	ck_assert_uint_eq(run(0.01, hits, 3), 2);
	ck_assert_uint_eq(run(0.1, hits, 3), 0);
	ck_assert_uint_eq(run(0, hits, 3), 0);
}
END_TEST

/* A watch that was not scheduled: what came in ten seconds is not taken for one second's. */
START_TEST(long_pauses_are_a_mean)
{
	struct foreign_budget budget = { .limit_percent = 1 };

	ck_assert(!foreign_budget_count(&budget, 0, START_NS));
	ck_assert(!foreign_budget_count(&budget, 15000, START_NS + 10 * SECOND_NS));
	ck_assert_uint_eq(budget.per_second, 1500);
	ck_assert(!foreign_budget_count(&budget, 30000, START_NS + 20 * SECOND_NS));
	ck_assert(!foreign_budget_count(&budget, 30000, START_NS + 20 * SECOND_NS));
}
END_TEST

/* NULL: the option is not given. */
static int parse(struct options *options, const char *value)
{
	char command[] = "report", name[] = "--foreign-budget", text[16];
	char *words[] = { command, name, text, NULL };

	snprintf(text, sizeof(text), "%s", value ? value : "");
	return options_parse(options, COMMAND_REPORT, value ? 3 : 1, words);
}

START_TEST(option_of_the_budget)
{
	static const char *const wrong[] = { "-1", "", "1%", "nan", "inf", "1e9", "many" };
	struct options options;

	ck_assert_int_eq(parse(&options, NULL), 0);
	ck_assert_double_eq(options.foreign_percent, OPTIONS_FOREIGN_PERCENT);
	ck_assert_int_eq(parse(&options, "0.25"), 0);
	ck_assert_double_eq(options.foreign_percent, 0.25);
	ck_assert_int_eq(parse(&options, "0"), 0);
	ck_assert_double_eq(options.foreign_percent, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(parse(&options, wrong[i]) == -EINVAL, "'%s' was taken", wrong[i]);
}
END_TEST

Suite *suite_foreign_budget(void)
{
	Suite *suite = suite_create("foreign_budget");
	TCase *tcase = tcase_create("foreign_budget");

	tcase_add_test(tcase, cost_of_hits);
	tcase_add_test(tcase, at_the_limit_is_within);
	tcase_add_test(tcase, one_second_is_no_load);
	tcase_add_test(tcase, limit_is_the_users);
	tcase_add_test(tcase, long_pauses_are_a_mean);
	tcase_add_test(tcase, option_of_the_budget);
	suite_add_tcase(suite, tcase);
	return suite;
}
