/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots of where time went, for tests. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"

#include "sample.h"
#include "sample_time.h"

#define WORKERS_MAX 64

void sample_add_parts(struct parts_row *row, uint64_t count, const uint64_t us[PART_COUNT], uint64_t whole_us)
{
	uint64_t rest_us = whole_us;

	for (unsigned int part = 0; part < PART_COUNT; part++) {
		rest_us -= us[part] < rest_us ? us[part] : rest_us;
		row->us[part] += count * us[part];
		for (uint64_t i = 0; us[part] && i < count; i++)
			histogram_add(&row->parts[part], 1000 * us[part]);
	}
	for (uint64_t i = 0; i < count; i++)
		histogram_add(&row->parts[PART_UNATTRIBUTED], 1000 * rest_us);
	row->us[PART_UNATTRIBUTED] += count * rest_us;
	row->count += count;
	row->whole_us += count * whole_us;
}

struct snapshot_worker *sample_add_worker(struct snapshot *snapshot, uint32_t pid, double cpu_ratio,
					  double run_delay_ratio, uint64_t lag_us)
{
	struct snapshot_worker *worker;

	if (!snapshot->workers)
		snapshot->workers = calloc(WORKERS_MAX, sizeof(*snapshot->workers));
	ck_assert_ptr_nonnull(snapshot->workers);
	ck_assert_uint_lt(snapshot->worker_count, WORKERS_MAX);
	worker = &snapshot->workers[snapshot->worker_count++];
	*worker = (struct snapshot_worker){
		.pid = pid,
		.master_pid = 100,
		.generation = 2,
		.cpu_ratio = cpu_ratio,
		.run_delay_ratio = run_delay_ratio,
		.cpu_ratio_peak = cpu_ratio,
		.run_delay_peak = run_delay_ratio,
		.cpu_seconds = 30 * cpu_ratio,
		.sampled_seconds = 30,
	};
	for (int i = 0; i < 100; i++)
		histogram_add(&worker->lag, 1000 * lag_us);
	return worker;
}

static void add_codes(struct code_counts *codes)
{
	static const struct code_count items[] = {
		{ .kind = CODE_VERSION, .code = 0x0304, .count = 700 },
		{ .kind = CODE_VERSION, .code = 0x0303, .count = 200 },
		{ .kind = CODE_CIPHER, .code = 0x1302, .count = 900 },
		{ .kind = CODE_GROUP, .code = 0x001d, .count = 350 },
		{ .kind = CODE_GROUP, .code = 0, .count = 1 },
	};

	codes->items = malloc(sizeof(items));
	ck_assert_ptr_nonnull(codes->items);
	memcpy(codes->items, items, sizeof(items));
	codes->count = sizeof(items) / sizeof(items[0]);
}

static void add_workers(struct snapshot *snapshot)
{
	struct snapshot_worker *worker = sample_add_worker(snapshot, 2449, 0.98, 0.12, 340000);

	worker->saturated_seconds = 28;
	worker->handshakes = 700;
	worker->failed = worker->given_up = 92;
	worker->given_up_late = 80;
	worker->cpu_us = 18000000;
	worker->count = 700;
	worker->whole_us = 70000000;
	worker->us[PART_LAG] = 35000000;
	add_codes(&worker->codes);
	worker = sample_add_worker(snapshot, 2450, 0.05, 0, 200);
	worker->generation = 1;
	worker->handshakes = 300;
	worker->failed = worker->given_up = 8;
}

static void add_generations(struct snapshot *snapshot)
{
	snapshot->generations = calloc(2, sizeof(*snapshot->generations));
	ck_assert_ptr_nonnull(snapshot->generations);
	snapshot->generation_count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		struct generation_row *row = &snapshot->generations[i];

		*row = (struct generation_row){ .master_pid = 100, .generation = i + 1, .workers = 1 };
		row->handshakes = i ? 700 : 300;
		row->failed = row->given_up = i ? 92 : 8;
		row->given_up_late = i ? 80 : 0;
		histogram_add(&row->lag, i ? 340000000 : 200000);
		histogram_add(&row->latency, i ? 500000000 : 2000000);
		add_codes(&row->codes);
	}
}

/* Full ones of 20 ms of CPU and more, resumed ones of 1 ms. */
static void add_costs(struct snapshot *snapshot)
{
	static const struct cost_row rows[] = {
		{ .version = 0x0304, .authentication = AUTHENTICATION_RSA, .count = 350, .cpu_us = 7000000 },
		{ .version = 0x0304,
		  .resumed = true,
		  .authentication = AUTHENTICATION_NONE,
		  .count = 350,
		  .cpu_us = 350000 },
		{ .version = 0x0303, .authentication = AUTHENTICATION_UNKNOWN, .count = 100, .cpu_us = 2500000 },
		{ .version = 0x0303,
		  .resumed = true,
		  .authentication = AUTHENTICATION_NONE,
		  .count = 100,
		  .cpu_us = 100000 },
	};

	snapshot->costs = malloc(sizeof(rows));
	ck_assert_ptr_nonnull(snapshot->costs);
	memcpy(snapshot->costs, rows, sizeof(rows));
	snapshot->cost_count = sizeof(rows) / sizeof(rows[0]);
	for (size_t i = 0; i < snapshot->cost_count; i++) {
		snapshot->costs[i].direction = DIRECTION_CLIENT;
		histogram_add(&snapshot->costs[i].cpu, 1000 * rows[i].cpu_us / rows[i].count);
	}
	snapshot->groups = calloc(2, sizeof(*snapshot->groups));
	ck_assert_ptr_nonnull(snapshot->groups);
	snapshot->groups[0] = (struct group_row){ .direction = DIRECTION_CLIENT, .group = 0x001d, .count = 350 };
	snapshot->groups[1] = (struct group_row){ .direction = DIRECTION_CLIENT, .count = 100 };
	snapshot->group_count = 2;
}

static void add_servers(struct snapshot *snapshot)
{
	snapshot->servers = calloc(3, sizeof(*snapshot->servers));
	ck_assert_ptr_nonnull(snapshot->servers);
	snapshot->server_count = 3;
	for (size_t i = 0; i < 3; i++)
		snapshot->servers[i] = (struct server_row){
			.direction = DIRECTION_CLIENT,
			.ok = i ? 10 : 880,
			.failed = i ? 0 : 100,
			.resumed = i ? 0 : 450,
			.full_cpu_us = 9500000,
			.resumed_cpu_us = 450000,
		};
	memcpy(snapshot->servers[0].name, SAMPLE_HOSTILE_NAME, SAMPLE_HOSTILE_NAME_BYTES);
	snapshot->servers[0].name_bytes = SAMPLE_HOSTILE_NAME_BYTES;
	add_codes(&snapshot->servers[0].codes);
	snapshot->servers[2].is_rest = true;
}

static void add_listeners(struct snapshot *snapshot)
{
	snapshot->listeners = calloc(2, sizeof(*snapshot->listeners));
	snapshot->namespaces = calloc(1, sizeof(*snapshot->namespaces));
	ck_assert(snapshot->listeners && snapshot->namespaces);
	snapshot->listener_count = 2;
	snapshot->namespace_count = 1;
	snapshot->listeners[0] = (struct snapshot_listener){
		.netns = 4026531840,
		.family = AF_INET6,
		.port = 443,
		.sockets = 2,
		.queue = 300,
		.queue_peak = 511,
		.queue_limit = 511,
		.drops = 1200,
		.half_open_peak = 40,
		.half_open_is_bound = true,
	};
	snapshot->listeners[1] = (struct snapshot_listener){
		.netns = 4026531840,
		.family = AF_INET,
		.address = { 192, 0, 2, 1 },
		.port = 8443,
		.sockets = 1,
		.queue_peak = 1,
		.queue_limit = 511,
	};
	snapshot->namespaces[0] = (struct snapshot_netns){
		.netns = 4026531840,
		.listen_overflows = 1200,
		.listen_drops = 1200,
		.request_queue_full = -1,
	};
}

void sample_saturated(struct snapshot *snapshot)
{
	static const uint64_t fine[PART_COUNT] = {
		[PART_LAG] = 200, [PART_PEER] = 1500, [PART_CPU] = 250, [PART_PREEMPTED] = 10
	};
	static const uint64_t late[PART_COUNT] = {
		[PART_LAG] = 340000, [PART_PEER] = 198000, [PART_CPU] = 900, [PART_PREEMPTED] = 50000
	};
	static const uint64_t slow[PART_COUNT] = { [PART_LAG] = 100, [PART_PEER] = 1200000, [PART_CPU] = 900 };
	struct cause_row *row;

	sample_nothing(snapshot);
	snapshot->tick_seconds = 0.004;
	sample_add_ok(snapshot, DIRECTION_CLIENT, 900);
	sample_add_parts(&snapshot->ok[DIRECTION_CLIENT].parts, 900, fine, 2000);
	snapshot->ok[DIRECTION_CLIENT].cpu_seconds = 0.225;
	row = sample_add_cause(snapshot, DIRECTION_CLIENT, CAUSE_TIMEOUT_MID_HANDSHAKE, 100, 0);
	sample_add_parts(&row->parts, 80, late, 589000);
	sample_add_parts(&row->parts, 20, slow, 1201000);
	row->parts.before_us = 80 * 300000;
	row->error_count = 0;
	row->waited_for_worker = 80;
	row->waited_for_peer = 20;
	add_workers(snapshot);
	add_generations(snapshot);
	add_costs(snapshot);
	add_servers(snapshot);
	add_listeners(snapshot);
}
