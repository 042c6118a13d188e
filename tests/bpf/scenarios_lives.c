/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts: objects whose life is not new, handshake, free. */
#include "fake_layout.h"
#include "scenarios.h"

static void early_data(struct victim *victim)
{
	make(victim, 0, "server");
	wait_in(victim, 0, STATE_READ_CH);
	say(victim, "during 0 hand_state %u", STATE_EARLY_DATA);
	say(victim, "during 0 in_init 0");
	say(victim, "step 0 1");
	say(victim, "set 0 in_init 1");
	succeed(victim, 0);
	say(victim, "free 0");
}

/* Between its two returns of 1 it waits for the client's Finished. */
static void early_data_with_waits(struct victim *victim)
{
	make(victim, 0, "server");
	say(victim, "during 0 flow_state %u", FLOW_READING);
	say(victim, "during 0 hand_state %u", STATE_EARLY_DATA);
	say(victim, "step 0 1");
	for (int i = 0; i < 2; i++)
		wait_in(victim, 0, STATE_EARLY_DATA);
	succeed(victim, 0);
	say(victim, "free 0");
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

#define LIFE(name_, direction_, cause_, ...) \
	{ .name = #name_, .run = name_, .direction = DIRECTION_##direction_, .cause = CAUSE_##cause_, __VA_ARGS__ }

const struct scenario lives[] = {
	LIFE(early_data, CLIENT, OK, .begun = 1, .ok = 1),
	LIFE(early_data_with_waits, CLIENT, OK, .begun = 1, .ok = 1),
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
	LIFE(forgotten, CLIENT, OK, .begun = 1, .open = 1),
	LIFE(forgotten_after_failure, UPSTREAM, OK, .begun = 1, .open = 1),
};
const size_t life_count = sizeof(lives) / sizeof(lives[0]);
