/* SPDX-License-Identifier: BSD-2-Clause */
/* The child of the self-test, without any probe on it: lives, waits, can be killed. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "attach/library.h"
#include "attach/selftest.h"

Suite *suite_selftest(void);

START_TEST(the_child_waits_and_ends)
{
	struct selftest_child child = SELFTEST_CHILD_INIT;
	int status = -1;

	ck_assert_int_eq(selftest_child_start(&child, _i), 0);
	ck_assert_int_eq(selftest_child_wait(&child, &status, 100), -ETIMEDOUT);
	ck_assert_int_eq(process_seccomp_mode(child.pid), _i ? PROCESS_SECCOMP_FILTER : PROCESS_SECCOMP_OFF);
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

	ck_assert_int_eq(selftest_child_start(&child, true), 0);
	ck_assert_int_eq(kill(child.pid, SIGUSR1), 0);
	ck_assert_int_eq(selftest_child_wait(&child, &status, 60000), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	selftest_child_release(&child);
}
END_TEST

START_TEST(release_ends_it)
{
	struct selftest_child child = SELFTEST_CHILD_INIT;
	pid_t pid;

	ck_assert_int_eq(selftest_child_start(&child, false), 0);
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
	ck_assert_int_eq(process_seccomp_mode(0x7fffffff), -ESRCH);
	ck_assert_int_eq(process_shadow_stack(0x7fffffff), -ESRCH);
	ck_assert_int_ge(process_shadow_stack(getpid()), 0);
}
END_TEST

Suite *suite_selftest(void)
{
	Suite *suite = suite_create("selftest");
	TCase *child = tcase_create("child");

	tcase_add_loop_test(child, the_child_waits_and_ends, 0, 2);
	tcase_add_test(child, a_killed_child_is_told);
	tcase_add_test(child, release_ends_it);
	tcase_add_test(child, offset_of_the_victim);
	tcase_add_test(child, facts_of_processes);
	suite_add_tcase(suite, child);
	return suite;
}
