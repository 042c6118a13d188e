/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile bytes as a library: everything that attach/ asks a file, of which nothing may crash, hang or reach outside
 * of it. An input is either a file as it is (first byte odd) or a list of changes to a small library that holds all
 * that is asked for, so that random bytes get behind the first checks.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/types.h>

#include "attach/accessor.h"
#include "attach/layout.h"
#include "attach/library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTION_NULL, SECTION_DYNSYM, SECTION_DYNSTR, SECTION_NOTE, SECTION_RODATA, SECTION_NAMES, SECTIONS };
enum { CODE_BYTES = 32, FUNCTIONS = 5 };

/* One segment holds everything at the address that is its offset. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[SECTIONS];
	Elf64_Sym symbols[FUNCTIONS + 1];
	char strings[96];
	char names[64];
	struct {
		Elf64_Nhdr header;
		char name[4];
		unsigned char id[20];
	} note;
	unsigned char code[FUNCTIONS][CODE_BYTES];
	char rodata[64];
};

#define PLACE(member) offsetof(struct image, member)
#define SIZE(member)  sizeof(((struct image *)NULL)->member)
#define SECTION(type, name, member, ...)                                                               \
	{                                                                                              \
		.sh_type = (type), .sh_name = (name), .sh_flags = SHF_ALLOC, .sh_addr = PLACE(member), \
		.sh_offset = PLACE(member), .sh_size = SIZE(member), __VA_ARGS__                       \
	}
#define SYMBOL(name, number)                                                                                   \
	{                                                                                                      \
		.st_name = (name), .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = SECTION_RODATA, \
		.st_value = PLACE(code[number]), .st_size = CODE_BYTES                                         \
	}

static const struct image image = {
	.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		    .e_type = ET_DYN,
		    .e_machine = EM_X86_64,
		    .e_version = EV_CURRENT,
		    .e_phoff = PLACE(segment),
		    .e_shoff = PLACE(sections),
		    .e_ehsize = sizeof(Elf64_Ehdr),
		    .e_phentsize = sizeof(Elf64_Phdr),
		    .e_phnum = 1,
		    .e_shentsize = sizeof(Elf64_Shdr),
		    .e_shnum = SECTIONS,
		    .e_shstrndx = SECTION_NAMES },
	.segment = { .p_type = PT_LOAD,
		     .p_flags = PF_R | PF_X,
		     .p_filesz = sizeof(struct image),
		     .p_memsz = sizeof(struct image),
		     .p_align = 4096 },
	.sections = { [SECTION_DYNSYM] = SECTION(SHT_DYNSYM, 0, symbols, .sh_link = SECTION_DYNSTR,
						 .sh_entsize = sizeof(Elf64_Sym)),
		      [SECTION_DYNSTR] = SECTION(SHT_STRTAB, 0, strings),
		      [SECTION_NOTE] = SECTION(SHT_NOTE, 1, note),
		      [SECTION_RODATA] = SECTION(SHT_PROGBITS, 20, rodata),
		      [SECTION_NAMES] = SECTION(SHT_STRTAB, 0, names) },
	.symbols = { [1] = SYMBOL(1, 0),
		     [2] = SYMBOL(13, 1),
		     [3] = SYMBOL(29, 2),
		     [4] = SYMBOL(38, 3),
		     [5] = SYMBOL(58, 4) },
	.strings = "\0SSL_version\0SSL_get_options\0BIO_next\0OpenSSL_version_num\0ngx_ssl_handshake",
	.names = "\0.note.gnu.build-id\0.rodata",
	.note = { .header = { .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID }, .name = "GNU" },
	.code = { { 0x8b, 0x07, 0xc3 },                               /* mov eax,[rdi]; ret */
		  { 0x48, 0x8b, 0x87, 0xe8, 0x09, 0x00, 0x00, 0xc3 }, /* mov rax,[rdi+0x9e8]; ret */
		  { 0x48, 0x85, 0xff, 0x74, 0x05, 0x48, 0x8b, 0x47, 0x48, 0xc3, 0x31, 0xc0, 0xc3 },
		  { 0xb8, 0x30, 0x01, 0x00, 0x30, 0xc3 }, /* mov eax,0x30000130; ret */
		  { 0x31, 0xc0, 0xc3 } },
	.rodata = "OpenSSL 3.0.19 27 Jan 2026",
};

/* A change: where, how many bytes, which. */
struct change {
	uint8_t place[2];
	uint8_t bytes;
	uint8_t value[8];
};

static int file = -1;

static void ask(struct library *library)
{
	static const char *const names[] = { "SSL_version", "SSL_get_options", "BIO_next", "OpenSSL_version_num" };
	char text[LIBRARY_VERSION_BYTES], id[LIBRARY_BUILD_ID_HEX];
	struct layout layout;
	struct layout_report report;
	uint64_t bias;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct symbol symbol;
		unsigned char code[16];
		uint32_t offset;

		if (!library_symbol(library, names[i], &symbol))
			library_read(library, symbol.value, code, sizeof(code));
		if (!accessor_offset(library, names[i], &offset) && offset >= LAYOUT_NONE)
			abort();
	}
	library_exports(library, "ngx_ssl_handshake");
	if (!library_openssl_version(library, text, sizeof(text)) && strncmp(text, "OpenSSL ", 8))
		abort();
	if (!library_build_id(library, id) && strspn(id, "0123456789abcdef") != strlen(id))
		abort();
	library_load_bias(library, 0x7f0000000000, 0, &bias);
	layout_for(library, library, &layout, &report);
	/* Its own debug file is the likeliest to be taken. */
	if (!library_add_debug_file(library, file))
		library_symbol(library, "SSL_missing", &(struct symbol){ 0 });
}

/* Writes the library of an input to the file. */
static bool write_library(const uint8_t *data, size_t size)
{
	struct image changed = image;

	if (ftruncate(file, 0))
		return false;
	if (size && (data[0] & 1))
		return pwrite(file, data + 1, size - 1, 0) == (ssize_t)(size - 1);
	for (size_t at = 1; at + sizeof(struct change) <= size; at += sizeof(struct change)) {
		struct change change;
		size_t place, bytes;

		memcpy(&change, data + at, sizeof(change));
		place = (size_t)(change.place[0] | change.place[1] << 8) % (sizeof(changed) - sizeof(change.value));
		bytes = change.bytes % sizeof(change.value) + 1;
		memcpy((unsigned char *)&changed + place, change.value, bytes);
	}
	return pwrite(file, &changed, sizeof(changed), 0) == sizeof(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct library *library = NULL;

	if (file < 0)
		file = memfd_create("fuzz", MFD_CLOEXEC);
	if (!write_library(data, size))
		return 0;
	if (!library_open_fd(file, &library))
		ask(library);
	else if (size < 1 + sizeof(struct change) && !(size && (data[0] & 1)))
		abort(); /* the unchanged library must open, or the rest tests nothing */
	library_close(library);
	return 0;
}
