/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of dwarf.h: paths say what is wanted, find says in which file, file opens it, walk reads it.
 * Must not know: processes, the kernel side.
 */
#ifndef TLSWHY_ATTACH_DWARF_PRIVATE_H
#define TLSWHY_ATTACH_DWARF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/dwarf.h"

#define DWARF_ID_BYTES 64 /* longest build-id that is understood */

/* What is asked of a file. */
enum dwarf_part { DWARF_PART_SSL = 1, DWARF_PART_BIO = 2 };

/* What a file answers. */
struct dwarf_types {
	uint16_t values[LAYOUT_FIELD_COUNT];
	uint8_t states[DWARF_STATE_COUNT];
};

/* Nothing known. */
void dwarf_types_clear(struct dwarf_types *types);

/* --- dwarf_paths.c: the fields, by their names in OpenSSL's sources --- */

/* The structures that fields are in. */
enum dwarf_owner {
	DWARF_OWNER_SSL,
	DWARF_OWNER_SSL3,
	DWARF_OWNER_RECORD_LAYER,
	DWARF_OWNER_SESSION,
	DWARF_OWNER_CIPHER,
	DWARF_OWNER_SIGALG,
	DWARF_OWNER_BIO,
	DWARF_OWNER_COUNT
};

/*
 * A structure by its tag. Several have a name in common (QUIC's record layer), or a former name (ssl_st): it is the
 * wanted one when it has the key field.
 */
struct dwarf_structure {
	const char *tag;
	enum dwarf_owner owner;
	enum dwarf_part part;
	enum layout_field key;
};

/* What the kernel side reads there: a field of another kind is not the field that is meant. */
enum dwarf_kind {
	DWARF_KIND_CHAR,   /* 1 byte */
	DWARF_KIND_SHORT,  /* 2 bytes, an integer */
	DWARF_KIND_INT,    /* 4 bytes, an integer or an enumeration */
	DWARF_KIND_WORD,   /* 8 bytes, an integer */
	DWARF_KIND_FLAGS,  /* 4 or 8 bytes, an integer */
	DWARF_KIND_BYTES2, /* an array of two bytes */
	DWARF_KIND_POINTER,
};

/* One way to a field. Fields with several have the first that leads to one. */
struct dwarf_path {
	enum layout_field field;
	enum dwarf_owner owner;
	enum dwarf_kind kind;
	const char *members; /* "statem.hand_state" */
};

extern const struct dwarf_structure dwarf_structures[];
extern const size_t dwarf_structure_count;
extern const struct dwarf_path dwarf_paths[];
extern const size_t dwarf_path_count;
/* Name of the enumerator of a state. */
extern const char *const dwarf_state_names[DWARF_STATE_COUNT];

/* --- dwarf_file.c: one ELF file --- */

struct dwarf_id {
	unsigned char bytes[DWARF_ID_BYTES];
	size_t count; /* 0: none */
};

static inline bool dwarf_id_equal(const struct dwarf_id *a, const struct dwarf_id *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->bytes[i] != b->bytes[i])
			return false;
	}
	return true;
}

struct dwarf_file;

/*
 * Opens a file through a descriptor that stays the caller's and must stay open. Returns 0, -EINVAL not a regular
 * file, -EFBIG, -ENOEXEC not ELF, -ENOTSUP of a kind that is not traced, -EBADMSG damaged.
 */
int dwarf_file_open(int fd, struct dwarf_file **out);
/* NULL is allowed. */
void dwarf_file_close(struct dwarf_file *file);
void dwarf_file_cleanup(struct dwarf_file **file);
#define autodwarf __attribute__((cleanup(dwarf_file_cleanup)))

const struct dwarf_id *dwarf_file_id(const struct dwarf_file *file);
/* Whether it has .debug_info of its own. */
bool dwarf_file_has_types(const struct dwarf_file *file);
/* The name in .gnu_debuglink and the CRC-32 of the file it means; NULL: none. Lives as long as the file. */
const char *dwarf_file_link(const struct dwarf_file *file, uint32_t *crc);
/*
 * Reads the debug sections into memory. Then: returns 0 and, where the file needs a second one that it shares types
 * with (dwz), its name and build-id; without one, *name is NULL. Negative: -EBADMSG, -E2BIG too much of it.
 */
int dwarf_file_load(struct dwarf_file *file, const char **name, struct dwarf_id *id);
/* Both loaded; after the second is closed nothing may be asked of the first. */
void dwarf_file_share(struct dwarf_file *file, struct dwarf_file *shared);

/* --- dwarf_walk.c: the debug information of an opened file --- */

struct Dwarf;

/* Where strings may be: libdw does not promise that they end before their section does. */
struct dwarf_text {
	const char *start;
	size_t bytes;
};

#define DWARF_TEXTS_MAX 8

struct dwarf_view {
	struct Dwarf *dwarf[2]; /* of the file, and of the one it shares types with or NULL */
	struct dwarf_text texts[DWARF_TEXTS_MAX];
	size_t text_count;
};

/* Of a loaded file, and of the one it shares types with or NULL. */
void dwarf_file_view(const struct dwarf_file *file, const struct dwarf_file *shared, struct dwarf_view *out);
/* Returns 0, also when only some of it is there; -ENODATA nothing that is asked for, -EBADMSG, -E2BIG, -ETIME. */
int dwarf_walk(const struct dwarf_view *view, unsigned int parts, struct dwarf_types *out);

/* --- dwarf_find.c: which file has it --- */

/* Returns 0 with *types and *origin, or a negative errno as dwarf_layout() gives it. */
int dwarf_find(const struct dwarf_source *source, struct dwarf_file *library, unsigned int parts,
	       struct dwarf_types *types, enum dwarf_origin *origin);

/* --- dwarf_fetch.c: debuginfod --- */

/* Returns a descriptor of the debug file of a build-id, -ENOENT (also where no server is configured), -ENOSYS. */
int dwarf_fetch(const struct dwarf_id *id);

#endif
