/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a ring record: what is decoded is within bounds and prints as one safe line of each trace; what is not
 * leaves the observation alone.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "handshake/decode.h"
#include "output/trace_json.h"
#include "output/trace_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void require_bounds(const struct observation *observation)
{
	const struct event *event = &observation->event;

	require(event->error_count <= EVENT_ERRORS && event->sni_bytes <= EVENT_SNI_BYTES);
	require(event->proxy_bytes <= EVENT_PROXY_BYTES && observation->sni_bytes <= 255);
	require((unsigned int)observation->cause < CAUSE_COUNT);
}

/* Printable ASCII and, at most, one newline at the end. */
static void require_line(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		require((text[i] >= 0x20 && text[i] < 0x7f) || (text[i] == '\n' && i + 1 == size));
}

static void print(const struct observation *observation,
		  int (*trace)(const struct observation *observation, const struct trace_clock *clock, FILE *stream),
		  int is_json)
{
	static const struct trace_clock clock = { .unix_offset_ns = 1772600767ull * 1000000000, .tick_ns = 4000000 };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	require(stream != NULL);
	require(trace(observation, &clock, stream) == 0);
	fclose(stream);
	require_line(text, size);
	if (is_json && size) {
		json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

		require(json_is_object(object));
		json_decref(object);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observation observation, untouched;
	uint8_t *copy = malloc(size ? size : 1);

	require(copy != NULL);
	memcpy(copy, data, size);
	memset(&observation, 0x55, sizeof(observation));
	memset(&untouched, 0x55, sizeof(untouched));
	if (decode_record(copy, size, &observation) != 0) {
		require(memcmp(&observation, &untouched, sizeof(observation)) == 0);
	} else {
		require_bounds(&observation);
		print(&observation, trace_json, 1);
		print(&observation, trace_text, 0);
	}
	free(copy);
	return 0;
}
