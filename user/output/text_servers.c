/* SPDX-License-Identifier: BSD-2-Clause */
/* The server names in the text report. Names are foreign bytes. */
#include <inttypes.h>

#include "handshake/names.h"
#include "output/text_parts.h"

#define NAME_COLUMNS   60
#define NAMES_SHOWN    5
#define VERSIONS_SHOWN 3

static void add_versions(struct paragraph *paragraph, const struct code_counts *codes)
{
	char text[NAME_BYTES];
	size_t shown = 0;

	for (size_t i = 0; i < codes->count && shown < VERSIONS_SHOWN; i++)
		if (codes->items[i].kind == CODE_VERSION)
			paragraph_add(paragraph, "%s%s %" PRIu64, shown++ ? ", " : "; ",
				      version_name(codes->items[i].code, text), codes->items[i].count);
}

static void write_server(const struct page *page, const struct server_row *row)
{
	struct paragraph paragraph = { 0 };
	char text[FIGURE_BYTES];

	paragraph_add(&paragraph, "%s ", direction_name(row->direction));
	if (row->is_rest)
		paragraph_add(&paragraph, "(all other names)");
	else if (row->name_bytes)
		paragraph_add_foreign(&paragraph, row->name, row->name_bytes, NAME_COLUMNS);
	else
		paragraph_add(&paragraph, "(no name sent)");
	paragraph_add(&paragraph, ": %" PRIu64 " ok, %" PRIu64 " failed", row->ok, row->failed);
	if (row->ok)
		paragraph_add(&paragraph, ", %s resumed", percent_text((double)row->resumed / (double)row->ok, text));
	add_versions(&paragraph, &row->codes);
	paragraph_write(&paragraph, page, 2, 2);
}

void write_servers(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	size_t shown = 0;

	if (!snapshot->server_count)
		return;
	write_heading(page, style, "Server names, most");
	for (size_t i = 0; i < snapshot->server_count && shown < NAMES_SHOWN; i++, shown++)
		write_server(page, &snapshot->servers[i]);
}
