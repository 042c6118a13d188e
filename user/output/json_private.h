/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chapters of the JSON report, for json*.c alone. Each returns a new reference, or NULL where memory ended.
 *
 * Must not know: their order.
 */
#ifndef TLSWHY_OUTPUT_JSON_PRIVATE_H
#define TLSWHY_OUTPUT_JSON_PRIVATE_H

#include "handshake/snapshot.h"
#include "output/json_value.h"

json_t *json_causes(const struct snapshot *snapshot, bool *failed);
json_t *json_ok(const struct snapshot *snapshot, bool *failed);
json_t *json_versions(const struct snapshot *snapshot, bool *failed);
json_t *json_ciphers(const struct snapshot *snapshot, bool *failed);
json_t *json_groups(const struct snapshot *snapshot, bool *failed);
json_t *json_costs(const struct snapshot *snapshot, bool *failed);
json_t *json_resumption(const struct snapshot *snapshot, bool *failed);
json_t *json_servers(const struct snapshot *snapshot, bool *failed);
json_t *json_workers(const struct snapshot *snapshot, bool *failed);
json_t *json_generations(const struct snapshot *snapshot, bool *failed);

/* Where time went: sums, shares and distributions; a part that was measured in none is null. */
json_t *json_parts(const struct parts_row *row, bool *failed);
/* The same where only sums are kept. has_waits: lag and peer were measured in one handshake or more, of count. */
json_t *json_part_sums(const uint64_t us[PARTS_SHOWN], uint64_t whole_us, uint64_t count, bool has_waits,
		       bool *failed);
/* The codes of one kind, [{key, count}]. */
json_t *json_codes(const struct code_counts *codes, enum code_kind kind, bool *failed);
/* Puts "versions", "ciphers" and "groups". */
void json_put_codes(json_t *object, const struct code_counts *codes, bool *failed);

#endif
