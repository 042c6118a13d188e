/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small recordings in memory, and reading them back. Used by the tests of recordings.
 * Must not know: what a test expects.
 */
#ifndef TLSWHY_TESTS_RECORDING_SAMPLE_H
#define TLSWHY_TESTS_RECORDING_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "recording/reader.h"
#include "recording/writer.h"

#define SAMPLE_RECORDS 4

struct bytes {
	uint8_t *data;
	size_t count;
};

/* What a reading gave. */
struct reading {
	int error; /* 0, or what the reader or its opening returned */
	bool opened;
	size_t records, ticks, spill_rows;
	uint64_t last_tick_ns;
	struct event events[16]; /* of the first records */
	size_t sizes[16];
	struct spill_key key;
	struct spill_value value;
	struct recording_problem problem;
	struct window window; /* a shallow copy without pointers; the texts: */
	char host[64], boot_id[64], exe[64];
	size_t target_workers;
	struct window_listener listeners[4]; /* the first ones */
	struct window_netns namespaces[4];
	struct window_worker worker; /* the first one */
};

/* A failed handshake with a ClientHello; number makes records differ. */
struct event sample_event(unsigned int number);
/* With secrets (HELLO_SECRET), and rubbish of the same value behind the tail. Returns the record's length. */
size_t sample_record(uint8_t *out, size_t room, unsigned int number);
/* Two listeners, of IPv4 and of IPv6, and a namespace in which something was lost. */
void sample_backlog(struct window *window);
/* One target with two workers, sample_backlog(), totals that fit SAMPLE_RECORDS failures and a spill row of 5;
 * release it. */
void sample_window(struct window *window);
void sample_spill(struct spill_key *key, struct spill_value *value);
/* Header, a tick, records, a spill row, workers, end. free(data). */
struct bytes sample_recording(void);

/* Reads all of it. */
struct reading read_recording(const void *data, size_t count);
/* All that was written to a descriptor. free(data). */
struct bytes bytes_of(int fd);

#endif
