/* SPDX-License-Identifier: BSD-2-Clause */
/* What went well: how fast, where its time went, what was negotiated, and what it cost. */
#include <inttypes.h>
#include <string.h>

#include "diagnose/resumption.h"
#include "handshake/names.h"
#include "output/text_parts.h"

#define CODES_SHOWN 5

static const unsigned int order[] = { DIRECTION_CLIENT, DIRECTION_UPSTREAM, DIRECTION_UNKNOWN };
#define ORDERS (sizeof(order) / sizeof(order[0]))

static void add_quantiles(struct paragraph *paragraph, const struct histogram *latency)
{
	char p50[FIGURE_BYTES], p90[FIGURE_BYTES], p99[FIGURE_BYTES], max[FIGURE_BYTES];

	if (!latency->count)
		return;
	paragraph_add(paragraph, ", p50 %s, p90 %s, p99 %s, max %s%s",
		      duration_text(histogram_quantile_ns(latency, 0.5), p50),
		      duration_text(histogram_quantile_ns(latency, 0.9), p90),
		      duration_text(histogram_quantile_ns(latency, 0.99), p99), latency->max_is_bound ? "about " : "",
		      duration_text(latency->max_ns, max));
}

static void write_ok(const struct page *page, const struct snapshot *snapshot, unsigned int direction)
{
	const struct totals *totals = &snapshot->totals[direction];
	struct paragraph paragraph = { 0 };
	char text[FIGURE_BYTES];

	if (!totals->ok && !snapshot->ok[direction].count)
		return;
	paragraph_add(&paragraph, "%s: %" PRIu64 " ok", direction_name(direction), totals->ok);
	add_quantiles(&paragraph, &snapshot->ok[direction].latency);
	if (totals->ok)
		paragraph_add(&paragraph, ", %s resumed a session",
			      percent_text((double)totals->resumed / (double)totals->ok, text));
	paragraph_write(&paragraph, page, 2, 2);
}

static void write_versions(const struct page *page, const struct snapshot *snapshot, unsigned int direction)
{
	struct paragraph paragraph = { 0 };
	char text[NAME_BYTES];

	paragraph_add(&paragraph, "%s versions:", direction_name(direction));
	for (size_t i = 0, shown = 0; i < snapshot->version_count; i++) {
		const struct version_row *row = &snapshot->versions[i];

		if (row->direction == direction)
			paragraph_add(&paragraph, "%s%s %" PRIu64, shown++ ? ", " : " ",
				      version_name(row->version, text), row->count);
	}
	if (strchr(paragraph.text, ':')[1])
		paragraph_write(&paragraph, page, 2, 2);
}

static void write_ciphers(const struct page *page, const struct snapshot *snapshot, unsigned int direction)
{
	struct paragraph paragraph = { 0 };
	char text[NAME_BYTES];

	paragraph_add(&paragraph, "%s ciphers, most:", direction_name(direction));
	for (size_t i = 0, shown = 0; i < snapshot->cipher_count && shown < CODES_SHOWN; i++) {
		const struct cipher_row *row = &snapshot->ciphers[i];

		if (row->direction == direction)
			paragraph_add(&paragraph, "%s%s %" PRIu64, shown++ ? ", " : " ",
				      cipher_name(row->cipher, text), row->count);
	}
	if (strchr(paragraph.text, ':')[1])
		paragraph_write(&paragraph, page, 2, 2);
}

static void write_groups(const struct page *page, const struct snapshot *snapshot, unsigned int direction)
{
	struct paragraph paragraph = { 0 };
	char text[NAME_BYTES];

	paragraph_add(&paragraph, "%s groups, most:", direction_name(direction));
	for (size_t i = 0, shown = 0; i < snapshot->group_count && shown < CODES_SHOWN; i++) {
		const struct group_row *row = &snapshot->groups[i];

		if (row->direction == direction)
			paragraph_add(&paragraph, "%s%s %" PRIu64, shown++ ? ", " : " ",
				      row->group ? group_name(row->group, text) : "not known", row->count);
	}
	if (strchr(paragraph.text, ':')[1])
		paragraph_write(&paragraph, page, 2, 2);
}

static void write_time(const struct page *page, const struct snapshot *snapshot, unsigned int direction)
{
	struct paragraph paragraph = { 0 };

	if (!snapshot->ok[direction].parts.whole_us)
		return;
	paragraph_add(&paragraph, "%s time: ", direction_name(direction));
	add_parts(&paragraph, &snapshot->ok[direction].parts);
	paragraph_write(&paragraph, page, 2, 2);
}

/* "full TLSv1.3 with an RSA key: 210, 1.32 ms of CPU each" */
static void add_cost(struct paragraph *paragraph, const struct cost_row *row)
{
	static const char *const keys[] = {
		[AUTHENTICATION_UNKNOWN] = " (kind of key not known)",
		[AUTHENTICATION_NONE] = " without a signature",
		[AUTHENTICATION_RSA] = " with an RSA key",
		[AUTHENTICATION_ECDSA] = " with an ECDSA key",
		[AUTHENTICATION_EDDSA] = " with an EdDSA key",
		[AUTHENTICATION_OTHER] = " with another kind of key",
	};
	char version[NAME_BYTES], mean[FIGURE_BYTES];
	const char *key = row->resumed || row->authentication >= AUTHENTICATION_COUNT ? ""
										      : keys[row->authentication];

	_Static_assert(sizeof(keys) / sizeof(keys[0]) == AUTHENTICATION_COUNT, "words for each");
	paragraph_add(paragraph, "%s %s%s: %" PRIu64 ", %s of CPU each", row->resumed ? "resumed" : "full",
		      version_name(row->version, version), key, row->count,
		      duration_text(1000 * row->cpu_us / row->count, mean));
}

static void write_costs(const struct page *page, const struct snapshot *snapshot, unsigned int direction)
{
	struct paragraph paragraph = { 0 };
	size_t shown = 0;

	paragraph_add(&paragraph, "%s cost: ", direction_name(direction));
	for (size_t i = 0; i < snapshot->cost_count && shown < CODES_SHOWN; i++) {
		const struct cost_row *row = &snapshot->costs[i];

		if (row->direction != direction || !row->count)
			continue;
		paragraph_add(&paragraph, "%s", shown++ ? "; " : "");
		add_cost(&paragraph, row);
	}
	if (shown)
		paragraph_write(&paragraph, page, 2, 2);
}

static void write_resumption(const struct page *page, const struct snapshot *snapshot, unsigned int direction)
{
	double cpu_seconds = workers_cpu_seconds(snapshot);
	struct paragraph paragraph = { 0 };
	struct resumption row;
	char text[FIGURE_BYTES];

	resumption_of(snapshot, direction, &row);
	if (!row.full && !row.resumed)
		return;
	paragraph_add(&paragraph, "%s resumption: %" PRIu64 " full, %" PRIu64 " resumed", direction_name(direction),
		      row.full, row.resumed);
	if (row.saving_us) {
		paragraph_add(&paragraph, "; more of it would save up to %s of CPU",
			      duration_text(1000 * row.saving_us, text));
		if (cpu_seconds > 0 && (double)row.saving_us / 1e6 < cpu_seconds)
			paragraph_add(&paragraph, ", %s of what the workers used",
				      percent_text((double)row.saving_us / 1e6 / cpu_seconds, text));
	}
	paragraph_write(&paragraph, page, 2, 2);
}

void write_completed(const struct page *page, const struct style *style, const struct snapshot *snapshot)
{
	bool any = false;

	for (size_t i = 0; i < ORDERS; i++)
		any |= snapshot->totals[order[i]].ok || snapshot->ok[order[i]].count;
	if (!any)
		return;
	write_heading(page, style, "Completed handshakes");
	for (size_t i = 0; i < ORDERS; i++) {
		write_ok(page, snapshot, order[i]);
		write_time(page, snapshot, order[i]);
		write_versions(page, snapshot, order[i]);
		write_ciphers(page, snapshot, order[i]);
		write_groups(page, snapshot, order[i]);
		write_costs(page, snapshot, order[i]);
		write_resumption(page, snapshot, order[i]);
	}
}
