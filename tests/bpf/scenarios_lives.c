/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts: objects whose life is not new, handshake, free. */
#include <inttypes.h>

#include "fake_layout.h"
#include "scenarios.h"

/* A server that takes early data returns 1 while it still waits for the client's Finished. */
static struct made return_early(struct victim *victim, unsigned int early_data)
{
	struct made made = make(victim, 0, "server");

	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "during 0 early_data %u", early_data);
	say(victim, "during 0 hand_state %u", STATE_EARLY_DATA);
	say(victim, "during 0 in_init 0");
	say(victim, "step 0 1");
	say(victim, "set 0 in_init 1");
	return made;
}

static void early_data_accepted(struct victim *victim)
{
	return_early(victim, EARLY_ACCEPTED);
	for (int i = 0; i < 2; i++)
		wait_in(victim, 0, STATE_EARLY_DATA);
	succeed(victim, 0);
	say(victim, "free 0");
}

static void early_data_rejected(struct victim *victim)
{
	return_early(victim, EARLY_REJECTED);
	for (int i = 0; i < 2; i++)
		wait_in(victim, 0, STATE_EARLY_DATA);
	succeed(victim, 0);
	succeed(victim, 0);
	say(victim, "free 0");
}

/* nginx goes on with the request, and the client goes away before its Finished. */
static void early_data_accepted_then_gone(struct victim *victim)
{
	return_early(victim, EARLY_ACCEPTED);
	wait_in(victim, 0, STATE_EARLY_DATA);
	say(victim, "free 0");
}

static void early_data_rejected_then_gone(struct victim *victim)
{
	return_early(victim, EARLY_REJECTED);
	wait_in(victim, 0, STATE_EARLY_DATA);
	say(victim, "set 0 read.bits 0x400");
	say(victim, "free 0");
}

/* SSL_read reads the Finished: no SSL_do_handshake returns. */
static void early_data_finished_by_reading(struct victim *victim)
{
	return_early(victim, EARLY_REJECTED);
	say(victim, "set 0 hand_state %u", STATE_OK);
	say(victim, "set 0 in_init 0");
	say(victim, "set 0 flow_state %u", FLOW_FINISHED);
	say(victim, "free 0");
}

/* The same where a certificate is asked for: nothing of it stays when its object is gone. */
static void early_data_checked_and_freed(struct victim *victim)
{
	struct made made = return_early(victim, EARLY_REJECTED);

	say(victim, "set 0 verify_mode 1");
	say(victim, "set 0 hand_state %u", STATE_OK);
	say(victim, "free 0");
	say(victim, "remove_session %" PRIu64, made.session);
}

static void called_again_after_ok(struct victim *victim)
{
	make(victim, 0, "server");
	succeed(victim, 0);
	succeed(victim, 0);
	say(victim, "free 0");
}

static void reused_in_flight(struct victim *victim)
{
	make(victim, 0, "server");
	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "set 0 flow_state %u", FLOW_UNINITED);
	say(victim, "set 0 hand_state %u", STATE_BEFORE);
	succeed(victim, 0);
	say(victim, "free 0");
}

static void reused_after_ok(struct victim *victim)
{
	make(victim, 0, "client");
	succeed(victim, 0);
	say(victim, "set 0 flow_state %u", FLOW_UNINITED);
	say(victim, "set 0 hand_state %u", STATE_BEFORE);
	say(victim, "set 0 in_init 1");
	succeed(victim, 0);
	say(victim, "free 0");
}

static void middle_of_a_handshake(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "set 0 flow_state %u", FLOW_READING);
	say(victim, "set 0 hand_state %u", STATE_READ_KEY);
}

static void joined_and_ok(struct victim *victim)
{
	middle_of_a_handshake(victim);
	succeed(victim, 0);
	say(victim, "free 0");
}

static void joined_and_failed(struct victim *victim)
{
	middle_of_a_handshake(victim);
	fail_in(victim, 0, STATE_READ_KEY);
	say(victim, "error 0x0A000119"); /* decryption failed or bad record MAC */
	say(victim, "free 0");
}

static void freed_unseen(struct victim *victim)
{
	middle_of_a_handshake(victim);
	say(victim, "set 0 read.bits 0x400");
	say(victim, "free 0");
}

static void freed_unused(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "free 0");
}

static void freed_after_unseen_ok(struct victim *victim)
{
	make(victim, 0, "client");
	say(victim, "set 0 flow_state %u", FLOW_FINISHED);
	say(victim, "set 0 hand_state %u", STATE_OK);
	say(victim, "set 0 in_init 0");
	succeed(victim, 0); /* and its SSL_do_handshake is none */
	say(victim, "free 0");
}

/* A record that cannot be read after completion sets state ERROR and in_init. */
static void error_after_ok(struct victim *victim)
{
	make(victim, 0, "server");
	succeed(victim, 0);
	say(victim, "set 0 flow_state %u", FLOW_ERROR);
	say(victim, "set 0 in_init 1");
	fail_in(victim, 0, STATE_OK);
	say(victim, "error 0x0A000119");
	say(victim, "free 0");
}

static void error_after_unseen_ok(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "set 0 flow_state %u", FLOW_ERROR);
	say(victim, "set 0 in_init 1");
	say(victim, "set 0 hand_state %u", STATE_OK);
	fail_in(victim, 0, STATE_OK);
	say(victim, "free 0");
}

/* Of an object that is gone nothing is known: what has its address later is another one. */
static void address_of_the_dead(struct victim *victim)
{
	struct made made = make(victim, 0, "client");

	succeed(victim, 0);
	say(victim, "free_at %" PRIu64, made.object);
	say(victim, "set 0 flow_state %u", FLOW_READING);
	say(victim, "set 0 hand_state %u", STATE_WROTE_CLIENT_FINISHED);
	say(victim, "set 0 in_init 1");
	say(victim, "set 0 read.bits 0x400");
	say(victim, "free 0");
}

static void forgotten(struct victim *victim)
{
	make(victim, 0, "server");
	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "forget 0");
}

static void forgotten_after_failure(struct victim *victim)
{
	make(victim, 0, "client");
	fail_in(victim, 0, STATE_WROTE_CH);
	say(victim, "error 0x0A0000C1");
	say(victim, "forget 0");
}

#define LIFE(name_, direction_, cause_, ...)                                                                \
	{                                                                                                   \
		.name = #name_, .run = name_, .direction = DIRECTION_##direction_, .cause = CAUSE_##cause_, \
		__VA_ARGS__                                                                                 \
	}

const struct scenario lives[] = {
	LIFE(early_data_accepted, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(early_data_rejected, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(early_data_accepted_then_gone, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(early_data_rejected_then_gone, CLIENT, TIMEOUT_MID_HANDSHAKE, .begun = 1, .failed = 1),
	LIFE(early_data_finished_by_reading, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(early_data_checked_and_freed, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(called_again_after_ok, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(reused_in_flight, CLIENT, OK, .begun = 2, .ok = 1, .unmatched = 1),
	LIFE(reused_after_ok, UPSTREAM, OK, .begun = 2, .ok = 2),
	LIFE(joined_and_ok, CLIENT, OK, .begun = 1, .ok = 1, .joined = 1),
	LIFE(joined_and_failed, CLIENT, DECRYPT_ERROR, .begun = 1, .failed = 1, .joined = 1),
	LIFE(freed_unseen, CLIENT, TIMEOUT_MID_HANDSHAKE, .begun = 1, .failed = 1, .joined = 1),
	LIFE(freed_unused, CLIENT, OK, .begun = 0),
	LIFE(freed_after_unseen_ok, UPSTREAM, OK, .begun = 0),
	LIFE(error_after_ok, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(error_after_unseen_ok, CLIENT, OK, .begun = 0),
	LIFE(address_of_the_dead, UPSTREAM, TIMEOUT_MID_HANDSHAKE, .begun = 2, .ok = 1, .failed = 1, .joined = 1),
	LIFE(forgotten, CLIENT, OK, .begun = 1, .open = 1),
	LIFE(forgotten_after_failure, UPSTREAM, OK, .begun = 1, .open = 1),
};
const size_t life_count = sizeof(lives) / sizeof(lives[0]);
