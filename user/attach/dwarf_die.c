/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of debug information, their names, types and members; see the header for what is guarded against. */
#include "attach/dwarf_die.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STEPS_MAX      20000000u /* entries looked at; all of libcrypto's top-level ones are 2 million */
#define CPU_MAX_NS     10000000000ull
#define GROWTH_MAX     (512ull << 20) /* bytes of this process that the walk may add */
#define ALIASES_MAX    16             /* typedef of const of ... */
#define NESTING_MAX    4              /* structures without a name in structures */
#define CHECK_INTERVAL 8192           /* steps between looks at the clock */

static uint64_t cpu_ns(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Bytes of this process that are in memory. */
static uint64_t resident_bytes(void)
{
	autofclose FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long long size, resident;

	if (!statm ||
	    fscanf(statm, "%llu %llu", &size, &resident) != 2) /* NOLINT(cert-err34-c): the kernel's digits */
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void dwarf_reader_start(struct dwarf_reader *reader, const struct dwarf_view *view)
{
	*reader = (struct dwarf_reader){
		.view = view,
		.cpu_end_ns = cpu_ns() + CPU_MAX_NS,
		.bytes_end = resident_bytes() + GROWTH_MAX,
	};
}

bool dwarf_reader_goes_on(struct dwarf_reader *reader)
{
	if (!reader->error && cpu_ns() > reader->cpu_end_ns)
		reader->error = -ETIME;
	if (!reader->error && resident_bytes() > reader->bytes_end)
		reader->error = -E2BIG;
	return !reader->error;
}

/* Counts one entry. Returns false when the walk is over. */
static bool step(struct dwarf_reader *reader)
{
	if (reader->error)
		return false;
	if (++reader->steps > STEPS_MAX)
		reader->error = -E2BIG;
	else if (reader->steps % CHECK_INTERVAL == 0)
		dwarf_reader_goes_on(reader);
	return !reader->error;
}

bool die_first_child(struct dwarf_reader *reader, Dwarf_Die *parent, Dwarf_Die *child)
{
	int result = step(reader) ? dwarf_child(parent, child) : 1;

	if (result < 0)
		reader->error = -EBADMSG;
	return result == 0;
}

bool die_next_sibling(struct dwarf_reader *reader, Dwarf_Die *die)
{
	int result = step(reader) ? dwarf_siblingof(die, die) : 1;

	if (result < 0)
		reader->error = -EBADMSG;
	return result == 0;
}

static struct dwarf_text text_at(const struct dwarf_reader *reader, const char *string)
{
	for (size_t i = 0; i < reader->view->text_count; i++) {
		const struct dwarf_text *text = &reader->view->texts[i];

		if (string >= text->start && string < text->start + text->bytes)
			return (struct dwarf_text){ string, (size_t)(text->start + text->bytes - string) };
	}
	return (struct dwarf_text){ 0 };
}

struct dwarf_text die_name(const struct dwarf_reader *reader, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *string = dwarf_attr(die, DW_AT_name, &attribute) ? dwarf_formstring(&attribute) : NULL;

	return string ? text_at(reader, string) : (struct dwarf_text){ 0 };
}

bool die_is_name(struct dwarf_text text, const char *name, size_t length)
{
	return text.bytes > length && !text.start[length] && !memcmp(text.start, name, length);
}

bool die_constant(Dwarf_Die *die, unsigned int name, uint64_t *out)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute))
		return false;
	switch (dwarf_whatform(&attribute)) {
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
	case DW_FORM_data8:
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
		break;
	default:
		return false;
	}
	if (dwarf_formudata(&attribute, &value))
		return false;
	*out = value;
	return true;
}

bool die_type(struct dwarf_reader *reader, Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Die at = *die;

	for (int i = 0; i < ALIASES_MAX && step(reader); i++) {
		Dwarf_Attribute attribute;
		Dwarf_Die target;

		if (!dwarf_attr(&at, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &target))
			return false;
		at = target;
		switch (dwarf_tag(&at)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			continue;
		default:
			*out = at;
			return true;
		}
	}
	return false;
}

static bool is_composite(Dwarf_Die *type)
{
	int tag = dwarf_tag(type);

	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

/* Where a member is in its structure. Bit fields are nowhere: an offset of bytes does not say enough. */
static bool member_offset(Dwarf_Die *member, uint64_t *offset)
{
	Dwarf_Attribute attribute;

	if (dwarf_attr(member, DW_AT_bit_size, &attribute))
		return false;
	/* A member of a union, and a first one of some compilers, has none. */
	*offset = 0;
	if (!dwarf_attr(member, DW_AT_data_member_location, &attribute))
		return true;
	return die_constant(member, DW_AT_data_member_location, offset) && *offset < LAYOUT_NONE;
}

static bool find_member(struct dwarf_reader *reader, Dwarf_Die *type, struct dwarf_text name, int nesting,
			Dwarf_Die *out, uint64_t *offset)
{
	Dwarf_Die member, inner;

	if (nesting > NESTING_MAX || !is_composite(type) || !die_first_child(reader, type, &member))
		return false;
	do {
		struct dwarf_text own;
		uint64_t at;

		if (dwarf_tag(&member) != DW_TAG_member)
			continue;
		own = die_name(reader, &member);
		if (own.bytes && !die_is_name(own, name.start, name.bytes))
			continue;
		if (!member_offset(&member, &at))
			continue;
		*offset += at;
		if (own.bytes) {
			*out = member;
			return true;
		}
		if (die_type(reader, &member, &inner) && find_member(reader, &inner, name, nesting + 1, out, offset))
			return true;
		*offset -= at;
	} while (die_next_sibling(reader, &member));
	return false;
}

bool die_member(struct dwarf_reader *reader, Dwarf_Die *type, struct dwarf_text name, Dwarf_Die *out,
		uint64_t *offset)
{
	return find_member(reader, type, name, 0, out, offset);
}

static bool is_integer(Dwarf_Die *type, uint64_t *bytes)
{
	uint64_t encoding;

	if (!die_constant(type, DW_AT_byte_size, bytes))
		return false;
	if (dwarf_tag(type) == DW_TAG_enumeration_type)
		return true;
	return dwarf_tag(type) == DW_TAG_base_type && die_constant(type, DW_AT_encoding, &encoding) &&
	       (encoding == DW_ATE_signed || encoding == DW_ATE_unsigned);
}

static bool is_character(Dwarf_Die *type)
{
	uint64_t encoding, bytes;

	return dwarf_tag(type) == DW_TAG_base_type && die_constant(type, DW_AT_byte_size, &bytes) && bytes == 1 &&
	       die_constant(type, DW_AT_encoding, &encoding) &&
	       (encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char);
}

static bool is_two_bytes(struct dwarf_reader *reader, Dwarf_Die *type)
{
	Dwarf_Die element, range;
	uint64_t bytes, value;

	if (dwarf_tag(type) != DW_TAG_array_type || !die_type(reader, type, &element) ||
	    !die_constant(&element, DW_AT_byte_size, &bytes) || bytes != 1 || !die_first_child(reader, type, &range))
		return false;
	if (die_constant(&range, DW_AT_count, &value))
		return value == 2;
	return die_constant(&range, DW_AT_upper_bound, &value) && value == 1;
}

bool die_is_kind(struct dwarf_reader *reader, Dwarf_Die *type, enum dwarf_kind kind)
{
	uint64_t bytes;

	switch (kind) {
	case DWARF_KIND_POINTER:
		return dwarf_tag(type) == DW_TAG_pointer_type;
	case DWARF_KIND_BYTES2:
		return is_two_bytes(reader, type);
	case DWARF_KIND_CHAR:
		return is_character(type);
	case DWARF_KIND_SHORT:
		return is_integer(type, &bytes) && bytes == 2;
	case DWARF_KIND_INT:
		return is_integer(type, &bytes) && bytes == 4;
	case DWARF_KIND_WORD:
		return is_integer(type, &bytes) && bytes == 8;
	case DWARF_KIND_FLAGS:
		return is_integer(type, &bytes) && (bytes == 4 || bytes == 8);
	}
	return false;
}
