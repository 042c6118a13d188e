/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One uprobe as a descriptor: it is placed when the descriptor is opened, and taken away when it is closed.
 *
 * The kernel has two ways to run a program at one. A perf event is in every kernel; a multi link (Linux 6.6, commit
 * 89ae89f53d20) costs a hit a little less, and is closed without the lock under which the kernel closes the events of
 * perf one after the other, each waiting for grace periods of its own. The program must be loaded for the way it is
 * used. Must not know: libbpf, which has the second way from 1.3 on; what the programs do.
 */
#ifndef TLSWHY_ATTACH_UPROBE_H
#define TLSWHY_ATTACH_UPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPROBES_TOGETHER 256

enum uprobe_way { UPROBE_BY_EVENT, UPROBE_BY_LINK };

struct uprobe {
	enum uprobe_way way;
	int program; /* loaded for that way */
	const char *path;
	uint64_t file_offset; /* bytes */
	bool is_return;
};

/* The better way that this kernel has; found out by trying, once in the process's life. Any thread may ask. */
enum uprobe_way uprobe_way_here(void);
/* expected_attach_type of programs for that way. */
uint32_t uprobe_attach_type(enum uprobe_way way);
/* Loads a program that does nothing. Returns a descriptor or a negative errno. */
int uprobe_empty_program(enum uprobe_way way);

/* Places a probe for every process that maps the file. Returns a descriptor or a negative errno. */
int uprobe_open(const struct uprobe *uprobe);
/* Closing waits for grace periods, 20 to 110 ms: side by side many wait for the same ones. */
void uprobe_close_all(const int *fds, size_t count, bool wait);

#endif
