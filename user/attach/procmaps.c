/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hand-written parser of /proc/PID/maps (format: proc(5), written by show_map_vma() in fs/proc/task_mmu.c). The
 * kernel escapes newlines in names as \012, so a line is one mapping, whatever a file is called.
 * Must not know: libraries, nginx.
 */
#include "attach/procmaps.h"

#include <errno.h>
#include <string.h>

/* A name is at most PATH_MAX bytes, each newline in it written as four; the fields before it are below 128 bytes. */
#define LINE_BYTES (PROCMAP_PATH_BYTES * 4 + 128)

struct cursor {
	const char *p, *end;
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool take_char(struct cursor *cursor, char c)
{
	if (cursor->p == cursor->end || *cursor->p != c)
		return false;
	cursor->p++;
	return true;
}

/* A number in base 10 or 16, at least one digit. */
static bool take_number(struct cursor *cursor, unsigned int base, uint64_t *out)
{
	const char *start = cursor->p;
	uint64_t value = 0;

	for (; cursor->p < cursor->end; cursor->p++) {
		int digit = digit_value(*cursor->p);

		if (digit < 0 || (unsigned int)digit >= base)
			break;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	*out = value;
	return cursor->p > start;
}

static bool take_perms(struct cursor *cursor, unsigned int *out)
{
	static const char set[] = "rwxs", clear[] = "---p";
	unsigned int perms = 0;

	if (cursor->end - cursor->p < 4)
		return false;
	for (unsigned int i = 0; i < 4; i++) {
		if (cursor->p[i] == set[i])
			perms |= 1u << i;
		else if (cursor->p[i] != clear[i])
			return false;
	}
	cursor->p += 4;
	*out = perms;
	return true;
}

static bool take_device(struct cursor *cursor, struct procmap *out)
{
	uint64_t major, minor;

	if (!take_number(cursor, 16, &major) || !take_char(cursor, ':') || !take_number(cursor, 16, &minor))
		return false;
	if (major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	out->dev_major = (uint32_t)major;
	out->dev_minor = (uint32_t)minor;
	return true;
}

/* \NNN as the kernel's mangle_path() writes a newline; anything else is the byte itself. */
static char take_path_byte(struct cursor *cursor)
{
	const char *p = cursor->p;

	if (cursor->end - p >= 4 && !memcmp(p, "\\012", 4)) {
		cursor->p += 4;
		return '\n';
	}
	cursor->p++;
	return *p;
}

static void take_path(struct cursor *cursor, struct procmap *out)
{
	static const char suffix[] = " (deleted)";
	size_t n = 0, suffix_bytes = sizeof(suffix) - 1;

	while (cursor->p < cursor->end && *cursor->p == ' ')
		cursor->p++;
	/* Only a name ends so: heap, stack and the like have no inode. */
	if (out->inode && (size_t)(cursor->end - cursor->p) >= suffix_bytes &&
	    !memcmp(cursor->end - suffix_bytes, suffix, suffix_bytes)) {
		out->deleted = true;
		cursor->end -= suffix_bytes;
	}
	while (cursor->p < cursor->end && n < PROCMAP_PATH_BYTES - 1)
		out->path[n++] = take_path_byte(cursor);
	out->path[n] = '\0';
	out->path_cut = cursor->p < cursor->end;
}

/* All fields that have a fixed form, up to the inode. */
static bool take_fields(struct cursor *cursor, struct procmap *out)
{
	return take_number(cursor, 16, &out->start) && take_char(cursor, '-') && take_number(cursor, 16, &out->end) &&
	       take_char(cursor, ' ') && take_perms(cursor, &out->perms) && take_char(cursor, ' ') &&
	       take_number(cursor, 16, &out->offset) && take_char(cursor, ' ') && take_device(cursor, out) &&
	       take_char(cursor, ' ') && take_number(cursor, 10, &out->inode);
}

int procmaps_parse_line(const char *line, size_t bytes, struct procmap *out)
{
	struct procmap map = { 0 };
	struct cursor cursor = { .p = line, .end = line + bytes };

	if (!bytes || memchr(line, '\0', bytes))
		return -EBADMSG;
	if (line[bytes - 1] == '\n')
		cursor.end--;
	if (!take_fields(&cursor, &map) || map.start >= map.end)
		return -EBADMSG;
	/* The inode is the last field of a mapping without a name; a newline inside a line is not the kernel's. */
	if (cursor.p < cursor.end && *cursor.p != ' ')
		return -EBADMSG;
	take_path(&cursor, &map);
	*out = map;
	return 0;
}

FILE *procmaps_open(pid_t pid)
{
	char path[64];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps && errno == ENOENT)
		errno = ESRCH;
	return maps;
}

/* Throws the rest of a line away. Bounded by the file, which the kernel writes. */
static void skip_line(FILE *maps)
{
	int c;

	do {
		c = getc_unlocked(maps);
	} while (c != EOF && c != '\n');
}

int procmaps_next(FILE *maps, struct procmap *out)
{
	char line[LINE_BYTES];
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(maps)) != EOF) {
		if (n == sizeof(line)) {
			skip_line(maps);
			return -EBADMSG;
		}
		line[n++] = (char)c;
		if (c == '\n')
			break;
	}
	if (!n)
		return 0;
	return procmaps_parse_line(line, n, out) ? -EBADMSG : 1;
}
