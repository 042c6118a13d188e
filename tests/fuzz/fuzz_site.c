/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile machine code as a function that is to be probed. The site is in the function, where an instruction begins,
 * whatever the code is; and so it is when the size that the file says is not true. First byte: the machine, what the
 * probe needs, whether the size is true. The code lies at the end of the file: what is read behind it is not there.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <capstone/capstone.h>

#include "attach/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CODE_BYTES_MAX = 4096 };

/* One segment that is the whole file: addresses are offsets. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t code[CODE_BYTES_MAX];
};

static int file = -1;

static struct library *library_of(bool arm64, const uint8_t *code, size_t bytes)
{
	struct image image = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_DYN,
			    .e_machine = arm64 ? EM_AARCH64 : EM_X86_64,
			    .e_version = EV_CURRENT,
			    .e_phoff = offsetof(struct image, segment),
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD,
			     .p_flags = PF_R | PF_X,
			     .p_filesz = offsetof(struct image, code) + bytes,
			     .p_memsz = offsetof(struct image, code) + bytes,
			     .p_align = 4096 },
	};
	struct library *library = NULL;

	memcpy(image.code, code, bytes);
	if (file < 0)
		file = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(file, (off_t)(offsetof(struct image, code) + bytes)) ||
	    pwrite(file, &image, offsetof(struct image, code) + bytes, 0) < 0 || library_open_fd(file, &library))
		abort(); /* or nothing is tested */
	return library;
}

/* Whether the instructions from the entry on lead to an offset. */
static bool is_boundary(bool arm64, const uint8_t *code, size_t bytes, uint32_t offset)
{
	csh decoder = 0;
	cs_insn *instruction;
	uint64_t address = 0;
	bool found = false;

	if (cs_open(arm64 ? CS_ARCH_ARM64 : CS_ARCH_X86, arm64 ? CS_MODE_ARM : CS_MODE_64, &decoder) != CS_ERR_OK)
		abort();
	instruction = cs_malloc(decoder);
	while (!found && cs_disasm_iter(decoder, &code, &bytes, &address, instruction))
		found = instruction->address == offset;
	cs_free(instruction, 1);
	cs_close(&decoder);
	return found;
}

static void check(const struct site *site, bool arm64, const uint8_t *code, size_t bytes, uint64_t said)
{
	if (!site->offset) {
		if ((site->cost == SITE_STEPPED) != (site->reason != NULL))
			abort();
		return;
	}
	/* Of code that is longer than what is there, or of unknown length, nothing can be proven. */
	if (site->offset >= bytes || said != bytes || site->cost != SITE_EMULATED || site->reason)
		abort();
	if (!is_boundary(arm64, code, bytes, site->offset))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t false_sizes[] = { 0, 1 << 14, UINT64_MAX };
	bool arm64 = size && (data[0] & 1);
	struct site_query query = { .returns = size && (data[0] & 2),
				    .arguments = size ? (unsigned int)data[0] & 0x1c : 0 };
	struct symbol symbol = { .value = offsetof(struct image, code), .is_function = true };
	struct site site;
	struct library *library;

	if (size < 2 || size - 1 > CODE_BYTES_MAX)
		return 0;
	symbol.file_offset = symbol.value;
	symbol.size = data[0] < 0xc0 ? size - 1 : false_sizes[data[0] % 3];
	library = library_of(arm64, data + 1, size - 1);
	if (!site_find(library, &symbol, query, &site))
		check(&site, arm64, data + 1, size - 1, symbol.size);
	library_close(library);
	return 0;
}
