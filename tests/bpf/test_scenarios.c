/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every script is counted exactly as its row says, cause included, by probes of either way; and a verdict that went
 * through the spill map is judged as the one that went through the ring.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "attach/uprobe.h"
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

static size_t open_events(void)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	size_t count = 0;

	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory))) {
		char to[64] = "";

		if (readlinkat(dirfd(directory), entry->d_name, to, sizeof(to) - 1) > 0)
			count += strcmp(to, "anon_inode:[perf_event]") == 0;
	}
	closedir(directory);
	return count;
}

/* Or the scenarios below would run twice in one way. */
START_TEST(probes_are_placed_in_the_way_that_was_chosen)
{
	struct tracer_options by_events = { .by_events = true };
	struct lab lab;

	if (uprobe_way_here() == UPROBE_BY_EVENT) {
		fprintf(stderr, "skipped: this kernel has no multi links of uprobes\n");
		exit(77);
	}
	ck_assert_uint_eq(open_events(), 0);
	lab_open(&lab, NULL);
	ck_assert_uint_eq(open_events(), 0);
	lab_close(&lab);
	lab_open(&lab, &by_events);
	ck_assert_uint_gt(open_events(), 0);
	lab_close(&lab);
	ck_assert_uint_eq(open_events(), 0);
}
END_TEST

static void add_alone(Suite *suite, const char *name, SFun fixture)
{
	TCase *alone = tcase_create(name);

	tcase_add_unchecked_fixture(alone, fixture, lab_share_close);
	tcase_add_loop_test(alone, outcome, 0, (int)outcome_count);
	tcase_add_loop_test(alone, refusal, 0, (int)refusal_count);
	tcase_add_loop_test(alone, life, 0, (int)life_count);
	tcase_set_timeout(alone, 20);
	suite_add_tcase(suite, alone);
}

Suite *suite_scenarios(void)
{
	Suite *suite = suite_create("scenarios");
	TCase *together = tcase_create("together");

	add_alone(suite, "alone", lab_share_open);
	add_alone(suite, "by events", lab_share_open_by_events);
	tcase_add_test(together, spilled_verdicts_are_judged_alike);
	tcase_add_test(together, probes_are_placed_in_the_way_that_was_chosen);
	tcase_set_timeout(together, 40);
	suite_add_tcase(suite, together);
	return suite;
}
