/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of /proc/PID/maps as the kernel writes them, and as it never would. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "attach/procmaps.h"

Suite *suite_procmaps(void);

static const struct {
	const char *line;
	struct procmap want;
} good[] = {
	{
		.line = "7f1b6c03e000-7f1b6c05d000 r--p 0001a000 fe:0c 333427                     "
			"/usr/lib/x86_64-linux-gnu/libssl.so.3\n",
		.want = { .start = 0x7f1b6c03e000,
			  .end = 0x7f1b6c05d000,
			  .offset = 0x1a000,
			  .perms = PROCMAP_READ,
			  .dev_major = 0xfe,
			  .dev_minor = 0xc,
			  .inode = 333427,
			  .path = "/usr/lib/x86_64-linux-gnu/libssl.so.3" },
	},
	{
		.line = "00400000-00401000 r-xs 00000000 00:1d 18446744073709551615       /a b/c (deleted)",
		.want = { .start = 0x400000,
			  .end = 0x401000,
			  .perms = PROCMAP_READ | PROCMAP_EXECUTE | PROCMAP_SHARED,
			  .dev_minor = 0x1d,
			  .inode = UINT64_MAX,
			  .path = "/a b/c",
			  .deleted = true },
	},
	{
		.line = "7ffd0-7ffd1 rw-p 00000000 00:00 0 \n",
		.want = { .start = 0x7ffd0, .end = 0x7ffd1, .perms = PROCMAP_READ | PROCMAP_WRITE },
	},
	{
		.line = "7ffd0-7ffd1 ---p 00000000 00:00 0",
		.want = { .start = 0x7ffd0, .end = 0x7ffd1 },
	},
	{
		.line = "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n",
		.want = { .start = 0xffffffffff600000,
			  .end = 0xffffffffff601000,
			  .perms = PROCMAP_EXECUTE,
			  .path = "[vsyscall]" },
	},
	{
		/* A newline in a name is written \012; other backslashes are the name's own. */
		.line = "1000-2000 r--p 00000000 08:01 7 /x\\0121000-2000 r-xp 00000000 08:01 9 /libssl.so.3\\n\\01\n",
		.want = { .start = 0x1000,
			  .end = 0x2000,
			  .perms = PROCMAP_READ,
			  .dev_major = 8,
			  .dev_minor = 1,
			  .inode = 7,
			  .path = "/x\n1000-2000 r-xp 00000000 08:01 9 /libssl.so.3\\n\\01" },
	},
	{
		/* Without an inode there is no file that could have been deleted. */
		.line = "1000-2000 rw-p 00000000 00:00 0 [anon: (deleted)\n",
		.want = { .start = 0x1000,
			  .end = 0x2000,
			  .perms = PROCMAP_READ | PROCMAP_WRITE,
			  .path = "[anon: (deleted)" },
	},
};

static const char *const bad[] = {
	"",
	"\n",
	"1000",
	"1000-",
	"1000-2000",
	"1000-2000 r--p",
	"1000-2000 r--p 0",
	"1000-2000 r--p 0 08:01",
	"1000-2000 r--p 0 08:01 ",
	"1000-2000 r--p 0 08:01 x",
	"1000-2000 r--p 0 08:01 7x",
	"1000-2000 r--p 0 08:01 7\t/x",
	"1000-2000 r--p 0 0801 7 /x",
	"1000-2000 r--p 0 100000000:01 7 /x",
	"2000-1000 r--p 0 08:01 7 /x",
	"1000-1000 r--p 0 08:01 7 /x",
	"10000000000000000-20000000000000000 r--p 0 08:01 7 /x",
	"1000-2000 r--p 0 08:01 18446744073709551616 /x",
	"1000-2000 rw 0 08:01 7 /x",
	"1000-2000 xr-p 0 08:01 7 /x",
	"1000-2000 r--q 0 08:01 7 /x",
	" 1000-2000 r--p 0 08:01 7 /x",
	"1000 -2000 r--p 0 08:01 7 /x",
	"0x1000-0x2000 r--p 0 08:01 7 /x",
	"1000-2000 r--p -1 08:01 7 /x",
};

START_TEST(reads_lines)
{
	const struct procmap *want = &good[_i].want;
	struct procmap map;

	ck_assert_int_eq(procmaps_parse_line(good[_i].line, strlen(good[_i].line), &map), 0);
	ck_assert_uint_eq(map.start, want->start);
	ck_assert_uint_eq(map.end, want->end);
	ck_assert_uint_eq(map.offset, want->offset);
	ck_assert_uint_eq(map.perms, want->perms);
	ck_assert_uint_eq(map.dev_major, want->dev_major);
	ck_assert_uint_eq(map.dev_minor, want->dev_minor);
	ck_assert_uint_eq(map.inode, want->inode);
	ck_assert_str_eq(map.path, want->path);
	ck_assert_int_eq(map.deleted, want->deleted);
	ck_assert(!map.path_cut);
}
END_TEST

START_TEST(refuses_lines)
{
	struct procmap map = { .inode = 4711 };

	ck_assert_msg(procmaps_parse_line(bad[_i], strlen(bad[_i]), &map) == -EBADMSG, "'%s'", bad[_i]);
	ck_assert_uint_eq(map.inode, 4711);
}
END_TEST

START_TEST(nul_is_no_part_of_a_line)
{
	static const char line[] = "1000-2000 r--p 0 08:01 7 /x\0y";
	struct procmap map;

	ck_assert_int_eq(procmaps_parse_line(line, sizeof(line) - 1, &map), -EBADMSG);
}
END_TEST

/* A name at the limit, one above it, and a line that no kernel writes between two good ones. */
START_TEST(long_names)
{
	static char text[100000];
	size_t n = (size_t)snprintf(text, sizeof(text), "1000-2000 r--p 0 08:01 7 ");
	struct procmap map;
	FILE *maps;

	memset(text + n, 'a', sizeof(text) - n);
	ck_assert_int_eq(procmaps_parse_line(text, n + PROCMAP_PATH_BYTES - 1, &map), 0);
	ck_assert(!map.path_cut);
	ck_assert_uint_eq(strlen(map.path), PROCMAP_PATH_BYTES - 1);
	ck_assert_int_eq(procmaps_parse_line(text, n + PROCMAP_PATH_BYTES, &map), 0);
	ck_assert(map.path_cut);
	ck_assert_uint_eq(strlen(map.path), PROCMAP_PATH_BYTES - 1);

	memcpy(text + sizeof(text) - 34, "\n3000-4000 r--p 00000000 08:01 9 /", 34);
	maps = fmemopen(text, sizeof(text), "r");
	ck_assert_int_eq(procmaps_next(maps, &map), -EBADMSG);
	ck_assert_int_eq(procmaps_next(maps, &map), 1);
	ck_assert_uint_eq(map.inode, 9);
	ck_assert_int_eq(procmaps_next(maps, &map), 0);
	fclose(maps);
}
END_TEST

START_TEST(reads_itself)
{
	uint64_t address = (uint64_t)(uintptr_t)suite_procmaps;
	FILE *maps = procmaps_open(getpid());
	struct procmap map;
	int result, hits = 0;

	ck_assert_ptr_nonnull(maps);
	while ((result = procmaps_next(maps, &map)) == 1)
		hits += address >= map.start && address < map.end && (map.perms & PROCMAP_EXECUTE) && map.inode;
	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(hits, 1);
	fclose(maps);
	errno = 0;
	ck_assert_ptr_null(procmaps_open(0x7fffffff));
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

Suite *suite_procmaps(void)
{
	Suite *suite = suite_create("procmaps");
	TCase *lines = tcase_create("lines");

	tcase_add_loop_test(lines, reads_lines, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(lines, refuses_lines, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(lines, nul_is_no_part_of_a_line);
	tcase_add_test(lines, long_names);
	tcase_add_test(lines, reads_itself);
	suite_add_tcase(suite, lines);
	return suite;
}
