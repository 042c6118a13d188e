/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With library_symbols.c the only file that knows libelf. Segments are checked and copied once when a library is
 * opened; everything else goes through them, so that no later code sees an offset that nobody checked.
 * Must not know: which symbols matter, OpenSSL's structures, processes.
 */
#include "attach/library_private.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define HEADERS_MAX     1024 /* program headers */
#define SECTIONS_MAX    65536
#define TABLE_BYTES_MAX (128u << 20) /* symbols, strings; a debug build of a browser has 50 MiB */

void library_close(struct library *library)
{
	if (!library)
		return;
	library_close(library->debug_file);
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

bool library_within(uint64_t start, uint64_t bytes, uint64_t limit)
{
	return start <= limit && bytes <= limit - start;
}

static int add_segment(struct library *library, const GElf_Phdr *header)
{
	uint64_t end;

	if (library->segment_count == LIBRARY_SEGMENTS_MAX)
		return -EBADMSG;
	if (header->p_filesz > header->p_memsz ||
	    !library_within(header->p_offset, header->p_filesz, library->file_bytes) ||
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
static int open_owned(int fd, bool is_debug_file, struct library **out)
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
	if (!error && !is_debug_file)
		error = load_segments(library);
	if (error)
		return error;
	*out = take_pointer(library);
	return 0;
}

static int open_copy(int fd, bool is_debug_file, struct library **out)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : open_owned(copy, is_debug_file, out);
}

int library_open_fd(int fd, struct library **out)
{
	return open_copy(fd, false, out);
}

int library_open_debug_file(int fd, struct library **out)
{
	return open_copy(fd, true, out);
}

int library_open(const char *path, struct library **out)
{
	/* O_NONBLOCK: a FIFO in the library's place must not hang us before it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : open_owned(fd, false, out);
}

const struct segment *library_segment_of(const struct library *library, uint64_t address)
{
	for (size_t i = 0; i < library->segment_count; i++) {
		const struct segment *segment = &library->segments[i];

		if (address >= segment->address && address - segment->address < segment->memory_bytes)
			return segment;
	}
	return NULL;
}

/*
 * Contents of a section, checked before libelf allocates for it. Compressed ones are refused: a string table that
 * unpacks to a thousand times its size is a trap.
 */
int library_section_data(const struct library *library, Elf_Scn *section, Elf_Data **out)
{
	GElf_Shdr header;
	Elf_Data *data;

	if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS || (header.sh_flags & SHF_COMPRESSED) ||
	    header.sh_size > TABLE_BYTES_MAX ||
	    !library_within(header.sh_offset, header.sh_size, library->file_bytes))
		return -EBADMSG;
	data = elf_getdata(section, NULL);
	if (!data || !data->d_buf)
		return -EBADMSG;
	*out = data;
	return 0;
}

bool library_string_is(const Elf_Data *strings, uint64_t offset, const char *wanted)
{
	size_t bytes = strlen(wanted) + 1;

	return library_within(offset, bytes, strings->d_size) &&
	       !memcmp((const char *)strings->d_buf + offset, wanted, bytes);
}

static bool is_loaded_section(const GElf_Shdr *header)
{
	return header->sh_type != SHT_NOBITS && (header->sh_flags & SHF_ALLOC);
}

/* The first section of a type, or, where names are given, the first loaded one of a name. */
int library_find_section(const struct library *library, uint32_t type, const Elf_Data *names, const char *name,
			 GElf_Shdr *header, Elf_Scn **out)
{
	Elf_Scn *section = NULL;
	size_t seen = 0;

	while ((section = elf_nextscn(library->elf, section)) && seen++ < SECTIONS_MAX) {
		if (!gelf_getshdr(section, header))
			return -EBADMSG;
		if (names ? !is_loaded_section(header) || !library_string_is(names, header->sh_name, name)
			  : header->sh_type != type)
			continue;
		*out = section;
		return 0;
	}
	return -ENOENT;
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
	const struct segment *segment = library_segment_of(library, address);
	uint64_t delta;

	if (!segment)
		return -EFAULT;
	delta = address - segment->address;
	if (!library_within(delta, bytes, segment->file_bytes))
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
	return section ? library_section_data(library, section, out) : -EBADMSG;
}

int library_section(const struct library *library, const char *name, struct library_section *out)
{
	Elf_Data *names;
	GElf_Shdr header;
	Elf_Scn *section;
	int error = load_section_names(library, &names);

	if (!error)
		error = library_find_section(library, SHT_NULL, names, name, &header, &section);
	if (error)
		return error;
	if (!library_within(header.sh_offset, header.sh_size, library->file_bytes))
		return -EBADMSG;
	out->address = header.sh_addr;
	out->bytes = header.sh_size;
	return 0;
}

int library_section_contents(const struct library *library, const char *name, void *buffer, size_t bytes, size_t *out)
{
	Elf_Data *names, *data;
	GElf_Shdr header;
	Elf_Scn *section;
	int error = load_section_names(library, &names);

	if (!error)
		error = library_find_section(library, SHT_NULL, names, name, &header, &section);
	if (!error)
		error = library_section_data(library, section, &data);
	if (error)
		return error;
	if (data->d_size > bytes)
		return -EBADMSG;
	memcpy(buffer, data->d_buf, data->d_size);
	*out = data->d_size;
	return 0;
}
