/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's clocks and name. Times are nanoseconds. */
#ifndef TLSWHY_HOST_CLOCK_H
#define TLSWHY_HOST_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC, the clock of the kernel side's records. */
uint64_t clock_monotonic_ns(void);
/* What this thread has used of a CPU. */
uint64_t clock_thread_cpu_ns(void);
/* The kernel's tick, 1 s / CONFIG_HZ. */
uint32_t clock_tick_ns(void);
/* What to add to a CLOCK_MONOTONIC time to get nanoseconds since 1970; changes when the host's clock is set. */
int64_t clock_unix_offset_ns(void);
/*
 * The host's name into out[bytes], always ended with NUL. Returns 0, or -ENAMETOOLONG or another negative errno
 * with out untouched.
 */
int clock_hostname(char *out, size_t bytes);

#endif
