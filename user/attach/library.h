/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a library's file says: symbols, contents, build-id, version. The file may come from a container and be
 * hostile: every size and offset in it is checked, every count has a cap, and what does not hold is -EBADMSG.
 * Files are read, never mapped: one that is cut short meanwhile gives an error, not SIGBUS.
 */
#ifndef TLSWHY_ATTACH_LIBRARY_H
#define TLSWHY_ATTACH_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBRARY_MAX_BYTES      (512ull << 20) /* larger files are refused; libcrypto is 5 to 10 MiB */
#define LIBRARY_NO_OFFSET      UINT64_MAX
#define LIBRARY_BUILD_ID_BYTES 64 /* longest build-id that is understood; SHA-1 has 20 */
#define LIBRARY_BUILD_ID_HEX   (LIBRARY_BUILD_ID_BYTES * 2 + 1)
#define LIBRARY_VERSION_BYTES  64

/* Instruction sets that can be traced. */
enum library_machine { LIBRARY_MACHINE_X86_64, LIBRARY_MACHINE_AARCH64 };

struct library;

struct symbol {
	uint64_t value;       /* address as linked; add the load bias for one in a process */
	uint64_t file_offset; /* what a uprobe takes; LIBRARY_NO_OFFSET: zero-initialised data, not in the file */
	uint64_t size;        /* bytes, 0: not said */
	bool is_function;     /* an indirect function (resolver) is none: a probe there would not see calls */
};

/*
 * Opens a library or program. The path may be a magic link (/proc/PID/exe, /proc/PID/map_files/...). Returns 0 and
 * a library that library_close() frees; -EINVAL not a regular file, -EFBIG above LIBRARY_MAX_BYTES, -ENOEXEC not
 * ELF, -ENOTSUP ELF of another class, byte order or machine, -EBADMSG damaged, or open(2)'s errno.
 */
int library_open(const char *path, struct library **out);
/* The same for a descriptor, which stays the caller's. */
int library_open_fd(int fd, struct library **out);
/* NULL is allowed. */
void library_close(struct library *library);
void library_cleanup(struct library **library);
#define autolibrary __attribute__((cleanup(library_cleanup)))

enum library_machine library_machine(const struct library *library);

/*
 * Lets library_symbol() look into a debug file as well, whose descriptor stays the caller's. Returns 0, -ESTALE when
 * it is that of another build, -ENOENT when the library has no build-id, or as library_open().
 */
int library_add_debug_file(struct library *library, int fd);
/*
 * Looks a defined symbol up, in .dynsym first, then in .symtab, then in that of the debug file. Returns 0, -ENOENT,
 * or -EBADMSG (also when it lies outside of all segments); *out is untouched on failure.
 */
int library_symbol(const struct library *library, const char *name, struct symbol *out);
/* Whether other modules can see the symbol: .dynsym only. */
bool library_exports(const struct library *library, const char *name);

/*
 * Copies bytes bytes that are loaded at the linked address. Returns 0, -EFAULT where the file has no such bytes (the
 * buffer's contents are then undefined), or a negative errno.
 */
int library_read(const struct library *library, uint64_t address, void *buffer, size_t bytes);

/*
 * What to add to a symbol's value in a process that maps file offset map_offset at map_start. Returns 0 and sets
 * *bias, or -ENOENT when no segment begins in that mapping.
 */
int library_load_bias(const struct library *library, uint64_t map_start, uint64_t map_offset, uint64_t *bias);

/* A section of loaded data, as linked. */
struct library_section {
	uint64_t address, bytes;
};

/* Looks a section of loaded, initialised data up by name (".rodata"). Returns 0, -ENOENT or -EBADMSG. */
int library_section(const struct library *library, const char *name, struct library_section *out);

/*
 * Copies the contents of a section of loaded, initialised data. Unlike library_section() and library_read() it works
 * on a debug file too, where it finds only notes. Returns 0 and sets *out to its bytes, -ENOENT, or -EBADMSG, also
 * when it is larger than the buffer.
 */
int library_section_contents(const struct library *library, const char *name, void *buffer, size_t bytes,
			     size_t *out);

/* The GNU build-id in lower-case hex. Returns 0, -ENOENT, or -EBADMSG. */
int library_build_id(const struct library *library, char hex[LIBRARY_BUILD_ID_HEX]);

/*
 * The version text of the TLS library, as in "OpenSSL 3.0.19 27 Jan 2026"; found in .rodata of libcrypto, of libssl
 * before 3.0, or of a program that has the library linked in. Do not ask a program that maps libcrypto: its text
 * is the version it was built with. Returns 0, -ENOENT, or a negative errno.
 */
int library_openssl_version(const struct library *library, char *out, size_t bytes);
/*
 * The number OpenSSL_version_num() returns, decoded from its instructions without running it: 0x30000130 is 3.0.19,
 * 0x1010117f is 1.1.1w. Returns 0, -ENOENT, or -ENOTSUP when the instructions are not understood.
 */
int library_version_number(const struct library *library, uint32_t *out);

#endif
