/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting, fact by fact: amendments, peers, names, errors, times. */
#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <check.h>
#include <sys/socket.h>

#include "handshake/aggregate.h"
#include "handshake/classify.h"

TCase *aggregate_facts_cases(void);

#define MS 1000000ull

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

static struct observation record_of(enum cause cause, const char *peer)
{
	struct observation record = { .cause = cause };

	record.event.header.kind = EVENT_SETTLED;
	record.event.header.tgid = 7;
	record.event.verdict.direction = DIRECTION_CLIENT;
	record.event.tls_version = 0x0304;
	record.event.cipher = 0x03001301;
	record.event.latency_ns = 5 * MS;
	record.event.time_ns = 1000;
	record.event.flags = EVENT_SOCKET;
	record.event.family = strchr(peer, ':') ? AF_INET6 : AF_INET;
	ck_assert_int_eq(inet_pton(record.event.family, peer, record.event.peer), 1);
	return record;
}

static void add(const struct observation *record)
{
	ck_assert_int_eq(aggregate_add(aggregate, record), 0);
}

static struct observation amendment_of(const struct observation *ok, enum cause cause)
{
	struct observation record = *ok;

	record.event.header.kind = EVENT_AMENDED;
	record.event.verdict.outcome = OUTCOME_REJECTED;
	record.cause = cause;
	return record;
}

START_TEST(an_amendment_takes_its_ok_back)
{
	struct observation ok = record_of(CAUSE_OK, "192.0.2.1"), other = ok, amended;

	ok.event.flags |= EVENT_RESUMED;
	other.event.latency_ns = 40 * MS;
	amended = amendment_of(&ok, CAUSE_PEER_CERTIFICATE_EXPIRED);
	add(&ok);
	add(&other);
	add(&amended);
	take_snapshot();
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].count, 1);
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].latency.sum_ns, 40 * MS);
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].latency.max_ns, 40 * MS);
	ck_assert(!snapshot.ok[DIRECTION_CLIENT].latency.max_is_bound);
	ck_assert_uint_eq(snapshot.totals[DIRECTION_CLIENT].resumed, 0);
	ck_assert_uint_eq(snapshot.versions[0].count, 1);
	ck_assert_uint_eq(snapshot.ciphers[0].count, 1);
	ck_assert_uint_eq(snapshot.cause_count, 1);
	ck_assert_int_eq(snapshot.causes[0].cause, CAUSE_PEER_CERTIFICATE_EXPIRED);
	ck_assert_uint_eq(snapshot.causes[0].latency.sum_ns, 5 * MS);
	ck_assert_double_eq(snapshot.causes[0].share, 0.5);
	ck_assert_uint_eq(snapshot.workers[0].handshakes, 2);
	ck_assert_uint_eq(snapshot.workers[0].failed, 1);
}
END_TEST

START_TEST(an_amendment_before_its_ok_waits_for_it)
{
	struct observation ok = record_of(CAUSE_OK, "192.0.2.1"), amended = amendment_of(&ok, CAUSE_OCSP_FAILED);
	struct spill_key key = { .verdict = ok.event.verdict,
				 .bucket = latency_bucket(5 * MS),
				 .tls_version = 0x0304 };
	struct spill_value value = { .count = 1, .latency_sum_ns = 5 * MS };

	add(&amended);
	take_snapshot();
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].count, 0);
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].latency.count, 0);
	ck_assert_uint_eq(snapshot.version_count, 0);
	ck_assert_int_eq(aggregate_add_spilled(aggregate, &key, &value), 0);
	take_snapshot();
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].count, 0);
	ck_assert_uint_eq(snapshot.version_count, 0);
	ck_assert_int_eq(aggregate_add_spilled(aggregate, &key, &value), 0);
	take_snapshot();
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].count, 1);
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].latency.sum_ns, 5 * MS);
	ck_assert_uint_eq(snapshot.causes[0].count, 1);
	ck_assert_uint_eq(snapshot.causes[0].without_identity, 0);
}
END_TEST

START_TEST(joined_counts_and_has_no_latency)
{
	struct observation ok = record_of(CAUSE_OK, "192.0.2.1"), failed = record_of(CAUSE_NOT_TLS, "192.0.2.1"),
			   amended;

	ok.event.verdict.flags = failed.event.verdict.flags = VERDICT_JOINED;
	amended = amendment_of(&ok, CAUSE_OCSP_FAILED);
	add(&ok);
	add(&ok);
	add(&failed);
	add(&amended);
	take_snapshot();
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].count, 1);
	ck_assert_uint_eq(snapshot.ok[DIRECTION_CLIENT].latency.count, 0);
	ck_assert_uint_eq(snapshot.totals[DIRECTION_CLIENT].joined, 3);
	for (size_t i = 0; i < snapshot.cause_count; i++)
		ck_assert_uint_eq(snapshot.causes[i].latency.count, 0);
}
END_TEST

/* Those that were spilled as well. */
START_TEST(over_quic_is_counted)
{
	struct observation tcp = record_of(CAUSE_PEER_CLOSED_MID_HANDSHAKE, "192.0.2.1"), quic = tcp;
	struct spill_value value = { .count = 3, .latency_sum_ns = 15 * MS };
	struct spill_key key = { .bucket = latency_bucket(5 * MS) };

	quic.event.verdict.flags |= VERDICT_QUIC;
	quic.event.verdict.stage = STAGE_MID;
	quic.event.verdict.outcome = OUTCOME_ABANDONED;
	quic.event.verdict.flags |= VERDICT_EOF;
	key.verdict = quic.event.verdict;
	add(&tcp);
	take_snapshot();
	ck_assert_uint_eq(snapshot_over_quic(&snapshot.causes[0]), 0);
	add(&quic);
	ck_assert_int_eq(aggregate_add_spilled(aggregate, &key, &value), 0);
	take_snapshot();
	ck_assert_uint_eq(snapshot.cause_count, 1);
	ck_assert_uint_eq(snapshot.causes[0].count, 5);
	ck_assert_uint_eq(snapshot_over_quic(&snapshot.causes[0]), 4);
}
END_TEST

START_TEST(numbers_outside_their_list_are_unknown)
{
	struct observation record = record_of((enum cause)200, "192.0.2.1");

	record.event.verdict.direction = 9;
	add(&record);
	record = amendment_of(&record, CAUSE_OK);
	add(&record);
	record.event.header.kind = EVENT_FINAL;
	ck_assert_int_eq(aggregate_add(aggregate, &record), -EINVAL);
	take_snapshot();
	ck_assert_uint_eq(snapshot.cause_count, 1);
	ck_assert_uint_eq(snapshot.causes[0].direction, DIRECTION_UNKNOWN);
	ck_assert_int_eq(snapshot.causes[0].cause, CAUSE_UNKNOWN);
	ck_assert_uint_eq(snapshot.causes[0].count, 2);
}
END_TEST

static void assert_peer(size_t i, const char *text, uint64_t count)
{
	const struct named_count *item = &snapshot.causes[0].peers.items[i];

	ck_assert_uint_eq(item->name_bytes, strlen(text));
	ck_assert_mem_eq(item->name, text, strlen(text));
	ck_assert_uint_eq(item->count, count);
	ck_assert_uint_eq(item->overcount, 0);
}

START_TEST(peers_are_addresses)
{
	struct observation record = record_of(CAUSE_NOT_TLS, "192.0.2.1");

	add(&record);
	record = record_of(CAUSE_NOT_TLS, "::ffff:192.0.2.1");
	add(&record);
	memcpy(record.event.proxy, "192.0.2.1", 9);
	record.event.proxy_bytes = 9;
	record.event.peer[15] = 99;
	record.event.flags = 0;
	add(&record);
	add(&record);
	record = record_of(CAUSE_NOT_TLS, "2001:db8::1");
	add(&record);
	add(&record);
	add(&record);
	record.event.family = AF_UNIX;
	add(&record);
	add(&record);
	record.event.flags = 0;
	add(&record);
	memset(record.event.proxy, 'x', sizeof(record.event.proxy));
	record.event.proxy_bytes = sizeof(record.event.proxy);
	add(&record);
	take_snapshot();
	ck_assert_uint_eq(snapshot.causes[0].peers.count, 4);
	ck_assert_double_eq(snapshot.causes[0].peers_distinct, 4);
	assert_peer(0, "192.0.2.1", 4);
	assert_peer(1, "2001:db8::1", 3);
	assert_peer(2, "unix:", 2);
	assert_peer(3, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1);
}
END_TEST

/* 192.0.2.1 fails and is ok, before or after; .2 fails only; .3 was ok and amended; .4 the same and once ok. */
START_TEST(returning_peers_were_ok_as_well)
{
	struct observation record = record_of(CAUSE_NOT_TLS, "192.0.2.1");

	add(&record);
	record = record_of(CAUSE_NOT_TLS, "192.0.2.2");
	add(&record);
	record = record_of(CAUSE_OK, "192.0.2.3");
	add(&record);
	record = amendment_of(&record, CAUSE_NOT_TLS);
	add(&record);
	record = record_of(CAUSE_OK, "192.0.2.4");
	add(&record);
	add(&record);
	record = amendment_of(&record, CAUSE_NOT_TLS);
	add(&record);
	record = record_of(CAUSE_OK, "192.0.2.2");
	record.event.verdict.direction = DIRECTION_UPSTREAM;
	add(&record);
	take_snapshot();
	ck_assert_double_eq(snapshot.causes[0].peers_distinct, 4);
	ck_assert_double_eq(snapshot.causes[0].peers_returning, 1);
	record = record_of(CAUSE_OK, "192.0.2.1");
	add(&record);
	take_snapshot();
	ck_assert_double_eq(snapshot.causes[0].peers_returning, 2);
}
END_TEST

START_TEST(returning_peers_of_many)
{
	struct observation record = record_of(CAUSE_NOT_TLS, "10.0.0.0");

	for (uint32_t i = 0; i < 20000; i++) {
		memcpy(&record.event.peer[1], &i, 3);
		record.cause = CAUSE_NOT_TLS;
		if (aggregate_add(aggregate, &record) != 0)
			ck_abort_msg("peer %u was not added", i);
		record.cause = CAUSE_OK;
		if (i % 4 == 0 && aggregate_add(aggregate, &record) != 0)
			ck_abort_msg("ok of peer %u was not added", i);
	}
	take_snapshot();
	ck_assert_double_eq_tol(snapshot.causes[0].peers_distinct, 20000, 1600);
	ck_assert_double_eq_tol(snapshot.causes[0].peers_returning / snapshot.causes[0].peers_distinct, 0.25, 0.08);
}
END_TEST

/* Most peers are taken for known: how many failing ones are is not said. */
START_TEST(returning_peers_of_too_many)
{
	struct observation record = record_of(CAUSE_NOT_TLS, "10.0.0.0");

	ck_assert_int_eq(aggregate_add(aggregate, &record), 0);
	record.cause = CAUSE_OK;
	for (uint32_t i = 0; i < 2500000; i++) {
		memcpy(&record.event.peer[1], &i, 3);
		if (aggregate_add(aggregate, &record) != 0)
			ck_abort_msg("ok of peer %u was not added", i);
	}
	take_snapshot();
	ck_assert_double_eq(snapshot.causes[0].peers_distinct, 1);
	ck_assert_double_eq(snapshot.causes[0].peers_returning, RETURNING_UNKNOWN);
}
END_TEST

START_TEST(names_errors_and_times)
{
	struct observation record = record_of(CAUSE_NO_SHARED_CIPHER, "192.0.2.1");
	struct spill_key key = { .verdict = { .direction = DIRECTION_CLIENT,
					      .outcome = OUTCOME_FAILED,
					      .library = LIBRARY_OPENSSL_3,
					      .error = 0x0a0000c1 } };
	struct spill_value value = { .count = 5, .part_sum_us = { [PART_CPU] = 2000 } };

	record.event.verdict = key.verdict;
	record.event.verdict.other_error = 0x02000001;
	record.cause = classify(&key.verdict);
	record.event.parts.us[PART_CPU] = 500;
	record.sni_bytes = 5;
	memcpy(record.sni, "a\0b.c", 5);
	record.event.time_ns = 900;
	add(&record);
	record.event.time_ns = 300;
	add(&record);
	ck_assert_int_eq(aggregate_add_spilled(aggregate, &key, &value), 0);
	take_snapshot();
	ck_assert_uint_eq(snapshot.cause_count, 1);
	ck_assert_uint_eq(snapshot.causes[0].count, 7);
	ck_assert_uint_eq(snapshot.causes[0].without_identity, 5);
	ck_assert_uint_eq(snapshot.causes[0].first_ns, 300);
	ck_assert_uint_eq(snapshot.causes[0].last_ns, 900);
	ck_assert_double_eq_tol(snapshot.causes[0].cpu_seconds, 0.003, 1e-12);
	ck_assert_uint_eq(snapshot.causes[0].server_names.count, 1);
	ck_assert_uint_eq(snapshot.causes[0].server_names.items[0].name_bytes, 5);
	ck_assert_mem_eq(snapshot.causes[0].server_names.items[0].name, "a\0b.c", 5);
	ck_assert_uint_eq(snapshot.causes[0].error_count, 2);
	ck_assert_uint_eq(snapshot.causes[0].errors[0].code, 0x0a0000c1);
	ck_assert_uint_eq(snapshot.causes[0].errors[0].count, 7);
	ck_assert_uint_eq(snapshot.causes[0].errors[1].code, 0x02000001);
	ck_assert_uint_eq(snapshot.causes[0].errors[1].count, 2);
	ck_assert_uint_eq(snapshot.causes[0].errors[1].family, LIBRARY_OPENSSL_3);
}
END_TEST

/* Of a path nothing is known where no socket measured it; what was sent again is of the connection. */
START_TEST(the_path_is_told_beside_its_waits)
{
	struct observation record = record_of(CAUSE_OK, "10.0.0.1");
	const struct parts_row *row = &snapshot.ok[DIRECTION_CLIENT].parts;

	record.event.parts.us[PART_CPU] = 1;
	add(&record);
	record.event.srtt_us = 40000;
	add(&record);
	record.event.retransmits = 2;
	add(&record);
	record.event.verdict.flags = VERDICT_JOINED;
	record.event.flags |= EVENT_WAITS | EVENT_COARSE | EVENT_SLEPT;
	add(&record);
	take_snapshot();
	ck_assert_uint_eq(row->coarse + row->slept, 0);
	record.event.verdict.flags = 0;
	record.event.srtt_us = 0;
	record.event.retransmits = 0;
	add(&record);
	record.event.flags &= ~(__u32)EVENT_SLEPT;
	add(&record);
	take_snapshot();
	ck_assert_uint_eq(row->coarse, 2);
	ck_assert_uint_eq(row->slept, 1);
	ck_assert_uint_eq(row->round_trip.count, 2);
	ck_assert_uint_eq(row->round_trip.sum_ns, 2 * 40 * MS);
	ck_assert_uint_eq(row->resent, 1);
}
END_TEST

TCase *aggregate_facts_cases(void)
{
	TCase *facts = tcase_create("facts");

	tcase_add_checked_fixture(facts, set_up, tear_down);
	tcase_add_test(facts, an_amendment_takes_its_ok_back);
	tcase_add_test(facts, an_amendment_before_its_ok_waits_for_it);
	tcase_add_test(facts, joined_counts_and_has_no_latency);
	tcase_add_test(facts, over_quic_is_counted);
	tcase_add_test(facts, numbers_outside_their_list_are_unknown);
	tcase_add_test(facts, peers_are_addresses);
	tcase_add_test(facts, returning_peers_were_ok_as_well);
	tcase_add_test(facts, returning_peers_of_many);
	tcase_add_test(facts, returning_peers_of_too_many);
	tcase_add_test(facts, names_errors_and_times);
	tcase_add_test(facts, the_path_is_told_beside_its_waits);
	return facts;
}
