/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs suites of libcheck, for the programs that are made of them.
 *
 * Every test runs in a process of its own, so that one crash is one failure. A test that cannot run on this host says
 * why on standard error and exits with 77. Time limits end what hangs and judge nothing: on a busy machine under
 * sanitizers, libcheck's own 4 s are too little for some thousand good rounds.
 * Must not know: which suites there are.
 */
#ifndef TLSWHY_TESTS_RUN_SUITES_H
#define TLSWHY_TESTS_RUN_SUITES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

struct suite_entry {
	const char *name;
	Suite *(*make)(void);
};

#define TIMEOUT_MULTIPLIER "10" /* of libcheck's and of every test case's own limit; the environment goes first */
#define SKIP_MESSAGE       "Early exit with return value 77" /* libcheck's words for exit(77) */

struct counts {
	int run, failed, skipped;
};

/* libcheck's own lines for what failed: they alone name the test and the round of a loop. */
static inline void report_failures(SRunner *runner, const char *suite, struct counts *counts)
{
	TestResult **results = srunner_failures(runner);
	int failed = srunner_ntests_failed(runner), skipped = 0;

	for (int i = 0; i < failed; i++)
		skipped += strcmp(tr_msg(results[i]), SKIP_MESSAGE) == 0;
	free(results);
	counts->skipped += skipped;
	counts->failed += failed - skipped;
	if (failed == 0)
		return;
	printf("%s: %d failed, %d skipped\n", suite, failed - skipped, skipped);
	fflush(stdout);
	srunner_print(runner, CK_NORMAL);
}

static inline void run_suite(const struct suite_entry *entry, struct counts *counts)
{
	SRunner *runner = srunner_create(entry->make());

	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_SILENT);
	counts->run += srunner_ntests_run(runner);
	report_failures(runner, entry->name, counts);
	srunner_free(runner);
}

/*
 * The same in a process of its own: a test is a fork of what the runner has become, and under a sanitizer that grows
 * with every suite. One that does not come back has failed.
 */
static inline void run_suite_apart(const struct suite_entry *entry, struct counts *counts)
{
	struct counts own = { 0 };
	int ends[2], status = 0;
	bool told = false;
	pid_t child;

	fflush(NULL);
	child = pipe(ends) ? -1 : fork();
	if (child == 0) {
		run_suite(entry, &own);
		fflush(NULL);
		exit(write(ends[1], &own, sizeof(own)) == sizeof(own) ? 0 : 1);
	}
	if (child > 0) {
		close(ends[1]);
		told = read(ends[0], &own, sizeof(own)) == sizeof(own);
		close(ends[0]);
		waitpid(child, &status, 0);
	}
	if (!told || status) {
		printf("%s: ended with status %#x\n", entry->name, (unsigned int)status);
		own.run++;
		own.failed++;
	}
	counts->run += own.run;
	counts->failed += own.failed;
	counts->skipped += own.skipped;
}

/*
 * All of the suites, or the one named by the only argument. Prints `N passed, N failed, N skipped` last. Returns the
 * exit code: 0 all passed, 1 a test failed, 2 usage.
 */
static inline int run_suites(const struct suite_entry *suites, size_t count, int argc, char **argv)
{
	struct counts counts = { 0 };
	bool found = argc < 2;

	if (setenv("CK_TIMEOUT_MULTIPLIER", TIMEOUT_MULTIPLIER, 0))
		return 1;
	for (size_t i = 0; i < count; i++) {
		if (argc > 1 && strcmp(argv[1], suites[i].name) != 0)
			continue;
		found = true;
		run_suite_apart(&suites[i], &counts);
	}
	if (!found || argc > 2) {
		fprintf(stderr, "usage: %s [suite]\n", argv[0]);
		return 2;
	}
	printf("%d passed, %d failed, %d skipped\n", counts.run - counts.failed - counts.skipped, counts.failed,
	       counts.skipped);
	return counts.failed > 0 || counts.run == 0 ? 1 : 0;
}

#endif
