/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts: each thread keeps many handshakes in flight and moves one of them on at a time, as a worker does. What
 * becomes of a handshake is dealt when it begins and counted when its last function has returned.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "burst.h"
#include "fake_layout.h"
#include "victim.h"

#define IN_FLIGHT   32
#define THREADS_MAX 16

struct slot {
	struct object *object;
	enum burst_kind kind;
	unsigned int phase; /* calls made so far */
};

struct hand {
	uint64_t left, random;
	uint64_t counts[BURST_KIND_COUNT];
	int fd; /* of all its objects */
	struct slot slots[IN_FLIGHT];
};

static uint64_t draw(struct hand *hand)
{
	hand->random ^= hand->random << 13; /* xorshift64 */
	hand->random ^= hand->random >> 7;
	hand->random ^= hand->random << 17;
	return hand->random;
}

static enum burst_kind deal(struct hand *hand)
{
	static const unsigned int one_in[] = {
#define X(symbol, number, one_in_, ...) [BURST_##symbol] = (one_in_),
		BURST_KINDS(X)
#undef X
	};

	for (unsigned int kind = 1; kind < BURST_KIND_COUNT; kind++)
		if (draw(hand) % one_in[kind] == 0)
			return (enum burst_kind)kind;
	return BURST_OK;
}

static bool is_upstream(enum burst_kind kind)
{
	return kind == BURST_UPSTREAM || kind == BURST_ALERT || kind == BURST_VERIFY || kind == BURST_LATE_ALERT;
}

static void call(struct object *object, int result, unsigned int flow, unsigned int state, unsigned int in_init)
{
	object_later(object, "flow_state", flow);
	object_later(object, "hand_state", state);
	object_later(object, "in_init", in_init);
	victim_result = result;
	SSL_do_handshake(object);
}

static void call_waits(struct object *object, unsigned int state)
{
	object_later(object, "rwstate", WAIT_READ);
	object_later(object, "rbio.flags", BIO_READ_RETRY);
	call(object, -1, FLOW_READING, state, 1);
}

static void call_fails(struct object *object, unsigned int state, unsigned int bio_flags)
{
	object_later(object, "rwstate", WAIT_READ);
	object_later(object, "rbio.flags", bio_flags);
	call(object, -1, FLOW_ERROR, state, 1);
}

static void call_succeeds(struct object *object)
{
	object_later(object, "rwstate", 1);
	object_later(object, "rbio.flags", 0);
	call(object, 1, FLOW_FINISHED, STATE_OK, 0);
}

static void begin(struct hand *hand, struct slot *slot)
{
	struct object *object = slot->object ? slot->object : malloc(sizeof(*object));

	if (!object)
		abort();
	slot->object = object;
	slot->kind = deal(hand);
	slot->phase = 0;
	object_init(object, !is_upstream(slot->kind));
	object_set(object, "rbio.num", (uint64_t)hand->fd);
	object_set(object, "connection.fd", (uint64_t)hand->fd);
	object_set(object, "verify_mode", slot->kind == BURST_NO_CERTIFICATE);
	object_set(object, "cert_req", slot->kind == BURST_LATE_ALERT ? 2 : 0);
}

/* The call after which the kind is what it is, and what nginx does right after it. */
static void decide(struct slot *slot)
{
	struct object *object = slot->object;

	switch (slot->kind) {
	case BURST_CIPHER:
		call_fails(object, STATE_READ_CH, 0);
		ERR_error_string_n(0x0A0000C1, NULL, 0);
		break;
	case BURST_CLOSED:
		call_fails(object, STATE_READ_CH, BIO_AT_EOF);
		ngx_connection_error(NULL, 0, "peer closed connection in SSL handshake");
		break;
	case BURST_ALERT:
		object_later(object, "fatal_alert", 48);
		call_fails(object, STATE_WROTE_CLIENT_FINISHED, 0);
		ERR_error_string_n(0x0A000000 + 1048, NULL, 0);
		break;
	case BURST_TIMEOUT:
		call_waits(object, STATE_READ_KEY);
		object_set(object, "read.bits", 1 << 10);
		break;
	case BURST_FORGOTTEN:
		call_waits(object, STATE_READ_KEY);
		break;
	case BURST_VERIFY:
		object_later(object, "verify_result", 10);
		call_succeeds(object);
		X509_verify_cert_error_string(10);
		break;
	case BURST_REUSED:
		object_init(object, true);
		call_succeeds(object);
		break;
	case BURST_OK:
	case BURST_SLOW:
	case BURST_UPSTREAM:
	case BURST_NO_CERTIFICATE:
	case BURST_LATE_ALERT:
	case BURST_KIND_COUNT:
		call_succeeds(object);
		break;
	}
}

static void end(struct slot *slot)
{
	if (slot->kind == BURST_NO_CERTIFICATE)
		ngx_ssl_remove_cached_session(NULL, slot->object->session);
	if (slot->kind == BURST_LATE_ALERT)
		object_set(slot->object, "fatal_alert", 116);
	if (slot->kind == BURST_FORGOTTEN) {
		slot->object = NULL; /* another must not get its address */
		return;
	}
	SSL_free(slot->object);
}

/* One call. True when the handshake is over. */
static bool move_on(struct hand *hand, struct slot *slot)
{
	unsigned int waits = slot->kind == BURST_SLOW ? 3 : slot->kind != BURST_OK;

	if (slot->phase < waits) {
		call_waits(slot->object, is_upstream(slot->kind) ? STATE_WROTE_CH : STATE_READ_CH);
	} else if (slot->phase == waits) {
		decide(slot);
	} else {
		end(slot);
		hand->counts[slot->kind]++;
		return true;
	}
	slot->phase++;
	return false;
}

static void *play(void *context)
{
	struct hand *hand = context;
	unsigned int busy = 0;

	for (; busy < IN_FLIGHT && hand->left; busy++, hand->left--)
		begin(hand, &hand->slots[busy]);
	while (busy) {
		struct slot *slot = &hand->slots[draw(hand) % busy];
		struct slot last;

		if (!move_on(hand, slot))
			continue;
		if (hand->left) {
			hand->left--;
			begin(hand, slot);
			continue;
		}
		last = hand->slots[--busy];
		free(slot->object);
		*slot = last;
	}
	return NULL;
}

void victim_burst(uint64_t count, uint64_t seed, unsigned int threads, FILE *out)
{
	static struct hand hands[THREADS_MAX];
	uint64_t counts[BURST_KIND_COUNT] = { 0 };
	pthread_t ids[THREADS_MAX];
	static struct object whole;

	object_init(&whole, true);
	if (threads == 0 || threads > THREADS_MAX || !object_connect(&whole, true, "tcp4"))
		abort();
	memset(hands, 0, sizeof(hands));
	for (unsigned int i = 0; i < threads; i++) {
		hands[i].left = count / threads;
		hands[i].random = (seed + i + 1) * 0x9e3779b97f4a7c15u;
		hands[i].fd = whole.fd;
		if (pthread_create(&ids[i], NULL, play, &hands[i]))
			abort();
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		for (unsigned int kind = 0; kind < BURST_KIND_COUNT; kind++)
			counts[kind] += hands[i].counts[kind];
	}
	object_release(&whole);
	fputs("done", out);
	for (unsigned int kind = 0; kind < BURST_KIND_COUNT; kind++)
		fprintf(out, " %" PRIu64, counts[kind]);
	fputc('\n', out);
}
