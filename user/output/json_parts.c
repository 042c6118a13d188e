/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of time, in the JSON report. */
#include <linux/types.h>

#include "diagnose/figures.h"
#include "output/json_private.h"

static json_t *share(uint64_t us, uint64_t whole_us)
{
	return whole_us ? json_number((double)us / (double)whole_us) : json_null();
}

/* The sum is of all handshakes, spilled ones too; the distribution is of those whose record came. */
static json_t *part(const struct parts_row *row, unsigned int number, bool *failed)
{
	json_t *object;

	if (!part_is_known(row, number))
		return json_null();
	object = json_histogram(&row->parts[number]);
	json_put(object, "sum", json_microseconds(row->us[number]), failed);
	json_put(object, "share", share(row->us[number], row->whole_us), failed);
	if (number == PART_LAG || number == PART_PEER || number == PART_CPU)
		json_put(object, "coarse", json_count(number == PART_CPU ? row->slept : row->coarse), failed);
	return object;
}

json_t *json_parts(const struct parts_row *row, bool *failed)
{
	bool lag_known = part_is_known(row, PART_LAG);
	json_t *object = json_object();

	json_put(object, "count", json_count(row->count), failed);
	json_put(object, "whole_seconds", json_microseconds(row->whole_us), failed);
	json_put(object, "lag_before_seconds", lag_known ? json_microseconds(row->before_us) : json_null(), failed);
	for (unsigned int i = 0; i < PARTS_SHOWN; i++)
		json_put(object, part_name(i), part(row, i, failed), failed);
	json_put(object, "round_trip", json_histogram(&row->round_trip), failed);
	json_put(object, "resent", json_count(row->resent), failed);
	return object;
}

static bool is_summed(unsigned int part, const uint64_t us[PARTS_SHOWN], uint64_t count, bool has_waits)
{
	if (us[part])
		return true;
	if (part == PART_CONNECT)
		return false;
	return part == PART_LAG || part == PART_PEER ? has_waits : count > 0;
}

json_t *json_part_sums(const uint64_t us[PARTS_SHOWN], uint64_t whole_us, uint64_t count, bool has_waits,
		       bool *failed)
{
	json_t *parts = json_object();

	for (unsigned int i = 0; i < PARTS_SHOWN; i++) {
		json_t *object;

		if (is_summed(i, us, count, has_waits)) {
			object = json_object();
			json_put(object, "sum", json_microseconds(us[i]), failed);
			json_put(object, "share", share(us[i], whole_us), failed);
		} else {
			object = json_null();
		}
		json_put(parts, part_name(i), object, failed);
	}
	return parts;
}
