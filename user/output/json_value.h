/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON values that keep this project's conventions, made with jansson.
 *
 * Invariant: a value is never missing. Where memory ends, these give NULL and jansson's setters pass the failure on,
 * so that only the last step of building an object needs a check: json_value_set() remembers the first failure.
 * Must not know: which document is built.
 */
#ifndef TLSWHY_OUTPUT_JSON_VALUE_H
#define TLSWHY_OUTPUT_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "handshake/histogram.h"

/* Foreign bytes: always valid UTF-8 (base/escape.h, ESCAPE_JSON). A new reference, or NULL. */
json_t *json_bytes(const void *bytes, size_t count);
/* The same for a string; null for NULL. */
json_t *json_text(const char *text);
/* Own text, ASCII, that needs no escape; null for NULL. */
json_t *json_name(const char *name);
/* A count; what JSON's 64-bit integers cannot hold becomes the greatest they can. */
json_t *json_count(uint64_t count);
/* A number; null where it is not finite. */
json_t *json_number(double number);
/* The same; null where it is negative, too, which is how a snapshot spells "unknown". */
json_t *json_ratio(double ratio);
/* Nanoseconds as seconds. */
json_t *json_seconds(uint64_t ns);
/* Microseconds as seconds. */
json_t *json_microseconds(uint64_t us);
/* {"count", "sum", "p50", "p90", "p99", "max", "max_is_bound", "buckets"}; quantiles are null where it is empty. */
json_t *json_histogram(const struct histogram *histogram);

/*
 * Puts a value, whose reference it takes, into an object or at an array's end. *failed becomes true where either is
 * NULL or memory ends, and is never made false.
 */
void json_put(json_t *object, const char *key, json_t *value, bool *failed);
void json_push(json_t *array, json_t *value, bool *failed);

/* Writes a document and a newline. flags: jansson's, beyond its own. Returns 0, or -EIO where the stream failed. */
int json_write(const json_t *document, size_t flags, FILE *stream);

static inline void json_cleanup(json_t **document)
{
	json_decref(*document);
}
#define autojson __attribute__((cleanup(json_cleanup)))

#endif
