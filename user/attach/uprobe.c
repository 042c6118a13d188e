/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2) and perf_event_open(2) for one uprobe: see uprobe.h.
 *
 * Invariant: nothing is placed to find out which way there is.
 */
#define _GNU_SOURCE /* syscall() */
#include "attach/uprobe.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define EVENT_SOURCE "/sys/bus/event_source/devices/uprobe/"

/* Linux 6.6, commit 89ae89f53d20; headers of before lack them. */
#define TRACE_UPROBE_MULTI  48 /* of enum bpf_attach_type */
#define UPROBE_MULTI_RETURN 1u /* BPF_F_UPROBE_MULTI_RETURN */

/* union bpf_attr of BPF_LINK_CREATE for that attach type. */
struct link_attributes {
	uint32_t program, target, attach_type, flags;
	uint64_t path, offsets, reference_counters, cookies;
	uint32_t count, multi_flags, process, reserved;
};
_Static_assert(sizeof(struct link_attributes) == 64, "as include/uapi/linux/bpf.h of Linux has it");

static int open_link(const struct uprobe *uprobe)
{
	struct link_attributes attributes = {
		.program = (uint32_t)uprobe->program,
		.attach_type = TRACE_UPROBE_MULTI,
		.path = (uint64_t)(uintptr_t)uprobe->path,
		.offsets = (uint64_t)(uintptr_t)&uprobe->file_offset,
		.count = 1,
		.multi_flags = uprobe->is_return ? UPROBE_MULTI_RETURN : 0,
	};
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes));

	return fd < 0 ? -errno : (int)fd;
}

static int read_number(const char *path, const char *before, uint32_t *out)
{
	autofclose FILE *file = fopen(path, "re");
	char line[64], *end;
	unsigned long value;

	if (!file)
		return -errno;
	if (!fgets(line, sizeof(line), file) || strncmp(line, before, strlen(before)) != 0)
		return -EBADMSG;
	value = strtoul(line + strlen(before), &end, 10);
	if (end == line + strlen(before) || value > UINT32_MAX)
		return -EBADMSG;
	*out = (uint32_t)value;
	return 0;
}

static int run_at_event(int event, int program)
{
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program) || ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

static int open_event(const struct uprobe *uprobe)
{
	struct perf_event_attr attributes = { .size = sizeof(attributes) };
	uint32_t return_bit = 0;
	autoclose int fd = -1;
	int error = read_number(EVENT_SOURCE "type", "", &attributes.type);

	if (!error && uprobe->is_return)
		error = read_number(EVENT_SOURCE "format/retprobe", "config:", &return_bit);
	if (error)
		return error;
	attributes.config = uprobe->is_return ? 1ull << (return_bit & 63) : 0;
	attributes.config1 = (uint64_t)(uintptr_t)uprobe->path;
	attributes.config2 = uprobe->file_offset;
	fd = (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = run_at_event(fd, uprobe->program);
	return error ? error : take_fd(&fd);
}

int uprobe_open(const struct uprobe *uprobe)
{
	return uprobe->way == UPROBE_BY_LINK ? open_link(uprobe) : open_event(uprobe);
}

uint32_t uprobe_attach_type(enum uprobe_way way)
{
	return way == UPROBE_BY_LINK ? TRACE_UPROBE_MULTI : 0;
}

int uprobe_empty_program(enum uprobe_way way)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes;
	long fd;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_KPROBE;
	attributes.expected_attach_type = uprobe_attach_type(way);
	attributes.insns = (uint64_t)(uintptr_t)instructions;
	attributes.insn_cnt = sizeof(instructions) / sizeof(instructions[0]);
	attributes.license = (uint64_t)(uintptr_t) "GPL";
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
	return fd < 0 ? -errno : (int)fd;
}

static enum uprobe_way way_here;

/* A directory for a file: a kernel that has multi links says that this is what is wrong. */
static void try_link(void)
{
	struct uprobe uprobe = { .path = "/" };
	autoclose int program = uprobe_empty_program(UPROBE_BY_LINK), link = -1;

	if (program < 0)
		return;
	uprobe.program = program;
	link = open_link(&uprobe);
	if (link == -EBADF)
		way_here = UPROBE_BY_LINK;
}

enum uprobe_way uprobe_way_here(void)
{
	static pthread_once_t tried = PTHREAD_ONCE_INIT;

	pthread_once(&tried, try_link);
	return way_here;
}

static void *close_one(void *fd)
{
	close((int)(intptr_t)fd);
	return NULL;
}

/* What has no thread is closed here. */
void uprobe_close_all(const int *fds, size_t count, bool wait)
{
	pthread_t threads[UPROBES_TOGETHER];
	size_t started = 0;

	for (size_t i = 0; i < count; i++) {
		if (started < UPROBES_TOGETHER &&
		    pthread_create(&threads[started], NULL, close_one, (void *)(intptr_t)fds[i]) == 0)
			started++;
		else
			close(fds[i]);
	}
	for (size_t i = 0; i < started; i++) {
		if (wait)
			pthread_join(threads[i], NULL);
		else
			pthread_detach(threads[i]);
	}
}
