/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every script is counted exactly as its row says, cause included; and a verdict that went through the spill map is
 * judged as the one that went through the ring.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "lab.h"
#include "scenarios.h"
#include "suites.h"

static void assert_counters(const struct lab *lab, const struct scenario *s)
{
	const struct {
		enum counter counter;
		unsigned int want;
		const char *name;
	} rows[] = {
		{ COUNTER_BEGUN, s->begun, "begun" },        { COUNTER_OK, s->ok, "ok" },
		{ COUNTER_FAILED, s->failed, "failed" },     { COUNTER_AMENDED, s->amended, "amended" },
		{ COUNTER_JOINED, s->joined, "joined" },     { COUNTER_UNMATCHED, s->unmatched, "unmatched" },
		{ COUNTER_RING_FULL, 0, "ring_full" },       { COUNTER_READ_FAULTS, 0, "read_faults" },
		{ COUNTER_FOREIGN_HITS, 0, "foreign_hits" }, { COUNTER_LOST_MARKS, 0, "lost_marks" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t have = lab_sum(lab, rows[i].counter);

		ck_assert_msg(have == rows[i].want, "%s: %s is %" PRIu64 ", not %u", s->name, rows[i].name, have,
			      rows[i].want);
	}
	ck_assert_msg(lab_of(lab, COUNTER_BEGUN, s->direction) == s->begun, "%s: begun of another direction",
		      s->name);
	ck_assert_msg(lab->open[s->direction] == s->open, "%s: open is %" PRIu64, s->name, lab->open[s->direction]);
}

static void assert_causes(const struct lab *lab, const struct scenario *s)
{
	struct tally want = { 0 };

	want.count[s->direction][CAUSE_OK] = (int64_t)s->ok - s->amended;
	if (s->cause != CAUSE_OK)
		want.count[s->direction][s->cause] = (int64_t)s->failed + s->amended;
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			ck_assert_msg(lab->recorded.count[direction][cause] == want.count[direction][cause],
				      "%s: direction %u has %" PRId64 " of '%s', not %" PRId64, s->name, direction,
				      lab->recorded.count[direction][cause], cause_id((enum cause)cause),
				      want.count[direction][cause]);
	ck_assert_uint_eq(lab_count(lab, EVENT_SETTLED), s->ok + s->failed);
	ck_assert_uint_eq(lab_count(lab, EVENT_AMENDED), s->amended);
}

static void run_alone(const struct scenario *scenario)
{
	struct lab *lab = lab_share();
	struct victim victim;

	victim_start(&victim);
	lab_watch(lab, victim.pid);
	scenario->run(&victim);
	lab_read(lab);
	assert_counters(lab, scenario);
	assert_causes(lab, scenario);
	lab_assert_exact(lab);
	victim_stop(&victim);
}

START_TEST(outcome)
{
	run_alone(&outcomes[_i]);
}
END_TEST

START_TEST(refusal)
{
	run_alone(&refusals[_i]);
}
END_TEST

START_TEST(life)
{
	run_alone(&lives[_i]);
}
END_TEST

static void run_table(struct victim *victim, const struct scenario *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		table[i].run(victim);
}

/* All scripts, one after the other, and what came of them. */
static void run_all(struct lab *lab, const struct tracer_options *options, bool keep_ring_full)
{
	struct victim victim, filler;

	victim_start(&victim);
	victim_start(&filler);
	lab_open(lab, options);
	lab->ignored = filler.pid;
	lab_watch(lab, victim.pid);
	lab_watch(lab, filler.pid);
	lab_arm(lab);
	for (int i = 0; keep_ring_full && i < 20; i++)
		outcomes[0].run(&filler);
	run_table(&victim, outcomes, outcome_count);
	run_table(&victim, refusals, refusal_count);
	run_table(&victim, lives, life_count);
	lab_finish(lab);
	victim_stop(&filler);
	victim_stop(&victim);
}

START_TEST(spilled_verdicts_are_judged_alike)
{
	struct tracer_options small = { .ring_bytes = (uint32_t)sysconf(_SC_PAGESIZE) };
	struct lab by_ring, by_spill;
	int64_t total = 0;

	run_all(&by_ring, NULL, false);
	run_all(&by_spill, &small, true);
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
			int64_t ring = by_ring.recorded.count[direction][cause];
			int64_t spill = by_spill.spilled.count[direction][cause];

			total += spill;
			ck_assert_int_eq(by_ring.spilled.count[direction][cause], 0);
			ck_assert_int_eq(by_spill.recorded.count[direction][cause], 0);
			ck_assert_msg(ring == spill,
				      "direction %u: %" PRId64 " of '%s' by the ring, %" PRId64 " by the spill map",
				      direction, ring, cause_id((enum cause)cause), spill);
		}
	/* An amendment gives one and takes one. */
	ck_assert_int_eq(total, (int64_t)(lab_sum(&by_ring, COUNTER_OK) + lab_sum(&by_ring, COUNTER_FAILED)));
	lab_close(&by_ring);
	lab_close(&by_spill);
}
END_TEST

Suite *suite_scenarios(void)
{
	Suite *suite = suite_create("scenarios");
	TCase *alone = tcase_create("alone"), *together = tcase_create("together");

	tcase_add_unchecked_fixture(alone, lab_share_open, lab_share_close);
	tcase_add_loop_test(alone, outcome, 0, (int)outcome_count);
	tcase_add_loop_test(alone, refusal, 0, (int)refusal_count);
	tcase_add_loop_test(alone, life, 0, (int)life_count);
	tcase_add_test(together, spilled_verdicts_are_judged_alike);
	tcase_set_timeout(alone, 20);
	tcase_set_timeout(together, 40);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, together);
	return suite;
}
