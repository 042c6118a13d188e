/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only reader of the host's clocks: pure modules get their times as arguments from whoever calls this.
 * Must not know: what is measured.
 */
#include "host/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define OFFSET_TRIES 5

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now); /* cannot fail for the clocks used here: clock_gettime(2) */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* What the coarse clocks step by is the kernel's tick (ktime's LOW_RES_NSEC). */
uint32_t clock_tick_ns(void)
{
	struct timespec step = { 0 };

	clock_getres(CLOCK_MONOTONIC_COARSE, &step);
	return (uint32_t)step.tv_nsec;
}

int64_t clock_unix_offset_ns(void)
{
	uint64_t narrowest = UINT64_MAX;
	int64_t offset = 0;

	/* Being preempted between the readings spoils a try; the narrowest one wins. */
	for (int i = 0; i < OFFSET_TRIES; i++) {
		uint64_t before = read_clock(CLOCK_MONOTONIC);
		uint64_t unix_ns = read_clock(CLOCK_REALTIME);
		uint64_t width = read_clock(CLOCK_MONOTONIC) - before;

		if (width < narrowest) {
			narrowest = width;
			offset = (int64_t)(unix_ns - before - width / 2);
		}
	}
	return offset;
}

int clock_hostname(char *out, size_t bytes)
{
	struct utsname names;
	size_t length;

	if (uname(&names))
		return -errno;
	length = strnlen(names.nodename, sizeof(names.nodename));
	if (length >= bytes)
		return -ENAMETOOLONG;
	memcpy(out, names.nodename, length);
	out[length] = '\0';
	return 0;
}
