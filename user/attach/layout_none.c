/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of a library of which nothing is known. */
#include <stddef.h>
#include <string.h>

#include "attach/layout.h"

void layout_none(struct layout *out)
{
	memset(out, 0, sizeof(*out));
	memset(out, 0xff, offsetof(struct layout, error_lib_shift)); /* LAYOUT_NONE in every field */
	out->object_is_connection = 1;
	out->bio_num = NGX_CONNECTION_FD; /* the descriptor is in the object itself */
}
