/* SPDX-License-Identifier: BSD-2-Clause */
/* library.h against the program's own file, the host's libcrypto, and files that are not libraries. */
#define _GNU_SOURCE /* memfd_create() */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "attach/library.h"
#include "attach/procmaps.h"
#include "library_copy.h"

Suite *suite_library(void);

/* What the tests look for in their own file; not static, or the linker would rename them. */
int library_test_initialised = 0x7ea51dea;
int library_test_zeroed;
__attribute__((noinline)) int library_test_function(int argument);

int library_test_function(int argument)
{
	__asm__ volatile("" : "+r"(argument));
	return argument * 3;
}

static int errno_of(const char *path)
{
	struct library *library = NULL;
	int error = library_open(path, &library);

	ck_assert(error ? library == NULL : library != NULL);
	library_close(library);
	return error;
}

START_TEST(refuses_what_is_not_a_library)
{
	char fifo[] = "/tmp/tlswhy-test-XXXXXX";

	ck_assert_int_eq(errno_of("/"), -EINVAL);
	ck_assert_int_eq(errno_of("/dev/zero"), -EINVAL);
	ck_assert_int_eq(errno_of("/nonexistent"), -ENOENT);
	ck_assert_int_eq(errno_of("/etc/passwd"), -ENOEXEC);
	ck_assert_ptr_nonnull(mkdtemp(fifo));
	ck_assert_int_eq(rmdir(fifo), 0);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(errno_of(fifo), -EINVAL);
	unlink(fifo);
}
END_TEST

START_TEST(refuses_a_huge_file)
{
	struct library *library = NULL;
	int fd = memfd_create("huge", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, (off_t)LIBRARY_MAX_BYTES + 1), 0);
	ck_assert_int_eq(library_open_fd(fd, &library), -EFBIG);
	close(fd);
}
END_TEST

START_TEST(finds_symbols_where_they_run)
{
	autolibrary struct library *self = NULL;
	struct symbol function, data, zeroed, missing;
	int value;

	ck_assert_int_eq(library_open("/proc/self/exe", &self), 0);
	ck_assert_int_eq(library_symbol(self, "library_test_function", &function), 0);
	ck_assert(function.is_function);
	ck_assert_int_eq(library_symbol(self, "library_test_initialised", &data), 0);
	ck_assert(!data.is_function);
	ck_assert_int_eq(library_symbol(self, "library_test_zeroed", &zeroed), 0);
	ck_assert(zeroed.file_offset == LIBRARY_NO_OFFSET);
	ck_assert_int_eq(library_symbol(self, "library_test_nothing", &missing), -ENOENT);
	/* Distances between symbols are the same in the file and in memory. */
	ck_assert_uint_eq(data.value - function.value,
			  (uintptr_t)&library_test_initialised - (uintptr_t)library_test_function);
	ck_assert_int_eq(library_read(self, data.value, &value, sizeof(value)), 0);
	ck_assert_int_eq(value, 0x7ea51dea);
	ck_assert_int_eq(library_read(self, zeroed.value, &value, sizeof(value)), -EFAULT);
	ck_assert_int_eq(library_read(self, UINT64_MAX, &value, sizeof(value)), -EFAULT);
}
END_TEST

START_TEST(file_offset_holds_the_code)
{
	unsigned char from_file[16];
	autolibrary struct library *self = NULL;
	struct symbol symbol;
	int fd = open("/proc/self/exe", O_RDONLY);

	ck_assert_int_eq(library_open("/proc/self/exe", &self), 0);
	ck_assert_int_eq(library_symbol(self, "library_test_function", &symbol), 0);
	ck_assert_int_eq(pread(fd, from_file, sizeof(from_file), (off_t)symbol.file_offset), sizeof(from_file));
	ck_assert_mem_eq(from_file, (const void *)(uintptr_t)library_test_function, sizeof(from_file));
	close(fd);
}
END_TEST

START_TEST(load_bias_leads_into_memory)
{
	autolibrary struct library *self = NULL;
	FILE *maps = procmaps_open(getpid());
	struct procmap map = { 0 };
	struct symbol symbol;
	struct stat st;
	uint64_t bias;

	ck_assert_int_eq(library_open("/proc/self/exe", &self), 0);
	ck_assert_int_eq(library_symbol(self, "library_test_initialised", &symbol), 0);
	ck_assert_int_eq(stat("/proc/self/exe", &st), 0);
	while (map.inode != st.st_ino)
		ck_assert_int_eq(procmaps_next(maps, &map), 1);
	ck_assert_int_eq(library_load_bias(self, map.start, map.offset, &bias), 0);
	ck_assert_uint_eq(symbol.value + bias, (uintptr_t)&library_test_initialised);
	ck_assert_int_eq(library_load_bias(self, map.start, 1, &bias), -ENOENT);
	fclose(maps);
}
END_TEST

/* The host's libcrypto: its text and its number must tell the same version. */
START_TEST(text_and_number_agree)
{
	struct library_copy copy;
	autolibrary struct library *library = NULL;
	char text[LIBRARY_VERSION_BYTES], want[LIBRARY_VERSION_BYTES], id[LIBRARY_BUILD_ID_HEX];
	uint32_t number;

	library_copy_make(&copy, "libcrypto.so.3");
	library = library_copy_open(&copy);
	ck_assert_int_eq(library_openssl_version(library, text, sizeof(text)), 0);
	ck_assert_int_eq(library_version_number(library, &number), 0);
	snprintf(want, sizeof(want), "OpenSSL %u.%u.%u", number >> 28, number >> 20 & 255, number >> 4 & 255);
	ck_assert_int_eq(strncmp(text, want, strlen(want)), 0);
	ck_assert_int_eq(library_openssl_version(library, text, 8), -ENAMETOOLONG);
	ck_assert_int_eq(library_build_id(library, id), 0);
	ck_assert_uint_eq(strlen(id), 40);
	ck_assert(library_exports(library, "ERR_error_string_n"));
	ck_assert(!library_exports(library, "SSL_do_handshake"));
	library_copy_release(&copy);
}
END_TEST

static const unsigned char version_codes[][10] = {
	{ 0xf3, 0x0f, 0x1e, 0xfa, 0xb8, 0x70, 0x00, 0x50, 0x30, 0xc3 }, /* endbr64; mov eax, 0x30500070; ret */
	{ 0xb8, 0x70, 0x00, 0x50, 0x30, 0x31, 0xff, 0xc3 },             /* something between: not understood */
	{ 0x8b, 0x05, 0x70, 0x00, 0x50, 0x30, 0xc3 },                   /* loaded from memory */
};

START_TEST(decodes_the_number)
{
	struct library_copy copy;
	autolibrary struct library *library = NULL;
	uint32_t number = 7;

	library_copy_make(&copy, "libcrypto.so.3");
	library_copy_patch(&copy, "OpenSSL_version_num", version_codes[_i], sizeof(version_codes[_i]));
	library = library_copy_open(&copy);
	ck_assert_int_eq(library_version_number(library, &number), _i ? -ENOTSUP : 0);
	ck_assert_uint_eq(number, _i ? 7 : 0x30500070);
	library_copy_release(&copy);
}
END_TEST

/* Opens a damaged copy and asks it everything; only errors of the promised kinds may come. */
static int ask_all(const struct library_copy *copy)
{
	autolibrary struct library *library = NULL;
	char text[LIBRARY_VERSION_BYTES], id[LIBRARY_BUILD_ID_HEX];
	struct symbol symbol;
	int error = library_open_fd(copy->fd, &library);

	if (error)
		return error;
	library_build_id(library, id);
	library_openssl_version(library, text, sizeof(text));
	return library_symbol(library, "OpenSSL_version_num", &symbol);
}

START_TEST(damage_is_an_error)
{
	struct library_copy copy;
	Elf64_Ehdr *header;
	Elf64_Phdr *segments;

	library_copy_make(&copy, "libcrypto.so.3");
	header = (Elf64_Ehdr *)copy.bytes;
	segments = (Elf64_Phdr *)(copy.bytes + header->e_phoff);
	ck_assert_int_eq(ask_all(&copy), 0);
	for (int i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr saved = segments[i];

		if (saved.p_type != PT_LOAD)
			continue;
		segments[i].p_filesz = copy.size + 1;
		segments[i].p_memsz = copy.size + 1;
		ck_assert_int_eq(ask_all(&copy), -EBADMSG);
		segments[i] = saved;
		segments[i].p_memsz = saved.p_filesz - 1;
		ck_assert_int_eq(ask_all(&copy), -EBADMSG);
		segments[i] = saved;
		segments[i].p_vaddr = UINT64_MAX - 5;
		ck_assert_int_eq(ask_all(&copy), -EBADMSG);
		segments[i] = saved;
	}
	header->e_machine = EM_386;
	ck_assert_int_eq(ask_all(&copy), -ENOTSUP);
	header->e_machine = EM_X86_64;
	header->e_ident[EI_CLASS] = ELFCLASS32;
	ck_assert_int_lt(ask_all(&copy), 0);
	library_copy_release(&copy);
}
END_TEST

START_TEST(damaged_tables_are_errors)
{
	struct library_copy copy;
	Elf64_Ehdr *header;
	Elf64_Shdr *sections;
	int tables = 0;

	library_copy_make(&copy, "libcrypto.so.3");
	header = (Elf64_Ehdr *)copy.bytes;
	sections = (Elf64_Shdr *)(copy.bytes + header->e_shoff);
	for (int i = 0; i < header->e_shnum; i++) {
		Elf64_Shdr saved = sections[i];

		if (saved.sh_type != SHT_DYNSYM)
			continue;
		tables++;
		sections[i].sh_size = UINT64_MAX / 2;
		ck_assert_int_eq(ask_all(&copy), -EBADMSG);
		sections[i] = saved;
		sections[i].sh_link = 65000;
		ck_assert_int_eq(ask_all(&copy), -EBADMSG);
		sections[i] = saved;
		sections[i].sh_entsize = 1;
		ck_assert_int_eq(ask_all(&copy), -EBADMSG);
		sections[i] = saved;
		sections[saved.sh_link].sh_flags |= SHF_COMPRESSED;
		ck_assert_int_eq(ask_all(&copy), -EBADMSG);
	}
	ck_assert_int_eq(tables, 1);
	library_copy_release(&copy);
}
END_TEST

START_TEST(a_file_cut_short_is_an_error)
{
	struct library_copy copy;
	struct library *library;
	struct symbol symbol;

	library_copy_make(&copy, "libcrypto.so.3");
	library = library_copy_open(&copy);
	ck_assert_int_eq(ftruncate(copy.fd, 4096), 0);
	ck_assert_int_lt(library_symbol(library, "OpenSSL_version_num", &symbol), 0);
	library_close(library);
	for (off_t size = 0; size < 4096; size += 61) {
		ck_assert_int_eq(ftruncate(copy.fd, size), 0);
		ck_assert_int_lt(library_open_fd(copy.fd, &library), 0);
	}
	library_copy_release(&copy);
}
END_TEST

Suite *suite_library(void)
{
	Suite *suite = suite_create("library");
	TCase *files = tcase_create("files"), *hostile = tcase_create("hostile");

	tcase_add_test(files, refuses_what_is_not_a_library);
	tcase_add_test(files, refuses_a_huge_file);
	tcase_add_test(files, finds_symbols_where_they_run);
	tcase_add_test(files, file_offset_holds_the_code);
	tcase_add_test(files, load_bias_leads_into_memory);
	tcase_add_test(files, text_and_number_agree);
	tcase_add_loop_test(files, decodes_the_number, 0, 3);
	tcase_add_test(hostile, damage_is_an_error);
	tcase_add_test(hostile, damaged_tables_are_errors);
	tcase_add_test(hostile, a_file_cut_short_is_an_error);
	suite_add_tcase(suite, files);
	suite_add_tcase(suite, hostile);
	return suite;
}
