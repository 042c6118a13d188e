/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeding made-up records to what a live report does with each, and the time that takes.
 *
 * Records lie in a stretch of the ring's default size, so that they are read from where a ring's are read: not from
 * the nearest cache, and not from memory. A stretch is made once; before each pass over it, and outside of what is
 * timed, its records get new peers, names, workers and times.
 * Invariant: every record is one that the kernel side could have written, and every amendment follows its ok.
 * Must not know: the kernel.
 */
#ifndef TLSWHY_TESTS_AGGREGATE_BENCH_H
#define TLSWHY_TESTS_AGGREGATE_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/event.h"
#include "command/listeners.h"
#include "handshake/aggregate.h"
#include "recording/writer.h"

#define STRETCH_START_NS 1000000000000ull /* of the first handshake, and between two */
#define STRETCH_GAP_NS   1000

enum mix {
	MIX_USUAL,  /* a busy host: one handshake in seven fails, in many ways */
	MIX_ATTACK, /* every handshake fails, each with a ClientHello of 512 bytes */
	MIX_OK,     /* every handshake is ok */
	MIX_COUNT,
};

/* How many there are of what strangers and operators may have many of. */
struct variety {
	uint64_t peers, names, workers;
};

struct slot {
	uint32_t at, bytes;     /* in the stretch */
	uint32_t sni, tail_sni; /* where the name's number is to be written; 0: nowhere */
	uint8_t repeats;        /* it is of the handshake before it */
};

struct stretch {
	uint8_t *bytes;
	struct slot *slots;
	size_t count;
	struct variety variety;
	uint64_t random, handshakes;
};

/* Ends the program where memory is short. */
void stretch_init(struct stretch *stretch, enum mix mix, const struct variety *variety);
void stretch_release(struct stretch *stretch);
/* New handshakes for the first count records. Of N peers each comes once in N handshakes. */
void stretch_renew(struct stretch *stretch, size_t count);
const char *mix_name(enum mix mix);

/* What a live report keeps between records. */
struct path {
	struct kept_record kept;
	struct listeners listeners;
	struct aggregate *aggregate;
	uint64_t ok, failed, refused;
};

void path_init(struct path *path, const struct stretch *stretch);
void path_release(struct path *path);
/* Renews and feeds records; returns the CPU time of the feeding, in ns, and adds that of renewing to *making_ns. */
uint64_t path_feed(struct path *path, struct stretch *stretch, uint64_t records, uint64_t *making_ns);

/* Writes records as a recording. Returns 0 or a negative errno. */
int recording_make(const char *file, struct stretch *stretch, uint64_t records);

#endif
