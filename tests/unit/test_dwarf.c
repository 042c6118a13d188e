/* SPDX-License-Identifier: BSD-2-Clause */
/* dwarf.h: layouts that debug information gives, in each of its forms, and what damaged ones give. */
#define _GNU_SOURCE /* memfd_create() */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "attach/dwarf.h"
#include "dwarf_fixture.h"

Suite *suite_dwarf(void);

/* The layout of a file that has OpenSSL linked in, seen without any root. */
static int layout_of(int fd, struct dwarf_layout *out)
{
	struct dwarf_source source = { .fd = fd, .root = -1 };

	return dwarf_layout(&source, &source, out);
}

static const char *const forms[] = { "v5.so",     "v4.so",      "units.so",     "units4.so", "packed.so",   "odd.so",
				     "former.so", "former5.so", "anonymous.so", "clang.so",  "clang_odd.so" };

START_TEST(every_form_gives_what_the_compiler_says)
{
	struct dwarf_layout layout;
	int fd = fixture_open(forms[_i]);

	ck_assert_int_eq(layout_of(fd, &layout), 0);
	ck_assert_int_eq(layout.libssl, DWARF_ORIGIN_LIBRARY);
	ck_assert_int_eq(layout.libcrypto, DWARF_ORIGIN_LIBRARY);
	fixture_compare(forms[_i], &layout);
	close(fd);
}
END_TEST

START_TEST(two_libraries_make_one_layout)
{
	struct dwarf_source ssl = { .fd = fixture_open("ssl.so"), .root = -1 };
	struct dwarf_source crypto = { .fd = fixture_open("crypto.so"), .root = -1 };
	struct dwarf_layout layout;
	uint16_t expected[LAYOUT_FIELD_COUNT + DWARF_STATE_COUNT];

	fixture_expected("ssl.so", expected);
	ck_assert_int_eq(dwarf_layout(&ssl, &crypto, &layout), 0);
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_version], expected[LAYOUT_FIELD_version]);
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_bio_next], expected[LAYOUT_FIELD_bio_next]);
	/* Its structure is in neither of what is asked: libcrypto is asked for BIO alone. */
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_record_packet], LAYOUT_NONE);
	/* Half is better than nothing. */
	ck_assert_int_eq(dwarf_layout(&ssl, &ssl, &layout), 0);
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_bio_next], LAYOUT_NONE);
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_version], expected[LAYOUT_FIELD_version]);
	ck_assert_int_eq(dwarf_layout(&crypto, &crypto, &layout), 0);
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_bio_next], expected[LAYOUT_FIELD_bio_next]);
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_version], LAYOUT_NONE);
	ck_assert_uint_eq(layout.states[0], 0);
	close(ssl.fd);
	close(crypto.fd);
}
END_TEST

START_TEST(debug_information_of_something_else_is_none)
{
	struct dwarf_layout layout;
	int self = open("/proc/self/exe", O_RDONLY), stripped = fixture_open("v5.stripped.so"), fd;

	ck_assert_int_eq(layout_of(self, &layout), -ENODATA);
	ck_assert_uint_eq(layout.values[LAYOUT_FIELD_version], LAYOUT_NONE);
	ck_assert_int_eq(layout_of(stripped, &layout), -ENOENT);
	ck_assert_int_eq(layout.libssl, DWARF_ORIGIN_NONE);
	fd = open("/etc/passwd", O_RDONLY);
	ck_assert_int_eq(layout_of(fd, &layout), -ENOEXEC);
	close(fd);
	fd = open("/", O_RDONLY);
	ck_assert_int_eq(layout_of(fd, &layout), -EINVAL);
	close(fd);
	ck_assert_int_eq(layout_of(-1, &layout), -EBADF);
	close(stripped);
	close(self);
}
END_TEST

/* A fixture's bytes, and a memory file of a changed copy. */
struct copy {
	unsigned char *bytes;
	size_t size;
	int fd;
};

static void copy_make(struct copy *copy, const char *name)
{
	struct stat st;
	int fd = fixture_open(name);

	ck_assert_int_eq(fstat(fd, &st), 0);
	copy->size = (size_t)st.st_size;
	copy->bytes = malloc(copy->size);
	ck_assert_int_eq(pread(fd, copy->bytes, copy->size, 0), st.st_size);
	copy->fd = memfd_create("copy", MFD_CLOEXEC);
	close(fd);
}

static void copy_write(struct copy *copy, size_t bytes)
{
	ck_assert_int_eq(ftruncate(copy->fd, 0), 0);
	ck_assert_int_eq(pwrite(copy->fd, copy->bytes, bytes, 0), (ssize_t)bytes);
}

static void copy_release(struct copy *copy)
{
	free(copy->bytes);
	close(copy->fd);
}

START_TEST(a_file_cut_anywhere_is_an_error)
{
	struct dwarf_layout layout;
	struct copy copy;

	copy_make(&copy, "v5.so");
	/* The last bytes are section headers: any cut takes some. */
	for (size_t bytes = 0; bytes < copy.size; bytes += 97) {
		copy_write(&copy, bytes);
		ck_assert_int_lt(layout_of(copy.fd, &layout), 0);
	}
	copy_write(&copy, copy.size);
	ck_assert_int_eq(layout_of(copy.fd, &layout), 0);
	copy_release(&copy);
}
END_TEST

START_TEST(a_changed_byte_does_no_harm)
{
	struct dwarf_layout layout;
	struct copy copy;

	copy_make(&copy, _i ? "packed.so" : "v4.so");
	for (size_t at = 0x40; at < copy.size; at += 29) {
		unsigned char was = copy.bytes[at];

		copy.bytes[at] = (unsigned char)~was;
		copy_write(&copy, copy.size);
		layout_of(copy.fd, &layout);
		for (int i = 0; i < DWARF_STATE_COUNT; i++)
			ck_assert(!layout.states[i] == !layout.states[0]);
		copy.bytes[at] = was;
	}
	copy_release(&copy);
}
END_TEST

/* Says of every compressed section that it unpacks to so many bytes. */
static size_t claim_bytes(struct copy *copy, uint64_t bytes)
{
	Elf64_Ehdr header;
	size_t changed = 0;

	memcpy(&header, copy->bytes, sizeof(header));
	for (size_t i = 0; i < header.e_shnum; i++) {
		Elf64_Shdr section;
		Elf64_Chdr compressed;

		memcpy(&section, copy->bytes + header.e_shoff + i * sizeof(section), sizeof(section));
		if (!(section.sh_flags & SHF_COMPRESSED))
			continue;
		memcpy(&compressed, copy->bytes + section.sh_offset, sizeof(compressed));
		compressed.ch_size = bytes;
		memcpy(copy->bytes + section.sh_offset, &compressed, sizeof(compressed));
		changed++;
	}
	return changed;
}

START_TEST(what_unpacks_to_too_much_is_refused)
{
	struct dwarf_layout layout;
	struct copy copy;

	copy_make(&copy, "packed.so");
	ck_assert_uint_gt(claim_bytes(&copy, 100ull << 20), 2);
	copy_write(&copy, copy.size);
	ck_assert_int_eq(layout_of(copy.fd, &layout), -E2BIG);
	claim_bytes(&copy, UINT64_MAX);
	copy_write(&copy, copy.size);
	ck_assert_int_eq(layout_of(copy.fd, &layout), -E2BIG);
	copy_release(&copy);
}
END_TEST

START_TEST(a_huge_file_is_refused)
{
	struct dwarf_layout layout;
	int fd = memfd_create("huge", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, (off_t)LIBRARY_MAX_BYTES + 1), 0);
	ck_assert_int_eq(layout_of(fd, &layout), -EFBIG);
	close(fd);
}
END_TEST

static void *ask_often(void *failed)
{
	for (int round = 0; round < 20; round++) {
		const char *name = forms[round % 4];
		struct dwarf_layout layout;
		int fd = fixture_open(name);

		if (layout_of(fd, &layout) || layout.values[LAYOUT_FIELD_server] == LAYOUT_NONE)
			*(int *)failed = 1;
		close(fd);
	}
	return NULL;
}

START_TEST(threads_do_not_meet)
{
	pthread_t threads[4];
	int failed[4] = { 0 };

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_often, &failed[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(failed[i], 0);
	}
}
END_TEST

Suite *suite_dwarf(void)
{
	Suite *suite = suite_create("dwarf");
	TCase *tcase = tcase_create("dwarf");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, every_form_gives_what_the_compiler_says, 0, sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(tcase, two_libraries_make_one_layout);
	tcase_add_test(tcase, debug_information_of_something_else_is_none);
	tcase_add_test(tcase, a_file_cut_anywhere_is_an_error);
	tcase_add_loop_test(tcase, a_changed_byte_does_no_harm, 0, 2);
	tcase_add_test(tcase, what_unpacks_to_too_much_is_refused);
	tcase_add_test(tcase, a_huge_file_is_refused);
	tcase_add_test(tcase, threads_do_not_meet);
	suite_add_tcase(suite, tcase);
	return suite;
}
