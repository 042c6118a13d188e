/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up records. Contract: aggregate_bench.h. */
#include "aggregate_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STRETCH_BYTES (4u << 20) /* TRACER_RING_BYTES */
#define RECORD_MAX    (EVENT_FIXED_MAX + EVENT_TAIL_LARGE)
#define NAME          "shop-0000000.customers.example.net"
#define NAME_DIGITS   7
#define NAME_FIRST    5 /* of the digits */

#define SSL_ERROR_3(reason) (20u << 23 | (reason))
#define CLIENT              .direction = DIRECTION_CLIENT, .library = LIBRARY_OPENSSL_3
#define UPSTREAM            .direction = DIRECTION_UPSTREAM, .library = LIBRARY_OPENSSL_3
#define FULL_1_3            .tls_version = 0x0304, .cipher = 0x03001302, .group = 29, .signature = 0x0403
#define FULL_1_2            .tls_version = 0x0303, .cipher = 0x0300c02f, .group = 23, .signature = 0x0804
#define RESUMED_1_3         .tls_version = 0x0304, .cipher = 0x03001302, .group = 29, .flags = EVENT_RESUMED
#define RESUMED_1_2         .tls_version = 0x0303, .cipher = 0x0300c02f, .flags = EVENT_RESUMED
#define OK                  .outcome = OUTCOME_OK, .stage = STAGE_DONE
#define ERROR(n)            .error_count = 1, .errors = { SSL_ERROR_3(n) }

/* A kind of record and how many of a thousand it is in each mix. */
struct kind {
	uint16_t share[MIX_COUNT];
	uint16_t hello_bytes;    /* of the ClientHello that comes with it; 0: none */
	const struct kind *then; /* what follows on it at once */
	uint8_t kind;            /* 0: EVENT_SETTLED */
	struct event event;
};

/* nginx refuses a backend's certificate after the handshake was ok. */
static const struct kind amended = {
	.kind = EVENT_AMENDED,
	.event = { .verdict = { UPSTREAM, .outcome = OUTCOME_REJECTED, .stage = STAGE_DONE,
				.rejection = REJECTION_UPSTREAM_VERIFY, .verify_result = 20,
				.flags = VERDICT_PEER_CERTIFICATE },
		   FULL_1_3 },
};
static const struct kind answered = { .kind = EVENT_ANSWERED, .event = { .verdict = { UPSTREAM } } };

static const struct kind kinds[] = {
	{ { 400, 0, 500 }, .event = { .verdict = { CLIENT, OK, .flags = VERDICT_SNI_SET }, FULL_1_3 } },
	{ { 200, 0, 250 }, .event = { .verdict = { CLIENT, OK, .flags = VERDICT_SNI_SET }, RESUMED_1_3 } },
	{ { 100, 0, 100 }, .event = { .verdict = { CLIENT, OK, .flags = VERDICT_SNI_SET }, FULL_1_2 } },
	{ { 50, 0, 50 }, .event = { .verdict = { CLIENT, OK }, RESUMED_1_2 } },
	{ { 100, 0, 100 }, .event = { .verdict = { UPSTREAM, OK }, FULL_1_3 } },
	/* The client does not trust us. */
	{ { 30, 0, 0 },
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_FAILED, .stage = STAGE_MID, .alert_received = 48,
				  .flags = VERDICT_ALERT_RECEIVED | VERDICT_SNI_SET, .error = SSL_ERROR_3(1048) },
		     ERROR(1048) } },
	{ { 15, 400, 0 },
	  .hello_bytes = 512,
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_FAILED, .stage = STAGE_HELLO, .alert_sent = 40,
				  .flags = VERDICT_ALERT_SENT | VERDICT_SNI_SET, .error = SSL_ERROR_3(193) },
		     ERROR(193) } },
	{ { 15, 300, 0 },
	  .hello_bytes = 512,
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_FAILED, .stage = STAGE_HELLO, .alert_sent = 70,
				  .version_class = VERSION_CLASS_PEER_OLDER, .flags = VERDICT_ALERT_SENT,
				  .error = SSL_ERROR_3(258) },
		     ERROR(258) } },
	/* No group in common; a hello with a post-quantum key share. */
	{ { 10, 0, 0 },
	  .hello_bytes = 1500,
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_FAILED, .stage = STAGE_HELLO, .alert_sent = 40,
				  .flags = VERDICT_ALERT_SENT | VERDICT_SNI_SET, .error = SSL_ERROR_3(101) },
		     ERROR(101) } },
	{ { 10, 300, 0 },
	  .hello_bytes = 512,
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_FAILED, .stage = STAGE_HELLO,
				  .flags = VERDICT_HANDSHAKE_REJECTED | VERDICT_SNI_SET | VERDICT_ALERT_SENT,
				  .alert_sent = 112, .error = SSL_ERROR_3(234) },
		     ERROR(234) } },
	/* They leave, are cut off, or are no TLS at all. */
	{ { 20, 0, 0 },
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_ABANDONED, .stage = STAGE_BEFORE_HELLO,
				  .flags = VERDICT_EOF | VERDICT_NGINX_FACTS, .waited = WAITED_PEER } } },
	{ { 10, 0, 0 },
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_ABANDONED, .stage = STAGE_MID,
				  .flags = VERDICT_TIMED_OUT | VERDICT_NGINX_FACTS | VERDICT_SNI_SET,
				  .waited = WAITED_PEER } } },
	{ { 10, 0, 0 },
	  .event = { .verdict = { CLIENT, .outcome = OUTCOME_FAILED, .stage = STAGE_BEFORE_HELLO,
				  .first_record = FIRST_RECORD_HTTP, .error = SSL_ERROR_3(156) },
		     .first_bytes = { 'G', 'E', 'T', ' ', '/' },
		     ERROR(156) } },
	/* Backends. */
	{ { 10, 0, 0 },
	  .then = &answered,
	  .event = { .verdict = { UPSTREAM, .outcome = OUTCOME_FAILED, .stage = STAGE_BEFORE_HELLO,
				  .error_errno = 104, .flags = VERDICT_SOCKET_RESET } } },
	{ { 20, 0, 0 },
	  .then = &amended,
	  .event = { .verdict = { UPSTREAM, OK, .flags = VERDICT_PEER_CERTIFICATE }, FULL_1_3 } },
};

const char *mix_name(enum mix mix)
{
	static const char *const names[] = { "usual", "attack", "ok" };

	return names[mix];
}

static uint64_t next_random(struct stretch *stretch)
{
	stretch->random ^= stretch->random << 13;
	stretch->random ^= stretch->random >> 7;
	stretch->random ^= stretch->random << 17;
	return stretch->random;
}

static uint64_t spread(uint64_t value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

static size_t put16(uint8_t *to, size_t at, unsigned int value)
{
	to[at] = (uint8_t)(value >> 8);
	to[at + 1] = (uint8_t)value;
	return at + 2;
}

/* An extension that is a list of 16-bit numbers, whose length takes one or two bytes. */
static size_t put_numbers(uint8_t *to, size_t at, unsigned int type, size_t length_bytes, unsigned int count)
{
	at = put16(to, at, type);
	at = put16(to, at, 2 * count + (unsigned int)length_bytes);
	if (length_bytes == 2)
		at = put16(to, at, 2 * count);
	else
		to[at++] = (uint8_t)(2 * count);
	for (unsigned int i = 0; i < count; i++)
		at = put16(to, at, type == 43 ? 0x0304 - i : 0x0403 + 0x0101 * i);
	return at;
}

static size_t put_name(uint8_t *to, size_t at, uint32_t *name_at)
{
	const unsigned int bytes = sizeof(NAME) - 1;

	at = put16(to, at, 0);
	at = put16(to, at, bytes + 5);
	at = put16(to, at, bytes + 3);
	to[at++] = 0;
	at = put16(to, at, bytes);
	*name_at = (uint32_t)at;
	memcpy(to + at, NAME, bytes);
	return at + bytes;
}

/* As a browser's: 16 suites, the usual extensions, and a key share that makes up the length. */
static void put_hello(uint8_t *to, size_t bytes, uint32_t *name_at)
{
	size_t at = put16(to, 0, 0x0303), extensions, left;

	memset(to + at, 0xa5, 32);
	to[at + 32] = 32;
	memset(to + at + 33, 0x5a, 32);
	at = put16(to, at + 65, 32);
	for (unsigned int i = 0; i < 16; i++)
		at = put16(to, at, i < 3 ? 0x1301 + i : 0xc02b + i);
	at = put16(to, at, 0x0100);
	extensions = at;
	at = put_name(to, at + 2, name_at);
	at = put16(to, at, 23); /* extended_master_secret */
	at = put16(to, at, 0);
	at = put_numbers(to, at, 10, 2, 6);
	at = put_numbers(to, at, 13, 2, 12);
	at = put_numbers(to, at, 43, 1, 2);
	at = put16(to, at, 16); /* ALPN */
	at = put16(to, at, 14);
	at = put16(to, at, 12);
	memcpy(to + at, "\x02h2\x08http/1.1", 12);
	at = put16(to, at + 12, 51);
	left = bytes - at - 2;
	at = put16(to, at, (unsigned int)left);
	at = put16(to, at, (unsigned int)left - 2);
	at = put16(to, at, 29);
	at = put16(to, at, (unsigned int)left - 6);
	memset(to + at, 0x3c, left - 6);
	put16(to, extensions, (unsigned int)(bytes - extensions - 2));
}

static void put_sni(struct event *event, struct slot *slot)
{
	event->sni_bytes = sizeof(NAME) - 1;
	memcpy(event->sni, NAME, sizeof(NAME) - 1);
	slot->sni = (uint32_t)offsetof(struct event, sni) + NAME_FIRST;
}

/* Appends one record, as the kernel side lays it out. */
static void append(struct stretch *stretch, size_t *used, const struct kind *kind)
{
	struct slot slot = { .at = (uint32_t)*used, .bytes = sizeof(struct event) + kind->hello_bytes };
	struct event event = kind->event;
	uint8_t *to = stretch->bytes + *used;

	event.header = (struct event_header){ .size = sizeof(event),
					      .version = EVENT_VERSION,
					      .kind = kind->kind ? kind->kind : EVENT_SETTLED };
	event.flags |= EVENT_SOCKET | EVENT_NGINX | EVENT_WAITS;
	event.flags |= event.verdict.direction == DIRECTION_UPSTREAM ? EVENT_CONNECT : EVENT_HTTP;
	event.calls = 2;
	event.local_port = 443;
	event.netns = 4026531840;
	event.family = AF_INET;
	if (kind->hello_bytes > 0) {
		event.header.tail_kind = TAIL_CLIENT_HELLO;
		event.header.tail_bytes = kind->hello_bytes;
		event.header.tail_true_bytes = kind->hello_bytes;
		put_hello(to + sizeof(event), kind->hello_bytes, &slot.tail_sni);
		slot.tail_sni += (uint32_t)sizeof(event) + NAME_FIRST;
	}
	if (event.verdict.flags & VERDICT_SNI_SET || event.verdict.direction == DIRECTION_UPSTREAM)
		put_sni(&event, &slot);
	slot.repeats = kind->kind != 0;
	memcpy(to, &event, sizeof(event));
	stretch->slots[stretch->count++] = slot;
	*used = (*used + slot.bytes + 8 + 7) & ~(size_t)7; /* a ring's records have a header of 8 bytes */
}

static const struct kind *choose(struct stretch *stretch, enum mix mix)
{
	uint64_t ticket = next_random(stretch) % 1000;
	size_t i = 0;

	while (ticket >= kinds[i].share[mix])
		ticket -= kinds[i++].share[mix];
	return &kinds[i];
}

void stretch_init(struct stretch *stretch, enum mix mix, const struct variety *variety)
{
	size_t used = 0;

	*stretch = (struct stretch){ .variety = *variety, .random = 0x9e3779b97f4a7c15u };
	stretch->bytes = calloc(1, STRETCH_BYTES);
	stretch->slots = calloc(STRETCH_BYTES / sizeof(struct event), sizeof(*stretch->slots));
	if (!stretch->bytes || !stretch->slots)
		abort();
	while (used + 2 * RECORD_MAX < STRETCH_BYTES) {
		const struct kind *kind = choose(stretch, mix);

		append(stretch, &used, kind);
		if (kind->then)
			append(stretch, &used, kind->then);
	}
}

void stretch_release(struct stretch *stretch)
{
	free(stretch->bytes);
	free(stretch->slots);
	*stretch = (struct stretch){ 0 };
}

static void write_digits(uint8_t *to, uint64_t number)
{
	for (unsigned int i = NAME_DIGITS; i-- > 0; number /= 10)
		to[i] = (uint8_t)('0' + number % 10);
}

/* Each fourth peer has an IPv6 address. */
static void set_peer(struct event *event, uint64_t peer)
{
	uint64_t bits = spread(peer);

	memset(event->peer, 0, sizeof(event->peer));
	event->family = peer % 4 == 0 ? AF_INET6 : AF_INET;
	if (event->family == AF_INET6) {
		memcpy(event->peer, "\x20\x01\x0d\xb8", 4);
		memcpy(event->peer + 8, &bits, sizeof(bits));
	} else {
		uint32_t address = (uint32_t)peer * 2654435761u; /* odd: no two are the same */

		memcpy(event->peer, &address, sizeof(address));
	}
}

/* Some names are asked for far more often than others. */
static uint64_t draw_name(struct stretch *stretch)
{
	uint64_t random = next_random(stretch) >> 32;

	return (((random * random) >> 32) * stretch->variety.names) >> 32;
}

static void set_times(struct stretch *stretch, struct event *event)
{
	uint64_t random = next_random(stretch);
	bool failed = event->verdict.outcome != OUTCOME_OK;

	event->time_ns = STRETCH_START_NS + stretch->handshakes * STRETCH_GAP_NS;
	event->parts.us[PART_CPU] = 60 + (uint32_t)(random & 0x3ff);
	event->parts.us[PART_PEER] = (uint32_t)(random >> 10 & 0x7fff) << (failed ? 4 : 0);
	event->parts.us[PART_LAG] = (uint32_t)(random >> 25 & 0xff);
	event->parts.us[PART_PREEMPTED] = random >> 33 & 7 ? 0 : (uint32_t)(random >> 36 & 0xff);
	event->parts.us[PART_CONNECT] = event->flags & EVENT_CONNECT ? (uint32_t)(random >> 44 & 0x3ff) : 0;
	event->latency_ns = 1000ull * (event->parts.us[PART_CPU] + event->parts.us[PART_PEER] +
				       event->parts.us[PART_LAG] + event->parts.us[PART_PREEMPTED] + 3);
	event->begin_ns = event->time_ns - event->latency_ns;
	event->srtt_us = 200 + (uint32_t)(random >> 54) * 50;
}

static void set_identity(struct stretch *stretch, struct event *event)
{
	uint64_t handshake = stretch->handshakes++, random = next_random(stretch);
	bool upstream = event->verdict.direction == DIRECTION_UPSTREAM;

	event->header.tgid = 1000 + (uint32_t)(random % stretch->variety.workers);
	event->generation = 1 + event->header.tgid % 4;
	event->object = 0x7f0000000000ull + (random >> 32 & 0xfffff) * 64;
	event->connection = handshake + 1;
	set_peer(event, handshake % stretch->variety.peers);
	event->peer_port = upstream ? 8443 : (uint16_t)(32768 + random % 28000);
	set_times(stretch, event);
}

/* An amendment has all of its ok, a request's answer its worker and connection. */
static void repeat(struct event *event, const struct event *before)
{
	struct event same = *before;

	same.header = event->header;
	same.header.tgid = before->header.tgid;
	same.verdict = event->verdict;
	if (event->header.kind == EVENT_ANSWERED)
		same.header.answer = 2;
	*event = same;
}

void stretch_renew(struct stretch *stretch, size_t count)
{
	struct event *before = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct slot *slot = &stretch->slots[i];
		struct event *event = (struct event *)(void *)(stretch->bytes + slot->at);

		if (slot->repeats && before) {
			repeat(event, before);
			continue;
		}
		set_identity(stretch, event);
		if (slot->sni || slot->tail_sni) {
			uint64_t name = draw_name(stretch);

			if (slot->sni)
				write_digits((uint8_t *)event + slot->sni, name);
			if (slot->tail_sni)
				write_digits((uint8_t *)event + slot->tail_sni, name);
		}
		before = event;
	}
}
