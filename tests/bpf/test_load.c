/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Under load, on all processors: what processes and threads did at once is counted to the last one, by cause, through
 * ring and spill map together and through the spill map alone.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "burst.h"
#include "control.h"
#include "lab.h"
#include "suites.h"

#define BURST_HANDSHAKES 100000 /* a victim; or what TLSWHY_BURST says, where machines are slow */
#define BURST_THREADS    4
#define BURST_VICTIMS    2
#define RING_SMALL       65536
#define RING_TINY        ((uint32_t)sysconf(_SC_PAGESIZE))

/* What the victims say they did, by what each kind is counted as. */
struct expected {
	struct tally tally;
	uint64_t begun, ok, failed, amended, unmatched, open;
};

static void expect_kind(struct expected *expected, enum direction direction, enum cause cause, uint64_t count,
			bool amended)
{
	expected->begun += count;
	expected->tally.count[direction][cause] += (int64_t)count;
	expected->amended += amended ? count : 0;
	if (cause == CAUSE_OK || amended)
		expected->ok += count;
	else
		expected->failed += count;
}

static void expect(struct expected *expected, const struct victim *victim)
{
	static const struct {
		enum direction direction;
		enum cause cause;
	} kinds[] = {
#define X(symbol, number, one_in, direction_, cause_) [BURST_##symbol] = { DIRECTION_##direction_, CAUSE_##cause_ },
		BURST_KINDS(X)
#undef X
	};
	uint64_t counts[BURST_KIND_COUNT];

	answer_numbers(victim, counts, BURST_KIND_COUNT);
	for (unsigned int kind = 0; kind < BURST_FORGOTTEN; kind++)
		expect_kind(expected, kinds[kind].direction, kinds[kind].cause, counts[kind],
			    kind == BURST_VERIFY || kind == BURST_NO_CERTIFICATE || kind == BURST_LATE_ALERT);
	expect_kind(expected, DIRECTION_CLIENT, CAUSE_OK, counts[BURST_REUSED], false);
	expected->unmatched += counts[BURST_REUSED];
	expected->open += counts[BURST_FORGOTTEN];
	expected->begun += counts[BURST_REUSED] + counts[BURST_FORGOTTEN];
}

static void assert_burst(const struct lab *lab, const struct expected *expected)
{
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), expected->begun);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_OK), expected->ok);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FAILED), expected->failed);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_AMENDED), expected->amended);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_UNMATCHED), expected->unmatched);
	ck_assert_uint_eq(lab->open[DIRECTION_CLIENT], expected->open);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_JOINED), 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
			int64_t have = lab->recorded.count[direction][cause] + lab->spilled.count[direction][cause];

			ck_assert_msg(have == expected->tally.count[direction][cause],
				      "direction %u: %" PRId64 " of '%s', not %" PRId64, direction, have,
				      cause_id((enum cause)cause), expected->tally.count[direction][cause]);
		}
}

static unsigned int burst_handshakes(void)
{
	const char *text = getenv("TLSWHY_BURST");

	return text ? (unsigned int)strtoul(text, NULL, 10) : BURST_HANDSHAKES;
}

static bool has_answered(const struct victim *victim)
{
	struct pollfd ready = { .fd = fileno(victim->from), .events = POLLIN };

	return poll(&ready, 1, 1) == 1;
}

/* A reader that is quick from the start might never see a full ring. */
static bool ring_was_full(const struct lab *lab)
{
	uint64_t counters[COUNTER_ROWS];

	ck_assert_int_eq(tracer_counters(lab->tracer, counters), 0);
	return counters[COUNTER_RING_FULL] > 0;
}

/* Both play at once; takes the records once the ring was full, or leaves it full. */
static void play_bursts(struct lab *lab, struct victim *victims, struct expected *expected, bool drain)
{
	unsigned int handshakes = drain ? burst_handshakes() : burst_handshakes() / 2;
	bool full = false;

	for (unsigned int i = 0; i < BURST_VICTIMS; i++) {
		victim_start(&victims[i]);
		lab_watch(lab, victims[i].pid);
	}
	lab_arm(lab);
	for (unsigned int i = 0; i < BURST_VICTIMS; i++)
		say_only(&victims[i], "burst %u %u %u", handshakes, i + 1, BURST_THREADS);
	for (unsigned int i = 0; i < BURST_VICTIMS; i++) {
		while (!has_answered(&victims[i]))
			if (drain && (full = full || ring_was_full(lab)))
				lab_drain(lab);
		hear(&victims[i], "done");
		expect(expected, &victims[i]);
	}
	lab_finish(lab);
	for (unsigned int i = 0; i < BURST_VICTIMS; i++)
		victim_stop(&victims[i]);
}

/*
 * 200,000 handshakes of two processes with four threads each: most records go by the ring and many by the spill map.
 * Then half as many, all by the spill map.
 */
START_TEST(burst)
{
	struct tracer_options options = { .ring_bytes = _i ? RING_TINY : RING_SMALL };
	struct victim victims[BURST_VICTIMS];
	struct expected expected = { 0 };
	struct lab lab;

	lab_open(&lab, &options);
	lab.count_only = true;
	play_bursts(&lab, victims, &expected, _i == 0);
	ck_assert_uint_ge(expected.begun, BURST_VICTIMS * burst_handshakes() / (_i + 1));
	ck_assert_uint_gt(expected.open, expected.begun / 5000);
	assert_burst(&lab, &expected);
	lab_assert_exact(&lab);
	ck_assert_uint_gt(lab_sum(&lab, COUNTER_RING_FULL), _i ? burst_handshakes() * 9 / 10 : 0);
	ck_assert_int_gt(lab.recorded.count[DIRECTION_CLIENT][CAUSE_OK], 0);
	lab_close(&lab);
}
END_TEST

Suite *suite_load(void)
{
	Suite *suite = suite_create("load");
	TCase *load = tcase_create("load");

	tcase_add_loop_test(load, burst, 0, 2);
	tcase_set_timeout(load, 60);
	suite_add_tcase(suite, load);
	return suite;
}
