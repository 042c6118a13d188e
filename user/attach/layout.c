/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settles each field among its sources. A distribution may ship a patched library under an upstream version, so a row
 * of the table is handed out only when the machine code of the library's public functions agrees with it.
 *
 * Invariant: a wrong offset is never handed out when one function contradicts its row; a field that nobody vouches
 * for is LAYOUT_NONE.
 * Must not know: processes, the kernel side, how fields are decoded, which releases there are.
 */
#include "attach/layout.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "attach/layout_private.h"

/* Of 26 that Debian's libraries give. Upstream's own builds give as many; other compilers may hide some. */
#define WITNESSES_NEEDED 16

/* Where in struct layout each field is, by its number. */
static const struct {
	const char *name;
	size_t place;
} fields[LAYOUT_FIELD_COUNT] = {
#define X(field, meaning) [LAYOUT_FIELD_##field] = { .name = #field, .place = offsetof(struct layout, field) },
	LAYOUT_FIELDS(X)
#undef X
};

/*
 * What the kernel side cannot do without: whose handshake it is, when it is over and whether it only waits, and its
 * descriptor. Everything else makes a record poorer, not wrong.
 */
static const enum layout_field essential[] = {
	LAYOUT_FIELD_server,  LAYOUT_FIELD_rbio,      LAYOUT_FIELD_rwstate, LAYOUT_FIELD_hand_state,
	LAYOUT_FIELD_in_init, LAYOUT_FIELD_bio_flags, LAYOUT_FIELD_bio_num,
};

const char *layout_field_name(enum layout_field field)
{
	return (unsigned int)field < LAYOUT_FIELD_COUNT ? fields[field].name : "unknown";
}

const char *layout_source_name(enum layout_source source)
{
	switch (source) {
	case LAYOUT_SOURCE_TABLE:
		return "table";
	case LAYOUT_SOURCE_ACCESSORS:
		return "accessors";
	case LAYOUT_SOURCE_DWARF:
		return "dwarf";
	case LAYOUT_SOURCE_NONE:
		break;
	}
	return "none";
}

uint16_t layout_get(const struct layout *layout, enum layout_field field)
{
	uint16_t value;

	memcpy(&value, (const char *)layout + fields[field].place, sizeof(value));
	return value;
}

void layout_set(struct layout *layout, enum layout_field field, uint16_t value)
{
	memcpy((char *)layout + fields[field].place, &value, sizeof(value));
}

/* The value that is handed out for a field, and the name of who gave it. */
static uint16_t settle_field(const struct layout_report *report, enum layout_field field, const char **source)
{
	const struct layout_witness *witness = &report->fields[field];

	if (witness->dwarf != LAYOUT_NONE) {
		*source = "dwarf";
		return witness->dwarf;
	}
	if (report->row_accepted && witness->table != LAYOUT_NONE) {
		*source = witness->accessors == witness->table ? "table and accessors" : "table";
		return witness->table;
	}
	*source = witness->accessors == LAYOUT_NONE ? "unknown" : "accessors";
	return witness->accessors;
}

const char *layout_field_source(const struct layout_report *report, enum layout_field field)
{
	const char *source = "unknown";

	if ((unsigned int)field < LAYOUT_FIELD_COUNT && report->source != LAYOUT_SOURCE_NONE)
		settle_field(report, field, &source);
	return source;
}

static int has_too_little(struct layout_report *report, const char *missing)
{
	size_t length = strlen(report->reason);

	snprintf(report->reason + length, sizeof(report->reason) - length,
		 "%sfield '%s' could not be decoded in its machine code", length ? "; " : "", missing);
	return -ENOTSUP;
}

/* Makes the row of what is in the report. */
static int settle(struct layout_report *report, struct layout *out)
{
	enum layout_source best = report->row_accepted ? LAYOUT_SOURCE_TABLE : LAYOUT_SOURCE_ACCESSORS;
	struct layout settled = { 0 };
	const char *source;

	report->source = LAYOUT_SOURCE_NONE;
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++) {
		layout_set(&settled, (enum layout_field)i, settle_field(report, (enum layout_field)i, &source));
		if (report->fields[i].dwarf != LAYOUT_NONE)
			best = LAYOUT_SOURCE_DWARF;
	}
	layout_number(report, settled.version, &settled);
	*out = settled;
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		layout_set(out, (enum layout_field)i, LAYOUT_NONE);
	if (!layout_is_openssl(report))
		return -ENOTSUP;
	for (size_t i = 0; i < sizeof(essential) / sizeof(essential[0]); i++) {
		if (layout_get(&settled, essential[i]) == LAYOUT_NONE)
			return has_too_little(report, layout_field_name(essential[i]));
	}
	report->source = best;
	*out = settled;
	return 0;
}

/* Sets a place in the table against one in the machine code; the first disagreement becomes the reason. */
static void compare(const char *name, uint16_t table, uint16_t decoded, struct layout_report *report)
{
	if (decoded == LAYOUT_NONE && table == LAYOUT_NONE)
		return;
	if (decoded == table) {
		report->agreeing++;
	} else if (decoded == LAYOUT_NONE) {
		report->silent++;
	} else if (!report->disagreeing++) {
		char expected[16] = "nowhere";

		if (table != LAYOUT_NONE)
			snprintf(expected, sizeof(expected), "at %u", table);
		snprintf(report->reason, sizeof(report->reason),
			 "field '%s' is at %u by the library's machine code and %s in the table", name, decoded,
			 expected);
	}
}

static void compare_row(const struct layout_row *row, const struct layout_decoded *decoded,
			struct layout_report *report)
{
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++) {
		enum layout_field field = (enum layout_field)i;

		report->fields[i].table = layout_get(&row->layout, field);
		if (layout_has_witness(field))
			compare(fields[i].name, report->fields[i].table, decoded->fields[i], report);
	}
	compare("read_ahead", row->anchor_read_ahead, decoded->read_ahead, report);
}

/*
 * Whether a row without a disagreement is to be believed. Of a release that was not compiled, only when all functions
 * agree: among the compiled ones no field ever moved within a series without one of theirs (tests/layouts/generate
 * makes sure of that).
 */
static bool row_holds(struct layout_report *report)
{
	if (report->disagreeing)
		return false;
	if (report->agreeing >= WITNESSES_NEEDED && (report->row_compiled || !report->silent))
		return true;
	snprintf(report->reason, sizeof(report->reason),
		 "only %u of %u fields of '%s' could be checked in its machine code, %u are needed", report->agreeing,
		 report->agreeing + report->silent, report->version,
		 report->row_compiled ? WITNESSES_NEEDED : report->agreeing + report->silent);
	return false;
}

static void consult_table(const struct layout_decoded *decoded, struct layout_report *report)
{
	const struct layout_range *range = NULL;

	if (layout_is_release(report))
		range = layout_range_find(report->version_number, &report->row_compiled);
	if (!range) {
		snprintf(report->reason, sizeof(report->reason), "no layout is known for TLS library '%s'",
			 report->version[0] ? report->version : "of unknown version");
		return;
	}
	report->row = range->name;
	compare_row(&layout_rows[range->row], decoded, report);
	report->row_accepted = row_holds(report);
}

int layout_for(const struct library *libssl, const struct library *libcrypto, struct layout *out,
	       struct layout_report *report)
{
	struct layout_decoded decoded;

	memset(report, 0, sizeof(*report));
	layout_identify(libssl, libcrypto, report);
	layout_decode(libssl, libcrypto, report->version_number, &decoded);
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		report->fields[i] = (struct layout_witness){ .table = LAYOUT_NONE,
							     .accessors = decoded.fields[i],
							     .dwarf = LAYOUT_NONE };
	consult_table(&decoded, report);
	return settle(report, out);
}

int layout_add_dwarf(struct layout_report *report, const uint16_t values[LAYOUT_FIELD_COUNT], struct layout *out)
{
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++) {
		struct layout_witness *witness = &report->fields[i];

		witness->dwarf = values[i];
		if (!report->row_accepted || values[i] == LAYOUT_NONE || values[i] == witness->table)
			continue;
		report->row_accepted = false;
		snprintf(report->reason, sizeof(report->reason), "field '%s' is at %u by DWARF and not in the table",
			 fields[i].name, values[i]);
	}
	return settle(report, out);
}
