/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts stay exact: before and after arming, when the ring is full, when the spill map is; and what is lost all the
 * same is in a number.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "fake_layout.h"
#include "lab.h"
#include "suites.h"
#include "control.h"

#define RING_TINY ((uint32_t)sysconf(_SC_PAGESIZE))

static void one_handshake(struct victim *victim, unsigned int id)
{
	make(victim, id, "server");
	succeed(victim, id);
	say(victim, "free %u", id);
}

static void assert_nothing(const struct lab *lab)
{
	for (unsigned int row = 0; row < COUNTER_ROWS; row++)
		ck_assert_uint_eq(lab->counters[row], 0);
	ck_assert_uint_eq(lab->record_count, 0);
	ck_assert_uint_eq(lab->spill_count, 0);
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		ck_assert_uint_eq(lab->open[direction], 0);
}

START_TEST(nothing_before_arming)
{
	struct victim victim;
	struct lab lab;

	victim_start(&victim);
	lab_open(&lab, NULL);
	lab_watch(&lab, victim.pid);
	one_handshake(&victim, 0);
	say(&victim, "burst 1000 1 2");
	/* Entered before, returns 1 after: not ours. */
	make(&victim, 0, "server");
	say(&victim, "during 0 pause 0");
	say(&victim, "during 0 flow_state %u", FLOW_FINISHED);
	say(&victim, "during 0 hand_state %u", STATE_OK);
	say(&victim, "during 0 in_init 0");
	say_only(&victim, "step 0 1");
	hear(&victim, "inside");
	lab_arm(&lab);
	say(&victim, "go on");
	say(&victim, "free 0");
	lab_finish(&lab);
	victim_stop(&victim);
	assert_nothing(&lab);
	lab_close(&lab);
}
END_TEST

/* The return and the end of one that was entered while armed are not counted: it stays open. */
START_TEST(nothing_after_disarming)
{
	struct victim victim;
	struct lab lab;

	victim_start(&victim);
	lab_open(&lab, NULL);
	lab_watch(&lab, victim.pid);
	lab_arm(&lab);
	make(&victim, 0, "server");
	say(&victim, "during 0 pause 0");
	say_only(&victim, "step 0 1");
	hear(&victim, "inside");
	ck_assert_int_eq(tracer_disarm(lab.tracer), 0);
	say(&victim, "go on");
	say(&victim, "free 0");
	one_handshake(&victim, 1);
	lab_finish(&lab);
	victim_stop(&victim);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_BEGUN), 1);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_OK) + lab_sum(&lab, COUNTER_FAILED), 0);
	ck_assert_uint_eq(lab.open[DIRECTION_CLIENT], 1);
	ck_assert_uint_eq(lab.record_count, 0);
	lab_assert_exact(&lab);
	lab_close(&lab);
}
END_TEST

/* Joined while inside: the next call is the first one seen. */
START_TEST(armed_in_the_middle)
{
	struct victim victim;
	struct lab lab;

	victim_start(&victim);
	lab_open(&lab, NULL);
	lab_watch(&lab, victim.pid);
	make(&victim, 0, "server");
	say(&victim, "during 0 pause 0");
	say(&victim, "during 0 flow_state %u", FLOW_READING);
	say(&victim, "during 0 hand_state %u", STATE_READ_KEY);
	say_only(&victim, "step 0 -1");
	hear(&victim, "inside");
	lab_arm(&lab);
	say(&victim, "go on");
	succeed(&victim, 0);
	say(&victim, "free 0");
	lab_finish(&lab);
	victim_stop(&victim);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_JOINED), 1);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_OK), 1);
	ck_assert_uint_eq(lab_only(&lab, EVENT_SETTLED)->seen.event.calls, 1);
	ck_assert(lab_only(&lab, EVENT_SETTLED)->seen.event.verdict.flags & VERDICT_JOINED);
	lab_assert_exact(&lab);
	lab_close(&lab);
}
END_TEST

static uint64_t spilled_handshakes(const struct lab *lab)
{
	uint64_t count = 0;

	for (size_t i = 0; i < lab->spill_count; i++) {
		const struct spill_value *value = &lab->spills[i].value;

		count += value->count;
		ck_assert_uint_gt(value->latency_sum_ns, 0);
		ck_assert_uint_ge(value->latency_sum_ns + 500 * value->count,
				  1000 * value->part_sum_us[PART_CPU]); /* rounded */
		ck_assert_uint_le(value->latency_sum_ns / value->count,
				  latency_bucket_bound_ns(lab->spills[i].key.bucket));
	}
	return count;
}

START_TEST(full_ring)
{
	struct tracer_options tiny = { .ring_bytes = RING_TINY };
	const struct spill_key *key;
	struct victim victim;
	struct lab lab;

	victim_start(&victim);
	lab_open(&lab, &tiny);
	lab_watch(&lab, victim.pid);
	lab_arm(&lab);
	for (int i = 0; i < 50; i++)
		one_handshake(&victim, 0);
	lab_finish(&lab);
	victim_stop(&victim);
	ck_assert_uint_gt(lab.record_count, 5);
	ck_assert_uint_lt(lab.record_count, 12);
	ck_assert_uint_eq(lab.record_count + spilled_handshakes(&lab), 50);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_RING_FULL), 50 - lab.record_count);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_OK), 50);
	key = &lab.spills[0].key;
	ck_assert_uint_eq(key->tgid, (uint32_t)victim.pid);
	ck_assert_uint_eq(key->tls_version, 0x0304);
	ck_assert_uint_eq(key->generation, LAB_GENERATION);
	ck_assert_uint_eq(key->resumed + key->amends, 0);
	lab_assert_exact(&lab);
	lab_close(&lab);
}
END_TEST

static bool is_zero(const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (((const uint8_t *)bytes)[i])
			return false;
	return true;
}

/* The ring's memory is used again: nothing of an earlier record is in a later one. */
START_TEST(records_hold_nothing_old)
{
	struct tracer_options tiny = { .ring_bytes = RING_TINY };
	const struct event *event;
	struct victim victim;
	struct lab lab;

	victim_start(&victim);
	lab_open(&lab, &tiny);
	lab_watch(&lab, victim.pid);
	lab_arm(&lab);
	for (unsigned int i = 0; i < 30; i++) {
		make(&victim, 0, i < 29 ? "server" : "server none");
		if (i < 29)
			say(&victim, "name 0 a.name.that.fills.the.record.test");
		if (i < 29)
			say(&victim, "proxy 0 80 2001:db8::1");
		fail_in(&victim, 0, STATE_READ_CH);
		if (i < 29)
			say(&victim, "error 0x0A0000C1");
		say(&victim, "free 0");
		lab_drain(&lab);
	}
	lab_finish(&lab);
	victim_stop(&victim);
	ck_assert_uint_eq(lab.record_count, 30);
	event = &lab.records[29].seen.event;
	ck_assert(is_zero(event->sni, sizeof(event->sni)));
	ck_assert(is_zero(event->proxy, sizeof(event->proxy)));
	ck_assert(is_zero(event->errors, sizeof(event->errors)));
	ck_assert(is_zero(event->peer, sizeof(event->peer) + sizeof(event->local)));
	ck_assert_uint_eq(event->family, 0);
	lab_close(&lab);
}
END_TEST

/* One row is all there is: what needs another is in the totals and in spill_full, and nowhere else. */
START_TEST(full_spill_map)
{
	struct tracer_options tiny = { .ring_bytes = RING_TINY, .spill_entries = 1 };
	struct victim victim;
	struct lab lab;
	uint64_t lost;

	victim_start(&victim);
	lab_open(&lab, &tiny);
	lab_watch(&lab, victim.pid);
	lab_arm(&lab);
	for (unsigned int i = 0; i < 60; i++) {
		make(&victim, 0, "server");
		fail_in(&victim, 0, STATE_READ_CH);
		say(&victim, "error %u", 0x0A000000 + 100 + i);
		say(&victim, "free 0");
	}
	lab_finish(&lab);
	victim_stop(&victim);
	lost = lab_sum(&lab, COUNTER_SPILL_FULL);
	ck_assert_uint_eq(lab.spill_count, 1);
	ck_assert_uint_eq(lab.record_count + lab_sum(&lab, COUNTER_RING_FULL), 60);
	ck_assert_uint_eq(lost, lab_sum(&lab, COUNTER_RING_FULL) - 1);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_BEGUN), 60);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_FAILED), 60);
	lab_close(&lab);
}
END_TEST

static pid_t dead;

static bool is_alive(uint32_t tgid)
{
	return tgid != (uint32_t)dead;
}

/* The mark of a process's end is lost; what it had in flight is found by looking. */
START_TEST(lost_marks)
{
	const unsigned int children = 20;
	struct tracer_options tiny = { .ring_bytes = RING_TINY, .adopt = true };
	struct victim victim;
	struct lab lab;

	victim_start(&victim);
	dead = victim.pid;
	lab_open(&lab, &tiny);
	lab_watch(&lab, victim.pid);
	lab_arm(&lab);
	for (int i = 0; i < 12; i++)
		one_handshake(&victim, 1);
	for (unsigned int i = 0; i < children; i++) /* two marks each: these fill the last bytes */
		say(&victim, "fork");
	make(&victim, 0, "server");
	wait_in(&victim, 0, STATE_READ_CH);
	kill(victim.pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)victim.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(tracer_evict_dead(lab.tracer, is_alive, lab.evicted), 0);
	lab_finish(&lab);
	victim_stop(&victim);
	ck_assert_uint_eq(lab.evicted[DIRECTION_CLIENT], 1);
	ck_assert_uint_gt(lab_sum(&lab, COUNTER_LOST_MARKS), children);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_LOST_MARKS) + lab_count(&lab, EVENT_EXIT) +
				  lab_count(&lab, EVENT_TARGET),
			  2 * children + 1);
	ck_assert_uint_eq(lab_sum(&lab, COUNTER_OK), 12 + children);
	lab_assert_exact(&lab);
	lab_close(&lab);
}
END_TEST

/* An SSL_free that never comes is not hidden: the handshake is found by walking, and without the walk nothing fits.
 */
START_TEST(forgotten_objects_are_open)
{
	const unsigned int forgotten = 37;
	struct victim victim;
	struct lab lab;

	victim_start(&victim);
	lab_open(&lab, NULL);
	lab_watch(&lab, victim.pid);
	lab_arm(&lab);
	for (unsigned int i = 0; i < 2 * forgotten; i++) {
		make(&victim, 0, "server none");
		wait_in(&victim, 0, STATE_READ_CH);
		if (i % 4 < 2)
			fail_in(&victim, 0, STATE_READ_CH);
		say(&victim, i % 2 ? "free 0" : "forget 0");
	}
	lab_finish(&lab);
	victim_stop(&victim);
	ck_assert_uint_eq(lab.open[DIRECTION_CLIENT], forgotten);
	ck_assert_uint_eq(lab_of(&lab, COUNTER_FAILED, DIRECTION_CLIENT), forgotten);
	ck_assert(lab_balances(&lab, DIRECTION_CLIENT, lab.open[DIRECTION_CLIENT]));
	ck_assert(!lab_balances(&lab, DIRECTION_CLIENT, 0));
	lab_close(&lab);
}
END_TEST

Suite *suite_losses(void)
{
	Suite *suite = suite_create("losses");
	TCase *losses = tcase_create("losses");

	tcase_add_test(losses, nothing_before_arming);
	tcase_add_test(losses, nothing_after_disarming);
	tcase_add_test(losses, armed_in_the_middle);
	tcase_add_test(losses, full_ring);
	tcase_add_test(losses, records_hold_nothing_old);
	tcase_add_test(losses, full_spill_map);
	tcase_add_test(losses, lost_marks);
	tcase_add_test(losses, forgotten_objects_are_open);
	tcase_set_timeout(losses, 20);
	suite_add_tcase(suite, losses);
	return suite;
}
