/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds structures by their tag in debug information, DWARF 4 and 5, and members by their names. Unit by unit until
 * everything is found: most sources of libssl include all of its structures, so the first unit has nearly all.
 * Must not know: files, which fields there are.
 */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "attach/dwarf_die.h"

#define UNITS_MAX 200000u

struct walk {
	struct dwarf_reader reader;
	unsigned int parts;
	struct dwarf_types types;
	bool seen[DWARF_OWNER_COUNT], states_seen;
	unsigned int units;
};

/* Follows a path through structures within structures. */
static bool resolve(struct walk *walk, const Dwarf_Die *structure, const struct dwarf_path *path, uint16_t *value)
{
	Dwarf_Die type = *structure;
	const char *rest = path->members;
	uint64_t offset = 0;

	while (*rest) {
		struct dwarf_text name = { rest, strcspn(rest, ".") };
		Dwarf_Die member;

		if (!die_member(&walk->reader, &type, name, &member, &offset) ||
		    !die_type(&walk->reader, &member, &type))
			return false;
		rest += name.bytes;
		rest += *rest == '.';
	}
	if (offset >= LAYOUT_NONE || !die_is_kind(&walk->reader, &type, path->kind))
		return false;
	*value = (uint16_t)offset;
	return true;
}

static void take_structure(struct walk *walk, const Dwarf_Die *die, const struct dwarf_structure *structure)
{
	struct dwarf_types found = walk->types;

	for (size_t i = 0; i < dwarf_path_count; i++) {
		const struct dwarf_path *path = &dwarf_paths[i];

		if (path->owner == structure->owner && found.values[path->field] == LAYOUT_NONE)
			resolve(walk, die, path, &found.values[path->field]);
	}
	/* Something else of that name. */
	if (walk->reader.error || found.values[structure->key] == LAYOUT_NONE)
		return;
	walk->types = found;
	walk->seen[structure->owner] = true;
}

static void visit_structure(struct walk *walk, Dwarf_Die *die)
{
	struct dwarf_text name = die_name(&walk->reader, die);

	for (size_t i = 0; i < dwarf_structure_count && name.bytes; i++) {
		const struct dwarf_structure *structure = &dwarf_structures[i];

		if (!(structure->part & walk->parts) || walk->seen[structure->owner] ||
		    !die_is_name(name, structure->tag, strlen(structure->tag)))
			continue;
		/* A declaration has no members, and so no key field. */
		take_structure(walk, die, structure);
		return;
	}
}

static void take_enumerator(struct walk *walk, Dwarf_Die *die, uint8_t states[DWARF_STATE_COUNT])
{
	struct dwarf_text name = die_name(&walk->reader, die);
	uint64_t value;

	for (size_t i = 0; i < DWARF_STATE_COUNT && name.bytes; i++) {
		if (die_is_name(name, dwarf_state_names[i], strlen(dwarf_state_names[i])) &&
		    die_constant(die, DW_AT_const_value, &value) && value <= UINT8_MAX)
			states[i] = (uint8_t)value;
	}
}

/* The states have no tag: any enumeration may be theirs. All four must be in one. */
static void visit_enumeration(struct walk *walk, Dwarf_Die *die)
{
	uint8_t states[DWARF_STATE_COUNT] = { 0 };
	Dwarf_Die enumerator;

	if (walk->states_seen || !(walk->parts & DWARF_PART_SSL) || !die_first_child(&walk->reader, die, &enumerator))
		return;
	do
		take_enumerator(walk, &enumerator, states);
	while (die_next_sibling(&walk->reader, &enumerator));
	if (walk->reader.error || memchr(states, 0, sizeof(states)))
		return;
	memcpy(walk->types.states, states, sizeof(states));
	walk->states_seen = true;
}

static bool has_all(const struct walk *walk)
{
	const uint16_t *values = walk->types.values;
	const bool *seen = walk->seen;

	if ((walk->parts & DWARF_PART_BIO) && !seen[DWARF_OWNER_BIO])
		return false;
	if (!(walk->parts & DWARF_PART_SSL))
		return true;
	return seen[DWARF_OWNER_SSL] && seen[DWARF_OWNER_SESSION] && seen[DWARF_OWNER_CIPHER] &&
	       seen[DWARF_OWNER_SIGALG] && walk->states_seen &&
	       (values[LAYOUT_FIELD_s3] == LAYOUT_NONE || seen[DWARF_OWNER_SSL3]) &&
	       (values[LAYOUT_FIELD_record_layer] == LAYOUT_NONE || seen[DWARF_OWNER_RECORD_LAYER]);
}

static void walk_unit(struct walk *walk, Dwarf_Die *unit)
{
	Dwarf_Die die;

	if (!die_first_child(&walk->reader, unit, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_structure_type)
			visit_structure(walk, &die);
		else if (tag == DW_TAG_enumeration_type)
			visit_enumeration(walk, &die);
	} while (!has_all(walk) && die_next_sibling(&walk->reader, &die));
}

/* BoringSSL has structures of the same names, in C++. Units that debug files share have no language. */
static bool is_c(Dwarf_Die *unit)
{
	uint64_t language;

	if (!die_constant(unit, DW_AT_language, &language))
		return true;
	return language == DW_LANG_C || language == DW_LANG_C89 || language == DW_LANG_C99 ||
	       language == DW_LANG_C11 || language == DW_LANG_Mips_Assembler;
}

static void walk_units(struct walk *walk, Dwarf *dwarf)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit;
	uint8_t kind;
	int result = 0;

	while (!has_all(walk) && dwarf_reader_goes_on(&walk->reader)) {
		if (++walk->units > UNITS_MAX)
			walk->reader.error = -E2BIG;
		result = dwarf_get_units(dwarf, cu, &cu, NULL, &kind, &unit, NULL);
		if (result)
			break;
		/* Not skeletons: their types are in files of their own. */
		if ((kind == DW_UT_compile || kind == DW_UT_partial || kind == DW_UT_type) && is_c(&unit))
			walk_unit(walk, &unit);
	}
	if (result < 0 && !walk->reader.error)
		walk->reader.error = -EBADMSG;
}

int dwarf_walk(const struct dwarf_view *view, unsigned int parts, struct dwarf_types *out)
{
	struct walk walk = { .parts = parts };
	bool found = false;

	dwarf_reader_start(&walk.reader, view);
	dwarf_types_clear(&walk.types);
	for (size_t i = 0; i < sizeof(view->dwarf) / sizeof(view->dwarf[0]) && view->dwarf[i]; i++)
		walk_units(&walk, view->dwarf[i]);
	if (walk.reader.error)
		return walk.reader.error;
	for (int owner = 0; owner < DWARF_OWNER_COUNT; owner++)
		found = found || walk.seen[owner];
	if (!found)
		return -ENODATA;
	*out = walk.types;
	return 0;
}
