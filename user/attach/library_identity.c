/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second half of library.h: which build a file is. Texts are recognised by their form, machine code by its
 * bytes; neither is run.
 * Must not know: libelf, layouts.
 */
#include "attach/library.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define RODATA_BYTES_MAX (64u << 20)
#define CHUNK_BYTES      65536u

static void format_hex(const unsigned char *bytes, size_t count, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		hex[i * 2] = digits[bytes[i] >> 4];
		hex[i * 2 + 1] = digits[bytes[i] & 15];
	}
	hex[count * 2] = '\0';
}

int library_build_id(const struct library *library, char hex[LIBRARY_BUILD_ID_HEX])
{
	/* Linkers give this note a section of its own. */
	struct {
		Elf64_Nhdr header;
		char name[4];
		unsigned char id[LIBRARY_BUILD_ID_BYTES];
	} note = { 0 };
	const size_t before_id = offsetof(__typeof__(note), id);
	size_t bytes;
	int error = library_section_contents(library, ".note.gnu.build-id", &note, sizeof(note), &bytes);

	if (error)
		return error;
	if (bytes < before_id || note.header.n_type != NT_GNU_BUILD_ID || note.header.n_namesz != 4 ||
	    memcmp(note.name, "GNU", 4) || !note.header.n_descsz || note.header.n_descsz > bytes - before_id)
		return -EBADMSG;
	format_hex(note.id, note.header.n_descsz, hex);
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * "OpenSSL 3.0.19 27 Jan 2026" ends in a year, "OpenSSL 1.1.1 (compatible; BoringSSL)" in a bracket; a sentence that
 * only mentions a version does neither. Returns the length, 0 when it is something else.
 */
static size_t version_text_length(const char *text, size_t bytes)
{
	static const char prefix[] = "OpenSSL ";
	size_t prefix_bytes = sizeof(prefix) - 1, n = 0;

	if (bytes < prefix_bytes + 4 || memcmp(text, prefix, prefix_bytes) || !is_digit(text[prefix_bytes]) ||
	    text[prefix_bytes + 1] != '.')
		return 0;
	while (n < bytes && n < LIBRARY_VERSION_BYTES && text[n] >= ' ' && text[n] <= '~')
		n++;
	if (n == bytes || n == LIBRARY_VERSION_BYTES || text[n] != '\0')
		return 0;
	if (text[n - 1] == ')')
		return n;
	return is_digit(text[n - 1]) && is_digit(text[n - 2]) && is_digit(text[n - 3]) && is_digit(text[n - 4]) &&
			       text[n - 5] == ' '
		       ? n
		       : 0;
}

/* Searches a chunk for the text; returns its place or NULL. */
static const char *find_version_text(const char *chunk, size_t bytes, size_t *length)
{
	const char *p = chunk, *end = chunk + bytes;

	while ((p = memchr(p, 'O', (size_t)(end - p)))) {
		*length = version_text_length(p, (size_t)(end - p));
		if (*length)
			return p;
		p++;
	}
	return NULL;
}

int library_openssl_version(const struct library *library, char *out, size_t bytes)
{
	autofree char *chunk = malloc(CHUNK_BYTES);
	struct library_section rodata;
	uint64_t done = 0;
	int error;

	if (!chunk)
		return -ENOMEM;
	error = library_section(library, ".rodata", &rodata);
	if (error)
		return error;
	if (rodata.bytes > RODATA_BYTES_MAX)
		return -EBADMSG;
	/* Chunks overlap by the longest text, so that none is cut by a border. */
	while (done < rodata.bytes) {
		uint64_t left = rodata.bytes - done;
		size_t n = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES, length;
		const char *text;

		error = library_read(library, rodata.address + done, chunk, n);
		if (error)
			return error;
		text = find_version_text(chunk, n, &length);
		if (text && length >= bytes)
			return -ENAMETOOLONG;
		if (text) {
			memcpy(out, text, length + 1);
			return 0;
		}
		done += n < CHUNK_BYTES ? n : n - LIBRARY_VERSION_BYTES;
	}
	return -ENOENT;
}

int library_version_number(const struct library *library, uint32_t *out)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	unsigned char code[10] = { 0 };
	const unsigned char *p = code;
	struct symbol symbol;
	int error = library_symbol(library, "OpenSSL_version_num", &symbol);

	if (error)
		return error;
	if (library_machine(library) != LIBRARY_MACHINE_X86_64 || !symbol.is_function)
		return -ENOTSUP;
	error = library_read(library, symbol.value, code, sizeof(code));
	if (error)
		return error;
	if (!memcmp(p, endbr64, sizeof(endbr64)))
		p += sizeof(endbr64);
	/* mov eax, imm32; ret */
	if (p[0] != 0xb8 || p[5] != 0xc3)
		return -ENOTSUP;
	*out = (uint32_t)p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16 | (uint32_t)p[4] << 24;
	return 0;
}
