/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing snapshots. Contract: snapshot_same.h. */
#include <check.h>

#include "snapshot_same.h"

void assert_same_histogram(const struct histogram *a, const struct histogram *b)
{
	ck_assert_mem_eq(a->counts, b->counts, sizeof(a->counts));
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_eq(a->sum_ns, b->sum_ns);
	ck_assert_uint_eq(a->max_ns, b->max_ns);
	ck_assert_int_eq(a->max_is_bound, b->max_is_bound);
}

void assert_same_parts_sums(const struct parts_row *a, const struct parts_row *b)
{
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_eq(a->whole_us, b->whole_us);
	ck_assert_mem_eq(a->us, b->us, sizeof(a->us));
	ck_assert_uint_eq(a->before_us, b->before_us);
}

static void assert_parts(const struct parts_row *a, const struct parts_row *b)
{
	assert_same_parts_sums(a, b);
	for (unsigned int part = 0; part < PARTS_SHOWN; part++)
		assert_same_histogram(&a->parts[part], &b->parts[part]);
	assert_same_histogram(&a->round_trip, &b->round_trip);
	ck_assert_uint_eq(a->resent, b->resent);
	ck_assert_uint_eq(a->coarse, b->coarse);
	ck_assert_uint_eq(a->slept, b->slept);
}

static void assert_names(const struct named_counts *a, const struct named_counts *b)
{
	ck_assert_uint_eq(a->count, b->count);
	if (a->count > 0)
		ck_assert_mem_eq(a->items, b->items, a->count * sizeof(a->items[0]));
}

static void assert_errors(const struct cause_row *a, const struct cause_row *b)
{
	ck_assert_uint_eq(a->error_count, b->error_count);
	for (size_t i = 0; i < a->error_count; i++) {
		ck_assert_uint_eq(a->errors[i].code, b->errors[i].code);
		ck_assert_uint_eq(a->errors[i].family, b->errors[i].family);
		ck_assert_uint_eq(a->errors[i].count, b->errors[i].count);
	}
}

static void assert_cause_row(const struct cause_row *a, const struct cause_row *b)
{
	ck_assert_uint_eq(a->direction, b->direction);
	ck_assert_int_eq(a->cause, b->cause);
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_double_eq(a->share, b->share);
	assert_same_histogram(&a->latency, &b->latency);
	assert_parts(&a->parts, &b->parts);
	ck_assert_double_eq(a->cpu_seconds, b->cpu_seconds);
	ck_assert_uint_eq(a->waited_for_worker, b->waited_for_worker);
	ck_assert_uint_eq(a->waited_for_peer, b->waited_for_peer);
	ck_assert_uint_eq(a->without_identity, b->without_identity);
	ck_assert_uint_eq(a->first_ns, b->first_ns);
	ck_assert_uint_eq(a->last_ns, b->last_ns);
	ck_assert_double_eq(a->peers_distinct, b->peers_distinct);
	assert_names(&a->peers, &b->peers);
	assert_names(&a->server_names, &b->server_names);
	assert_errors(a, b);
}

static void assert_negotiated(const struct snapshot *a, const struct snapshot *b)
{
	ck_assert_uint_eq(a->version_count, b->version_count);
	ck_assert_uint_eq(a->cipher_count, b->cipher_count);
	ck_assert_uint_eq(a->group_count, b->group_count);
	for (size_t i = 0; i < a->version_count; i++) {
		ck_assert_uint_eq(a->versions[i].direction, b->versions[i].direction);
		ck_assert_uint_eq(a->versions[i].version, b->versions[i].version);
		ck_assert_uint_eq(a->versions[i].count, b->versions[i].count);
	}
	for (size_t i = 0; i < a->cipher_count; i++) {
		ck_assert_uint_eq(a->ciphers[i].direction, b->ciphers[i].direction);
		ck_assert_uint_eq(a->ciphers[i].cipher, b->ciphers[i].cipher);
		ck_assert_uint_eq(a->ciphers[i].count, b->ciphers[i].count);
	}
	for (size_t i = 0; i < a->group_count; i++) {
		ck_assert_uint_eq(a->groups[i].direction, b->groups[i].direction);
		ck_assert_uint_eq(a->groups[i].group, b->groups[i].group);
		ck_assert_uint_eq(a->groups[i].count, b->groups[i].count);
	}
}

static void assert_codes(const struct code_counts *a, const struct code_counts *b)
{
	ck_assert_uint_eq(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		ck_assert_int_eq(a->items[i].kind, b->items[i].kind);
		ck_assert_uint_eq(a->items[i].code, b->items[i].code);
		ck_assert_uint_eq(a->items[i].count, b->items[i].count);
	}
}

static void assert_costs(const struct snapshot *a, const struct snapshot *b)
{
	ck_assert_uint_eq(a->cost_count, b->cost_count);
	for (size_t i = 0; i < a->cost_count; i++) {
		ck_assert_uint_eq(a->costs[i].direction, b->costs[i].direction);
		ck_assert_uint_eq(a->costs[i].version, b->costs[i].version);
		ck_assert_int_eq(a->costs[i].resumed, b->costs[i].resumed);
		ck_assert_int_eq(a->costs[i].authentication, b->costs[i].authentication);
		ck_assert_uint_eq(a->costs[i].count, b->costs[i].count);
		ck_assert_uint_eq(a->costs[i].cpu_us, b->costs[i].cpu_us);
		assert_same_histogram(&a->costs[i].cpu, &b->costs[i].cpu);
	}
}

static void assert_servers(const struct snapshot *a, const struct snapshot *b)
{
	ck_assert_uint_eq(a->server_count, b->server_count);
	for (size_t i = 0; i < a->server_count; i++) {
		const struct server_row *x = &a->servers[i], *y = &b->servers[i];

		ck_assert_uint_eq(x->direction, y->direction);
		ck_assert_mem_eq(x->name, y->name, sizeof(x->name));
		ck_assert_uint_eq(x->name_bytes, y->name_bytes);
		ck_assert_int_eq(x->is_rest, y->is_rest);
		ck_assert_uint_eq(x->ok, y->ok);
		ck_assert_uint_eq(x->failed, y->failed);
		ck_assert_uint_eq(x->resumed, y->resumed);
		ck_assert_uint_eq(x->full_cpu_us, y->full_cpu_us);
		ck_assert_uint_eq(x->resumed_cpu_us, y->resumed_cpu_us);
		assert_codes(&x->codes, &y->codes);
	}
}

static void assert_workers(const struct snapshot *a, const struct snapshot *b)
{
	ck_assert_uint_eq(a->worker_count, b->worker_count);
	for (size_t i = 0; i < a->worker_count; i++) {
		const struct snapshot_worker *x = &a->workers[i], *y = &b->workers[i];

		ck_assert_uint_eq(x->pid, y->pid);
		ck_assert_uint_eq(x->generation, y->generation);
		ck_assert_uint_eq(x->handshakes, y->handshakes);
		ck_assert_uint_eq(x->failed, y->failed);
		ck_assert_uint_eq(x->resumed, y->resumed);
		ck_assert_uint_eq(x->given_up, y->given_up);
		ck_assert_uint_eq(x->given_up_late, y->given_up_late);
		ck_assert_uint_eq(x->count, y->count);
		ck_assert_uint_eq(x->whole_us, y->whole_us);
		ck_assert_mem_eq(x->us, y->us, sizeof(x->us));
		ck_assert_uint_eq(x->before_us, y->before_us);
		ck_assert_uint_eq(x->cpu_us, y->cpu_us);
		assert_same_histogram(&x->latency, &y->latency);
		assert_same_histogram(&x->lag, &y->lag);
		assert_codes(&x->codes, &y->codes);
	}
}

static void assert_generations(const struct snapshot *a, const struct snapshot *b)
{
	ck_assert_uint_eq(a->generation_count, b->generation_count);
	for (size_t i = 0; i < a->generation_count; i++) {
		const struct generation_row *x = &a->generations[i], *y = &b->generations[i];

		ck_assert_uint_eq(x->master_pid, y->master_pid);
		ck_assert_uint_eq(x->generation, y->generation);
		ck_assert_uint_eq(x->workers, y->workers);
		ck_assert_uint_eq(x->handshakes, y->handshakes);
		ck_assert_uint_eq(x->failed, y->failed);
		ck_assert_uint_eq(x->whole_us, y->whole_us);
		ck_assert_mem_eq(x->us, y->us, sizeof(x->us));
		assert_same_histogram(&x->latency, &y->latency);
		assert_same_histogram(&x->lag, &y->lag);
		assert_codes(&x->codes, &y->codes);
	}
}

void assert_same_snapshots(const struct snapshot *a, const struct snapshot *b)
{
	ck_assert_mem_eq(a->totals, b->totals, sizeof(a->totals));
	ck_assert_uint_eq(a->cause_count, b->cause_count);
	for (size_t i = 0; i < a->cause_count; i++)
		assert_cause_row(&a->causes[i], &b->causes[i]);
	for (unsigned int d = 0; d < SNAPSHOT_DIRECTIONS; d++) {
		ck_assert_uint_eq(a->ok[d].count, b->ok[d].count);
		ck_assert_double_eq(a->ok[d].cpu_seconds, b->ok[d].cpu_seconds);
		assert_same_histogram(&a->ok[d].latency, &b->ok[d].latency);
		assert_parts(&a->ok[d].parts, &b->ok[d].parts);
	}
	assert_negotiated(a, b);
	assert_costs(a, b);
	assert_servers(a, b);
	assert_workers(a, b);
	assert_generations(a, b);
}
