/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which offsets to read in a process's TLS library: DWARF, a shipped table by version, believed only where the
 * library's own accessors say the same, and the accessors.
 */
#ifndef TLSWHY_ATTACH_LAYOUT_H
#define TLSWHY_ATTACH_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/config.h"
#include "attach/library.h"

enum layout_field {
#define X(name, meaning) LAYOUT_FIELD_##name,
	LAYOUT_FIELDS(X)
#undef X
		LAYOUT_FIELD_COUNT
};

/* Where a row came from; the names are those of the report's "layout". */
enum layout_source { LAYOUT_SOURCE_NONE, LAYOUT_SOURCE_TABLE, LAYOUT_SOURCE_ACCESSORS, LAYOUT_SOURCE_DWARF };

/* What vouches for a field. LAYOUT_NONE: this source does not know it. */
struct layout_witness {
	uint16_t table; /* also where the table's row was refused */
	uint16_t accessors;
	uint16_t dwarf;
};

struct layout_report {
	enum layout_source source;           /* of the row that was handed out */
	char version[LIBRARY_VERSION_BYTES]; /* as the library says it; "" unknown */
	uint32_t version_number;             /* as OpenSSL_version_num(); 0 unknown */
	const char *row;                     /* releases of the table's row, "3.0.0 to 3.0.22"; NULL: none fits */
	bool row_compiled;                   /* the version is among them; else it is of their series */
	bool row_accepted;                   /* the library's machine code, and DWARF where there is some, agree */
	struct layout_witness fields[LAYOUT_FIELD_COUNT];
	unsigned int agreeing;    /* fields on which table and machine code agree, those that nobody reads included */
	unsigned int disagreeing; /* fields on which they do not */
	unsigned int silent;      /* fields that have a function, which could not be decoded */
	char reason[200];         /* a sentence on why the table's row was not taken; "" where it was */
};

/* The field's name as in config.h. Static storage. */
const char *layout_field_name(enum layout_field field);
/* "table", "accessors", "dwarf", "none". Static storage. */
const char *layout_source_name(enum layout_source source);
/*
 * Which source gave a field of the row that was handed out: "dwarf", "table and accessors" where both agree, "table",
 * "accessors", or "unknown". Static storage.
 */
const char *layout_field_source(const struct layout_report *report, enum layout_field field);

/* The row of a library of which nothing is known: nginx's connections stand for its objects. */
void layout_none(struct layout *out);

/*
 * The layout of a loaded library. Where OpenSSL is linked into the program, both are the program. The table's row for
 * the version is taken when every field that can be decoded agrees with it; else decoded fields alone, if they are
 * enough to decide a handshake. *report and *out are always filled in. Returns 0; -ENOTSUP when not enough is known
 * of the objects (report->reason says why): every field of *out is LAYOUT_NONE then, and the error numbers' family is
 * what is left of it.
 */
int layout_for(const struct library *libssl, const struct library *libcrypto, struct layout *out,
	       struct layout_report *report);

/*
 * Adds what DWARF says (LAYOUT_NONE: nothing of that field) to a report of layout_for(), and settles anew. DWARF wins
 * over both other sources; a table row that it contradicts is not used for any field. Returns as layout_for().
 */
int layout_add_dwarf(struct layout_report *report, const uint16_t values[LAYOUT_FIELD_COUNT], struct layout *out);

#endif
