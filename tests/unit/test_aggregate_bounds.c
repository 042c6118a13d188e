/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an aggregate may take: memory within the bound that aggregate.h states, whatever strangers send, with sums
 * that stay exact; and how peers are listed that it keeps as bytes.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include <check.h>
#include <sys/socket.h>

#include "handshake/aggregate.h"

TCase *aggregate_bounds_cases(void);

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void); /* Debian's gcc comes without its header */
#endif

/* aggregate.h says so. */
#define BOUND_BYTES    35000000
#define SNAPSHOT_BYTES 10500000
#define EACH           700 /* of a direction and cause: more than are kept of anything */

/* On the heap now. The sanitizer has an allocator of its own, of which mallinfo2() knows nothing. */
static size_t allocated_bytes(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#endif
}

static struct observation stranger(void)
{
	struct observation record = { .sni_bytes = 255 };

	record.event.header.kind = EVENT_SETTLED;
	record.event.flags = EVENT_SOCKET | EVENT_NGINX | EVENT_WAITS;
	record.event.family = AF_INET6;
	record.event.parts.us[PART_CPU] = 100;
	record.event.verdict.library = LIBRARY_OPENSSL_3;
	return record;
}

/* Nothing of it was there before: peer, name, worker, generation, and all that is negotiated or said of a failure. */
static void make_new(struct observation *record, uint32_t number)
{
	struct event *event = &record->event;

	memcpy(event->peer, &number, sizeof(number));
	memcpy(record->sni + sizeof(record->sni) - 1 - sizeof(number), &number, sizeof(number));
	event->header.tgid = number;
	event->generation = number;
	event->connection = number;
	event->object = number;
	event->time_ns = 1 + number;
	event->latency_ns = (uint64_t)number << 10;
	event->tls_version = (uint16_t)number;
	event->cipher = number;
	event->group = (uint16_t)number;
	event->signature = (uint16_t)number;
	event->verdict.error = number;
	event->verdict.other_error = ~number;
	event->verdict.error_errno = (int32_t)number;
	event->verdict.stage = (uint8_t)(number % (STAGE_DONE + 1));
	event->verdict.flags = VERDICT_ALERT_RECEIVED;
	event->verdict.alert_received = (uint8_t)number;
}

/* EACH handshakes of every direction and cause. */
static void flood(struct aggregate *aggregate, uint32_t first)
{
	struct observation record = stranger();
	uint32_t number = first;

	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++) {
			record.event.verdict.direction = (uint8_t)direction;
			record.cause = (enum cause)cause;
			for (unsigned int i = 0; i < EACH; i++) {
				make_new(&record, ++number);
				if (aggregate_add(aggregate, &record) != 0)
					ck_abort_msg("record %u was not added", number);
			}
		}
	}
}

static void assert_sums(const struct snapshot *snapshot, uint64_t each)
{
	uint64_t servers[DIRECTION_COUNT] = { 0 }, workers = 0, ciphers = 0;

	ck_assert_uint_eq(snapshot->cause_count, DIRECTION_COUNT * (CAUSE_COUNT - 1));
	for (size_t i = 0; i < snapshot->cause_count; i++) {
		ck_assert_uint_eq(snapshot->causes[i].count, each);
		ck_assert_uint_eq(snapshot->causes[i].latency.count, each);
		ck_assert_double_eq_tol(snapshot->causes[i].peers_distinct, (double)each, 0.08 * (double)each);
	}
	for (size_t i = 0; i < snapshot->server_count; i++)
		servers[snapshot->servers[i].direction] += snapshot->servers[i].ok + snapshot->servers[i].failed;
	for (size_t i = 0; i < snapshot->worker_count; i++)
		workers += snapshot->workers[i].handshakes;
	for (size_t i = 0; i < snapshot->cipher_count; i++)
		ciphers += snapshot->ciphers[i].count;
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		ck_assert_uint_eq(snapshot->ok[direction].count, each);
		ck_assert_uint_eq(servers[direction], CAUSE_COUNT * each);
	}
	ck_assert_uint_eq(workers, DIRECTION_COUNT * CAUSE_COUNT * each);
	ck_assert_uint_eq(ciphers, DIRECTION_COUNT * each);
}

START_TEST(memory_is_within_its_bound)
{
	size_t before = allocated_bytes(), full, twice;
	struct aggregate *aggregate = aggregate_new(&(struct aggregate_options){ .seed = 5 });
	struct snapshot snapshot;

	ck_assert_uint_gt(allocated_bytes(), before); /* it is seen at all */
	flood(aggregate, 0);
	full = allocated_bytes();
	ck_assert_uint_le(full - before, BOUND_BYTES);
	ck_assert_uint_ge(full - before, BOUND_BYTES / 2); /* the bound is not a word without meaning */
	flood(aggregate, 1u << 20);
	twice = allocated_bytes();
	ck_assert_uint_eq(twice, full);
	snapshot_init(&snapshot);
	ck_assert_int_eq(aggregate_snapshot(aggregate, &snapshot), 0);
	assert_sums(&snapshot, 2 * EACH);
	ck_assert_uint_le(allocated_bytes() - twice, SNAPSHOT_BYTES);
	snapshot_release(&snapshot);
	aggregate_free(aggregate);
}
END_TEST

/* With limits of the caller's: workers beyond them share a row, and nothing grows any more. */
START_TEST(memory_is_bounded)
{
	struct aggregate *aggregate = aggregate_new(&(struct aggregate_options){ .workers = 8, .seed = 5 });
	struct observation record = { .cause = CAUSE_NOT_TLS, .sni_bytes = 8 };
	struct snapshot snapshot;
	size_t used = 0;

	record.event.header.kind = EVENT_SETTLED;
	record.event.verdict.direction = DIRECTION_CLIENT;
	record.event.flags = EVENT_SOCKET;
	record.event.family = AF_INET6;
	for (uint32_t i = 0; i < 60000; i++) {
		record.cause = i % 2 ? CAUSE_NOT_TLS : CAUSE_OK;
		memcpy(record.event.peer, &i, sizeof(i));
		memcpy(record.sni, &i, sizeof(i));
		record.event.header.tgid = 1 + i % 30000;
		record.event.tls_version = (uint16_t)i;
		record.event.cipher = i;
		if (aggregate_add(aggregate, &record) != 0)
			ck_abort_msg("record %u was not added", i);
		if (i == 20000)
			used = allocated_bytes();
	}
	ck_assert_uint_eq(allocated_bytes(), used);
	snapshot_init(&snapshot);
	ck_assert_int_eq(aggregate_snapshot(aggregate, &snapshot), 0);
	ck_assert_uint_eq(snapshot.causes[0].count, 30000);
	ck_assert_uint_eq(snapshot.causes[0].peers.count, 20);
	ck_assert_double_eq_tol(snapshot.causes[0].peers_distinct, 30000, 2500);
	ck_assert_uint_eq(snapshot.worker_count, 9);
	ck_assert_uint_eq(snapshot.workers[0].pid, 0);
	ck_assert_uint_eq(snapshot.workers[0].handshakes + 8 * 2, 60000);
	aggregate_free(aggregate);
	snapshot_release(&snapshot);
}
END_TEST

static void add_peer(struct aggregate *aggregate, const char *address, unsigned int times)
{
	struct observation record = { .cause = CAUSE_NOT_TLS };

	record.event.header.kind = EVENT_SETTLED;
	record.event.verdict.direction = DIRECTION_UPSTREAM;
	record.event.peer_port = 443;
	record.event.proxy_bytes = (uint8_t)strlen(address);
	memcpy(record.event.proxy, address, strlen(address));
	for (unsigned int i = 0; i < times; i++)
		ck_assert_int_eq(aggregate_add(aggregate, &record), 0);
}

/* The more frequent first, equal ones in the order of their texts, and of these the first ones. */
START_TEST(peers_are_listed_by_count_and_text)
{
	static const char *const expected[] = { "what a balancer says", "10.0.0.10:443", "10.0.0.9:443",
						"192.0.2.1:443" };
	struct aggregate *aggregate = aggregate_new(&(struct aggregate_options){ .top_peers = 4 });
	const struct named_counts *peers;
	struct snapshot snapshot;

	add_peer(aggregate, "2001:db8::1", 2);
	add_peer(aggregate, "10.0.0.9", 2);
	add_peer(aggregate, "::ffff:192.0.2.1", 2);
	add_peer(aggregate, "what a balancer says", 3);
	add_peer(aggregate, "10.0.0.10", 2);
	add_peer(aggregate, "9.0.0.1", 1);
	snapshot_init(&snapshot);
	ck_assert_int_eq(aggregate_snapshot(aggregate, &snapshot), 0);
	peers = &snapshot.causes[0].peers;
	ck_assert_uint_eq(peers->count, 4);
	for (size_t i = 0; i < peers->count; i++) {
		ck_assert_uint_eq(peers->items[i].name_bytes, strlen(expected[i]));
		ck_assert_mem_eq(peers->items[i].name, expected[i], strlen(expected[i]));
		ck_assert_uint_eq(peers->items[i].count, i == 0 ? 3 : 2);
	}
	aggregate_free(aggregate);
	snapshot_release(&snapshot);
}
END_TEST

TCase *aggregate_bounds_cases(void)
{
	TCase *cases = tcase_create("bounds");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, memory_is_within_its_bound);
	tcase_add_test(cases, memory_is_bounded);
	tcase_add_test(cases, peers_are_listed_by_count_and_text);
	return cases;
}
