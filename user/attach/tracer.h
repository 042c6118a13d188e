/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side as an object: load, attach, arm, read, disarm, let go.
 *
 * The only module that knows libbpf and the skeleton. Order of calls: new, layouts and targets, attach, arm,
 * poll..., disarm, then counters, spill and open: after disarming no program runs, so these numbers agree.
 * Functions return 0 or a negative errno and leave out-parameters untouched on failure; they log nothing but libbpf's
 * own words at debug level.
 */
#ifndef TLSWHY_ATTACH_TRACER_H
#define TLSWHY_ATTACH_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/config.h"
#include "tlswhy/counters.h"
#include "tlswhy/event.h"
#include "attach/probes.h"

#define TRACER_RING_BYTES    (4u << 20)
#define TRACER_SPILL_ENTRIES (1u << 14)

struct tracer;

struct tracer_options {
	uint32_t ring_bytes;    /* a power of two of at least a page; 0: TRACER_RING_BYTES */
	uint32_t spill_entries; /* 0: TRACER_SPILL_ENTRIES */
	bool adopt;             /* take in children of targets and processes that run known binaries */
	bool final_marks;       /* EVENT_FINAL */
	bool connections;       /* load what PROBE_FOR_CONNECTIONS needs */
	bool tell_execs;        /* EVENT_EXEC */
	bool by_events;         /* place probes as perf events, whatever the kernel has (uprobe.h) */
};

/* Called for each record, with memory that is gone afterwards. Must not fail. */
typedef void tracer_record_fn(void *context, const void *bytes, size_t size);
typedef void tracer_spill_fn(void *context, const struct spill_key *key, const struct spill_value *value);

/* Opens and loads. -EPERM: not allowed; -ENOENT: the kernel has no BTF; else what the kernel said. */
int tracer_new(struct tracer **out, const struct tracer_options *options);
/* Detaches what is attached. NULL is allowed. Slow where many probes are attached: print first. */
void tracer_free(struct tracer *tracer);

int tracer_set_layout(struct tracer *tracer, uint32_t row, const struct layout *layout);
int tracer_add_target(struct tracer *tracer, uint32_t tgid, const struct target *target);
int tracer_add_binary(struct tracer *tracer, const struct binary_key *key, const struct target *target);
/* No such entry is no error; what a process had in flight stays. */
void tracer_remove_target(struct tracer *tracer, uint32_t tgid);
void tracer_remove_binary(struct tracer *tracer, const struct binary_key *key);
/* It is told again when it is run again. */
void tracer_forget_program(struct tracer *tracer, const struct program_key *key);
/* How many programs could not be told. */
uint64_t tracer_execs_lost(const struct tracer *tracer);
/* Tells the generation of a master's cycle. */
int tracer_add_cycle(struct tracer *tracer, const struct cycle_key *key, uint32_t generation);
/* A local address on which http accepts TLS: who leaves it before a byte is counted. */
int tracer_add_listener(struct tracer *tracer, const struct listener_key *key, const struct tls_listener *listener);
/*
 * Attaches one probe at a site of a file, system-wide: it holds for every process that maps the file. One that was
 * detached from every file stays so, and that is no error.
 */
int tracer_attach(struct tracer *tracer, const struct probe_site *site);
/* Takes a probe away from every file again, and lets it be placed nowhere any more; takes 20 to 110 ms. */
void tracer_detach(struct tracer *tracer, enum probe probe);
/* Has all probes of a group taken away, and does not wait for it. */
void tracer_detach_group(struct tracer *tracer, uint32_t group);
/* Attaches the tracepoints of processes and, where the kernel has it, of socket states. */
int tracer_attach_processes(struct tracer *tracer);

void tracer_arm(struct tracer *tracer);
/* Returns when no program runs any more. */
int tracer_disarm(struct tracer *tracer);

/* A descriptor that becomes readable when a batch of records waits; poll at least every 100 ms all the same. */
int tracer_fd(const struct tracer *tracer);
/* Hands over the records that wait. Returns how many, or a negative errno. */
int tracer_drain(struct tracer *tracer, tracer_record_fn *record, void *context);

#define TRACER_RUNS_MAX   32
#define TRACER_NAME_BYTES 40

/* One program, as BPF statistics have it: zeros while nobody has switched them on. */
struct tracer_run {
	char program[TRACER_NAME_BYTES];
	enum probe probe; /* the first one that feeds it; PROBE_COUNT: a tracepoint */
	uint64_t runs, ns;
};

/* Of every program that is loaded. Returns how many rows, or a negative errno. */
int tracer_runs(const struct tracer *tracer, struct tracer_run rows[TRACER_RUNS_MAX]);

/* What the kernel side takes of the kernel's memory. */
struct tracer_memory {
	uint64_t rest_bytes;    /* maps and programs while nothing happens */
	uint32_t settled_bytes; /* a completed handshake that may still be amended, until its object is freed */
	uint32_t settled_max;   /* of them at a time */
	uint32_t flight_bytes;  /* a handshake in flight */
};

/* From what the kernel says; see tracer_memory.c for what it leaves out. Returns 0 or a negative errno. */
int tracer_memory(const struct tracer *tracer, struct tracer_memory *out);

/* Sums of all CPUs. */
int tracer_counters(const struct tracer *tracer, uint64_t rows[COUNTER_ROWS]);
int tracer_spilled(const struct tracer *tracer, tracer_spill_fn *spilled, void *context);
/* Handshakes in flight per direction, counted by walking the map. */
int tracer_open_handshakes(const struct tracer *tracer, uint64_t open[DIRECTION_COUNT]);
/* Forgets what a dead process had in flight and adds its number per direction to evicted[]. */
int tracer_evict(struct tracer *tracer, uint32_t tgid, uint64_t evicted[DIRECTION_COUNT]);
/* The same for every process with something in flight that alive() denies. */
int tracer_evict_dead(struct tracer *tracer, bool (*alive)(uint32_t tgid), uint64_t evicted[DIRECTION_COUNT]);

#endif
