/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON values. Contract: json_value.h. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "output/json_value.h"

/* Enough for a microsecond in a year's worth of seconds, and 0.1 stays 0.1. */
#define SIGNIFICANT_DIGITS 15

json_t *json_bytes(const void *bytes, size_t count)
{
	autofree char *escaped = NULL;
	char small[512];
	char *buffer = small;
	size_t size = count * ESCAPE_GROWTH + 1;

	if (size > sizeof(small)) {
		buffer = escaped = malloc(size);
		if (!buffer)
			return NULL;
	}
	return json_stringn_nocheck(buffer, escape(buffer, size, ESCAPE_JSON, bytes, count, NULL));
}

json_t *json_text(const char *text)
{
	return text ? json_bytes(text, strlen(text)) : json_null();
}

json_t *json_name(const char *name)
{
	return name ? json_string(name) : json_null();
}

json_t *json_count(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *json_number(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

json_t *json_ratio(double ratio)
{
	return ratio < 0 ? json_null() : json_number(ratio);
}

json_t *json_seconds(uint64_t ns)
{
	return json_real((double)ns / 1e9);
}

json_t *json_microseconds(uint64_t us)
{
	return json_real((double)us / 1e6);
}

void json_put(json_t *object, const char *key, json_t *value, bool *failed)
{
	if (json_object_set_new_nocheck(object, key, value))
		*failed = true;
}

void json_push(json_t *array, json_t *value, bool *failed)
{
	if (json_array_append_new(array, value))
		*failed = true;
}

static json_t *bucket(json_t *bound, uint64_t count, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "le", bound, failed);
	json_put(object, "count", json_count(count), failed);
	return object;
}

/* Cumulative; a bucket that adds nothing is left out, but for the last. */
static json_t *buckets(const struct histogram *histogram, bool *failed)
{
	json_t *array = json_array();
	uint64_t below = 0;

	for (uint32_t i = 0; i < LATENCY_BUCKET_OVERFLOW; i++) {
		below += histogram->counts[i];
		if (histogram->counts[i])
			json_push(array, bucket(json_seconds(latency_bucket_bound_ns(i)), below, failed), failed);
	}
	json_push(array, bucket(json_name("+Inf"), histogram->count, failed), failed);
	return array;
}

json_t *json_histogram(const struct histogram *histogram)
{
	static const struct {
		const char *key;
		double quantile;
	} quantiles[] = {
		{ .key = "p50", .quantile = 0.5 },
		{ .key = "p90", .quantile = 0.9 },
		{ .key = "p99", .quantile = 0.99 },
	};
	autojson json_t *object = json_object();
	bool failed = false;

	json_put(object, "count", json_count(histogram->count), &failed);
	json_put(object, "sum", json_seconds(histogram->sum_ns), &failed);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		uint64_t ns = histogram_quantile_ns(histogram, quantiles[i].quantile);

		json_put(object, quantiles[i].key, histogram->count ? json_seconds(ns) : json_null(), &failed);
	}
	json_put(object, "max", histogram->count ? json_seconds(histogram->max_ns) : json_null(), &failed);
	json_put(object, "max_is_bound", json_boolean(histogram->max_is_bound), &failed);
	json_put(object, "buckets", buckets(histogram, &failed), &failed);
	return failed ? NULL : json_incref(object);
}

int json_write(const json_t *document, size_t flags, FILE *stream)
{
	flags |= JSON_ENSURE_ASCII | JSON_REAL_PRECISION(SIGNIFICANT_DIGITS);
	if (json_dumpf(document, stream, flags) || fputc('\n', stream) == EOF)
		return -EIO;
	return 0;
}
