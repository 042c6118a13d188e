/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of struct tracer, for tracer.c and tracer_read.c alone. */
#ifndef TLSWHY_ATTACH_TRACER_PRIVATE_H
#define TLSWHY_ATTACH_TRACER_PRIVATE_H

#include "attach/tracer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach/uprobe.h"
#include "tlswhy.skel.h"

#define PLACES_MAX 259 /* tracepoints too */

/* A probe that is placed. */
struct placed {
	int fd;           /* -1: none */
	enum probe probe; /* PROBE_COUNT: a tracepoint */
	uint32_t group;
};

struct tracer {
	struct tlswhy_bpf *skeleton;
	struct ring_buffer *ring;
	enum uprobe_way way;
	struct placed places[PLACES_MAX];
	bool off[PROBE_COUNT]; /* detached from every file, for good */
	tracer_record_fn *record;
	void *context;
};

#endif
