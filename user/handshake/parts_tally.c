/* SPDX-License-Identifier: BSD-2-Clause */
/* Adding up parts. Contract: parts_tally.h. */
#include "handshake/parts_tally.h"

#define NS_PER_US 1000u

static uint64_t rounded_us(uint64_t ns)
{
	return (ns + NS_PER_US / 2) / NS_PER_US;
}

/* Every handshake uses some CPU: what a recording of before there were parts holds has none. */
static bool has_parts(const struct batch *batch)
{
	return !batch->unmeasured && batch->part_us[PART_CPU] > 0;
}

void parts_sums_add(struct parts_sums *sums, const struct batch *batch)
{
	if (!has_parts(batch))
		return;
	sums->count += batch->count;
	sums->latency_ns += batch->latency_ns;
	for (unsigned int part = 0; part < PART_COUNT; part++)
		sums->us[part] += batch->part_us[part];
	sums->before_us += batch->before_us;
	sums->coarse += batch->flags & EVENT_COARSE ? batch->count : 0;
	sums->slept += batch->flags & EVENT_SLEPT ? batch->count : 0;
}

void parts_sums_merge(struct parts_sums *into, const struct parts_sums *from)
{
	into->count += from->count;
	into->latency_ns += from->latency_ns;
	for (unsigned int part = 0; part < PART_COUNT; part++)
		into->us[part] += from->us[part];
	into->before_us += from->before_us;
	into->coarse += from->coarse;
	into->slept += from->slept;
}

static struct parts_sums sums_less(const struct parts_sums *from, const struct parts_sums *what)
{
	struct parts_sums left = {
		.count = count_less(from->count, what->count),
		.latency_ns = count_less(from->latency_ns, what->latency_ns),
		.before_us = count_less(from->before_us, what->before_us),
		.coarse = count_less(from->coarse, what->coarse),
		.slept = count_less(from->slept, what->slept),
	};

	for (unsigned int part = 0; part < PART_COUNT; part++)
		left.us[part] = count_less(from->us[part], what->us[part]);
	return left;
}

uint64_t parts_sums_whole_us(const struct parts_sums *sums)
{
	return rounded_us(sums->latency_ns) + sums->us[PART_CONNECT] + sums->before_us;
}

uint64_t parts_unattributed_us(uint64_t whole_us, const uint64_t *us)
{
	uint64_t left_us = whole_us;

	for (unsigned int part = 0; part < PART_COUNT; part++)
		left_us = count_less(left_us, us[part]);
	return left_us;
}

void parts_sums_shown_us(const struct parts_sums *sums, uint64_t us[PARTS_SHOWN])
{
	for (unsigned int part = 0; part < PART_COUNT; part++)
		us[part] = sums->us[part];
	us[PART_UNATTRIBUTED] = parts_unattributed_us(parts_sums_whole_us(sums), sums->us);
}

static bool is_measured(const struct batch *batch, unsigned int part)
{
	if (part == PART_CONNECT)
		return batch->flags & EVENT_CONNECT;
	if (part == PART_LAG || part == PART_PEER)
		return batch->flags & EVENT_WAITS;
	return true;
}

void parts_tally_add(struct parts_tally *tally, const struct batch *batch)
{
	struct parts_sums one = { 0 };
	uint64_t us[PARTS_SHOWN];

	parts_sums_add(&tally->sums, batch);
	if (!has_parts(batch) || batch->spilled)
		return;
	parts_sums_add(&one, batch);
	parts_sums_shown_us(&one, us);
	for (unsigned int part = 0; part < PARTS_SHOWN; part++)
		if (is_measured(batch, part))
			histogram_add(&tally->parts[part], us[part] * NS_PER_US);
	if (batch->round_trip_us)
		histogram_add(&tally->round_trip, (uint64_t)batch->round_trip_us * NS_PER_US);
	tally->resent += batch->resent;
}

void parts_tally_merge(struct parts_tally *into, const struct parts_tally *from)
{
	parts_sums_merge(&into->sums, &from->sums);
	for (unsigned int part = 0; part < PARTS_SHOWN; part++)
		histogram_merge(&into->parts[part], &from->parts[part]);
	histogram_merge(&into->round_trip, &from->round_trip);
	into->resent += from->resent;
}

void parts_tally_row(const struct parts_tally *added, const struct parts_tally *taken, struct parts_row *row)
{
	struct parts_sums sums = taken ? sums_less(&added->sums, &taken->sums) : added->sums;

	row->count = sums.count;
	row->whole_us = parts_sums_whole_us(&sums);
	parts_sums_shown_us(&sums, row->us);
	row->before_us = sums.before_us;
	row->coarse = sums.coarse;
	row->slept = sums.slept;
	for (unsigned int part = 0; part < PARTS_SHOWN; part++) {
		row->parts[part] = added->parts[part];
		if (taken)
			histogram_subtract_all(&row->parts[part], &taken->parts[part]);
	}
	row->round_trip = added->round_trip;
	row->resent = added->resent;
}
