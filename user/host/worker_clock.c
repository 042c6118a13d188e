/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading one process's account. Contract: worker_clock.h.
 *
 * Invariant: the CPU clock knows a pid only, so it is read first, and what shows whose pid it is afterwards: a
 * process that is there then was there before.
 */
#include "host/worker_clock.h"

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "host/clock.h"

#define SCHEDSTAT_BYTES 128

static int read_cpu(pid_t pid, uint64_t *cpu_ns)
{
	struct timespec time;
	clockid_t clock;
	int error = clock_getcpuclockid(pid, &clock);

	if (error)
		return -error;
	if (clock_gettime(clock, &time))
		return errno == EINVAL ? -ESRCH : -errno; /* it ended in between */
	*cpu_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
	return 0;
}

/* Returns 0, also where the file says nothing of use, or a negative errno. */
static int read_schedstat(int fd, struct worker_reading *reading)
{
	char text[SCHEDSTAT_BYTES];
	ssize_t n = worker_read(fd, text, sizeof(text));

	if (n < 0)
		return (int)n;
	reading->has_schedstat = worker_schedstat_parse(text, (size_t)n, &reading->schedstat) == 0;
	return 0;
}

/* By name, and then once more by what makes it this process: its start. */
static int read_by_name(const struct worker_clock *clock, struct worker_reading *reading)
{
	autoclose int fd = worker_open(clock->pid, "schedstat");
	struct worker_stat stat;
	int error;

	if (fd >= 0)
		read_schedstat(fd, reading);
	error = worker_stat_read(clock->pid, &stat);
	if (error)
		return error;
	return stat.start_ticks == clock->start_ticks ? 0 : -ESRCH;
}

static int read_all(const struct worker_clock *clock, struct worker_reading *out)
{
	struct worker_reading reading = { .has_schedstat = false };
	int error = read_cpu(clock->pid, &reading.cpu_ns);

	if (error)
		return error;
	reading.time_ns = clock_monotonic_ns();
	error = clock->fd >= 0 ? read_schedstat(clock->fd, &reading) : read_by_name(clock, &reading);
	if (error)
		return error;
	*out = reading;
	return 0;
}

int worker_clock_start(pid_t pid, bool keep, struct worker_clock *out)
{
	struct worker_clock clock = { .pid = pid, .fd = -1 };
	struct worker_reading reading;
	struct worker_stat stat;
	autoclose int fd = -1;
	int error = worker_stat_read(pid, &stat);

	if (error)
		return error;
	clock.parent = stat.parent;
	clock.start_ticks = stat.start_ticks;
	if (keep)
		fd = worker_open(pid, "schedstat");
	/* By name: its second look at the start vouches for the descriptor too. */
	error = read_all(&clock, &reading);
	if (error)
		return error;
	worker_meter_start(&clock.meter, &reading);
	if (fd >= 0)
		clock.fd = take_fd(&fd);
	*out = clock;
	return 0;
}

void worker_clock_read(struct worker_clock *clock)
{
	struct worker_reading reading;
	int error = clock->gone ? -ESRCH : read_all(clock, &reading);

	if (!error)
		worker_meter_add(&clock->meter, &reading);
	if (error != -ESRCH)
		return; /* short of descriptors perhaps: a later reading stands for this one too */
	clock->gone = true;
	worker_clock_release(clock);
}

void worker_clock_restart(struct worker_clock *clock)
{
	struct worker_reading last = clock->meter.last;

	worker_meter_start(&clock->meter, &last);
}

void worker_clock_release(struct worker_clock *clock)
{
	if (clock->fd >= 0)
		close(clock->fd);
	clock->fd = -1;
}
