/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sites of probes, as text and as JSON. Contract: check_sites.h.
 *
 * Must not know: how a site is chosen.
 */
#include "command/check_sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

static bool is_told(const struct check_sites *sites, const struct examined_site *site)
{
	for (size_t i = 0; i < sites->count; i++)
		if (sites->items[i].site.probe == site->site.probe && file_id_equal(sites->items[i].file, site->file))
			return true;
	return false;
}

int check_sites_add(struct check_sites *sites, const struct watch_target *target)
{
	struct examined_site *items =
		reallocarray(sites->items, sites->count + target->site_count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	sites->items = items;
	for (size_t i = 0; i < target->site_count; i++) {
		if (is_told(sites, &target->sites[i]))
			continue;
		items[sites->count] = target->sites[i];
		items[sites->count].site.path = NULL; /* which is the target's */
		sites->count++;
	}
	return 0;
}

void check_sites_release(struct check_sites *sites)
{
	free(sites->items);
	*sites = (struct check_sites){ 0 };
}

static const char *cost_name(enum site_cost cost)
{
	switch (cost) {
	case SITE_EMULATED:
		return "emulated";
	case SITE_STEPPED:
		return "single-stepped";
	}
	return "";
}

/* A part of a function, which the compiler has split off, is a place of its own. */
static const char *part_of(const struct probe_spec *spec)
{
	return spec->use >= PROBE_FOR_PART_0 ? " (a part of it)" : "";
}

static void print_site(const struct examined_site *site, FILE *stream)
{
	const struct probe_spec *spec = probe_spec(site->site.probe);

	fputs("     ", stream);
	escape_write(stream, ESCAPE_TERMINAL, site->display_path, strlen(site->display_path));
	fprintf(stream, " %s%s", spec->function, part_of(spec));
	if (site->where.offset)
		fprintf(stream, "+%u", site->where.offset);
	fprintf(stream, ", %s", spec->is_return ? "return" : "entry");
	if (site->where.instruction[0])
		fprintf(stream, ": '%s'", site->where.instruction);
	fprintf(stream, ", %s", cost_name(site->where.cost));
	if (site->where.reason)
		fprintf(stream, ": %s", site->where.reason);
	fputc('\n', stream);
}

void check_sites_print(const struct check_sites *sites, FILE *stream)
{
	if (sites->count)
		fputs("\nWhere the probes are placed:\n", stream);
	for (size_t i = 0; i < sites->count; i++)
		print_site(&sites->items[i], stream);
}

static json_t *site_json(const struct examined_site *site)
{
	const struct probe_spec *spec = probe_spec(site->site.probe);
	char file[sizeof(site->display_path) * ESCAPE_GROWTH];

	escape(file, sizeof(file), ESCAPE_JSON, site->display_path, strlen(site->display_path), NULL);
	return json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:s, s:b, s:s?}", "file", file, "function", spec->function,
			 "part", spec->use >= PROBE_FOR_PART_0, "probe", spec->is_return ? "return" : "entry",
			 "offset", (json_int_t)site->where.offset, "file_offset", (json_int_t)site->site.file_offset,
			 "instruction", site->where.instruction, "emulated", site->where.cost == SITE_EMULATED,
			 "reason", site->where.reason);
}

json_t *check_sites_json(const struct check_sites *sites)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < sites->count && rows; i++) {
		if (json_array_append_new(rows, site_json(&sites->items[i]))) {
			json_decref(rows);
			rows = NULL;
		}
	}
	return rows;
}
