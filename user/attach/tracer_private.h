/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of struct tracer, for tracer.c and tracer_read.c alone. */
#ifndef TLSWHY_ATTACH_TRACER_PRIVATE_H
#define TLSWHY_ATTACH_TRACER_PRIVATE_H

#include "attach/tracer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tlswhy.skel.h"

#define SITES_MAX   256
#define TRACEPOINTS 3

struct tracer {
	struct tlswhy_bpf *skeleton;
	struct ring_buffer *ring;
	struct bpf_link *links[SITES_MAX + TRACEPOINTS]; /* NULL: free */
	enum probe probes[SITES_MAX + TRACEPOINTS];      /* of links, by index; PROBE_COUNT: a tracepoint */
	uint32_t groups[SITES_MAX + TRACEPOINTS];        /* the same */
	size_t link_count;
	bool off[PROBE_COUNT]; /* detached from every file, for good */
	tracer_record_fn *record;
	void *context;
};

#endif
