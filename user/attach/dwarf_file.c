/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ELF file that may hold debug information: the library, its debug file, or what several debug files share. It
 * may be hostile. Caps hold before libelf or libdw allocates; files are read, never mapped.
 * Must not know: where files are looked for, what is looked for in them.
 */
#include "attach/dwarf_private.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>

#include "base/cleanup.h"

#define SECTIONS_MAX     65536
#define DEBUG_BYTES_MAX  (128u << 20) /* of all debug sections, unpacked; libcrypto has 8 to 30 MiB */
#define ABBREV_BYTES_MAX (16u << 20)  /* libdw makes objects of these, each many times its size */

struct dwarf_file {
	Elf *elf;
	Dwarf *dwarf;
	uint64_t file_bytes;
	bool has_types;
	struct dwarf_id id;
	struct dwarf_text texts[DWARF_TEXTS_MAX / 2];
	size_t text_count;
};

void dwarf_file_close(struct dwarf_file *file)
{
	if (!file)
		return;
	if (file->dwarf)
		dwarf_end(file->dwarf);
	if (file->elf)
		elf_end(file->elf);
	free(file);
}

void dwarf_file_cleanup(struct dwarf_file **file)
{
	dwarf_file_close(*file);
	*file = NULL;
}

static int check_regular(int fd, uint64_t *bytes)
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

/* libelf would unpack compressed names, to whatever size they say: nobody compresses them but to that end. */
static bool has_plain_names(Elf *elf)
{
	GElf_Shdr header;
	Elf_Scn *section;
	size_t index;

	if (elf_getshdrstrndx(elf, &index))
		return false;
	section = elf_getscn(elf, index);
	return section && gelf_getshdr(section, &header) && !(header.sh_flags & SHF_COMPRESSED);
}

/* ET_REL: what dwz makes of the types that debug files share. */
static int check_header(Elf *elf)
{
	GElf_Ehdr header;
	size_t sections;

	if (elf_kind(elf) != ELF_K_ELF)
		return -ENOEXEC;
	if (!gelf_getehdr(elf, &header) || elf_getshdrnum(elf, &sections) || sections > SECTIONS_MAX)
		return -EBADMSG;
	if (sections && !has_plain_names(elf))
		return -EBADMSG;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOTSUP;
	if (header.e_type != ET_DYN && header.e_type != ET_EXEC && header.e_type != ET_REL)
		return -ENOTSUP;
	return header.e_machine == EM_X86_64 || header.e_machine == EM_AARCH64 ? 0 : -ENOTSUP;
}

static const char *section_name(Elf *elf, const GElf_Shdr *header)
{
	size_t names;
	const char *name = elf_getshdrstrndx(elf, &names) ? NULL : elf_strptr(elf, names, header->sh_name);

	return name ? name : "";
}

static void read_id(struct dwarf_file *file)
{
	const void *bytes;
	ssize_t count = dwelf_elf_gnu_build_id(file->elf, &bytes);

	/* Shorter ones name no file: the first byte is the directory. */
	if (count < 2 || count > DWARF_ID_BYTES)
		return;
	memcpy(file->id.bytes, bytes, (size_t)count);
	file->id.count = (size_t)count;
}

/* Bytes a section takes once it is in memory; 0 for what is only said to be there. */
static int unpacked_bytes(Elf_Scn *section, const GElf_Shdr *header, uint64_t file_bytes, uint64_t *bytes)
{
	GElf_Chdr compressed;

	*bytes = 0;
	if (header->sh_type == SHT_NOBITS)
		return 0;
	if (header->sh_size > file_bytes)
		return -EBADMSG;
	*bytes = header->sh_size;
	if (!(header->sh_flags & SHF_COMPRESSED))
		return 0;
	if (!gelf_getchdr(section, &compressed))
		return -EBADMSG;
	*bytes = compressed.ch_size;
	return 0;
}

/* Adds a section to what would be in memory. */
static int weigh_section(struct dwarf_file *file, Elf_Scn *section, const GElf_Shdr *header, uint64_t *total)
{
	const char *name = section_name(file->elf, header);
	uint64_t bytes;
	int error;

	/* The GNU form of compression went out of use in 2016, and says its size in the data. */
	if (!strncmp(name, ".zdebug_", strlen(".zdebug_")))
		return -ENOTSUP;
	if (strncmp(name, ".debug_", strlen(".debug_")) && strncmp(name, ".gnu_debug", strlen(".gnu_debug")))
		return 0;
	error = unpacked_bytes(section, header, file->file_bytes, &bytes);
	if (error)
		return error;
	if (bytes > DEBUG_BYTES_MAX || (!strcmp(name, ".debug_abbrev") && bytes > ABBREV_BYTES_MAX))
		return -E2BIG;
	*total += bytes;
	if (!strcmp(name, ".debug_info") && bytes)
		file->has_types = true;
	return *total > DEBUG_BYTES_MAX ? -E2BIG : 0;
}

static int weigh(struct dwarf_file *file)
{
	Elf_Scn *section = NULL;
	uint64_t total = 0;

	while ((section = elf_nextscn(file->elf, section))) {
		GElf_Shdr header;
		int error;

		if (!gelf_getshdr(section, &header))
			return -EBADMSG;
		error = weigh_section(file, section, &header, &total);
		if (error)
			return error;
	}
	return 0;
}

int dwarf_file_open(int fd, struct dwarf_file **out)
{
	autodwarf struct dwarf_file *file = calloc(1, sizeof(*file));
	int error;

	if (!file)
		return -ENOMEM;
	error = check_regular(fd, &file->file_bytes);
	if (error)
		return error;
	elf_version(EV_CURRENT);
	file->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!file->elf)
		return -EBADMSG;
	error = check_header(file->elf);
	if (!error)
		error = weigh(file);
	if (error)
		return error;
	read_id(file);
	*out = take_pointer(file);
	return 0;
}

const struct dwarf_id *dwarf_file_id(const struct dwarf_file *file)
{
	return &file->id;
}

bool dwarf_file_has_types(const struct dwarf_file *file)
{
	return file->has_types;
}

const char *dwarf_file_link(const struct dwarf_file *file, uint32_t *crc)
{
	GElf_Word value = 0;
	const char *name = dwelf_elf_gnu_debuglink(file->elf, &value);

	*crc = value;
	return name;
}

static bool holds_strings(const char *name)
{
	return !strcmp(name, ".debug_info") || !strcmp(name, ".debug_types") || !strcmp(name, ".debug_str") ||
	       !strcmp(name, ".debug_line_str");
}

/* libdw has unpacked the sections by now; libelf gives the same memory again. */
static void find_texts(struct dwarf_file *file)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(file->elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || !holds_strings(section_name(file->elf, &header)))
			continue;
		data = elf_getdata(section, NULL);
		/* Of sections with one name libdw takes the first; texts in a later one are then just unknown. */
		if (!data || !data->d_buf || file->text_count == sizeof(file->texts) / sizeof(file->texts[0]))
			continue;
		file->texts[file->text_count++] = (struct dwarf_text){ .start = data->d_buf, .bytes = data->d_size };
	}
}

int dwarf_file_load(struct dwarf_file *file, const char **name, struct dwarf_id *id)
{
	const void *bytes;
	ssize_t count;

	file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (!file->dwarf)
		return -EBADMSG;
	find_texts(file);
	*name = NULL;
	count = dwelf_dwarf_gnu_debugaltlink(file->dwarf, name, &bytes);
	if (count == 0)
		return 0;
	if (count < 2 || count > DWARF_ID_BYTES)
		return -EBADMSG;
	memcpy(id->bytes, bytes, (size_t)count);
	id->count = (size_t)count;
	return 0;
}

void dwarf_file_share(struct dwarf_file *file, struct dwarf_file *shared)
{
	dwarf_setalt(file->dwarf, shared->dwarf);
}

void dwarf_file_view(const struct dwarf_file *file, const struct dwarf_file *shared, struct dwarf_view *out)
{
	const struct dwarf_file *files[] = { file, shared };

	*out = (struct dwarf_view){ 0 };
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && files[i]; i++) {
		out->dwarf[i] = files[i]->dwarf;
		memcpy(&out->texts[out->text_count], files[i]->texts,
		       files[i]->text_count * sizeof(files[i]->texts[0]));
		out->text_count += files[i]->text_count;
	}
}
