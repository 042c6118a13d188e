/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy record: watches, and keeps what was seen in a file, for report, trace and export to read with -i.
 *
 * Must not know: the file's format.
 */
#include <inttypes.h>

#include "base/log.h"
#include "command/command.h"
#include "command/source.h"

struct record {
	struct source *source;
	uint64_t records;
};

static void on_observation(void *context, const struct observation *observation)
{
	struct record *record = context;
	uint8_t kind = observation->event.header.kind;

	record->records += kind == EVENT_SETTLED || kind == EVENT_AMENDED;
}

/* Nobody needs a watch that cannot be kept. */
static void on_tick(void *context, uint64_t now_ns)
{
	struct record *record = context;

	(void)now_ns;
	if (source_code(record->source) != EXIT_FINE)
		source_stop(record->source);
}

static void tell_result(const struct options *options, const struct window *window, uint64_t records)
{
	uint64_t begun = 0;

	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++)
		begun += window->totals[i].begun;
	log_info("'%s': %" PRIu64 " handshakes, %" PRIu64 " records; tlswhy report -i reads it", options->output,
		 begun, records);
	if (window->losses.ring_full)
		log_info("%" PRIu64 " handshakes are without peer and name: the ring was full (--ring-bytes)",
			 window->losses.ring_full);
}

int command_record(const struct options *options)
{
	static const struct source_handlers handlers = { .observe = on_observation, .tick = on_tick };
	struct record record = { 0 };
	int code;

	if (!options->output) {
		log_error("no file to record to");
		log_hint("name one that does not exist yet, with -o FILE");
		return EXIT_USAGE;
	}
	code = source_open(&record.source, options, true);
	if (code != EXIT_FINE)
		return code;
	if (source_run(record.source, &handlers, &record))
		code = source_code(record.source);
	else
		code = EXIT_RUNTIME;
	if (code == EXIT_FINE)
		tell_result(options, source_window(record.source), record.records);
	source_free(record.source);
	return code;
}
