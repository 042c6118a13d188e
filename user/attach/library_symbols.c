/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbols of a library, and those of its debug file where it was stripped of its own.
 *
 * Invariant: a debug file is used only when its build-id is the library's: the addresses of another build would put
 * probes into the middle of functions.
 * Must not know: which symbols matter, where debug files are kept.
 */
#include "attach/library_private.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* A debug file's symbols have the addresses of the library it was split from: offsets are always the library's. */
static int symbol_from(const struct library *library, const GElf_Sym *raw, struct symbol *out)
{
	const struct segment *segment = library_segment_of(library, raw->st_value);
	uint64_t delta;

	if (!segment)
		return -EBADMSG;
	delta = raw->st_value - segment->address;
	*out = (struct symbol){
		.value = raw->st_value,
		.file_offset = delta < segment->file_bytes ? segment->offset + delta : LIBRARY_NO_OFFSET,
		.size = raw->st_size,
		.is_function = GELF_ST_TYPE(raw->st_info) == STT_FUNC,
	};
	return 0;
}

static bool is_candidate(const GElf_Sym *raw)
{
	unsigned char type = GELF_ST_TYPE(raw->st_info);

	if (raw->st_shndx == SHN_UNDEF || raw->st_shndx == SHN_ABS)
		return false;
	return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT || type == STT_NOTYPE;
}

/* A symbol table and the strings its names are in. */
static int load_table(const struct library *library, uint32_t type, Elf_Data **symbols, Elf_Data **strings)
{
	GElf_Shdr header;
	Elf_Scn *section, *linked;
	int error = library_find_section(library, type, NULL, NULL, &header, &section);

	if (error)
		return error;
	if (header.sh_entsize != sizeof(Elf64_Sym))
		return -EBADMSG;
	linked = elf_getscn(library->elf, header.sh_link);
	if (!linked)
		return -EBADMSG;
	error = library_section_data(library, section, symbols);
	return error ? error : library_section_data(library, linked, strings);
}

/* Searches a table of a file, the library itself or its debug file. */
static int search_table(const struct library *library, const struct library *file, uint32_t type, const char *name,
			struct symbol *out)
{
	Elf_Data *symbols, *strings;
	size_t count;
	int error = load_table(file, type, &symbols, &strings);

	if (error)
		return error;
	count = symbols->d_size / sizeof(Elf64_Sym);
	for (size_t i = 0; i < count; i++) {
		GElf_Sym raw;

		if (!gelf_getsym(symbols, (int)i, &raw))
			return -EBADMSG;
		if (is_candidate(&raw) && library_string_is(strings, raw.st_name, name))
			return symbol_from(library, &raw, out);
	}
	return -ENOENT;
}

int library_symbol(const struct library *library, const char *name, struct symbol *out)
{
	int error = search_table(library, library, SHT_DYNSYM, name, out);

	if (error == -ENOENT)
		error = search_table(library, library, SHT_SYMTAB, name, out);
	if (error == -ENOENT && library->debug_file)
		error = search_table(library, library->debug_file, SHT_SYMTAB, name, out);
	return error;
}

bool library_exports(const struct library *library, const char *name)
{
	struct symbol symbol;

	return !search_table(library, library, SHT_DYNSYM, name, &symbol);
}

int library_add_debug_file(struct library *library, int fd)
{
	char wanted[LIBRARY_BUILD_ID_HEX], found[LIBRARY_BUILD_ID_HEX];
	autolibrary struct library *file = NULL;
	int error = library_build_id(library, wanted);

	if (!error)
		error = library_open_debug_file(fd, &file);
	if (error)
		return error;
	if (library_build_id(file, found) || strcmp(found, wanted) || file->machine != library->machine)
		return -ESTALE;
	library_close(library->debug_file);
	library->debug_file = take_pointer(file);
	return 0;
}
