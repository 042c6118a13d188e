/* SPDX-License-Identifier: BSD-2-Clause */
/* What a watch costs a handshake, from what the kernel counted and what a trap was measured to cost. */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "command/watch_cost.h"

Suite *suite_watch_cost(void);

static const struct trap_costs traps = {
	.emulated_ns = 500, .stepped_ns = 9000, .return_ns = 300, .statistics_ns = 70, .clock_ns = 40
};

static struct watch_cost_row probe(uint64_t runs, uint64_t ns, bool is_return, bool stepped)
{
	return (struct watch_cost_row){
		.is_probe = true, .is_return = is_return, .stepped = stepped, .runs = runs, .ns = ns
	};
}

/* 100 TLS 1.3 handshakes: two calls each, and the end of the object. */
static struct watch_cost hundred(void)
{
	struct watch_cost cost = { .traps = traps, .count = 4, .seconds = 2, .ok = 90, .failed = 10 };

	cost.rows[0] = probe(200, 200 * 1040, false, false);
	cost.rows[1] = probe(200, 200 * 2040, true, false);
	cost.rows[2] = probe(100, 100 * 540, false, true);
	cost.rows[3] = (struct watch_cost_row){ .runs = 1000, .ns = 1000 * 140 };
	cost.cpu_ns = 1000000;
	return cost;
}

START_TEST(a_handshake_is_its_hits)
{
	struct watch_cost cost = hundred();

	watch_cost_sum(&cost);
	ck_assert_double_eq_tol(cost.hits, 5, 1e-9);
	ck_assert_double_eq_tol(cost.programs_ns, 2 * 1000 + 2 * 2000 + 500, 1e-6);
	ck_assert_double_eq_tol(cost.traps_ns, 2 * 500 + 2 * 300 + 9000, 1e-6);
	ck_assert_double_eq_tol(cost.share, (6500.0 + 10600.0) / 1000000, 1e-9);
	ck_assert_double_eq_tol(cost.foreign_ns, (6500.0 + 10600.0) / 5, 1e-6);
	ck_assert_double_eq_tol(cost.rows[1].per_handshake, 2, 1e-9);
	ck_assert_double_eq_tol(cost.rows[1].program_ns, 2000, 1e-6);
	/* Tracepoints are the host's. */
	ck_assert_double_eq_tol(cost.tracepoints_per_second, 500, 1e-9);
	ck_assert_double_eq_tol(cost.tracepoints_ns, 500 * 100, 1e-6);
}
END_TEST

START_TEST(foreign_hits_are_not_the_handshakes)
{
	struct watch_cost cost = hundred();

	cost.rows[0].runs *= 2;
	cost.rows[0].ns *= 2;
	cost.foreign = 200;
	watch_cost_sum(&cost);
	ck_assert_double_eq_tol(cost.hits, 5, 1e-9);
	ck_assert_double_lt(cost.programs_ns, 6500.0 + 2000);
	cost.foreign = 100000; /* more than were counted: read at another moment */
	watch_cost_sum(&cost);
	ck_assert_double_eq(cost.hits, 0);
}
END_TEST

START_TEST(a_return_probe_alone_pays_the_entry)
{
	struct watch_cost cost = hundred();

	cost.rows[1].alone = true;
	cost.rows[1].stepped = true;
	watch_cost_sum(&cost);
	ck_assert_double_eq_tol(cost.rows[1].trap_ns, 9300, 1e-9);
}
END_TEST

START_TEST(what_is_unknown_stays_so)
{
	struct watch_cost cost = hundred();

	cost.traps.return_ns = -1;
	watch_cost_sum(&cost);
	ck_assert_double_eq_tol(cost.hits, 5, 1e-9);
	ck_assert_double_gt(cost.programs_ns, 0);
	ck_assert_double_lt(cost.traps_ns, 0);
	ck_assert_double_lt(cost.share, 0);
	ck_assert_double_lt(cost.foreign_ns, 0);
	/* Of a kind that was not hit it does not matter. */
	cost = hundred();
	cost.traps.return_ns = -1;
	cost.rows[1].runs = cost.rows[1].ns = 0;
	watch_cost_sum(&cost);
	ck_assert_double_gt(cost.traps_ns, 0);
	cost = hundred();
	cost.cpu_ns = 0;
	watch_cost_sum(&cost);
	ck_assert_double_lt(cost.share, 0);
}
END_TEST

START_TEST(nothing_seen_is_no_division)
{
	struct watch_cost cost = { .traps = traps, .count = 1 };

	watch_cost_sum(&cost);
	ck_assert_double_lt(cost.hits, 0);
	ck_assert_double_lt(cost.foreign_ns, 0);
	/* Statistics were not on. */
	cost = hundred();
	for (size_t i = 0; i < cost.count; i++)
		cost.rows[i].runs = cost.rows[i].ns = 0;
	watch_cost_sum(&cost);
	ck_assert_double_lt(cost.hits, 0);
	/* Foreign hits alone. */
	cost = hundred();
	cost.ok = cost.failed = 0;
	watch_cost_sum(&cost);
	ck_assert_double_lt(cost.hits, 0);
	ck_assert_double_gt(cost.foreign_ns, 0);
}
END_TEST

START_TEST(the_clock_of_statistics_is_no_program)
{
	struct watch_cost cost = hundred();

	cost.rows[0].ns = 200 * 39;
	watch_cost_sum(&cost);
	ck_assert_double_eq(cost.rows[0].program_ns, 0);
	cost.traps.clock_ns = -1;
	watch_cost_sum(&cost);
	ck_assert_double_eq_tol(cost.rows[0].program_ns, 39, 1e-9);
}
END_TEST

Suite *suite_watch_cost(void)
{
	Suite *suite = suite_create("watch_cost");
	TCase *sums = tcase_create("sums");

	tcase_add_test(sums, a_handshake_is_its_hits);
	tcase_add_test(sums, foreign_hits_are_not_the_handshakes);
	tcase_add_test(sums, a_return_probe_alone_pays_the_entry);
	tcase_add_test(sums, what_is_unknown_stays_so);
	tcase_add_test(sums, nothing_seen_is_no_division);
	tcase_add_test(sums, the_clock_of_statistics_is_no_program);
	suite_add_tcase(suite, sums);
	return suite;
}
