/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of /proc/PID/maps. Names in it are chosen by whoever runs the process: the parser is bounded and never
 * takes a name's bytes for a field.
 */
#ifndef TLSWHY_ATTACH_PROCMAPS_H
#define TLSWHY_ATTACH_PROCMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PROCMAP_PATH_BYTES 4096

#define PROCMAP_READ    (1u << 0)
#define PROCMAP_WRITE   (1u << 1)
#define PROCMAP_EXECUTE (1u << 2)
#define PROCMAP_SHARED  (1u << 3)

struct procmap {
	uint64_t start, end; /* addresses; end is the first one behind */
	uint64_t offset;     /* into the file, bytes */
	unsigned int perms;  /* PROCMAP_* */
	uint32_t dev_major, dev_minor;
	uint64_t inode;                /* 0: no file */
	char path[PROCMAP_PATH_BYTES]; /* for display and comparing names: unescaped, without " (deleted)" */
	bool path_cut;                 /* path is the beginning of a longer one */
	bool deleted;                  /* the file is not reachable under path any more */
};

/*
 * Parses one line of bytes bytes, with or without its newline; need not end with NUL.
 * Returns 0, or -EBADMSG with *out untouched.
 */
int procmaps_parse_line(const char *line, size_t bytes, struct procmap *out);

/*
 * Opens /proc/PID/maps for procmaps_next(); the caller closes it with fclose(). Returns NULL and sets errno on
 * failure (ESRCH: no such process).
 */
FILE *procmaps_open(pid_t pid);
/*
 * The next mapping. Returns 1 and fills *out, 0 at the end, or -EBADMSG at a line that is not a mapping or is longer
 * than the kernel writes (the iteration may go on behind it); *out is untouched unless 1 is returned.
 */
int procmaps_next(FILE *maps, struct procmap *out);

#endif
