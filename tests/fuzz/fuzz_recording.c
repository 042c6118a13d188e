/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a recording: it is read or refused with an offset inside of it, and what it gave makes a report that
 * is safe to print, alone and merged with itself.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/aggregate.h"
#include "handshake/decode.h"
#include "output/json.h"
#include "output/text.h"
#include "recording/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void count(struct aggregate *aggregate, const struct recording_item *item)
{
	struct observation observation;

	switch (item->kind) {
	case RECORDING_RECORD:
		if (decode_record(item->bytes, item->size, &observation) == 0)
			aggregate_add(aggregate, &observation);
		break;
	case RECORDING_SPILL:
		aggregate_add_spilled(aggregate, &item->key, &item->value);
		break;
	case RECORDING_TICK:
		break;
	}
}

/* Printable ASCII and newlines. */
static void require_safe(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		require((text[i] >= 0x20 && text[i] < 0x7f) || text[i] == '\n');
}

static void report(const struct aggregate *aggregate, const struct window *window)
{
	struct snapshot snapshot;
	struct window merged;
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	require(stream != NULL);
	window_init(&merged);
	merged.start_ns = window->start_ns;
	merged.has_totals = true;
	require(window_merge(&merged, window) == 0 && window_merge(&merged, window) == 0);
	require(merged.has_totals == window->has_totals);
	snapshot_init(&snapshot);
	require(aggregate_snapshot(aggregate, &snapshot) == 0);
	require(window_complete(window, &snapshot) == 0);
	require(json_report(&snapshot, NULL, 0, "fuzz", stream) == 0);
	require(text_report(&snapshot, NULL, 0, NULL, stream) == 0);
	fclose(stream);
	require_safe(text, bytes);
	free(text);
	snapshot_release(&snapshot);
	window_release(&merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording_problem problem = { .offset = ~0ull };
	struct recording_reader *reader = NULL;
	struct recording_item item;
	struct aggregate *aggregate;
	int result;
	FILE *stream;
	uint8_t *copy;

	if (size == 0)
		return 0;
	copy = malloc(size);
	require(copy != NULL);
	memcpy(copy, data, size);
	stream = fmemopen(copy, size, "r");
	require(stream != NULL);
	if (recording_reader_new(stream, &reader, &problem) == 0) {
		aggregate = aggregate_new(&(struct aggregate_options){ .seed = recording_window(reader)->seed });
		require(aggregate != NULL);
		while ((result = recording_next(reader, &item, &problem)) > 0)
			count(aggregate, &item);
		require(result == 0 || problem.offset <= size);
		require((result == 0) == recording_window(reader)->has_totals);
		report(aggregate, recording_window(reader));
		aggregate_free(aggregate);
	} else {
		require(problem.offset <= size && problem.sentence[0] != '\0');
	}
	recording_reader_free(reader);
	fclose(stream);
	free(copy);
	return 0;
}
