/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots for tests. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"

#include "sample.h"

#define CAUSES_MAX 32

void sample_nothing(struct snapshot *snapshot)
{
	snapshot_init(snapshot);
	snapshot->host = strdup("host.test");
	snapshot->start_unix_ns = 1772600767ull * 1000000000;
	snapshot->start_ns = 1000ull * 1000000000;
	snapshot->seconds = 30;
	snapshot->exact = true;
	snapshot->causes = calloc(CAUSES_MAX, sizeof(*snapshot->causes));
	ck_assert_ptr_nonnull(snapshot->causes);
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++)
		snapshot->ok[i].direction = i;
}

static void fix_shares(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->cause_count; i++) {
		struct cause_row *row = &snapshot->causes[i];

		row->share = (double)row->count / (double)snapshot->totals[row->direction].begun;
	}
}

void sample_add_ok(struct snapshot *snapshot, unsigned int direction, uint64_t n)
{
	struct totals *totals = &snapshot->totals[direction];

	totals->begun += n;
	totals->ok += n;
	totals->resumed += n / 2;
	snapshot->ok[direction].count += n;
	for (uint64_t i = 0; i < n; i++)
		histogram_add(&snapshot->ok[direction].latency, 2000000);
	free(snapshot->versions);
	snapshot->versions = calloc(1, sizeof(*snapshot->versions));
	snapshot->versions[0] = (struct version_row){ .direction = direction, .version = 0x0304, .count = n };
	snapshot->version_count = 1;
	free(snapshot->ciphers);
	snapshot->ciphers = calloc(1, sizeof(*snapshot->ciphers));
	snapshot->ciphers[0] = (struct cipher_row){ .direction = direction, .cipher = 0x1302, .count = n };
	snapshot->cipher_count = 1;
	fix_shares(snapshot);
}

static void add_name(struct named_counts *names, const void *bytes, size_t count, uint64_t n)
{
	names->items = realloc(names->items, (names->count + 1) * sizeof(*names->items));
	ck_assert_ptr_nonnull(names->items);
	names->items[names->count] = (struct named_count){ .name_bytes = count, .count = n };
	memcpy(names->items[names->count++].name, bytes, count);
}

struct cause_row *sample_add_cause(struct snapshot *snapshot, unsigned int direction, enum cause cause, uint64_t n,
				   double returning)
{
	struct cause_row *row = &snapshot->causes[snapshot->cause_count++];

	ck_assert_uint_le(snapshot->cause_count, CAUSES_MAX);
	snapshot->totals[direction].begun += n;
	snapshot->totals[direction].failed += n;
	*row = (struct cause_row){
		.direction = direction,
		.cause = cause,
		.count = n,
		.cpu_seconds = 0.5,
		.first_ns = snapshot->start_ns + 5000000000ull,
		.last_ns = snapshot->start_ns + 6000000000ull,
		.without_identity = returning < 0 ? n : 0,
	};
	for (uint64_t i = 0; i < n; i++)
		histogram_add(&row->latency, 800000);
	if (returning >= 0) {
		row->peers_distinct = 2;
		row->peers_returning = returning;
		add_name(&row->peers, "192.0.2.1", 9, n - n / 3);
		add_name(&row->peers, "2001:db8::1", 11, n / 3);
	}
	row->errors = calloc(1, sizeof(*row->errors));
	row->errors[0] = (struct error_count){ .code = 0x0a0000c1, .family = LIBRARY_OPENSSL_3, .count = n };
	row->error_count = 1;
	fix_shares(snapshot);
	return row;
}

void sample_add_hostile_name(struct cause_row *row)
{
	add_name(&row->server_names, SAMPLE_HOSTILE_NAME, SAMPLE_HOSTILE_NAME_BYTES, row->count);
}

void sample_add_target(struct snapshot *snapshot)
{
	snapshot->targets = calloc(1, sizeof(*snapshot->targets));
	snapshot->target_count = 1;
	snapshot->targets[0] = (struct snapshot_target){
		.master_pid = 100,
		.exe = strdup("/usr/sbin/nginx\033[2J"),
		.library = strdup("/usr/lib/libssl.so.3"),
		.library_version = strdup("3.0.22"),
		.layout = strdup("accessors"),
		.generation = 2,
		.workers = calloc(2, sizeof(uint32_t)),
		.worker_count = 2,
	};
	snapshot->targets[0].workers[0] = 101;
	snapshot->targets[0].workers[1] = 102;
	snapshot->workers = calloc(1, sizeof(*snapshot->workers));
	snapshot->worker_count = 1;
	snapshot->workers[0] = (struct snapshot_worker){
		.pid = 101,
		.master_pid = 100,
		.generation = 2,
		.cpu_ratio = 0.97,
		.run_delay_ratio = -1,
		.handshakes = 10,
		.failed = 3,
	};
}
