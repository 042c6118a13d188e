/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU facts of worker processes. What a process can choose (its command name) is never searched for a field's
 * place: fields are counted from the last ')' (proc(5): only numbers follow it).
 * Must not know: nginx, targets, handshakes.
 */
#define _GNU_SOURCE /* memrchr() */
#include "host/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/clock.h"

#define PROC_FILE_BYTES 2048

/* proc(5) counts fields from 1; pid is 1, comm 2. */
enum stat_field { FIELD_STATE = 3, FIELD_PARENT = 4, FIELD_USER = 14, FIELD_SYSTEM = 15, FIELD_START = 22 };

/* A decimal number at *p, at most end; moves *p behind it. */
static int parse_number(const char **p, const char *end, uint64_t *out)
{
	const char *start = *p;
	uint64_t value = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		uint64_t digit = (uint64_t)(**p - '0');

		if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, digit, &value))
			return -EBADMSG;
	}
	if (*p == start)
		return -EBADMSG;
	*out = value;
	return 0;
}

static const char *skip_spaces(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

static const char *skip_word(const char *p, const char *end)
{
	while (p < end && *p != ' ' && *p != '\n')
		p++;
	return p;
}

/* Where a field of use belongs in the result; NULL for the others. */
static uint64_t *stat_slot(int field, struct worker_stat *stat, uint64_t *parent)
{
	switch (field) {
	case FIELD_PARENT:
		return parent;
	case FIELD_USER:
		return &stat->user_ticks;
	case FIELD_SYSTEM:
		return &stat->system_ticks;
	case FIELD_START:
		return &stat->start_ticks;
	default:
		return NULL;
	}
}

int worker_stat_parse(const char *text, size_t bytes, struct worker_stat *out)
{
	const char *end = text + bytes, *p = memrchr(text, ')', bytes);
	struct worker_stat stat = { 0 };
	uint64_t parent = 0;

	if (!p)
		return -EBADMSG;
	p = skip_spaces(p + 1, end);
	for (int field = FIELD_STATE; field <= FIELD_START; field++) {
		uint64_t *slot = stat_slot(field, &stat, &parent);

		if (p == end || *p == '\n')
			return -EBADMSG;
		if (slot && parse_number(&p, end, slot))
			return -EBADMSG;
		p = skip_spaces(skip_word(p, end), end);
	}
	if (parent > INT32_MAX)
		return -EBADMSG;
	stat.parent = (pid_t)parent;
	*out = stat;
	return 0;
}

int worker_schedstat_parse(const char *text, size_t bytes, uint64_t *run_delay_ns)
{
	const char *p = text, *end = text + bytes;
	uint64_t cpu_ns, delay_ns;

	if (parse_number(&p, end, &cpu_ns))
		return -EBADMSG;
	p = skip_spaces(p, end);
	if (parse_number(&p, end, &delay_ns))
		return -EBADMSG;
	*run_delay_ns = delay_ns;
	return 0;
}

/* Reads /proc/PID/name. Returns the bytes read or a negative errno. */
static ssize_t read_proc_file(pid_t pid, const char *name, char *out, size_t bytes)
{
	char path[64];
	autoclose int fd = -1;
	size_t done = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (done < bytes) {
		ssize_t n = read(fd, out + done, bytes - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int worker_stat_read(pid_t pid, struct worker_stat *out)
{
	char text[PROC_FILE_BYTES];
	ssize_t n = read_proc_file(pid, "stat", text, sizeof(text));

	if (n < 0)
		return (int)n;
	return worker_stat_parse(text, (size_t)n, out);
}

int worker_sample_take(pid_t pid, struct worker_sample *out)
{
	struct worker_sample sample = { .pid = pid };
	char text[PROC_FILE_BYTES];
	int error = worker_stat_read(pid, &sample.stat);
	ssize_t n;

	if (error)
		return error;
	n = read_proc_file(pid, "schedstat", text, sizeof(text));
	if (n >= 0 && !worker_schedstat_parse(text, (size_t)n, &sample.run_delay_ns))
		sample.has_run_delay = true;
	sample.time_ns = clock_monotonic_ns();
	*out = sample;
	return 0;
}

int worker_ratio(const struct worker_sample *before, const struct worker_sample *after, double *cpu_ratio,
		 double *run_delay_ratio)
{
	uint64_t ticks_before = before->stat.user_ticks + before->stat.system_ticks;
	uint64_t ticks_after = after->stat.user_ticks + after->stat.system_ticks;
	double seconds, ticks_per_second = (double)sysconf(_SC_CLK_TCK);

	if (before->pid != after->pid || before->stat.start_ticks != after->stat.start_ticks)
		return -ESTALE;
	if (after->time_ns <= before->time_ns)
		return -EINVAL;
	seconds = (double)(after->time_ns - before->time_ns) / 1e9;
	/* The kernel scales utime and stime against each other; their sum may step back by a tick. */
	*cpu_ratio = ticks_after > ticks_before ? (double)(ticks_after - ticks_before) / ticks_per_second / seconds
						: 0;
	*run_delay_ratio = -1;
	if (before->has_run_delay && after->has_run_delay && after->run_delay_ns >= before->run_delay_ns)
		*run_delay_ratio = (double)(after->run_delay_ns - before->run_delay_ns) / 1e9 / seconds;
	return 0;
}
