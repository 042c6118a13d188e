/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side through libbpf: see tracer.h.
 *
 * Invariants: every API of libbpf used here is in 1.1; the ring's callback always returns 0, for another value ends
 * the poll (libbpf, ringbuf.c). Must not know: what a record says.
 */
#define _GNU_SOURCE /* vasprintf() */
#include "attach/tracer_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/layout.h"
#include "attach/sight.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "host/clock.h"

#define MESSAGE_LINES 40 /* of one message of libbpf's */

/* The end of a message: why the verifier refuses a program stands in the last lines of thousands. */
static char *last_lines(char *text, size_t count)
{
	char *at = text + strlen(text);

	while (at > text && (at[-1] != '\n' || count-- > 0))
		at--;
	return at;
}

__attribute__((format(printf, 2, 0))) static int print_libbpf(enum libbpf_print_level level, const char *format,
							      va_list arguments)
{
	autofree char *text = NULL;
	char *rest, *line;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (vasprintf(&text, format, arguments) < 0) {
		text = NULL; /* nobody says what it is then */
		return 0;
	}
	rest = last_lines(text, MESSAGE_LINES);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_debug("%s", line);
	return 0;
}

static int on_record(void *context, void *bytes, size_t size)
{
	struct tracer *tracer = context;

	tracer->record(tracer->context, bytes, size);
	return 0;
}

static void free_tracer(struct tracer **tracer)
{
	tracer_free(*tracer);
}

static uint32_t page_bytes(void)
{
	return (uint32_t)sysconf(_SC_PAGESIZE);
}

static struct bpf_program *program_of(const struct tlswhy_bpf *skeleton, enum probe probe)
{
	switch (probe) {
#define X(symbol, number, program, ...) \
	case PROBE_##symbol:            \
		return skeleton->progs.program;
		PROBES(X)
#undef X
	case PROBE_COUNT:
		break;
	}
	return NULL;
}

/* Programs of uprobes are loaded for one way of placing them; those that one goes on with, for the same. */
static void choose_way(struct tracer *tracer, const struct tracer_options *options)
{
	struct bpf_program *program;

	tracer->way = options->by_events ? UPROBE_BY_EVENT : uprobe_way_here();
	bpf_object__for_each_program(program,
				     tracer->skeleton->obj) if (bpf_program__type(program) == BPF_PROG_TYPE_KPROBE)
		bpf_program__set_expected_attach_type(program, (enum bpf_attach_type)uprobe_attach_type(tracer->way));
}

/* What no target needs is not even verified: it would take a twentieth of the verifier's time. */
static void leave_connections_out(struct tlswhy_bpf *skeleton)
{
	for (enum probe probe = 0; probe < PROBE_COUNT; probe++)
		if (probe_spec(probe)->use != PROBE_FOR_OBJECTS && probe_spec(probe)->use != PROBE_FOR_ALL)
			bpf_program__set_autoload(program_of(skeleton, probe), false);
}

/* An eighth of the ring is 1,300 records of 4 MiB; of a small one half, which is the largest record and more. */
static uint32_t wakeup_bytes(uint32_t ring_bytes)
{
	return ring_bytes / 8 > 2048 ? ring_bytes / 8 : ring_bytes / 2;
}

static int configure(struct tlswhy_bpf *skeleton, const struct tracer_options *options)
{
	uint32_t ring_bytes = options->ring_bytes ? options->ring_bytes : TRACER_RING_BYTES;
	uint32_t spill_entries = options->spill_entries ? options->spill_entries : TRACER_SPILL_ENTRIES;
	int error;

	if (ring_bytes < page_bytes() || (ring_bytes & (ring_bytes - 1)) != 0)
		return -EINVAL;
	skeleton->rodata->knobs.ring_wakeup_bytes = wakeup_bytes(ring_bytes);
	skeleton->rodata->knobs.tick_ns = clock_tick_ns();
	skeleton->rodata->knobs.adopt_children = options->adopt;
	skeleton->rodata->knobs.adopt_binaries = options->adopt;
	skeleton->rodata->knobs.final_marks = options->final_marks;
	if (!options->connections)
		leave_connections_out(skeleton);
	skeleton->rodata->knobs.tell_execs = options->tell_execs;
	error = bpf_map__set_max_entries(skeleton->maps.ring, ring_bytes);
	return error ? error : bpf_map__set_max_entries(skeleton->maps.spill, spill_entries);
}

/* The row of libraries of which nothing is known. */
static int set_row_none(struct tracer *tracer)
{
	struct layout layout;

	layout_none(&layout);
	return tracer_set_layout(tracer, LAYOUT_ROW_NONE, &layout);
}

int tracer_new(struct tracer **out, const struct tracer_options *options)
{
	__attribute__((cleanup(free_tracer))) struct tracer *tracer = calloc(1, sizeof(*tracer));
	int error;

	if (!tracer)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	for (size_t i = 0; i < PLACES_MAX; i++)
		tracer->places[i].fd = -1;
	tracer->skeleton = tlswhy_bpf__open();
	if (!tracer->skeleton)
		return -errno;
	choose_way(tracer, options);
	error = configure(tracer->skeleton, options);
	if (!error)
		error = tlswhy_bpf__load(tracer->skeleton);
	if (error)
		return error;
	error = set_row_none(tracer);
	if (error)
		return error;
	tracer->ring = ring_buffer__new(bpf_map__fd(tracer->skeleton->maps.ring), on_record, tracer, NULL);
	if (!tracer->ring)
		return -errno;
	*out = take_pointer(tracer);
	return 0;
}

/* Takes away what is chosen. */
static void detach_if(struct tracer *tracer, bool (*chosen)(const struct placed *placed, uint32_t which),
		      uint32_t which, bool wait)
{
	int fds[PLACES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < PLACES_MAX; i++) {
		struct placed *placed = &tracer->places[i];

		if (placed->fd < 0 || !chosen(placed, which))
			continue;
		fds[count++] = take_fd(&placed->fd);
	}
	uprobe_close_all(fds, count, wait);
}

static bool any(const struct placed *placed __attribute__((unused)), uint32_t which __attribute__((unused)))
{
	return true;
}

static bool is_of_probe(const struct placed *placed, uint32_t which)
{
	return placed->probe == which;
}

static bool is_of_group(const struct placed *placed, uint32_t which)
{
	return placed->group == which;
}

void tracer_free(struct tracer *tracer)
{
	if (!tracer)
		return;
	detach_if(tracer, any, 0, true);
	ring_buffer__free(tracer->ring);
	tlswhy_bpf__destroy(tracer->skeleton);
	free(tracer);
}

int tracer_set_layout(struct tracer *tracer, uint32_t row, const struct layout *layout)
{
	struct layout_entry entry = { .layout = *layout };

	sight_of(layout, &entry.sight);
	return bpf_map__update_elem(tracer->skeleton->maps.layouts, &row, sizeof(row), &entry, sizeof(entry),
				    BPF_ANY);
}

int tracer_add_target(struct tracer *tracer, uint32_t tgid, const struct target *target)
{
	return bpf_map__update_elem(tracer->skeleton->maps.targets, &tgid, sizeof(tgid), target, sizeof(*target),
				    BPF_ANY);
}

int tracer_add_binary(struct tracer *tracer, const struct binary_key *key, const struct target *target)
{
	return bpf_map__update_elem(tracer->skeleton->maps.binaries, key, sizeof(*key), target, sizeof(*target),
				    BPF_ANY);
}

void tracer_remove_target(struct tracer *tracer, uint32_t tgid)
{
	bpf_map__delete_elem(tracer->skeleton->maps.targets, &tgid, sizeof(tgid), 0);
}

void tracer_remove_binary(struct tracer *tracer, const struct binary_key *key)
{
	bpf_map__delete_elem(tracer->skeleton->maps.binaries, key, sizeof(*key), 0);
}

void tracer_forget_program(struct tracer *tracer, const struct program_key *key)
{
	bpf_map__delete_elem(tracer->skeleton->maps.programs, key, sizeof(*key), 0);
}

uint64_t tracer_execs_lost(const struct tracer *tracer)
{
	return __atomic_load_n(&tracer->skeleton->bss->execs_lost, __ATOMIC_RELAXED);
}

int tracer_add_cycle(struct tracer *tracer, const struct cycle_key *key, uint32_t generation)
{
	return bpf_map__update_elem(tracer->skeleton->maps.cycles, key, sizeof(*key), &generation, sizeof(generation),
				    BPF_ANY);
}

int tracer_add_listener(struct tracer *tracer, const struct listener_key *key, const struct tls_listener *listener)
{
	return bpf_map__update_elem(tracer->skeleton->maps.listeners, key, sizeof(*key), listener, sizeof(*listener),
				    BPF_ANY);
}

/* A free place for a probe, NULL where there is none. */
static struct placed *free_place(struct tracer *tracer)
{
	for (size_t i = 0; i < PLACES_MAX; i++)
		if (tracer->places[i].fd < 0)
			return &tracer->places[i];
	return NULL;
}

int tracer_attach(struct tracer *tracer, const struct probe_site *site)
{
	const struct bpf_program *program = program_of(tracer->skeleton, site->probe);
	struct placed *place = free_place(tracer);
	int fd;

	if (!program)
		return -EINVAL;
	if (tracer->off[site->probe])
		return 0;
	if (!place)
		return -ENOSPC;
	fd = uprobe_open(&(struct uprobe){ .way = tracer->way,
					   .program = bpf_program__fd(program),
					   .path = site->path,
					   .file_offset = site->file_offset,
					   .is_return = probe_spec(site->probe)->is_return });
	if (fd < 0)
		return fd;
	*place = (struct placed){ .fd = fd, .probe = site->probe, .group = site->group };
	return 0;
}

static int attach_tracepoint(struct tracer *tracer, const char *name, const struct bpf_program *program)
{
	struct placed *place = free_place(tracer);
	int fd = place ? bpf_raw_tracepoint_open(name, bpf_program__fd(program)) : -ENOSPC;

	if (fd < 0)
		return fd;
	*place = (struct placed){ .fd = fd, .probe = PROBE_COUNT };
	return 0;
}

int tracer_attach_processes(struct tracer *tracer)
{
	const struct tlswhy_bpf *skeleton = tracer->skeleton;
	int error = attach_tracepoint(tracer, "sched_process_exit", skeleton->progs.process_exit), no_sockets;

	if (!error)
		error = attach_tracepoint(tracer, "sched_process_exec", skeleton->progs.process_exec);
	if (error)
		return error;
	/* Without it the clients that leave before their first byte are not counted, all else is. */
	no_sockets = attach_tracepoint(tracer, "inet_sock_set_state", skeleton->progs.socket_change);
	if (no_sockets)
		log_debug("no probe on socket states: %s", strerror(-no_sockets));
	return 0;
}

void tracer_detach(struct tracer *tracer, enum probe probe)
{
	tracer->off[probe] = true;
	detach_if(tracer, is_of_probe, probe, true);
}

void tracer_detach_group(struct tracer *tracer, uint32_t group)
{
	if (group)
		detach_if(tracer, is_of_group, group, false);
}

void tracer_arm(struct tracer *tracer)
{
	__atomic_store_n(&tracer->skeleton->bss->armed, 1, __ATOMIC_SEQ_CST);
}

int tracer_disarm(struct tracer *tracer)
{
	int inner = bpf_map__fd(tracer->skeleton->maps.quiesce_inner);
	uint32_t zero = 0;

	__atomic_store_n(&tracer->skeleton->bss->armed, 0, __ATOMIC_SEQ_CST);
	return bpf_map__update_elem(tracer->skeleton->maps.quiesce, &zero, sizeof(zero), &inner, sizeof(inner),
				    BPF_ANY);
}

int tracer_fd(const struct tracer *tracer)
{
	return ring_buffer__epoll_fd(tracer->ring);
}

int tracer_drain(struct tracer *tracer, tracer_record_fn *record, void *context)
{
	tracer->record = record;
	tracer->context = context;
	return ring_buffer__consume(tracer->ring);
}
