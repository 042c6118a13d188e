/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that was stripped and the debug file that it was split from, both made of this very program by binutils.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "attach/debug_file.h"
#include "attach/library.h"
#include "library_copy.h"

Suite *suite_debug_file(void);

/* Looked for by name; not exported, so that stripping takes it away. */
__attribute__((noinline)) int debug_file_test_function(int argument);

int debug_file_test_function(int argument)
{
	__asm__ volatile("" : "+r"(argument));
	return argument * 5;
}

#define FUNCTION "debug_file_test_function"

struct split {
	char directory[32];
	int stripped, debug;
};

/* Writes what objcopy makes of this program into the directory. */
static void run(const char *option, const struct split *split, const char *name)
{
	char program[32], path[64];
	pid_t child;
	int status;

	snprintf(program, sizeof(program), "/proc/%d/exe", (int)getpid());
	snprintf(path, sizeof(path), "%s/%s", split->directory, name);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		execlp("objcopy", "objcopy", option, program, path, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "objcopy %s: status %#x", option, (unsigned int)status);
}

static int open_in(const struct split *split, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", split->directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(path), 0);
	return fd;
}

static void split_make(struct split *split)
{
	*split = (struct split){ .directory = "/tmp/tlswhy-test-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(split->directory));
	run("--strip-all", split, "stripped");
	run("--only-keep-debug", split, "debug");
	split->stripped = open_in(split, "stripped");
	split->debug = open_in(split, "debug");
	ck_assert_int_eq(rmdir(split->directory), 0);
}

static void split_release(struct split *split)
{
	close(split->stripped);
	close(split->debug);
}

START_TEST(names_what_was_stripped)
{
	autolibrary struct library *self = NULL, *library = NULL;
	struct symbol want, found;
	unsigned char code[8];
	struct split split;

	split_make(&split);
	ck_assert_int_eq(library_open("/proc/self/exe", &self), 0);
	ck_assert_int_eq(library_symbol(self, FUNCTION, &want), 0);
	ck_assert_int_eq(library_open_fd(split.stripped, &library), 0);
	ck_assert_int_eq(library_symbol(library, FUNCTION, &found), -ENOENT);
	ck_assert_int_eq(library_add_debug_file(library, split.debug), 0);
	ck_assert_int_eq(library_symbol(library, FUNCTION, &found), 0);
	ck_assert_uint_eq(found.value, want.value);
	ck_assert_uint_eq(found.file_offset, want.file_offset);
	ck_assert(found.is_function);
	ck_assert(!library_exports(library, FUNCTION));
	/* Code is the stripped file's: the debug file has none. */
	ck_assert_int_eq(library_read(library, found.value, code, sizeof(code)), 0);
	ck_assert_mem_eq(code, (const void *)(uintptr_t)debug_file_test_function, sizeof(code));
	ck_assert_int_eq(library_symbol(library, "debug_file_test_nothing", &found), -ENOENT);
	split_release(&split);
}
END_TEST

START_TEST(refuses_another_build)
{
	autolibrary struct library *library = NULL;
	struct library_copy copy;
	struct symbol symbol;
	struct split split;

	split_make(&split);
	library_copy_make(&copy, "libcrypto.so.3");
	ck_assert_int_eq(library_open_fd(split.stripped, &library), 0);
	ck_assert_int_eq(library_add_debug_file(library, copy.fd), -ESTALE);
	ck_assert_int_eq(ftruncate(copy.fd, 100), 0);
	ck_assert_int_lt(library_add_debug_file(library, copy.fd), 0);
	ck_assert_int_eq(library_symbol(library, FUNCTION, &symbol), -ENOENT);
	library_copy_release(&copy);
	split_release(&split);
}
END_TEST

START_TEST(is_looked_for_by_build_id)
{
	autolibrary struct library *self = NULL;
	char id[LIBRARY_BUILD_ID_HEX], path[DEBUG_FILE_PATH_BYTES], want[DEBUG_FILE_PATH_BYTES];

	ck_assert_int_eq(library_open("/proc/self/exe", &self), 0);
	ck_assert_int_eq(library_build_id(self, id), 0);
	ck_assert_int_eq(debug_file_path(self, path), 0);
	snprintf(want, sizeof(want), "/usr/lib/debug/.build-id/%c%c/%s.debug", id[0], id[1], id + 2);
	ck_assert_str_eq(path, want);
	/* Nobody has installed debug symbols of this program. */
	ck_assert_int_eq(debug_file_add(self, getpid()), -ENOENT);
}
END_TEST

Suite *suite_debug_file(void)
{
	Suite *suite = suite_create("debug_file");
	TCase *files = tcase_create("files");

	tcase_set_timeout(files, 60); /* objcopy over a program with sanitizers */
	tcase_add_test(files, names_what_was_stripped);
	tcase_add_test(files, refuses_another_build);
	tcase_add_test(files, is_looked_for_by_build_id);
	suite_add_tcase(suite, files);
	return suite;
}
