/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is traced: targets, their children, processes of a known binary; and what is left when one ends. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <check.h>

#include "fake_layout.h"
#include "lab.h"
#include "suites.h"
#include "control.h"

#define HITS_A_HANDSHAKE 3 /* entry, return, free */

static struct lab *lab;
static struct victim victim;

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

static void one_handshake(struct victim *who, unsigned int id)
{
	make(who, id, "server");
	succeed(who, id);
	say(who, "free %u", id);
}

static uint64_t forked(const char *command)
{
	uint64_t child;

	say(&victim, "%s", command);
	answer_numbers(&victim, &child, 1);
	return child;
}

static size_t count_of(enum event_kind kind, uint64_t tgid)
{
	size_t count = 0;

	for (size_t i = 0; i < lab->record_count; i++)
		count += lab->records[i].seen.event.header.kind == kind &&
			 lab->records[i].seen.event.header.tgid == tgid;
	return count;
}

START_TEST(a_child_is_taken_in)
{
	uint64_t child = forked("fork");

	lab_read(lab);
	ck_assert_uint_eq(count_of(EVENT_TARGET, child), 1);
	ck_assert_uint_eq(count_of(EVENT_SETTLED, child), 1);
	ck_assert_uint_eq(count_of(EVENT_EXIT, child), 1);
	ck_assert_uint_eq(lab_only(lab, EVENT_SETTLED)->seen.event.generation, LAB_GENERATION);
	ck_assert_uint_eq(lab_of(lab, COUNTER_OK, DIRECTION_CLIENT), 1);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FOREIGN_HITS), 0);
}
END_TEST

/* The child maps the victim's file too, but what it runs is the loader. */
START_TEST(a_child_that_runs_another_binary_is_not)
{
	forked("fork_other");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 0);
	ck_assert_uint_eq(lab->record_count, 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FOREIGN_HITS), HITS_A_HANDSHAKE);
}
END_TEST

START_TEST(a_foreign_process_is_not)
{
	struct victim foreign;

	victim_start(&foreign);
	make(&foreign, 0, "client");
	fail_in(&foreign, 0, STATE_WROTE_CH);
	say(&foreign, "error 0x0A0000C1");
	say(&foreign, "connection_error 104 peer closed connection");
	say(&foreign, "verify_error 10");
	say(&foreign, "check_host -1");
	say(&foreign, "remove_session 1");
	say(&foreign, "free 0");
	victim_stop(&foreign);
	lab_read(lab);
	for (unsigned int row = 0; row < COUNTER_ROWS; row++)
		ck_assert_uint_eq(lab->counters[row], row == COUNTER_FOREIGN_HITS ? HITS_A_HANDSHAKE + 5 : 0);
	ck_assert_uint_eq(lab->record_count, 0);
}
END_TEST

/* Two processes' objects may have the same address: they are two. */
START_TEST(processes_are_kept_apart)
{
	struct victim other;

	victim_start(&other);
	lab_watch(lab, other.pid);
	say(&victim, "burst 4000 1 1");
	say(&other, "burst 4000 1 1");
	lab_read(lab);
	lab_assert_exact(lab);
	victim_stop(&other);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN) - lab_sum(lab, COUNTER_UNMATCHED), 8000);
}
END_TEST

static const char *const ends[] = { "exit", "exec", "" };

/* SIGTERM, SIGKILL and exec reach no SSL_free. */
START_TEST(what_was_in_flight_is_evicted)
{
	for (unsigned int id = 0; id < 4; id++)
		make(&victim, id, id < 3 ? "server" : "client");
	for (unsigned int id = 0; id < 4; id++)
		wait_in(&victim, id, id < 3 ? STATE_READ_CH : STATE_WROTE_CH);
	one_handshake(&victim, 4);
	if (!strcmp(ends[_i], "exec")) {
		say(&victim, "exec");
	} else {
		if (ends[_i][0])
			say_only(&victim, "%s", ends[_i]);
		else
			kill(victim.pid, SIGKILL);
		ck_assert_int_eq(waitid(P_PID, (id_t)victim.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	}
	lab_read(lab);
	ck_assert_uint_eq(lab_only(lab, EVENT_EXIT)->seen.event.header.tgid, (uint32_t)victim.pid);
	ck_assert_uint_eq(lab->evicted[DIRECTION_CLIENT], 3);
	ck_assert_uint_eq(lab->evicted[DIRECTION_UPSTREAM], 1);
	ck_assert_uint_eq(lab->open[DIRECTION_CLIENT], 0);
	lab_assert_exact(lab);
}
END_TEST

START_TEST(a_thread_that_ends_is_no_process)
{
	make(&victim, 0, "server");
	say(&victim, "set 0 rbio.flags %u", BIO_READ_RETRY);
	say(&victim, "during 0 flow_state %u", FLOW_READING);
	say(&victim, "thread 0 -1");
	say(&victim, "burst 100 1 4");
	succeed(&victim, 0);
	lab_read(lab);
	ck_assert_uint_eq(lab_count(lab, EVENT_EXIT), 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FOREIGN_HITS), 0);
}
END_TEST

/* What it runs then is no target unless its binary is known. */
START_TEST(exec_ends_a_target)
{
	say(&victim, "exec");
	one_handshake(&victim, 0);
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FOREIGN_HITS), HITS_A_HANDSHAKE);
}
END_TEST

/* Nobody named its process; its binary is known, as the kernel numbers devices. */
START_TEST(a_known_binary_is_taken_in)
{
	struct tracer_options options = { .adopt = true };
	struct target target = { .generation = 9, .connection_index = FAKE_CONNECTION_INDEX };
	struct binary_key key;
	struct victim named;
	struct lab own;
	struct stat file;
	char path[4096];

	victim_path(path, sizeof(path));
	ck_assert_int_eq(stat(path, &file), 0);
	key = (struct binary_key){ .inode = file.st_ino,
				   .device = (uint64_t)major(file.st_dev) << 20 | minor(file.st_dev) };
	lab_open(&own, &options);
	ck_assert_int_eq(tracer_add_binary(own.tracer, &key, &target), 0);
	lab_arm(&own);
	victim_start(&named);
	one_handshake(&named, 0);
	say(&named, "exec");
	one_handshake(&named, 0);
	say(&named, "fork_other");
	lab_finish(&own);
	victim_stop(&named);
	ck_assert_uint_eq(lab_count(&own, EVENT_TARGET), 2);
	ck_assert_uint_eq(lab_count(&own, EVENT_EXIT), 1);
	ck_assert_uint_eq(lab_count(&own, EVENT_SETTLED), 2);
	ck_assert_uint_eq(own.records[1].seen.event.generation, 9);
	ck_assert_uint_eq(lab_sum(&own, COUNTER_FOREIGN_HITS), HITS_A_HANDSHAKE);
	lab_assert_exact(&own);
	lab_close(&own);
}
END_TEST

/* The marks of one process; *program is what the last one told. */
static size_t told_programs(const struct lab *own, const struct victim *who, struct program_key *program)
{
	size_t count = 0;

	for (size_t i = 0; i < own->record_count; i++) {
		const struct event *event = &own->records[i].seen.event;

		if (event->header.kind != EVENT_EXEC || event->header.tgid != (uint32_t)who->pid)
			continue;
		*program = (struct program_key){ .inode = event->object,
						 .device = (uint32_t)event->begin_ns,
						 .generation = (uint32_t)(event->begin_ns >> 32) };
		count++;
	}
	return count;
}

/* Once a program, and again when it was forgotten. */
START_TEST(a_program_is_told_once)
{
	struct tracer_options options = { .tell_execs = true };
	struct program_key program = { 0 };
	struct victim named;
	struct lab own;
	struct stat file;
	char path[4096];

	victim_path(path, sizeof(path));
	ck_assert_int_eq(stat(path, &file), 0);
	lab_open(&own, &options);
	lab_arm(&own);
	victim_start(&named);
	say(&named, "exec");
	lab_drain(&own);
	ck_assert_uint_eq(told_programs(&own, &named, &program), 1);
	ck_assert_uint_eq(program.inode, file.st_ino);
	tracer_forget_program(own.tracer, &program);
	say(&named, "exec");
	say(&named, "exec");
	lab_finish(&own);
	victim_stop(&named);
	ck_assert_uint_eq(told_programs(&own, &named, &program), 2);
	ck_assert_uint_eq(tracer_execs_lost(own.tracer), 0);
	lab_close(&own);
}
END_TEST

/* A worker that was named alone stays alone. */
START_TEST(nobody_is_taken_in_unasked)
{
	forked("fork");
	lab_read(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_FOREIGN_HITS), HITS_A_HANDSHAKE);
}
END_TEST

Suite *suite_processes(void)
{
	Suite *suite = suite_create("processes");
	TCase *adopting = tcase_create("adopting"), *alone = tcase_create("alone"), *known = tcase_create("known");

	tcase_add_unchecked_fixture(adopting, lab_share_open_adopting, lab_share_close);
	tcase_add_checked_fixture(adopting, begin, end);
	tcase_add_test(adopting, a_child_is_taken_in);
	tcase_add_test(adopting, a_child_that_runs_another_binary_is_not);
	tcase_add_test(adopting, a_foreign_process_is_not);
	tcase_add_test(adopting, processes_are_kept_apart);
	tcase_add_loop_test(adopting, what_was_in_flight_is_evicted, 0, 3);
	tcase_add_test(adopting, a_thread_that_ends_is_no_process);
	tcase_add_test(adopting, exec_ends_a_target);
	tcase_add_unchecked_fixture(alone, lab_share_open, lab_share_close);
	tcase_add_checked_fixture(alone, begin, end);
	tcase_add_test(alone, nobody_is_taken_in_unasked);
	tcase_add_test(known, a_known_binary_is_taken_in);
	tcase_add_test(known, a_program_is_told_once);
	tcase_set_timeout(adopting, 20);
	tcase_set_timeout(alone, 20);
	tcase_set_timeout(known, 20);
	suite_add_tcase(suite, adopting);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, known);
	return suite;
}
