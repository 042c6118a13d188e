/* SPDX-License-Identifier: BSD-2-Clause */
/* What `check` says of a library's layout: which source vouches for which field. */
#ifndef TLSWHY_COMMAND_CHECK_FIELDS_H
#define TLSWHY_COMMAND_CHECK_FIELDS_H

#include <stddef.h>

#include "attach/layout.h"

/* "table and accessors: version rbio ...; table: ...; unknown: s3"; cut where it does not fit. */
void check_fields(const struct layout_report *report, char *text, size_t bytes);

#endif
