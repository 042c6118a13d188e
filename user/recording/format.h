/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording, byte by byte: a preamble, a header of frames, a stream of frames, a closing frame.
 *
 *   preamble | START FIELDS FIELDS FIELDS TARGET... | (TICK | RECORD)... (SPILL)...
 *   (TARGET | WORKER | LISTENER | NAMESPACE)... END
 *
 * Every number of the format itself is little-endian and of fixed width, nothing is padded or aligned. RECORD, SPILL
 * hold the kernel side's own structs in the byte order of the host that wrote them; the preamble says which that is
 * and FIELDS where each of their members lies, so that a later program reads an older file by name.
 *
 * Rules of change. Bodies may grow at their end: a reader takes what it knows, and what a shorter body lacks is zero,
 * or unknown where that has a value of its own.
 * A kind with FRAME_SKIPPABLE may be skipped by who does not know it; any other new kind, and any change of meaning,
 * is a new RECORDING_FORMAT.
 * Must not know: where records come from.
 */
#ifndef TLSWHY_RECORDING_FORMAT_H
#define TLSWHY_RECORDING_FORMAT_H

#include <stdint.h>
#include <string.h>

#define RECORDING_FORMAT      1
#define RECORDING_MAGIC       "\x89tlswhy\n"
#define RECORDING_MAGIC_BYTES 8
#define RECORDING_ORDER_MARK  0x0102030405060708ull

/* No frame is longer: a length beyond it is damage, and no reason to ask for that much memory. */
#define FRAME_BYTES_MAX (1u << 20)
#define FRAME_SKIPPABLE 0x8000u

/* What a header and a closing may hold; a writer leaves out what is beyond, a reader refuses it. */
#define RECORDING_HEADER_MAX  (16u << 20)
#define RECORDING_TARGETS_MAX 1024u
#define RECORDING_WORKERS_MAX 8192u
/* Handshakes that the spill rows of a recording stand for: sums of them are added up in 64 bits. */
#define RECORDING_SPILLED_MAX (1ull << 48)
/* The same of what waits before accept(); and what it may have counted: sums of that are added up in 64 bits, too. */
#define RECORDING_LISTENERS_MAX  4096u
#define RECORDING_NAMESPACES_MAX 1024u
#define RECORDING_COUNT_MAX      (1ull << 48)
#define RECORDING_TICK_NS_MAX    1000000000u

enum frame_kind {
	FRAME_START = 1,  /* frame_start, texts: tool version, host, kernel release, boot id, then frame_start_more */
	FRAME_FIELDS = 2, /* struct frame_fields, then fields: struct frame_field and a text */
	FRAME_TARGET =
		3, /* struct frame_target, workers' pids (le32), then texts: exe, library, its version, layout */
	FRAME_TICK = 16,   /* struct frame_tick: the watch had come to this moment before what follows */
	FRAME_RECORD = 17, /* one record of the ring, blanked, without what is not meant behind its tail */
	FRAME_SPILL = 18,  /* struct spill_key, then struct spill_value */
	FRAME_WORKER = 19, /* struct frame_worker */
	FRAME_END = 32,    /* struct frame_end; nothing follows */
	FRAME_LISTENER = FRAME_SKIPPABLE | 20,  /* struct frame_listener */
	FRAME_NAMESPACE = FRAME_SKIPPABLE | 21, /* struct frame_namespace */
};

/* Which struct a FRAME_FIELDS describes. */
enum frame_struct {
	FRAME_STRUCT_EVENT = 1,
	FRAME_STRUCT_SPILL_KEY = 2,
	FRAME_STRUCT_SPILL_VALUE = 3,
};

#define RECORDING_DIRECTIONS 3

struct le16 {
	uint8_t bytes[2];
};

struct le32 {
	uint8_t bytes[4];
};

struct le64 {
	uint8_t bytes[8];
};

struct recording_preamble {
	uint8_t magic[RECORDING_MAGIC_BYTES];
	struct le32 format;
	struct le32 header_bytes; /* from the file's start to the first frame of the stream */
	uint8_t byte_order[8];    /* RECORDING_ORDER_MARK as the writing host keeps it in memory */
	struct le64 reserved;
};
_Static_assert(sizeof(struct recording_preamble) == 32, "preamble");

struct recording_frame {
	struct le32 bytes; /* of the body that follows */
	struct le16 kind;  /* enum frame_kind */
	struct le16 reserved;
};
_Static_assert(sizeof(struct recording_frame) == 8, "frame");

/* A text is a struct le16 with its length and as many bytes, without a NUL. */

struct frame_start {
	struct le64 start_ns;       /* CLOCK_MONOTONIC: armed */
	struct le64 unix_offset_ns; /* two's complement: what to add for nanoseconds since 1970 */
	struct le64 seed;           /* of the hashes of a report made by the same watch */
};
_Static_assert(sizeof(struct frame_start) == 24, "start");

struct frame_start_more {
	struct le64 tick_ns; /* the kernel's tick; 0: unknown */
};
_Static_assert(sizeof(struct frame_start_more) == 8, "start more");

struct frame_fields {
	struct le16 which;   /* enum frame_struct */
	struct le16 version; /* of an event: EVENT_VERSION */
	struct le32 bytes;   /* of the struct */
	struct le32 count;   /* fields that follow */
};
_Static_assert(sizeof(struct frame_fields) == 12, "fields");

struct frame_field {
	struct le16 offset;
	struct le16 bytes;
	uint8_t element_bytes; /* 1, 2, 4 or 8: an array has more bytes than that */
	uint8_t reserved;
};
_Static_assert(sizeof(struct frame_field) == 6, "field");

struct frame_target {
	struct le32 master_pid;
	struct le32 generation;
	struct le32 worker_count;
};
_Static_assert(sizeof(struct frame_target) == 12, "target");

struct frame_tick {
	struct le64 now_ns; /* CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct frame_tick) == 8, "tick");

#define FRAME_WORKER_GONE (1u << 0) /* it ended before the watch did; without it a worker of unknown CPU may have */

/* Ratios and seconds are IEEE 754 doubles, their bits as a number; negative: unknown. */
struct frame_worker {
	struct le32 pid;
	struct le32 master_pid;
	struct le32 generation; /* 0: unknown */
	struct le32 flags;
	struct le64 cpu_ratio;
	struct le64 run_delay_ratio;
	struct le64 cpu_ratio_peak; /* an older file's ends before */
	struct le64 run_delay_peak;
	struct le64 cpu_seconds;
	struct le64 saturated_seconds;
	struct le64 sampled_seconds;
};
_Static_assert(sizeof(struct frame_worker) == 72, "worker");

#define FRAME_LISTENER_HALF_OPEN_IS_BOUND (1u << 0)

/* struct snapshot_listener. Counts are two's complement; negative: unknown. */
struct frame_listener {
	struct le32 master_pid; /* 0: unknown */
	struct le32 netns;
	struct le16 family; /* 2: IPv4, 10: IPv6 */
	struct le16 port;
	uint8_t address[16]; /* IPv4 in the first four bytes */
	struct le32 sockets, queue, queue_peak, queue_limit;
	struct le32 flags;
	struct le64 drops, half_open, half_open_peak;
};
_Static_assert(sizeof(struct frame_listener) == 72, "listener");

/* struct snapshot_netns, likewise. */
struct frame_namespace {
	struct le32 netns;
	struct le32 reserved;
	struct le64 listen_overflows, listen_drops, request_queue_full;
};
_Static_assert(sizeof(struct frame_namespace) == 32, "namespace");

/* Of one direction. */
struct frame_totals {
	struct le64 begun, ok, failed, open, evicted, resumed, joined, unmatched;
};
_Static_assert(sizeof(struct frame_totals) == 64, "totals");

#define FRAME_END_REQUESTS_INCOMPLETE (1u << 0) /* struct window's requests_incomplete */
#define FRAME_END_ANSWERS_OFF         (1u << 1) /* struct window's answers_off */

struct frame_end {
	struct le64 end_ns;              /* CLOCK_MONOTONIC: disarmed */
	struct le64 records, spill_rows; /* frames of the file */
	struct le64 ring_full, spill_full, state_full, settled_full, evicted, read_faults, unmatched, undecodable;
	struct frame_totals totals[RECORDING_DIRECTIONS]; /* by enum direction */
	struct le64 flags;
};
_Static_assert(sizeof(struct frame_end) == 88 + 3 * 64 + 8, "end");

static inline struct le16 le16_of(unsigned int value)
{
	return (struct le16){ { (uint8_t)value, (uint8_t)(value >> 8) } };
}

static inline struct le32 le32_of(uint32_t value)
{
	struct le32 number;

	for (unsigned int i = 0; i < sizeof(number); i++)
		number.bytes[i] = (uint8_t)(value >> 8 * i);
	return number;
}

static inline struct le64 le64_of(uint64_t value)
{
	struct le64 number;

	for (unsigned int i = 0; i < sizeof(number); i++)
		number.bytes[i] = (uint8_t)(value >> 8 * i);
	return number;
}

static inline uint16_t le16_value(struct le16 number)
{
	return (uint16_t)(number.bytes[0] | number.bytes[1] << 8);
}

static inline uint32_t le32_value(struct le32 number)
{
	return le16_value((struct le16){ { number.bytes[0], number.bytes[1] } }) |
	       (uint32_t)le16_value((struct le16){ { number.bytes[2], number.bytes[3] } }) << 16;
}

static inline uint64_t le64_value(struct le64 number)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < sizeof(number); i++)
		value |= (uint64_t)number.bytes[i] << 8 * i;
	return value;
}

#endif
