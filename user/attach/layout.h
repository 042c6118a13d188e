/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which offsets to read in a process's TLS library: a shipped table by version, believed only where the library's own
 * accessors say the same.
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
enum layout_source { LAYOUT_SOURCE_NONE, LAYOUT_SOURCE_TABLE, LAYOUT_SOURCE_ACCESSORS };

/* What vouches for a field. LAYOUT_NONE: this source does not know it. */
struct layout_witness {
	uint16_t table;
	uint16_t accessors;
};

struct layout_report {
	enum layout_source source;           /* of the row that was handed out */
	char version[LIBRARY_VERSION_BYTES]; /* as the library says it; "" unknown */
	uint32_t version_number;             /* as OpenSSL_version_num(); 0 unknown */
	struct layout_witness fields[LAYOUT_FIELD_COUNT];
	unsigned int agreeing;    /* fields on which both sources agree */
	unsigned int disagreeing; /* fields on which they do not */
	char reason[200];         /* a sentence on why there is no layout; "" where there is one */
};

/* The field's name as in config.h. Static storage. */
const char *layout_field_name(enum layout_field field);
/* "table", "accessors", "none". Static storage. */
const char *layout_source_name(enum layout_source source);

/* The row of a library of which nothing is known: nginx's connections stand for its objects. */
void layout_none(struct layout *out);

/*
 * The layout of a loaded library. Where OpenSSL is linked into the program, both are the program. *report is always
 * filled in. Returns 0 and sets *out; -ENOTSUP when the version is not in the table, the accessors disagree or too
 * few of them can be decoded (report->reason says which), *out untouched then.
 */
int layout_for(const struct library *libssl, const struct library *libcrypto, struct layout *out,
	       struct layout_report *report);

#endif
