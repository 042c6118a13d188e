/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests of the kernel side: all suites, or the one named by the only argument. */
#include "../run_suites.h"
#include "suites.h"

static const struct suite_entry suites[] = {
#define X(name_) { .name = #name_, .make = suite_##name_ },
	SUITES(X)
#undef X
};

int main(int argc, char **argv)
{
	return run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
