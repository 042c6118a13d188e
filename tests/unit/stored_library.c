/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads stored machine code and writes ELF files in memory with nothing but that, its symbols and a version text. */
#define _GNU_SOURCE /* memfd_create() */
#include "stored_library.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <check.h>

#define STORE "tests/unit/accessors.txt"

enum section { NO_SECTION, SYMBOLS, NAMES, RODATA, CODE, SECTION_NAMES, SECTIONS };

static const char section_names[] = "\0.dynsym\0.dynstr\0.rodata\0.text\0.shstrtab";

/* One segment that is the whole file: addresses are offsets. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[SECTIONS];
	Elf64_Sym symbols[STORED_FUNCTIONS + 1];
	char names[STORED_FUNCTIONS * 48 + 1];
	char section_names[sizeof(section_names)];
	char text[64];
	unsigned char code[STORED_FUNCTIONS][STORED_FUNCTION_BYTES];
};

static const char *machine_name(enum library_machine machine)
{
	return machine == LIBRARY_MACHINE_AARCH64 ? "aarch64" : "x86_64";
}

struct stored_function *stored_library_function(struct stored_library *stored, const char *name)
{
	struct stored_function *function;

	for (size_t i = 0; i < stored->count; i++) {
		if (!strcmp(stored->functions[i].name, name))
			return &stored->functions[i];
	}
	ck_assert_uint_lt(stored->count, STORED_FUNCTIONS);
	function = &stored->functions[stored->count++];
	snprintf(function->name, sizeof(function->name), "%s", name);
	return function;
}

void stored_library_set(struct stored_library *stored, const char *name, const void *code, size_t bytes)
{
	struct stored_function *function = stored_library_function(stored, name);

	ck_assert_uint_le(bytes, sizeof(function->code));
	memset(function->code, 0, sizeof(function->code));
	if (bytes)
		memcpy(function->code, code, bytes);
	else
		snprintf(function->name, sizeof(function->name), "removed %zu", stored->count);
	function->bytes = bytes;
}

static unsigned int digit(char c)
{
	ck_assert((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* "name hex". */
static void read_function(struct stored_library *stored, char *line)
{
	unsigned char code[STORED_FUNCTION_BYTES];
	char *hex = strchr(line, ' ');
	size_t bytes = 0;

	ck_assert_ptr_nonnull(hex);
	*hex++ = '\0';
	for (; hex[0] && hex[1]; hex += 2) {
		ck_assert_uint_lt(bytes, sizeof(code));
		code[bytes++] = (unsigned char)(digit(hex[0]) << 4 | digit(hex[1]));
	}
	stored_library_set(stored, line, code, bytes);
}

void stored_library_read_from(const char *path, struct stored_library *stored, enum library_machine machine,
			      const char *text)
{
	char line[2 * STORED_FUNCTION_BYTES + 64], head[128];
	FILE *file = fopen(path, "re");
	bool wanted = false;

	ck_assert_msg(file != NULL, "cannot open '%s'", path);
	memset(stored, 0, sizeof(*stored));
	stored->machine = machine;
	snprintf(head, sizeof(head), "library %s %s", machine_name(machine), text);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "library ", 8)) {
			wanted = !strncmp(line, head, strlen(head));
			if (wanted)
				snprintf(stored->text, sizeof(stored->text), "%.63s",
					 line + strlen(head) - strlen(text));
		} else if (wanted) {
			read_function(stored, line);
		}
	}
	fclose(file);
	ck_assert_msg(stored->count, "no '%s' in '%s'", text, path);
}

void stored_library_read(struct stored_library *stored, enum library_machine machine, const char *text)
{
	stored_library_read_from(STORE, stored, machine, text);
}

static void set_section(struct image *image, enum section section, uint32_t type, size_t offset, size_t bytes)
{
	static const uint32_t names[SECTIONS] = { 0, 1, 9, 17, 25, 31 };

	image->sections[section] = (Elf64_Shdr){
		.sh_name = names[section],
		.sh_type = type,
		.sh_flags = SHF_ALLOC,
		.sh_addr = offset,
		.sh_offset = offset,
		.sh_size = bytes,
		.sh_addralign = 1,
	};
}

static void write_headers(struct image *image, enum library_machine machine)
{
	image->header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = machine == LIBRARY_MACHINE_AARCH64 ? EM_AARCH64 : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct image, segment),
		.e_shoff = offsetof(struct image, sections),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
		.e_shstrndx = SECTION_NAMES,
	};
	image->segment = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = sizeof(*image), .p_memsz = sizeof(*image)
	};
#define SET(section, type, member) \
	set_section(image, section, type, offsetof(struct image, member), sizeof(image->member))
	SET(SYMBOLS, SHT_DYNSYM, symbols);
	image->sections[SYMBOLS].sh_link = NAMES;
	image->sections[SYMBOLS].sh_info = 1;
	image->sections[SYMBOLS].sh_entsize = sizeof(Elf64_Sym);
	image->sections[SYMBOLS].sh_addralign = 8;
	SET(NAMES, SHT_STRTAB, names);
	SET(RODATA, SHT_PROGBITS, text);
	SET(CODE, SHT_PROGBITS, code);
	SET(SECTION_NAMES, SHT_STRTAB, section_names);
#undef SET
}

struct library *stored_library_open(const struct stored_library *stored)
{
	struct image *image = calloc(1, sizeof(*image));
	struct library *library = NULL;
	size_t name = 1;
	int fd = memfd_create("stored", MFD_CLOEXEC);

	ck_assert_ptr_nonnull(image);
	write_headers(image, stored->machine);
	memcpy(image->section_names, section_names, sizeof(section_names));
	memcpy(image->text, stored->text, sizeof(image->text));
	for (size_t i = 0; i < stored->count; i++) {
		const struct stored_function *function = &stored->functions[i];

		memcpy(image->code[i], function->code, sizeof(function->code));
		memcpy(image->names + name, function->name, strlen(function->name));
		image->symbols[i + 1] =
			(Elf64_Sym){ .st_name = (Elf64_Word)name,
				     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				     .st_shndx = CODE,
				     .st_value = offsetof(struct image, code) + i * STORED_FUNCTION_BYTES,
				     .st_size = function->bytes };
		name += strlen(function->name) + 1;
	}
	ck_assert_int_eq(write(fd, image, sizeof(*image)), (ssize_t)sizeof(*image));
	ck_assert_int_eq(library_open_fd(fd, &library), 0);
	close(fd);
	free(image);
	return library;
}
