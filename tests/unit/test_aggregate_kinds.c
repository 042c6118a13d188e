/* SPDX-License-Identifier: BSD-2-Clause */
/* What was negotiated and what it cost: groups, costs, server names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "handshake/aggregate.h"
#include "handshake/servers.h"
#include "snapshot_same.h"

TCase *aggregate_kinds_cases(void);

#define X25519    29
#define SECP256R1 23

static struct aggregate *aggregate;
static struct snapshot snapshot;

static void set_up(void)
{
	aggregate = aggregate_new(NULL);
	ck_assert_ptr_nonnull(aggregate);
	snapshot_init(&snapshot);
}

static void tear_down(void)
{
	aggregate_free(aggregate);
	snapshot_release(&snapshot);
}

static void take_snapshot(void)
{
	ck_assert_int_eq(aggregate_snapshot(aggregate, &snapshot), 0);
}

/* A client's full handshake of TLS 1.3, with an ECDSA key. */
static struct observation record_of(enum cause cause, const char *name)
{
	struct observation record = { .cause = cause };

	record.event.header.kind = EVENT_SETTLED;
	record.event.header.tgid = 7;
	record.event.verdict.direction = DIRECTION_CLIENT;
	record.event.tls_version = 0x0304;
	record.event.cipher = 0x03001301;
	record.event.group = X25519;
	record.event.signature = 0x0403;
	record.event.latency_ns = 5000000;
	record.event.parts.us[PART_CPU] = 700;
	record.sni_bytes = (uint16_t)strlen(name);
	memcpy(record.sni, name, record.sni_bytes);
	return record;
}

static struct observation amendment_of(const struct observation *ok)
{
	struct observation record = *ok;

	record.event.header.kind = EVENT_AMENDED;
	record.event.verdict.outcome = OUTCOME_REJECTED;
	record.cause = CAUSE_OCSP_FAILED;
	return record;
}

static struct observation resumption_of(const struct observation *ok)
{
	struct observation record = *ok;

	record.event.flags |= EVENT_RESUMED;
	record.event.signature = 0;
	record.event.parts.us[PART_CPU] = 200;
	return record;
}

static void add(const struct observation *record)
{
	ck_assert_int_eq(aggregate_add(aggregate, record), 0);
}

START_TEST(groups_are_of_handshakes_that_were_kept)
{
	struct observation ok = record_of(CAUSE_OK, "a"), other = ok, none = ok, resumed = resumption_of(&ok),
			   failed = record_of(CAUSE_NOT_TLS, "a"), amended = amendment_of(&ok), upstream = ok;

	other.event.group = SECP256R1;
	none.event.group = 0;
	upstream.event.verdict.direction = DIRECTION_UPSTREAM;
	add(&amended);
	for (int i = 0; i < 3; i++)
		add(&ok);
	add(&other);
	add(&none);
	add(&resumed);
	add(&failed);
	add(&upstream);
	take_snapshot();
	ck_assert_uint_eq(snapshot.group_count, 3);
	ck_assert_uint_eq(snapshot.groups[0].direction, DIRECTION_CLIENT);
	ck_assert_uint_eq(snapshot.groups[0].group, X25519);
	ck_assert_uint_eq(snapshot.groups[0].count, 3); /* the resumed one too */
	ck_assert_uint_eq(snapshot.groups[1].group, SECP256R1);
	ck_assert_uint_eq(snapshot.groups[1].count, 1);
	ck_assert_uint_eq(snapshot.groups[2].direction, DIRECTION_UPSTREAM);
}
END_TEST

static const struct cost_row *cost_of(enum authentication authentication, bool resumed)
{
	for (size_t i = 0; i < snapshot.cost_count; i++)
		if (snapshot.costs[i].authentication == authentication && snapshot.costs[i].resumed == resumed)
			return &snapshot.costs[i];
	ck_abort_msg("no such row of costs");
}

/* The CPU time was spent, whatever nginx said of the handshake afterwards. */
START_TEST(costs_are_of_all_that_returned_ok)
{
	struct observation ok = record_of(CAUSE_OK, "a"), joined = ok, resumed = resumption_of(&ok),
			   failed = record_of(CAUSE_NOT_TLS, "a"), amended = amendment_of(&ok);
	struct spill_key key = { .verdict = ok.event.verdict, .tls_version = 0x0304 };
	struct spill_value value = { .count = 3, .part_sum_us = { [PART_CPU] = 2100 } };

	joined.event.verdict.flags = VERDICT_JOINED;
	add(&ok);
	add(&amended);
	add(&joined);
	add(&failed);
	add(&resumed);
	add(&resumed);
	ck_assert_int_eq(aggregate_add_spilled(aggregate, &key, &value), 0);
	take_snapshot();
	ck_assert_uint_eq(snapshot.cost_count, 3);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_ECDSA, false)->count, 1);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_ECDSA, false)->cpu_us, 700);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_ECDSA, false)->cpu.sum_ns, 700000);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_ECDSA, false)->version, 0x0304);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_ECDSA, false)->direction, DIRECTION_CLIENT);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_NONE, true)->count, 2);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_NONE, true)->cpu.count, 2);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_UNKNOWN, false)->count, 3);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_UNKNOWN, false)->cpu_us, 2100);
	ck_assert_uint_eq(cost_of(AUTHENTICATION_UNKNOWN, false)->cpu.count, 0);
	ck_assert_ptr_eq(cost_of(AUTHENTICATION_UNKNOWN, false), &snapshot.costs[0]);
}
END_TEST

/* Kinds beyond the limit share a row for each direction and resumption, and nothing is lost. */
START_TEST(costs_are_bounded)
{
	struct observation record = record_of(CAUSE_OK, "a");
	uint64_t count = 0, resumed = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		record.event.verdict.direction = (uint8_t)(i % DIRECTION_COUNT);
		record.event.tls_version = (uint16_t)i;
		record.event.flags = i % 2 ? EVENT_RESUMED : 0;
		add(&record);
	}
	take_snapshot();
	ck_assert_uint_le(snapshot.cost_count, 128 + 6);
	for (size_t i = 0; i < snapshot.cost_count; i++) {
		count += snapshot.costs[i].count;
		resumed += snapshot.costs[i].resumed ? snapshot.costs[i].count : 0;
	}
	ck_assert_uint_eq(count, 20000);
	ck_assert_uint_eq(resumed, 10000);
}
END_TEST

static const struct server_row *server_of(const struct snapshot *made, const char *name, size_t name_bytes)
{
	for (size_t i = 0; i < made->server_count; i++)
		if (!made->servers[i].is_rest && made->servers[i].name_bytes == name_bytes &&
		    memcmp(made->servers[i].name, name, name_bytes) == 0)
			return &made->servers[i];
	return NULL;
}

static void assert_code(const struct code_counts *codes, size_t at, enum code_kind kind, uint16_t code,
			uint64_t count)
{
	ck_assert_uint_lt(at, codes->count);
	ck_assert_int_eq(codes->items[at].kind, kind);
	ck_assert_uint_eq(codes->items[at].code, code);
	ck_assert_uint_eq(codes->items[at].count, count);
}

START_TEST(servers_say_what_was_negotiated)
{
	struct observation ok = record_of(CAUSE_OK, "a.example"), old = ok, resumed = resumption_of(&ok),
			   failed = record_of(CAUSE_NOT_TLS, "a.example");
	const struct server_row *row;

	old.event.tls_version = 0x0303;
	old.event.cipher = 0x0300c02b;
	old.event.group = SECP256R1;
	for (int i = 0; i < 3; i++)
		add(&ok);
	add(&old);
	add(&resumed);
	add(&failed);
	take_snapshot();
	ck_assert_uint_eq(snapshot.server_count, 1);
	row = &snapshot.servers[0];
	ck_assert_uint_eq(row->direction, DIRECTION_CLIENT);
	ck_assert(!row->is_rest);
	ck_assert_uint_eq(row->ok, 5);
	ck_assert_uint_eq(row->failed, 1);
	ck_assert_uint_eq(row->resumed, 1);
	ck_assert_uint_eq(row->full_cpu_us, 2800);
	ck_assert_uint_eq(row->resumed_cpu_us, 200);
	ck_assert_uint_eq(row->codes.count, 6);
	assert_code(&row->codes, 0, CODE_VERSION, 0x0304, 4);
	assert_code(&row->codes, 1, CODE_VERSION, 0x0303, 1);
	assert_code(&row->codes, 2, CODE_CIPHER, 0x1301, 4);
	assert_code(&row->codes, 3, CODE_CIPHER, 0xc02b, 1);
	assert_code(&row->codes, 4, CODE_GROUP, X25519, 4);
	assert_code(&row->codes, 5, CODE_GROUP, SECP256R1, 1);
}
END_TEST

/* Read first, it waits for its ok; until then nothing is below 0. */
START_TEST(servers_take_back_what_is_amended)
{
	struct observation ok = record_of(CAUSE_OK, "a.example"), resumed = resumption_of(&ok),
			   amended = amendment_of(&ok), amended_resumed = amendment_of(&resumed);
	const struct server_row *row;

	add(&amended);
	add(&amended_resumed);
	take_snapshot();
	row = &snapshot.servers[0];
	ck_assert_uint_eq(row->ok, 0);
	ck_assert_uint_eq(row->failed, 2);
	ck_assert_uint_eq(row->resumed, 0);
	ck_assert_uint_eq(row->full_cpu_us, 0);
	ck_assert_uint_eq(row->codes.count, 0);
	add(&ok);
	add(&ok);
	add(&resumed);
	take_snapshot();
	row = &snapshot.servers[0];
	ck_assert_uint_eq(row->ok, 1);
	ck_assert_uint_eq(row->failed, 2);
	ck_assert_uint_eq(row->resumed, 0);
	ck_assert_uint_eq(row->full_cpu_us, 700);
	ck_assert_uint_eq(row->resumed_cpu_us, 0);
	assert_code(&row->codes, 0, CODE_VERSION, 0x0304, 1);
	assert_code(&row->codes, 2, CODE_GROUP, X25519, 1);
}
END_TEST

START_TEST(names_are_bytes)
{
	struct observation with_nul = record_of(CAUSE_OK, "a.example"), cut = with_nul,
			   none = record_of(CAUSE_OK, ""), longest = with_nul;

	with_nul.sni[1] = 0;
	cut.sni_bytes = 1;
	memset(longest.sni, 0xff, sizeof(longest.sni));
	longest.sni_bytes = 255;
	add(&with_nul);
	add(&cut);
	add(&none);
	add(&none);
	add(&longest);
	take_snapshot();
	ck_assert_uint_eq(snapshot.server_count, 4);
	ck_assert_uint_eq(snapshot.servers[0].name_bytes, 0);
	ck_assert(!snapshot.servers[0].is_rest);
	ck_assert_uint_eq(snapshot.servers[0].ok, 2);
	ck_assert_uint_eq(server_of(&snapshot, "a\0example", 9)->ok, 1);
	ck_assert_uint_eq(server_of(&snapshot, "a", 1)->ok, 1);
	ck_assert_uint_eq(server_of(&snapshot, (const char *)longest.sni, 255)->ok, 1);
}
END_TEST

static void add_names(struct aggregate *into, unsigned int from, unsigned int count)
{
	struct observation record = record_of(CAUSE_OK, "");

	for (unsigned int i = from; i < from + count; i++) {
		record.sni_bytes = (uint16_t)snprintf((char *)record.sni, sizeof(record.sni), "host%u.example", i);
		ck_assert_int_eq(aggregate_add(into, &record), 0);
	}
}

static uint64_t oks(const struct snapshot *made, bool rest)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < made->server_count; i++)
		sum += made->servers[i].is_rest == rest ? made->servers[i].ok : 0;
	return sum;
}

/* Each direction by itself; the kept ones stay exact when others come. */
START_TEST(first_names_are_kept_and_the_rest_is_one_row)
{
	struct observation upstream = record_of(CAUSE_OK, "late.example");

	upstream.event.verdict.direction = DIRECTION_UPSTREAM;
	add_names(aggregate, 0, SERVERS_LIMIT + 1000);
	add_names(aggregate, 0, 10);
	add_names(aggregate, SERVERS_LIMIT, 10);
	add(&upstream);
	take_snapshot();
	ck_assert_uint_eq(snapshot.server_count, SERVERS_LIMIT + 2);
	ck_assert(snapshot.servers[0].is_rest);
	ck_assert_uint_eq(snapshot.servers[0].ok, 1010);
	ck_assert_uint_eq(snapshot.servers[0].name_bytes, 0);
	assert_code(&snapshot.servers[0].codes, 0, CODE_VERSION, 0x0304, 1010);
	ck_assert_uint_eq(server_of(&snapshot, "host9.example", 13)->ok, 2);
	ck_assert_uint_eq(server_of(&snapshot, "host4095.example", 16)->ok, 1);
	ck_assert_ptr_null(server_of(&snapshot, "host4096.example", 16));
	ck_assert_uint_eq(server_of(&snapshot, "late.example", 12)->direction, DIRECTION_UPSTREAM);
}
END_TEST

START_TEST(merging_over_the_limit_loses_nothing)
{
	struct aggregate *other = aggregate_new(NULL);

	ck_assert_ptr_nonnull(other);
	add_names(aggregate, 0, 3000);
	add_names(other, 2000, SERVERS_LIMIT + 500);
	ck_assert_int_eq(aggregate_merge(aggregate, other), 0);
	take_snapshot();
	ck_assert_uint_eq(server_of(&snapshot, "host2999.example", 16)->ok, 2);
	ck_assert_uint_eq(oks(&snapshot, false) + oks(&snapshot, true), 3000 + SERVERS_LIMIT + 500);
	/* Kept by both, 2,000 to 2,999, counts twice: of 4,596 additions 1,000 find their row, 1,096 a new one. */
	ck_assert_uint_eq(oks(&snapshot, true), 500 + SERVERS_LIMIT - 1000 - 1096);
	aggregate_free(other);
}
END_TEST

TCase *aggregate_kinds_cases(void)
{
	TCase *kinds = tcase_create("kinds");

	tcase_set_timeout(kinds, 60);
	tcase_add_checked_fixture(kinds, set_up, tear_down);
	tcase_add_test(kinds, groups_are_of_handshakes_that_were_kept);
	tcase_add_test(kinds, costs_are_of_all_that_returned_ok);
	tcase_add_test(kinds, costs_are_bounded);
	tcase_add_test(kinds, servers_say_what_was_negotiated);
	tcase_add_test(kinds, servers_take_back_what_is_amended);
	tcase_add_test(kinds, names_are_bytes);
	tcase_add_test(kinds, first_names_are_kept_and_the_rest_is_one_row);
	tcase_add_test(kinds, merging_over_the_limit_loses_nothing);
	return kinds;
}
