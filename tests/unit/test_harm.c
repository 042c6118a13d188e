/* SPDX-License-Identifier: BSD-2-Clause */
/* From what /proc/PID/status says to the decision whether a process may be probed. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "attach/harm.h"

Suite *suite_harm(void);

#define BOTH (PROCESS_BELOW_FILTER | PROCESS_SHADOW_STACK)

static const struct {
	const char *status;
	unsigned int traits;
} statuses[] = {
	{ "", 0 },
	{ "Name:\tnginx\nSeccomp:\t0\nSeccomp_filters:\t0\n", 0 },
	{ "Name:\tnginx\nSeccomp:\t2\nSeccomp_filters:\t1\n", PROCESS_BELOW_FILTER },
	{ "Seccomp:\t0\nx86_Thread_features:\t\nx86_Thread_features_locked:\t\n", 0 },
	{ "Seccomp:\t0\nx86_Thread_features:\tshstk \nx86_Thread_features_locked:\tshstk wrss \n",
	  PROCESS_SHADOW_STACK },
	{ "Seccomp:\t2\nx86_Thread_features:\tshstk wrss ", BOTH },
	/* Locked off. */
	{ "x86_Thread_features:\t\nx86_Thread_features_locked:\tshstk wrss \n", 0 },
	/* The kernel escapes what a process is called. */
	{ "Name:\tx86_Thread_features:\\tshstk\nSeccomp:\t0\n", 0 },
};

START_TEST(traits_of_a_status)
{
	ck_assert_uint_eq(process_traits_parse(statuses[_i].status), statuses[_i].traits);
}
END_TEST

START_TEST(harmless_is_not_refused)
{
	struct watch_problem problem = { .fault = WATCH_FAULT_NONE };

	for (unsigned int traits = 0; traits <= BOTH; traits++)
		ck_assert_int_eq(harm_judge(7, traits, HARM_NONE, &problem), 0);
	ck_assert_int_eq(harm_judge(7, 0, HARM_KILLS, &problem), 0);
	ck_assert_int_eq(harm_judge(7, 0, HARM_UNSURE, &problem), 0);
	ck_assert_int_eq(problem.fault, WATCH_FAULT_NONE);
}
END_TEST

static const struct {
	unsigned int traits;
	enum harm harm;
	const char *sentence, *hint;
} refusals[] = {
	{ PROCESS_BELOW_FILTER, HARM_KILLS, "runs below a seccomp filter, and on this kernel a return probe dies",
	  "cf6cb56ef244" },
	{ PROCESS_BELOW_FILTER, HARM_UNSURE, "runs below a seccomp filter, and the self-test could not", "-v" },
	{ PROCESS_SHADOW_STACK, HARM_KILLS, "runs with a shadow stack, and on this kernel a return probe dies",
	  "1713b63a07a2" },
	{ PROCESS_SHADOW_STACK, HARM_UNSURE, "runs with a shadow stack, and the self-test could not", "=-SHSTK" },
	{ BOTH, HARM_KILLS, "below a seccomp filter with a shadow stack, and on this kernel", "=-SHSTK" },
	{ BOTH, HARM_UNSURE, "below a seccomp filter with a shadow stack, and the self-test", "=-SHSTK" },
};

START_TEST(harm_is_refused_with_a_remedy)
{
	struct watch_problem problem = { .fault = WATCH_FAULT_NONE };

	ck_assert_int_eq(harm_judge(4711, refusals[_i].traits, refusals[_i].harm, &problem), -EPERM);
	ck_assert_int_eq(problem.fault, WATCH_FAULT_REQUIREMENT);
	ck_assert_ptr_nonnull(strstr(problem.sentence, "(master 4711)"));
	ck_assert_msg(strstr(problem.sentence, refusals[_i].sentence) != NULL, "%s", problem.sentence);
	ck_assert_msg(strstr(problem.hint, refusals[_i].hint) != NULL, "%s", problem.hint);
}
END_TEST

Suite *suite_harm(void)
{
	Suite *suite = suite_create("harm");
	TCase *tcase = tcase_create("harm");

	tcase_add_loop_test(tcase, traits_of_a_status, 0, sizeof(statuses) / sizeof(statuses[0]));
	tcase_add_test(tcase, harmless_is_not_refused);
	tcase_add_loop_test(tcase, harm_is_refused_with_a_remedy, 0, sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
