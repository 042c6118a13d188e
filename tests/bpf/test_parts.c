/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a handshake's time went, against moments that the test took itself.
 *
 * Invariant: no assertion rests on how fast the machine is. A moment that the kernel side measures lies between two
 * that are taken here, before the victim was told and after it answered; so does what lies between two moments.
 * Must not know: how a moment is measured.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "fake_layout.h"
#include "host/clock.h"
#include "lab.h"
#include "suites.h"
#include "control.h"

#define WAIT_US 60000
#define SPIN_MS 60

static struct lab *lab;
static struct victim victim;

/* When something that was said happened: between being said and being answered. */
struct moment {
	uint64_t early_ns, late_ns;
};

static void begin(void)
{
	lab = lab_share();
	victim_start(&victim);
	lab_watch(lab, victim.pid);
}

static void end(void)
{
	victim_stop(&victim);
}

#define AT(what)                                                         \
	({                                                               \
		struct moment at = { .early_ns = clock_monotonic_ns() }; \
		what;                                                    \
		at.late_ns = clock_monotonic_ns();                       \
		at;                                                      \
	})

/* From one moment to a later one. Parts are rounded to microseconds, each gap by itself. */
static void assert_between(uint32_t us, struct moment from, struct moment to, uint64_t slack_us)
{
	uint64_t least_us = to.early_ns > from.late_ns ? (to.early_ns - from.late_ns) / 1000 : 0;
	uint64_t most_us = (to.late_ns - from.early_ns) / 1000;

	ck_assert_msg(us + 2 + slack_us >= least_us && us <= most_us + 2 + slack_us,
		      "%u us, and it was %" PRIu64 " to %" PRIu64, us, least_us, most_us);
}

static uint32_t sum_us(const struct event *event)
{
	uint32_t sum = 0;

	for (unsigned int part = 0; part < PART_COUNT; part++)
		sum += event->parts.us[part];
	return sum;
}

/* The parts add up to the whole, but for rounding and what nobody measures. */
static void assert_whole(const struct event *event, uint32_t unattributed_us)
{
	uint64_t whole_us = event->latency_ns / 1000 + event->parts.us[PART_CONNECT] + event->parts.before_us;

	ck_assert_uint_le(sum_us(event), whole_us + 4);
	ck_assert_uint_le(whole_us, sum_us(event) + 4 + unattributed_us);
}

/* Nothing to read: the whole gap is the peer's. Then it lies there: the rest is the worker's. */
START_TEST(a_gap_is_split_where_the_data_came)
{
	struct moment waited, came, read;
	const struct event *event;

	make(&victim, 0, "server");
	waited = AT(wait_in(&victim, 0, STATE_READ_CH));
	usleep(WAIT_US);
	came = AT(say(&victim, "peer_write 0 100"));
	usleep(WAIT_US / 2);
	read = AT(succeed(&victim, 0));
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->flags & (EVENT_WAITS | EVENT_CONNECT), EVENT_WAITS);
	assert_between(event->parts.us[PART_PEER], waited, came, 0);
	assert_between(event->parts.us[PART_LAG], came, read, 0);
	ck_assert_uint_eq(event->parts.before_us, 0);
	assert_whole(event, 0);
}
END_TEST

START_TEST(a_call_without_data_ends_no_wait)
{
	struct moment waited, came;
	const struct event *event;

	make(&victim, 0, "server");
	say(&victim, "peer_write 0 100");
	waited = AT(wait_in(&victim, 0, STATE_READ_CH));
	say(&victim, "read 0");
	usleep(WAIT_US / 2);
	wait_in(&victim, 0, STATE_READ_CH);
	usleep(WAIT_US / 2);
	came = AT(say(&victim, "peer_write 0 1"));
	succeed(&victim, 0);
	event = lab_settled_one(lab);
	assert_between(event->parts.us[PART_PEER] + event->parts.us[PART_CPU] + event->parts.us[PART_PREEMPTED],
		       waited, came, 2000 * SPIN_MS);
	ck_assert_uint_ge(event->parts.us[PART_PEER] + 4, WAIT_US);
	assert_whole(event, 0);
}
END_TEST

/*
 * What is sent afterwards, as an acknowledgement of the kernel's timer is, moves the socket's fine stamp: the one in
 * ticks is taken then.
 */
START_TEST(what_follows_data_is_not_taken_for_it)
{
	uint64_t tick_us = clock_tick_ns() / 1000;
	struct moment came, read;
	const struct event *event;

	make(&victim, 0, "server");
	wait_in(&victim, 0, STATE_READ_CH);
	came = AT(say(&victim, "peer_write 0 100"));
	usleep(2 * WAIT_US);
	say(&victim, "write 0 100");
	usleep(WAIT_US);
	read = AT(succeed(&victim, 0));
	event = lab_settled_one(lab);
	ck_assert(event->flags & EVENT_COARSE);
	assert_between(event->parts.us[PART_LAG], came, read, 2 * tick_us);
	assert_whole(event, 0);
}
END_TEST

/* A client's bytes lie in the socket before the first call. http looks at them (_i), which moves a stamp of it. */
START_TEST(who_is_late_before_the_first_call)
{
	struct moment came, read;
	const struct event *event;

	make(&victim, 0, "server");
	came = AT(say(&victim, "peer_write 0 100"));
	usleep(WAIT_US / 2);
	if (_i)
		say(&victim, "peek 0");
	read = AT(succeed(&victim, 0));
	event = lab_settled_one(lab);
	assert_between(event->parts.before_us, came, read, 0);
	ck_assert_uint_eq(event->parts.us[PART_LAG], event->parts.before_us);
	ck_assert_uint_eq(event->parts.us[PART_PEER], 0);
	assert_whole(event, 0);
}
END_TEST

/* A client that says something and leaves: it had waited since it spoke, and not since it left. */
START_TEST(a_farewell_is_not_taken_for_data)
{
	uint64_t tick_us = clock_tick_ns() / 1000;
	struct moment came, read;
	const struct event *event;

	make(&victim, 0, "server");
	came = AT(say(&victim, "peer_write 0 100"));
	usleep(WAIT_US);
	say(&victim, _i ? "peer_reset 0" : "peer_close 0");
	usleep(WAIT_US / 2);
	read = AT(succeed(&victim, 0));
	event = lab_settled_one(lab);
	assert_between(event->parts.before_us, came, read, 2 * tick_us);
}
END_TEST

/* An upstream: the connect, and how long the connection stood before the first call. */
START_TEST(a_connect_is_apart)
{
	struct moment connected, read;
	const struct event *event;

	connected = AT(make(&victim, 0, "client"));
	usleep(WAIT_US / 2);
	read = AT(succeed(&victim, 0));
	event = lab_settled_one(lab);
	ck_assert(event->flags & EVENT_CONNECT);
	ck_assert_uint_gt(event->parts.us[PART_CONNECT], 0);
	ck_assert_uint_le(event->parts.us[PART_CONNECT], (connected.late_ns - connected.early_ns) / 1000 + 2);
	assert_between(event->parts.before_us, connected, read, 0);
	assert_whole(event, 0);
}
END_TEST

/* No socket of TCP: what lies between calls is nobody's, and known to be so. */
START_TEST(without_tcp_waits_are_not_known)
{
	struct moment waited, came;
	const struct event *event;
	uint64_t whole_us;

	make(&victim, 0, _i ? "server unix" : "client none");
	waited = AT(wait_in(&victim, 0, STATE_READ_CH));
	usleep(WAIT_US / 2);
	came = AT(succeed(&victim, 0));
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->flags & EVENT_MEASURED, 0);
	ck_assert_uint_eq(event->parts.us[PART_PEER] + event->parts.us[PART_LAG] + event->parts.us[PART_CONNECT], 0);
	whole_us = event->latency_ns / 1000;
	assert_between((uint32_t)(whole_us - sum_us(event)), waited, came, 0);
}
END_TEST

/* A certificate callback that is to be called again waits for something of ours. */
START_TEST(a_wait_of_our_own_is_nobodys)
{
	const struct event *event;

	make(&victim, 0, "server");
	say(&victim, "during 0 flow_state %u", FLOW_READING);
	say(&victim, "during 0 hand_state %u", STATE_READ_CH);
	say(&victim, "during 0 in_init 1");
	say(&victim, "during 0 rwstate 4");
	say(&victim, "step 0 -1");
	usleep(WAIT_US / 2);
	succeed(&victim, 0);
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->parts.us[PART_PEER] + event->parts.us[PART_LAG], 0);
	ck_assert_uint_ge(event->latency_ns / 1000, sum_us(event) + WAIT_US / 2);
}
END_TEST

START_TEST(sleep_within_a_call_is_not_cpu)
{
	uint32_t tick_us = clock_tick_ns() / 1000;
	const struct event *event;

	make(&victim, 0, "server");
	say(&victim, "during 0 pause 0");
	say(&victim, "during 0 flow_state %u", FLOW_FINISHED);
	say(&victim, "during 0 hand_state %u", STATE_OK);
	say(&victim, "during 0 in_init 0");
	say_only(&victim, "step 0 1");
	hear(&victim, "inside");
	usleep(WAIT_US);
	say(&victim, "%s", "");
	event = lab_settled_one(lab);
	ck_assert(event->flags & EVENT_SLEPT);
	ck_assert_uint_ge(event->latency_ns / 1000 + 2 * tick_us, sum_us(event) + WAIT_US);
}
END_TEST

static void pin(pid_t pid)
{
	cpu_set_t set, one;

	CPU_ZERO(&one);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &set))
			CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(pid, sizeof(one), &one), 0);
}

/* What the scheduler itself says: ready to run without a CPU. */
static uint64_t run_delay_us(pid_t pid)
{
	unsigned long long ran_ns, waited_ns;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%llu %llu", &ran_ns, &waited_ns), 2);
	fclose(file);
	return waited_ns / 1000;
}

/* Two on one CPU: what the call used stays what it is, and what it waited for is told apart. */
START_TEST(who_is_preempted_uses_no_more_cpu)
{
	pid_t hog = fork();
	const struct event *event;
	uint64_t delay_us;

	while (hog == 0)
		;
	pin(victim.pid);
	pin(hog);
	make(&victim, 0, "server");
	say(&victim, "during 0 spin %d", SPIN_MS);
	delay_us = run_delay_us(victim.pid);
	succeed(&victim, 0);
	delay_us = run_delay_us(victim.pid) - delay_us;
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->flags & EVENT_SLEPT, 0);
	ck_assert_uint_ge(event->parts.us[PART_CPU] + 2, SPIN_MS * 1000);
	ck_assert_uint_lt(event->parts.us[PART_CPU], SPIN_MS * 1500);
	ck_assert_uint_gt(event->parts.us[PART_PREEMPTED], SPIN_MS * 1000 / 10);
	ck_assert_uint_le(event->parts.us[PART_PREEMPTED], delay_us + 2);
	assert_whole(event, 0);
}
END_TEST

/* Who gave up: _i 0 nothing had come, 1 it lay there and nobody read it, 2 the same before the first call. */
START_TEST(whom_a_failure_had_waited_for)
{
	static const enum waited expected[] = { WAITED_PEER, WAITED_WORKER, WAITED_WORKER };
	const struct event *event;

	make(&victim, 0, "server");
	if (_i == 2) {
		say(&victim, "peer_write 0 100");
		usleep(WAIT_US);
	}
	wait_in(&victim, 0, STATE_READ_CH);
	if (_i == 1)
		say(&victim, "peer_write 0 100");
	if (_i < 2)
		usleep(WAIT_US);
	say(&victim, "free 0");
	event = lab_settled_one(lab);
	ck_assert_uint_eq(event->verdict.outcome, OUTCOME_ABANDONED);
	ck_assert_uint_eq(event->verdict.waited, expected[_i]);
	assert_whole(event, 0);
}
END_TEST

/* What was first seen in the middle says nothing of whom it waited for. */
START_TEST(of_a_joined_one_nothing_is_said)
{
	const struct event *event;

	make(&victim, 0, "server");
	say(&victim, "set 0 flow_state %u", FLOW_READING);
	say(&victim, "set 0 hand_state %u", STATE_READ_CH);
	say(&victim, "set 0 in_init 1");
	wait_in(&victim, 0, STATE_READ_CH);
	usleep(WAIT_US / 2);
	say(&victim, "free 0");
	event = lab_settled_one(lab);
	ck_assert(event->verdict.flags & VERDICT_JOINED);
	ck_assert_uint_eq(event->verdict.waited, WAITED_UNKNOWN);
	ck_assert_uint_eq(event->flags & EVENT_MEASURED, 0);
}
END_TEST

Suite *suite_parts(void)
{
	TCase *test = tcase_create("parts");
	Suite *suite = suite_create("parts");

	tcase_add_unchecked_fixture(test, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(test, begin, end);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, a_gap_is_split_where_the_data_came);
	tcase_add_test(test, a_call_without_data_ends_no_wait);
	tcase_add_test(test, what_follows_data_is_not_taken_for_it);
	tcase_add_loop_test(test, who_is_late_before_the_first_call, 0, 2);
	tcase_add_loop_test(test, a_farewell_is_not_taken_for_data, 0, 2);
	tcase_add_test(test, a_connect_is_apart);
	tcase_add_loop_test(test, without_tcp_waits_are_not_known, 0, 2);
	tcase_add_test(test, a_wait_of_our_own_is_nobodys);
	tcase_add_test(test, sleep_within_a_call_is_not_cpu);
	tcase_add_test(test, who_is_preempted_uses_no_more_cpu);
	tcase_add_loop_test(test, whom_a_failure_had_waited_for, 0, 3);
	tcase_add_test(test, of_a_joined_one_nothing_is_said);
	suite_add_tcase(suite, test);
	return suite;
}
