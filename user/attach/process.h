/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts of any one process that attaching needs: its title, its executable, what it maps, a number in its memory.
 * Reading another user's process needs CAP_SYS_PTRACE (privileges.h).
 */
#ifndef TLSWHY_ATTACH_PROCESS_H
#define TLSWHY_ATTACH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/library.h"

#define PROCESS_OPEN_PATH_BYTES 96
#define PROCESS_READ_BYTES      16
#define PROCESS_NAME_BYTES      16 /* with its NUL, as the kernel has it */

/* A file as the kernel knows it; the two together fill struct binary_key. */
struct file_id {
	uint64_t device; /* packed as s_dev: major << 20 | minor */
	uint64_t inode;
};

static inline bool file_id_equal(struct file_id a, struct file_id b)
{
	return a.device == b.device && a.inode == b.inode;
}

/* The executable of a process. */
struct process_exe {
	char *path; /* for display: foreign bytes; " (deleted)" behind it when the file was replaced */
	/*
	 * Which file it is, by stat(2) and by /proc/PID/maps. They differ on btrfs (a subvolume's device is stat's
	 * invention) and on overlayfs (maps showed the layer's file before Linux 6.8): a key for the kernel side is
	 * tried with both. by_maps is zero where the mapping was not found.
	 */
	struct file_id by_stat, by_maps;
	bool has_load_bias;
	uint64_t load_bias; /* add it to a symbol's value for the address in this process; 0 for a program without PIE
			     */
};

/*
 * The beginning of /proc/PID/cmdline: arguments that each end with NUL, or a title. Returns the bytes, or a
 * negative errno (-ESRCH).
 */
ssize_t process_command_line(pid_t pid, char *out, size_t bytes);
/* The name of its main thread, which it chooses: foreign bytes. Returns 0, or a negative errno (-ESRCH). */
int process_name(pid_t pid, char out[PROCESS_NAME_BYTES]);
/* Whether something may be done with such a process: 0, -ESRCH no such process, -EACCES not with our privileges. */
int process_access(pid_t pid);

/* What stat(2) says of /proc/PID/exe. -ENOENT: a kernel thread or a zombie. */
int process_exe_id(pid_t pid, struct file_id *out);
/* Fills in all of an executable. Returns 0, -ESRCH, -EACCES or another negative errno. */
int process_exe_read(pid_t pid, struct process_exe *out);
/* Frees what it owns. NULL is allowed. */
void process_exe_release(struct process_exe *exe);
/* The path by which /proc gives the executable's own file, deleted or in another mount namespace or not. */
void process_exe_open_path(pid_t pid, char out[PROCESS_OPEN_PATH_BYTES]);

/*
 * Copies bytes bytes, at most PROCESS_READ_BYTES, of the process's memory from an address. Returns 0, -ESRCH,
 * -EACCES, -EIO where nothing is mapped, or another negative errno; *value is untouched then.
 */
int process_read(pid_t pid, uint64_t address, void *value, size_t bytes);

#endif
