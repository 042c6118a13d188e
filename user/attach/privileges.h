/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which capabilities attaching needs, and giving them up afterwards.
 *
 * Needed to attach (capabilities(7)):
 *   CAP_BPF                 load programs, make maps
 *   CAP_PERFMON             tracing programs, uprobes
 *   CAP_SYS_PTRACE          /proc/PID/{exe,maps,mem} of other users' processes
 *   CAP_CHECKPOINT_RESTORE  follow /proc/PID/map_files: a library as it is mapped, deleted or in a container
 *   CAP_DAC_READ_SEARCH     look into that directory, which belongs to the worker's user
 * CAP_SYS_ADMIN stands for BPF, PERFMON and CHECKPOINT_RESTORE; CAP_DAC_OVERRIDE for DAC_READ_SEARCH. Kernels with
 * the fix of CVE-2025-38466 (July 2025, in every long-term series) want CAP_SYS_ADMIN for uprobes. It is wanted for
 * another network namespace as well: without it the listeners of containers are not reported, and all else is.
 *
 * Needed afterwards: the same, where nginx that comes later is to be watched too. Else nothing, on kernels
 * since 5.19. Descriptors of maps, links and the ring keep working without capabilities, /proc/PID/stat and schedstat
 * are for everybody. Before 5.19 every bpf(2) call needs CAP_BPF while kernel.unprivileged_bpf_disabled is set, map
 * look-ups too.
 */
#ifndef TLSWHY_ATTACH_PRIVILEGES_H
#define TLSWHY_ATTACH_PRIVILEGES_H

#include <stdbool.h>

struct privileges {
	bool bpf, perfmon, ptrace, checkpoint_restore, dac_read; /* there, or covered by a wider one */
	char sentence[240]; /* what is missing and for what; "" when nothing is */
};

/* Looks at the effective capabilities of this thread. Returns how many needed ones are missing. */
int privileges_missing(struct privileges *out);

/*
 * Gives up every capability that is not needed once everything is attached, for good: effective, permitted,
 * inheritable, ambient and bounding sets, and sets no_new_privs. Where more is to be attached later it keeps what
 * that needs. Else it keeps CAP_BPF alone, and only where an attempt shows that this kernel refuses map look-ups
 * without it; after this: no attaching, no /proc/PID/{exe,maps,map_files,mem} of other users. In both cases: no files
 * that only root may write to by capability (files that belong to uid 0 can still be written as uid 0). Acts on the
 * calling thread: call it before others are started. Returns 0 or a negative errno; then as much as possible has been
 * given up.
 */
int privileges_drop(bool attach_later);

#endif
