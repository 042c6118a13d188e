/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of layout.h share. */
#ifndef TLSWHY_ATTACH_LAYOUT_PRIVATE_H
#define TLSWHY_ATTACH_LAYOUT_PRIVATE_H

#include "attach/layout.h"
#include "attach/layout_table.h"

uint16_t layout_get(const struct layout *layout, enum layout_field field);
void layout_set(struct layout *layout, enum layout_field field, uint16_t value);

/* Where public functions of the library say that fields are. Nothing of a row is used. */
struct layout_decoded {
	uint16_t fields[LAYOUT_FIELD_COUNT]; /* LAYOUT_NONE: not decoded */
	uint16_t read_ahead;                 /* the anchor */
};
void layout_decode(const struct library *libssl, const struct library *libcrypto, uint32_t version,
		   struct layout_decoded *out);
/* Whether there is a function to decode the field by, in a release that has it. */
bool layout_has_witness(enum layout_field field);

/* Sets version and version_number. */
void layout_identify(const struct library *libssl, const struct library *libcrypto, struct layout_report *report);
/* Whether the library is a plain release of OpenSSL: a fork, a pre-release or another project is not. */
bool layout_is_release(const struct layout_report *report);
/* Whether fields and states mean what they do in OpenSSL; else only the error numbers are known. */
bool layout_is_openssl(const struct layout_report *report);
/* Sets the members of *out that are no offsets, as far as version and decoded fields tell; unknown ones to 0. */
void layout_number(const struct layout_report *report, uint16_t version_offset, struct layout *out);

#endif
