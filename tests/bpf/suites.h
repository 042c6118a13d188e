/* SPDX-License-Identifier: BSD-2-Clause */
/* The suites of this program: one line here and one file test_NAME.c each. X(name) stands for Suite
 * *suite_name(void). */
#ifndef TLSWHY_TESTS_BPF_SUITES_H
#define TLSWHY_TESTS_BPF_SUITES_H

#include <check.h>

#define SUITES(X)    \
	X(sites)     \
	X(scenarios) \
	X(facts)     \
	X(parts)     \
	X(agreement) \
	X(hello)     \
	X(unknown)   \
	X(partial)   \
	X(nginx)     \
	X(before)    \
	X(quic)      \
	X(processes) \
	X(answers)   \
	X(memory)    \
	X(losses)    \
	X(load)

#define X(name) Suite *suite_##name(void);
SUITES(X)
#undef X

#endif
