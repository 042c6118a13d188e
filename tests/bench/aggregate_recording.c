/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up records as a recording, for a report of more than a disk holds: FILE may be a pipe. */
#include "aggregate_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* As the kernel side would have counted it; what was amended is a failure. */
static void count(struct totals totals[SNAPSHOT_DIRECTIONS], const void *bytes)
{
	const struct event *event = bytes;
	struct totals *side = &totals[event->verdict.direction];

	if (event->header.kind == EVENT_AMENDED) {
		side->ok--;
		side->failed++;
	} else if (event->header.kind == EVENT_SETTLED) {
		side->begun++;
		side->resumed += (event->flags & EVENT_RESUMED) != 0;
		*(event->verdict.outcome == OUTCOME_OK ? &side->ok : &side->failed) += 1;
	}
}

static int write_all(struct recording_writer *writer, struct stretch *stretch, uint64_t records,
		     struct totals totals[SNAPSHOT_DIRECTIONS])
{
	struct kept_record kept;
	int error = 0;

	while (records > 0 && !error) {
		size_t n = records < stretch->count ? (size_t)records : stretch->count;

		stretch_renew(stretch, n);
		for (size_t i = 0; i < n && !error; i++) {
			error = record_keep(&kept, stretch->bytes + stretch->slots[i].at, stretch->slots[i].bytes);
			if (!error)
				error = recording_write_record(writer, &kept);
			count(totals, stretch->bytes + stretch->slots[i].at);
		}
		records -= n;
	}
	return error;
}

static int write_recording(struct recording_writer *writer, struct stretch *stretch, uint64_t records)
{
	char text[] = "bench";
	struct window window = { .tool_version = text, .host = text, .kernel = text, .boot_id = text };
	int error;

	window.start_ns = STRETCH_START_NS;
	window.unix_offset_ns = 1700000000ll * 1000000000;
	window.seed = 0x243f6a8885a308d3u;
	error = recording_write_begin(writer, &window);
	if (!error)
		error = write_all(writer, stretch, records, window.totals);
	window.end_ns = window.start_ns + stretch->handshakes * STRETCH_GAP_NS;
	return error ? error : recording_write_end(writer, &window);
}

int recording_make(const char *file, struct stretch *stretch, uint64_t records)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), error;
	struct recording_writer *writer = NULL;

	if (fd < 0)
		return -errno;
	writer = recording_writer_new(fd);
	error = writer ? write_recording(writer, stretch, records) : -ENOMEM;
	recording_writer_free(writer);
	return close(fd) && !error ? -errno : error;
}
