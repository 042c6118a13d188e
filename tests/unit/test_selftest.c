/* SPDX-License-Identifier: BSD-2-Clause */
/* The child of the self-test, without any probe on it: lives, waits, can be killed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "attach/library.h"
#include "attach/selftest.h"
#include "base/cleanup.h"

Suite *suite_selftest(void);

/* Whether CPU and kernel have them for programs. */
static bool has_shadow_stacks(void)
{
	autofclose FILE *cpu = fopen("/proc/cpuinfo", "re");
	char line[8192];

	while (cpu && fgets(line, sizeof(line), cpu))
		if (strstr(line, " user_shstk"))
			return true;
	return false;
}

START_TEST(the_child_waits_and_ends)
{
	struct selftest_child child = SELFTEST_CHILD_INIT;
	int status = -1;

	ck_assert_int_eq(selftest_child_start(&child, _i ? PROCESS_BELOW_FILTER : 0), 0);
	ck_assert_int_eq(selftest_child_wait(&child, &status, 100), -ETIMEDOUT);
	ck_assert_uint_eq(process_traits(child.pid), _i ? PROCESS_BELOW_FILTER : 0);
	ck_assert_int_eq(selftest_child_go(&child), 0);
	ck_assert_int_eq(selftest_child_wait(&child, &status, 60000), 0);
	ck_assert_int_eq(status, 0);
	selftest_child_release(&child);
	selftest_child_release(&child);
}
END_TEST

START_TEST(a_killed_child_is_told)
{
	struct selftest_child child = SELFTEST_CHILD_INIT;
	int status = 0;

	ck_assert_int_eq(selftest_child_start(&child, PROCESS_BELOW_FILTER), 0);
	ck_assert_int_eq(kill(child.pid, SIGUSR1), 0);
	ck_assert_int_eq(selftest_child_wait(&child, &status, 60000), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	selftest_child_release(&child);
}
END_TEST

/* Where there is none to be had the child says so, and does not run the victim without. */
START_TEST(a_shadow_stack_or_a_word)
{
	const unsigned int traits = PROCESS_SHADOW_STACK | (_i ? PROCESS_BELOW_FILTER : 0);
	struct selftest_child child = SELFTEST_CHILD_INIT;
	int status = -1;

	ck_assert_int_eq(selftest_child_start(&child, traits), 0);
	ck_assert_int_eq(selftest_child_go(&child), 0);
	ck_assert_int_eq(selftest_child_wait(&child, &status, 60000), 0);
	ck_assert_msg(WIFEXITED(status), "status %#x", (unsigned int)status);
	ck_assert_int_eq(WEXITSTATUS(status), has_shadow_stacks() ? 0 : SELFTEST_EXIT_SHADOW);
	selftest_child_release(&child);
}
END_TEST

START_TEST(release_ends_it)
{
	struct selftest_child child = SELFTEST_CHILD_INIT;
	pid_t pid;

	ck_assert_int_eq(selftest_child_start(&child, 0), 0);
	pid = child.pid;
	ck_assert_int_eq(kill(pid, SIGSTOP), 0); /* it cannot end by itself */
	selftest_child_release(&child);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

/* The offset from the mapping is the one that the file's symbol table gives. */
START_TEST(offset_of_the_victim)
{
	autolibrary struct library *self = NULL;
	struct symbol symbol;
	uint64_t offset = 0;

	ck_assert_int_eq(selftest_symbol_offset(&offset), 0);
	ck_assert_int_eq(library_open("/proc/self/exe", &self), 0);
	ck_assert_int_eq(library_symbol(self, "tlswhy_selftest_victim", &symbol), 0);
	ck_assert_uint_eq(offset, symbol.file_offset);
}
END_TEST

START_TEST(facts_of_processes)
{
	ck_assert_uint_eq(process_traits(0x7fffffff), 0);
}
END_TEST

Suite *suite_selftest(void)
{
	Suite *suite = suite_create("selftest");
	TCase *child = tcase_create("child");

	tcase_add_loop_test(child, the_child_waits_and_ends, 0, 2);
	tcase_add_test(child, a_killed_child_is_told);
	tcase_add_loop_test(child, a_shadow_stack_or_a_word, 0, 2);
	tcase_add_test(child, release_ends_it);
	tcase_add_test(child, offset_of_the_victim);
	tcase_add_test(child, facts_of_processes);
	suite_add_tcase(suite, child);
	return suite;
}
