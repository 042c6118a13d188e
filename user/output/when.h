/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moments as text, in UTC.
 *
 * Own arithmetic, since gmtime_r() reads the time zone's files at its first call, and output makes no system call.
 * Must not know: clocks. Moments come as nanoseconds since 1970 (UTC, without leap seconds).
 */
#ifndef TLSWHY_OUTPUT_WHEN_H
#define TLSWHY_OUTPUT_WHEN_H

#include <stdint.h>

#define WHEN_BYTES 40

/* "2026-03-04T05:06:07.123456Z" (RFC 3339). Returns the buffer. */
const char *when_rfc3339(uint64_t unix_ns, char buffer[WHEN_BYTES]);
/* "05:06:07.123". Returns the buffer. */
const char *when_time_of_day(uint64_t unix_ns, char buffer[WHEN_BYTES]);

#endif
