/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only file that knows libelf. Segments are checked and copied once when a library is opened; everything
 * else goes through them, so that no later code sees an offset that nobody checked.
 * Must not know: which symbols matter, OpenSSL's structures, processes.
 */
#include "attach/library.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SEGMENTS_MAX    64   /* of type PT_LOAD; linkers make 2 to 6 */
#define HEADERS_MAX     1024 /* program headers */
#define SECTIONS_MAX    65536
#define TABLE_BYTES_MAX (128u << 20) /* symbols, strings; a debug build of a browser has 50 MiB */

struct segment {
	uint64_t address, memory_bytes; /* as linked */
	uint64_t offset, file_bytes;
};

struct library {
	int fd;
	Elf *elf;
	uint64_t file_bytes;
	enum library_machine machine;
	struct segment segments[SEGMENTS_MAX];
	size_t segment_count;
};

void library_close(struct library *library)
{
	if (!library)
		return;
	if (library->elf)
		elf_end(library->elf);
	if (library->fd >= 0)
		close(library->fd);
	free(library);
}

void library_cleanup(struct library **library)
{
	library_close(*library);
	*library = NULL;
}

enum library_machine library_machine(const struct library *library)
{
	return library->machine;
}

static int check_header(struct library *library)
{
	GElf_Ehdr header;

	if (elf_kind(library->elf) != ELF_K_ELF)
		return -ENOEXEC;
	if (!gelf_getehdr(library->elf, &header))
		return -EBADMSG;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOTSUP;
	if (header.e_type != ET_DYN && header.e_type != ET_EXEC)
		return -ENOTSUP;
	if (header.e_machine == EM_X86_64)
		library->machine = LIBRARY_MACHINE_X86_64;
	else if (header.e_machine == EM_AARCH64)
		library->machine = LIBRARY_MACHINE_AARCH64;
	else
		return -ENOTSUP;
	return 0;
}

static bool within(uint64_t start, uint64_t bytes, uint64_t limit)
{
	return start <= limit && bytes <= limit - start;
}

static int add_segment(struct library *library, const GElf_Phdr *header)
{
	uint64_t end;

	if (library->segment_count == SEGMENTS_MAX)
		return -EBADMSG;
	if (header->p_filesz > header->p_memsz || !within(header->p_offset, header->p_filesz, library->file_bytes) ||
	    __builtin_add_overflow(header->p_vaddr, header->p_memsz, &end))
		return -EBADMSG;
	library->segments[library->segment_count++] = (struct segment){
		.address = header->p_vaddr,
		.memory_bytes = header->p_memsz,
		.offset = header->p_offset,
		.file_bytes = header->p_filesz,
	};
	return 0;
}

static int load_segments(struct library *library)
{
	size_t count;

	if (elf_getphdrnum(library->elf, &count) || count > HEADERS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;
		int error;

		if (!gelf_getphdr(library->elf, (int)i, &header))
			return -EBADMSG;
		if (header.p_type != PT_LOAD)
			continue;
		error = add_segment(library, &header);
		if (error)
			return error;
	}
	return library->segment_count ? 0 : -EBADMSG;
}

static int check_file(int fd, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > LIBRARY_MAX_BYTES)
		return -EFBIG;
	*bytes = (uint64_t)st.st_size;
	return 0;
}

/* Takes the descriptor over, on failure too. */
static int open_owned(int fd, struct library **out)
{
	autolibrary struct library *library = calloc(1, sizeof(*library));
	int error;

	if (!library) {
		close(fd);
		return -ENOMEM;
	}
	library->fd = fd;
	error = check_file(fd, &library->file_bytes);
	if (error)
		return error;
	elf_version(EV_CURRENT); /* elf_begin() fails without it */
	library->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!library->elf)
		return -EBADMSG;
	error = check_header(library);
	if (!error)
		error = load_segments(library);
	if (error)
		return error;
	*out = take_pointer(library);
	return 0;
}

int library_open_fd(int fd, struct library **out)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : open_owned(copy, out);
}

int library_open(const char *path, struct library **out)
{
	/* O_NONBLOCK: a FIFO in the library's place must not hang us before it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : open_owned(fd, out);
}

static const struct segment *segment_of(const struct library *library, uint64_t address)
{
	for (size_t i = 0; i < library->segment_count; i++) {
		const struct segment *segment = &library->segments[i];

		if (address >= segment->address && address - segment->address < segment->memory_bytes)
			return segment;
	}
	return NULL;
}

static int symbol_from(const struct library *library, const GElf_Sym *raw, struct symbol *out)
{
	const struct segment *segment = segment_of(library, raw->st_value);
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

/*
 * Contents of a section, checked before libelf allocates for it. Compressed ones are refused: a string table that
 * unpacks to a thousand times its size is a trap.
 */
static int section_data(const struct library *library, Elf_Scn *section, Elf_Data **out)
{
	GElf_Shdr header;
	Elf_Data *data;

	if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS || (header.sh_flags & SHF_COMPRESSED) ||
	    header.sh_size > TABLE_BYTES_MAX || !within(header.sh_offset, header.sh_size, library->file_bytes))
		return -EBADMSG;
	data = elf_getdata(section, NULL);
	if (!data || !data->d_buf)
		return -EBADMSG;
	*out = data;
	return 0;
}

static bool string_is(const Elf_Data *strings, uint64_t offset, const char *wanted)
{
	size_t bytes = strlen(wanted) + 1;

	return within(offset, bytes, strings->d_size) &&
	       !memcmp((const char *)strings->d_buf + offset, wanted, bytes);
}

static bool is_loaded_section(const GElf_Shdr *header)
{
	return header->sh_type != SHT_NOBITS && (header->sh_flags & SHF_ALLOC);
}

/* The first section of a type, or, where names are given, the first loaded one of a name. */
static int find_section(const struct library *library, uint32_t type, const Elf_Data *names, const char *name,
			GElf_Shdr *header, Elf_Scn **out)
{
	Elf_Scn *section = NULL;
	size_t seen = 0;

	while ((section = elf_nextscn(library->elf, section)) && seen++ < SECTIONS_MAX) {
		if (!gelf_getshdr(section, header))
			return -EBADMSG;
		if (names ? !is_loaded_section(header) || !string_is(names, header->sh_name, name)
			  : header->sh_type != type)
			continue;
		*out = section;
		return 0;
	}
	return -ENOENT;
}

/* A symbol table and the strings its names are in. */
static int load_table(const struct library *library, uint32_t type, Elf_Data **symbols, Elf_Data **strings)
{
	GElf_Shdr header;
	Elf_Scn *section, *linked;
	int error = find_section(library, type, NULL, NULL, &header, &section);

	if (error)
		return error;
	if (header.sh_entsize != sizeof(Elf64_Sym))
		return -EBADMSG;
	linked = elf_getscn(library->elf, header.sh_link);
	if (!linked)
		return -EBADMSG;
	error = section_data(library, section, symbols);
	return error ? error : section_data(library, linked, strings);
}

static int search_table(const struct library *library, uint32_t type, const char *name, struct symbol *out)
{
	Elf_Data *symbols, *strings;
	size_t count;
	int error = load_table(library, type, &symbols, &strings);

	if (error)
		return error;
	count = symbols->d_size / sizeof(Elf64_Sym);
	for (size_t i = 0; i < count; i++) {
		GElf_Sym raw;

		if (!gelf_getsym(symbols, (int)i, &raw))
			return -EBADMSG;
		if (is_candidate(&raw) && string_is(strings, raw.st_name, name))
			return symbol_from(library, &raw, out);
	}
	return -ENOENT;
}

int library_symbol(const struct library *library, const char *name, struct symbol *out)
{
	int error = search_table(library, SHT_DYNSYM, name, out);

	if (error == -ENOENT)
		error = search_table(library, SHT_SYMTAB, name, out);
	return error;
}

bool library_exports(const struct library *library, const char *name)
{
	struct symbol symbol;

	return !search_table(library, SHT_DYNSYM, name, &symbol);
}

/* Reads exactly so many bytes of the file. */
static int read_file(const struct library *library, uint64_t offset, void *buffer, size_t bytes)
{
	char *p = buffer;

	while (bytes) {
		ssize_t n = pread(library->fd, p, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG;
		p += n;
		offset += (uint64_t)n;
		bytes -= (size_t)n;
	}
	return 0;
}

int library_read(const struct library *library, uint64_t address, void *buffer, size_t bytes)
{
	const struct segment *segment = segment_of(library, address);
	uint64_t delta;

	if (!segment)
		return -EFAULT;
	delta = address - segment->address;
	if (!within(delta, bytes, segment->file_bytes))
		return -EFAULT;
	return read_file(library, segment->offset + delta, buffer, bytes);
}

int library_load_bias(const struct library *library, uint64_t map_start, uint64_t map_offset, uint64_t *bias)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < library->segment_count; i++) {
		const struct segment *segment = &library->segments[i];

		if ((segment->offset & ~(page - 1)) != map_offset)
			continue;
		*bias = map_start - (segment->address & ~(page - 1));
		return 0;
	}
	return -ENOENT;
}

/* The strings that sections' names are in. */
static int load_section_names(const struct library *library, Elf_Data **out)
{
	Elf_Scn *section;
	size_t index;

	if (elf_getshdrstrndx(library->elf, &index))
		return -EBADMSG;
	section = elf_getscn(library->elf, index);
	return section ? section_data(library, section, out) : -EBADMSG;
}

int library_section(const struct library *library, const char *name, struct library_section *out)
{
	Elf_Data *names;
	GElf_Shdr header;
	Elf_Scn *section;
	int error = load_section_names(library, &names);

	if (!error)
		error = find_section(library, SHT_NULL, names, name, &header, &section);
	if (error)
		return error;
	if (!within(header.sh_offset, header.sh_size, library->file_bytes))
		return -EBADMSG;
	out->address = header.sh_addr;
	out->bytes = header.sh_size;
	return 0;
}
