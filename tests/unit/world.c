/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up handshakes for the tests of counting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <sys/socket.h>

#include "handshake/classify.h"
#include "world.h"

#define PEERS   40
#define WORKERS 5
#define NAMES   11

uint64_t world_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void fill_verdict(struct verdict *verdict, uint64_t *random)
{
	verdict->direction = (uint8_t)(world_random(random) % DIRECTION_COUNT);
	verdict->library = LIBRARY_OPENSSL_3;
	if (world_random(random) % 8 == 0)
		verdict->flags |= VERDICT_JOINED;
	if (world_random(random) % 2 == 0) {
		verdict->outcome = OUTCOME_OK;
		verdict->stage = STAGE_DONE;
		return;
	}
	verdict->waited = (uint8_t)(world_random(random) % (WAITED_WORKER + 1));
	verdict->outcome = world_random(random) % 2 ? OUTCOME_FAILED : OUTCOME_ABANDONED;
	verdict->stage = (uint8_t)(world_random(random) % (STAGE_DONE + 1));
	verdict->first_record = (uint8_t)(world_random(random) % 4);
	verdict->flags |= (uint16_t)(world_random(random) & (VERDICT_TIMED_OUT | VERDICT_EOF | VERDICT_NGINX_FACTS));
	if (verdict->outcome == OUTCOME_FAILED)
		verdict->error = 20u << 23 | (uint32_t)(100 + world_random(random) % 100);
	if (world_random(random) % 4 == 0)
		verdict->other_error = 4u << 23 | (uint32_t)(100 + world_random(random) % 20);
}

/* What was not measured is 0. The parts may be more than the whole, as where clocks differ. */
static void fill_parts(struct event *event, uint64_t *random)
{
	for (unsigned int part = 0; part < PART_COUNT; part++)
		event->parts.us[part] = (__u32)(world_random(random) >> (44 + world_random(random) % 16));
	event->parts.us[PART_CPU]++; /* none is without */
	if (world_random(random) % 4)
		event->flags |= EVENT_WAITS;
	else
		event->parts.us[PART_LAG] = event->parts.us[PART_PEER] = 0;
	if (event->verdict.direction == DIRECTION_UPSTREAM && world_random(random) % 2)
		event->flags |= EVENT_CONNECT;
	else
		event->parts.us[PART_CONNECT] = 0;
	event->parts.before_us = event->parts.us[PART_LAG] / 2;
	if (world_random(random) % 8 == 0)
		event->flags |= EVENT_SLEPT;
	if (event->flags & EVENT_WAITS && world_random(random) % 8 == 0)
		event->flags |= EVENT_COARSE;
	event->srtt_us = (__u32)(world_random(random) % 3 ? world_random(random) % 300000 : 0);
	event->retransmits = (__u32)(world_random(random) % 3);
}

static void fill_negotiated(struct event *event, uint64_t *random)
{
	static const uint16_t versions[] = { 0x0303, 0x0304, 0x0301, 0 };
	static const uint16_t ciphers[] = { 0x1301, 0x1302, 0xc02b, 0xc02f, 0 };
	static const uint16_t groups[] = { 0, 23, 29, 0x11ec };
	static const uint16_t signatures[] = { 0, 0x0403, 0x0804, 0x0807 };
	uint16_t cipher = ciphers[world_random(random) % 5];

	event->tls_version = versions[world_random(random) % 4];
	event->cipher = cipher ? 0x03000000 + (uint32_t)cipher : 0;
	event->group = groups[world_random(random) % 4];
	event->signature = signatures[world_random(random) % 4];
}

static void fill_event(struct event *event, uint64_t *random)
{
	event->header =
		(struct event_header){ .size = sizeof(*event), .version = EVENT_VERSION, .kind = EVENT_SETTLED };
	event->header.tgid = 100 + (uint32_t)(world_random(random) % WORKERS);
	event->generation = event->header.tgid % 2;
	event->time_ns = 1 + world_random(random) % 1000000000;
	fill_verdict(&event->verdict, random);
	/* Up to 137 s; the open bucket is tested apart, for its maximum has another meaning. */
	event->latency_ns = world_random(random) >> (27 + world_random(random) % 25);
	event->flags = EVENT_SOCKET | (world_random(random) % 3 ? 0 : EVENT_RESUMED);
	fill_parts(event, random);
	fill_negotiated(event, random);
	event->family = AF_INET;
	event->peer[0] = 10;
	event->peer[3] = (uint8_t)(world_random(random) % PEERS);
}

/* name: of NAMES, the last one is none. */
static void input_from_event(struct world_input *input, const struct event *event, unsigned int name)
{
	input->record.event = *event;
	input->record.cause = classify(&event->verdict);
	if (name + 1 < NAMES)
		input->record.sni_bytes = (uint16_t)snprintf((char *)input->record.sni, sizeof(input->record.sni),
							     "host%u.example", name);
	input->key = (struct spill_key){
		.verdict = event->verdict,
		.bucket = latency_bucket(event->latency_ns),
		.tgid = event->header.tgid,
		.tls_version = event->tls_version,
		.resumed = event->flags & EVENT_RESUMED ? 1 : 0,
		.amends = event->header.kind == EVENT_AMENDED,
		.generation = event->generation,
	};
	input->value = (struct spill_value){
		.count = 1,
		.latency_sum_ns = event->latency_ns,
		.before_sum_us = event->parts.before_us,
	};
	for (unsigned int part = 0; part < PART_COUNT; part++)
		input->value.part_sum_us[part] = event->parts.us[part];
}

static struct event amended_from(const struct event *ok)
{
	struct event amended = *ok;

	amended.header.kind = EVENT_AMENDED;
	amended.time_ns += 1000;
	amended.verdict.outcome = OUTCOME_REJECTED;
	amended.verdict.rejection = ok->verdict.direction == DIRECTION_UPSTREAM ? REJECTION_UPSTREAM_VERIFY
										: REJECTION_CLIENT_CERTIFICATE;
	amended.verdict.verify_result = 10;
	amended.verdict.flags |= VERDICT_PEER_CERTIFICATE;
	return amended;
}

void world_init(struct world *world, size_t handshakes, uint64_t seed)
{
	uint64_t random = seed * 2 + 0x9e3779b97f4a7c15u;

	world->count = 0;
	world->inputs = calloc(2 * handshakes, sizeof(*world->inputs));
	ck_assert_ptr_nonnull(world->inputs);
	for (size_t i = 0; i < handshakes; i++) {
		struct event event = { 0 };

		unsigned int name = (unsigned int)(world_random(&random) % NAMES);

		fill_event(&event, &random);
		input_from_event(&world->inputs[world->count++], &event, name);
		if (event.verdict.outcome == OUTCOME_OK && world_random(&random) % 6 == 0) {
			event = amended_from(&event);
			input_from_event(&world->inputs[world->count++], &event, name);
		}
	}
}

void world_release(struct world *world)
{
	free(world->inputs);
	*world = (struct world){ 0 };
}

void world_spill(struct world *world, unsigned int percent, uint64_t seed)
{
	uint64_t random = seed * 2 + 1;

	for (size_t i = 0; i < world->count; i++)
		world->inputs[i].spilled = world_random(&random) % 100 < percent;
}

void world_shuffle(struct world *world, uint64_t seed)
{
	uint64_t random = seed * 2 + 1;

	for (size_t i = world->count; i > 1; i--) {
		size_t other = world_random(&random) % i;
		struct world_input held = world->inputs[other];

		world->inputs[other] = world->inputs[i - 1];
		world->inputs[i - 1] = held;
	}
}

void world_add(struct aggregate *aggregate, const struct world_input *input)
{
	int err = input->spilled ? aggregate_add_spilled(aggregate, &input->key, &input->value)
				 : aggregate_add(aggregate, &input->record);

	if (err != 0)
		ck_abort_msg("an input was not added");
}

void world_add_all(struct aggregate *aggregate, const struct world *world)
{
	for (size_t i = 0; i < world->count; i++)
		world_add(aggregate, &world->inputs[i]);
}
