/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps through the entries (DIEs) of debug information that may be hostile. libdw keeps its reads within sections,
 * but neither its strings nor its run time: here every string is compared within its section, every step counts, and
 * CPU time and memory have caps. Functions of libdw that follow references on their own are not used, for some open
 * files that a skeleton unit names.
 * Must not know: what is looked for.
 */
#ifndef TLSWHY_ATTACH_DWARF_DIE_H
#define TLSWHY_ATTACH_DWARF_DIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "attach/dwarf_private.h"

/* What a walk has spent. error: why it is over; no step is taken after that. */
struct dwarf_reader {
	const struct dwarf_view *view;
	unsigned int steps;
	uint64_t cpu_end_ns, bytes_end;
	int error;
};

void dwarf_reader_start(struct dwarf_reader *reader, const struct dwarf_view *view);
/* Looks at the clock and at this process's memory. Returns false when the walk is over. */
bool dwarf_reader_goes_on(struct dwarf_reader *reader);

/* The first entry below, or the next one beside, in place. Return false at the end. */
bool die_first_child(struct dwarf_reader *reader, Dwarf_Die *parent, Dwarf_Die *child);
bool die_next_sibling(struct dwarf_reader *reader, Dwarf_Die *die);

/* The name and all that is behind it in its section; no bytes: it has none. */
struct dwarf_text die_name(const struct dwarf_reader *reader, Dwarf_Die *die);
/* Whether a text is a name of so many characters. */
bool die_is_name(struct dwarf_text text, const char *name, size_t length);
/* An attribute that is a number. */
bool die_constant(Dwarf_Die *die, unsigned int name, uint64_t *out);
/* The type behind typedefs and qualifiers. */
bool die_type(struct dwarf_reader *reader, Dwarf_Die *die, Dwarf_Die *out);
/*
 * The member of a name (its length is name.bytes), also one of a structure without a name within. Adds to *offset
 * what is in front of it.
 */
bool die_member(struct dwarf_reader *reader, Dwarf_Die *type, struct dwarf_text name, Dwarf_Die *out,
		uint64_t *offset);
bool die_is_kind(struct dwarf_reader *reader, Dwarf_Die *type, enum dwarf_kind kind);

#endif
