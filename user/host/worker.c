/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of /proc of worker processes. What a process can choose (its command name) is never searched for a field's
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

int worker_schedstat_parse(const char *text, size_t bytes, struct worker_schedstat *out)
{
	const char *p = text, *end = text + bytes;
	struct worker_schedstat schedstat;

	if (parse_number(&p, end, &schedstat.cpu_ns))
		return -EBADMSG;
	p = skip_spaces(p, end);
	if (parse_number(&p, end, &schedstat.run_delay_ns))
		return -EBADMSG;
	if (!schedstat.cpu_ns)
		return -ENODATA; /* who never ran is no process yet */
	*out = schedstat;
	return 0;
}

int worker_open(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

ssize_t worker_read(int fd, char *out, size_t bytes)
{
	ssize_t n;

	/* Such a file comes whole in one read, and is made anew for each one at its beginning. */
	do {
		n = pread(fd, out, bytes, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int worker_stat_read(pid_t pid, struct worker_stat *out)
{
	char text[PROC_FILE_BYTES];
	autoclose int fd = worker_open(pid, "stat");
	ssize_t n = fd < 0 ? fd : worker_read(fd, text, sizeof(text));

	if (n < 0)
		return (int)n;
	return worker_stat_parse(text, (size_t)n, out);
}
