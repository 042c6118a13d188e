/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting negotiated numbers. Contract: codes.h. */
#include "handshake/codes.h"

#include <errno.h>
#include <stdlib.h>

static void count(struct code_tally *tally, enum code_kind kind, uint16_t code, int64_t by)
{
	uint16_t *codes = tally->codes[kind];
	unsigned int at = 0;

	while (at < CODES_KEPT && codes[at] != code && codes[at] != 0)
		at++;
	if (code == 0)
		at = CODES_KEPT;
	if (at < CODES_KEPT)
		codes[at] = code;
	tally->counts[kind][at] += by;
}

void code_tally_add(struct code_tally *tally, const struct batch *batch)
{
	int64_t kept = batch_kept(batch);

	if (kept == 0)
		return;
	count(tally, CODE_VERSION, batch->tls_version, kept);
	if (batch->cipher)
		count(tally, CODE_CIPHER, batch->cipher, kept);
	if (batch->group)
		count(tally, CODE_GROUP, batch->group, kept);
}

void code_tally_merge(struct code_tally *into, const struct code_tally *from)
{
	for (unsigned int kind = 0; kind < CODE_KINDS; kind++)
		for (unsigned int at = 0; at <= CODES_KEPT; at++)
			if (at == CODES_KEPT || from->codes[kind][at])
				count(into, (enum code_kind)kind, at < CODES_KEPT ? from->codes[kind][at] : 0,
				      from->counts[kind][at]);
}

int code_tally_list(const struct code_tally *tally, struct code_counts *counts)
{
	struct code_counts list = { 0 };
	size_t most = 0;

	for (unsigned int kind = 0; kind < CODE_KINDS; kind++)
		for (unsigned int at = 0; at <= CODES_KEPT; at++)
			most += tally->counts[kind][at] > 0;
	if (most > 0)
		list.items = calloc(most, sizeof(*list.items));
	if (most > 0 && !list.items)
		return -ENOMEM;
	for (unsigned int kind = 0; kind < CODE_KINDS; kind++)
		for (unsigned int at = 0; at <= CODES_KEPT; at++)
			if (tally->counts[kind][at] > 0)
				list.items[list.count++] = (struct code_count){
					.kind = (enum code_kind)kind,
					.code = at < CODES_KEPT ? tally->codes[kind][at] : 0,
					.count = (uint64_t)tally->counts[kind][at],
				};
	code_counts_sort(&list);
	*counts = list;
	return 0;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int code_count_compare(const void *left, const void *right)
{
	const struct code_count *a = left, *b = right;
	int order = compare(a->kind, b->kind);

	if (order == 0)
		order = compare(b->count, a->count);
	return order ? order : compare(a->code, b->code);
}

void code_counts_sort(struct code_counts *counts)
{
	if (counts->count > 1)
		qsort(counts->items, counts->count, sizeof(*counts->items), code_count_compare);
}
