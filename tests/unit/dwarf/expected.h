/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a fixture says of itself, for the test to read from its file: offsets by the compiler that wrote the debug
 * information too. A library of fixtures has structures with the tags and members of OpenSSL's, at other places.
 */
#ifndef TLSWHY_TESTS_DWARF_EXPECTED_H
#define TLSWHY_TESTS_DWARF_EXPECTED_H

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "attach/layout.h"

/* Behind the fields come the four states. */
extern const uint16_t dwarf_expected[LAYOUT_FIELD_COUNT + 4];

#define FIELD(name, type, member) [LAYOUT_FIELD_##name] = offsetof(type, member)
#define UNKNOWN(name)             [LAYOUT_FIELD_##name] = LAYOUT_NONE
#define STATES(a, b, c, d)                                                         \
	[LAYOUT_FIELD_COUNT] = (a), [LAYOUT_FIELD_COUNT + 1] = (b),                \
	[LAYOUT_FIELD_COUNT + 2] = (c), [LAYOUT_FIELD_COUNT + 3] = (d)

#endif
