/* SPDX-License-Identifier: BSD-2-Clause */
/* dwarf.h: where debug files are looked for, which are believed, and for whom. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "attach/dwarf.h"
#include "dwarf_fixture.h"

Suite *suite_dwarf_files(void);

#define LIBRARY "/usr/lib/x/libssl.so.3" /* where the library would be in the root */

static struct sandbox box;

static void set_up(void)
{
	unsetenv("DEBUGINFOD_URLS");
	sandbox_make(&box);
}

static void tear_down(void)
{
	sandbox_remove(&box);
}

/* The result for a stripped fixture in the root. */
static int layout_in(const char *fixture, struct dwarf_layout *out)
{
	struct dwarf_source source = { .root = box.root, .path = LIBRARY };
	char path[FIXTURE_PATH_BYTES];
	int result;

	sandbox_path(&box, LIBRARY, path);
	if (access(path, F_OK))
		sandbox_put(&box, fixture, LIBRARY);
	source.fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(source.fd, 0);
	result = dwarf_layout(&source, &source, out);
	close(source.fd);
	return result;
}

static void expect_found(const char *stripped, const char *whole, enum dwarf_origin origin)
{
	struct dwarf_layout layout;

	ck_assert_int_eq(layout_in(stripped, &layout), 0);
	ck_assert_int_eq(layout.libssl, origin);
	fixture_compare(whole, &layout);
}

START_TEST(debug_file_of_the_build_id)
{
	char path[FIXTURE_PATH_BYTES];
	struct dwarf_layout layout;

	fixture_id_path("v5.so", path);
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -ENOENT);
	sandbox_put(&box, "v5.debug", path);
	expect_found("v5.stripped.so", "v5.so", DWARF_ORIGIN_TARGET_FILE);
}
END_TEST

START_TEST(links_stay_within_the_root)
{
	char path[FIXTURE_PATH_BYTES], link[FIXTURE_PATH_BYTES];
	struct dwarf_layout layout;

	fixture_id_path("v5.so", path);
	sandbox_path(&box, path, link);
	/* Outside of the root there is such a file; inside there is none yet. */
	fixture_path("v5.debug", path);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -ENOENT);
	sandbox_put(&box, "v5.debug", path);
	expect_found("v5.stripped.so", "v5.so", DWARF_ORIGIN_TARGET_FILE);
}
END_TEST

START_TEST(a_file_of_another_build_is_not_believed)
{
	char path[FIXTURE_PATH_BYTES], fifo[FIXTURE_PATH_BYTES];
	struct dwarf_layout layout;

	fixture_id_path("v5.so", path);
	sandbox_put(&box, "former.debug", path);
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -ENOENT);
	/* The library itself, in the place of its debug file, has nothing to say. */
	sandbox_put(&box, "v5.stripped.so", path);
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -ENOENT);
	sandbox_path(&box, path, fifo);
	ck_assert_int_eq(unlink(fifo), 0);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -EINVAL);
}
END_TEST

static const char *const link_places[] = { "/usr/lib/x/", "/usr/lib/x/.debug/", "/usr/lib/debug/usr/lib/x/" };

START_TEST(debug_file_of_the_link)
{
	char path[FIXTURE_PATH_BYTES];

	snprintf(path, sizeof(path), "%sv5.debug", link_places[_i]);
	sandbox_put(&box, "v5.debug", path);
	expect_found("v5.stripped.so", "v5.so", DWARF_ORIGIN_TARGET_FILE);
}
END_TEST

/* The fixtures are together in a directory of this host. */
START_TEST(debug_file_on_this_host)
{
	char path[FIXTURE_PATH_BYTES];
	struct dwarf_source source = { .fd = fixture_open("v5.stripped.so"), .root = -1, .path = path };
	struct dwarf_layout layout;

	fixture_path("v5.stripped.so", path);
	/* A process of this host has the same root: it is not a container's file. */
	if (_i)
		source.root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(dwarf_layout(&source, &source, &layout), 0);
	ck_assert_int_eq(layout.libssl, DWARF_ORIGIN_HOST_FILE);
	fixture_compare("v5.so", &layout);
	close(source.fd);
	if (_i)
		close(source.root);
}
END_TEST

START_TEST(a_link_without_build_id_is_checked_by_its_sum)
{
	char path[FIXTURE_PATH_BYTES];
	struct dwarf_layout layout;
	FILE *file;

	sandbox_put(&box, "anonymous.debug", "/usr/lib/x/anonymous.debug");
	expect_found("anonymous.stripped.so", "anonymous.so", DWARF_ORIGIN_TARGET_FILE);
	sandbox_path(&box, "/usr/lib/x/anonymous.debug", path);
	file = fopen(path, "a");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fputc(0, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(layout_in("anonymous.stripped.so", &layout), -ENOENT);
}
END_TEST

START_TEST(types_that_debug_files_share)
{
	char path[FIXTURE_PATH_BYTES], beside[FIXTURE_PATH_BYTES];
	struct dwarf_layout layout;

	fixture_id_path("one.so", path);
	sandbox_put(&box, "one.debug", path);
	/* Half of the types would be wrong ones: none is told. */
	ck_assert_int_eq(layout_in("one.stripped.so", &layout), -ENOENT);
	/* The name in the file is "../shared.debug". */
	snprintf(beside, sizeof(beside), "/usr/lib/debug/.build-id/shared.debug");
	sandbox_put(&box, "v5.debug", beside);
	ck_assert_int_eq(layout_in("one.stripped.so", &layout), -ENOENT);
	sandbox_put(&box, "shared.debug", beside);
	expect_found("one.stripped.so", "one.so", DWARF_ORIGIN_TARGET_FILE);
}
END_TEST

START_TEST(a_container_answers_for_itself_alone)
{
	char path[FIXTURE_PATH_BYTES], file[FIXTURE_PATH_BYTES];
	struct dwarf_layout layout;

	fixture_id_path("v5.so", path);
	sandbox_put(&box, "v5.debug", path);
	expect_found("v5.stripped.so", "v5.so", DWARF_ORIGIN_TARGET_FILE);
	/* The same file is known by now; a copy of it, with the same build-id, is somebody else's. */
	sandbox_path(&box, path, file);
	ck_assert_int_eq(unlink(file), 0);
	expect_found("v5.stripped.so", "v5.so", DWARF_ORIGIN_TARGET_FILE);
	sandbox_path(&box, LIBRARY, file);
	ck_assert_int_eq(unlink(file), 0);
	sandbox_put(&box, "v5.so", "/keeps/the/inode/busy");
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -ENOENT);
}
END_TEST

/* The client takes directories for servers too. */
START_TEST(debuginfod_answers_for_all)
{
	char path[FIXTURE_PATH_BYTES], id[FIXTURE_PATH_BYTES], url[FIXTURE_PATH_BYTES], *hex;
	struct dwarf_layout layout;

	fixture_id_path("v5.so", id);
	hex = strstr(id, ".build-id/") + strlen(".build-id/");
	*strstr(hex, ".debug") = '\0';
	memmove(hex + 2, hex + 3, strlen(hex + 3) + 1);
	snprintf(path, sizeof(path), "/server/buildid/%s/debuginfo", hex);
	snprintf(url, sizeof(url), "file://%s/server", box.directory);
	sandbox_put(&box, "v5.debug", path);
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -ENOENT);

	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", box.directory, 1);
	/* A server's word is not enough either. */
	sandbox_put(&box, "former.debug", path);
	ck_assert_int_eq(layout_in("v5.stripped.so", &layout), -ENOENT);
	sandbox_path(&box, "other-cache", id);
	setenv("DEBUGINFOD_CACHE_PATH", id, 1);
	sandbox_put(&box, "v5.debug", path);
	expect_found("v5.stripped.so", "v5.so", DWARF_ORIGIN_DEBUGINFOD);
	/* By build-id from now on: another file of that build needs no server. */
	unsetenv("DEBUGINFOD_URLS");
	sandbox_path(&box, LIBRARY, id);
	ck_assert_int_eq(unlink(id), 0);
	expect_found("v5.stripped.so", "v5.so", DWARF_ORIGIN_DEBUGINFOD);
}
END_TEST

Suite *suite_dwarf_files(void)
{
	Suite *suite = suite_create("dwarf_files");
	TCase *tcase = tcase_create("dwarf_files");

	tcase_set_timeout(tcase, 300);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, debug_file_of_the_build_id);
	tcase_add_test(tcase, links_stay_within_the_root);
	tcase_add_test(tcase, a_file_of_another_build_is_not_believed);
	tcase_add_loop_test(tcase, debug_file_of_the_link, 0, sizeof(link_places) / sizeof(link_places[0]));
	tcase_add_loop_test(tcase, debug_file_on_this_host, 0, 2);
	tcase_add_test(tcase, a_link_without_build_id_is_checked_by_its_sum);
	tcase_add_test(tcase, types_that_debug_files_share);
	tcase_add_test(tcase, a_container_answers_for_itself_alone);
	tcase_add_test(tcase, debuginfod_answers_for_all);
	suite_add_tcase(suite, tcase);
	return suite;
}
