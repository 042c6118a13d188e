/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting for one cause, and for ok.
 *
 * Invariant: every number of a tally is a sum over what it was given, so merging is adding.
 * Must not know: how a cause is decided, the kernel's totals.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "handshake/hash.h"
#include "handshake/tally.h"

/* A number, its library's family and what kind of evidence it is, as the key of a list. */
#define ERROR_KEY_BYTES (sizeof(uint32_t) + 2 * sizeof(uint8_t))

void tally_sums_add(struct tally_sums *sums, const struct batch *batch)
{
	sums->count += batch->count;
	sums->cpu_us += batch->part_us[PART_CPU];
	if (batch->resumed)
		sums->resumed += batch->count;
	if (batch->joined)
		sums->joined += batch->count;
	parts_tally_add(&sums->parts, batch);
	if (batch->unmeasured)
		return;
	if (batch->spilled)
		histogram_add_bucket(&sums->latency, batch->bucket, batch->count, batch->latency_ns);
	else
		histogram_add(&sums->latency, batch->latency_ns);
}

void tally_sums_merge(struct tally_sums *into, const struct tally_sums *from)
{
	into->count += from->count;
	into->resumed += from->resumed;
	into->joined += from->joined;
	into->cpu_us += from->cpu_us;
	histogram_merge(&into->latency, &from->latency);
	parts_tally_merge(&into->parts, &from->parts);
}

void cause_tally_init(struct cause_tally *tally, const struct tally_limits *limits)
{
	*tally = (struct cause_tally){ 0 };
	toplist_init(&tally->peers, limits->tracked_peers, sizeof(((struct peer *)NULL)->bytes));
	toplist_init(&tally->names, limits->tracked_names, SNAPSHOT_NAME_BYTES);
	toplist_init(&tally->errors, limits->tracked_errors, ERROR_KEY_BYTES);
}

void cause_tally_release(struct cause_tally *tally)
{
	distinct_release(&tally->peers_seen);
	toplist_release(&tally->peers);
	toplist_release(&tally->names);
	toplist_release(&tally->errors);
}

static int errors_add(struct toplist *errors, enum evidence_kind kind, uint32_t code, uint8_t family, uint64_t count)
{
	/* No two keys have the same hash, so there are no collisions to be found. */
	uint64_t hash = hash_mix((uint64_t)kind << 40 | (uint64_t)family << 32 | code);
	uint8_t key[ERROR_KEY_BYTES];

	if (code == 0)
		return 0;
	memcpy(key, &code, sizeof(code));
	key[sizeof(code)] = family;
	key[sizeof(code) + 1] = (uint8_t)kind;
	return toplist_add(errors, key, sizeof(key), hash, count);
}

/* What the verdict rests on besides library errors. */
static int evidence_add(struct toplist *errors, const struct verdict *verdict, uint64_t count)
{
	bool refused = verdict->rejection == REJECTION_CLIENT_CERTIFICATE ||
		       verdict->rejection == REJECTION_UPSTREAM_VERIFY; /* else nobody looked at the result */
	bool alert = (verdict->flags & VERDICT_ALERT_RECEIVED) && verdict->error == 0;
	int err = 0;

	if (refused)
		err = errors_add(errors, EVIDENCE_VERIFY_RESULT, (uint32_t)verdict->verify_result, verdict->library,
				 count);
	if (alert && errors_add(errors, EVIDENCE_ALERT, verdict->alert_received, 0, count) < 0)
		err = -ENOMEM;
	if (errors_add(errors, EVIDENCE_PHASE, verdict->stage, 0, count) < 0)
		err = -ENOMEM;
	if (verdict->flags & VERDICT_QUIC && errors_add(errors, EVIDENCE_TRANSPORT, EVIDENCE_OVER_QUIC, 0, count) < 0)
		err = -ENOMEM;
	if (errors_add(errors, EVIDENCE_ERRNO, (uint32_t)verdict->error_errno, 0, count) < 0)
		err = -ENOMEM;
	return err;
}

int cause_tally_add(struct cause_tally *tally, const struct batch *batch)
{
	const struct verdict *verdict = batch->verdict;
	int err;

	tally_sums_add(&tally->sums, batch);
	if (batch->spilled)
		tally->without_identity += batch->count;
	if (verdict->waited == WAITED_WORKER)
		tally->waited_for_worker += batch->count;
	else if (verdict->waited == WAITED_PEER)
		tally->waited_for_peer += batch->count;
	err = errors_add(&tally->errors, EVIDENCE_LIBRARY_ERROR, verdict->error, verdict->library, batch->count);
	if (verdict->other_error != verdict->error &&
	    errors_add(&tally->errors, EVIDENCE_LIBRARY_ERROR, verdict->other_error, verdict->library, batch->count) <
		    0)
		err = -ENOMEM;
	if (evidence_add(&tally->errors, verdict, batch->count) < 0)
		err = -ENOMEM;
	return err;
}

static void seen_at(struct cause_tally *tally, uint64_t first_ns, uint64_t last_ns)
{
	if (first_ns > 0 && (tally->first_ns == 0 || first_ns < tally->first_ns))
		tally->first_ns = first_ns;
	if (last_ns > tally->last_ns)
		tally->last_ns = last_ns;
}

int cause_tally_add_identity(struct cause_tally *tally, uint64_t time_ns, const struct identity *identity)
{
	const struct peer *peer = &identity->peer;
	int err = 0;

	seen_at(tally, time_ns, time_ns);
	if (identity->has_peer && toplist_add(&tally->peers, peer->bytes, peer->count, identity->peer_hash, 1) < 0)
		err = -ENOMEM;
	if (identity->has_peer && distinct_add(&tally->peers_seen, identity->peer_hash) < 0)
		err = -ENOMEM;
	if (identity->name_bytes > 0 &&
	    toplist_add(&tally->names, identity->name, identity->name_bytes, identity->name_hash, 1) < 0)
		err = -ENOMEM;
	return err;
}

int cause_tally_merge(struct cause_tally *into, const struct cause_tally *from)
{
	int err = 0;

	tally_sums_merge(&into->sums, &from->sums);
	into->without_identity += from->without_identity;
	into->waited_for_worker += from->waited_for_worker;
	into->waited_for_peer += from->waited_for_peer;
	seen_at(into, from->first_ns, from->last_ns);
	if (distinct_merge(&into->peers_seen, &from->peers_seen) < 0)
		err = -ENOMEM;
	if (toplist_merge(&into->peers, &from->peers) < 0 || toplist_merge(&into->names, &from->names) < 0 ||
	    toplist_merge(&into->errors, &from->errors) < 0)
		err = -ENOMEM;
	return err;
}

static void name_items(struct named_counts *names, const struct toplist_item *items)
{
	for (size_t i = 0; i < names->count; i++) {
		memcpy(names->items[i].name, items[i].key, items[i].key_bytes);
		names->items[i].name_bytes = items[i].key_bytes;
		names->items[i].count = items[i].count;
		names->items[i].overcount = items[i].overcount;
	}
}

static int list_names(const struct toplist *list, size_t top, struct named_counts *names)
{
	size_t count = list->count < top ? list->count : top;
	autofree struct toplist_item *items = NULL;

	if (count == 0)
		return 0;
	items = calloc(count, sizeof(*items));
	names->items = calloc(count, sizeof(*names->items));
	if (!items || !names->items)
		return -ENOMEM;
	names->count = toplist_sorted(list, items, count);
	name_items(names, items);
	return 0;
}

/* By their texts, which order peers of one count otherwise than the bytes that they are kept as. */
static int list_peers(const struct toplist *list, size_t top, struct named_counts *names)
{
	autofree struct toplist_item *items = NULL;
	autofree char(*texts)[PEER_TEXT_BYTES] = NULL;
	size_t count = list->count;

	if (count == 0)
		return 0;
	items = calloc(count, sizeof(*items));
	texts = calloc(count, sizeof(*texts));
	names->items = calloc(count < top ? count : top, sizeof(*names->items));
	if (!items || !texts || !names->items)
		return -ENOMEM;
	count = toplist_sorted(list, items, count);
	for (size_t i = 0; i < count; i++) {
		struct peer peer = { .count = (uint8_t)items[i].key_bytes };

		memcpy(peer.bytes, items[i].key, items[i].key_bytes);
		items[i].key_bytes = peer_text(&peer, texts[i]);
		items[i].key = (const uint8_t *)texts[i];
	}
	qsort(items, count, sizeof(*items), toplist_item_compare);
	names->count = count < top ? count : top;
	name_items(names, items);
	return 0;
}

static void list_error(const struct toplist_item *item, struct cause_row *row)
{
	enum evidence_kind kind = (enum evidence_kind)item->key[ERROR_KEY_BYTES - 1];
	uint8_t family = item->key[sizeof(uint32_t)];
	uint32_t code;

	memcpy(&code, item->key, sizeof(code));
	if (kind == EVIDENCE_LIBRARY_ERROR)
		row->errors[row->error_count++] =
			(struct error_count){ .code = code, .family = family, .count = item->count };
	else
		row->evidence[row->evidence_count++] =
			(struct evidence_count){ .kind = kind, .code = code, .family = family, .count = item->count };
}

static int list_errors(const struct toplist *list, struct cause_row *row)
{
	autofree struct toplist_item *items = NULL;
	size_t count;

	if (list->count == 0)
		return 0;
	items = calloc(list->count, sizeof(*items));
	row->errors = calloc(list->count, sizeof(*row->errors));
	row->evidence = calloc(list->count, sizeof(*row->evidence));
	if (!items || !row->errors || !row->evidence)
		return -ENOMEM;
	count = toplist_sorted(list, items, list->count);
	for (size_t i = 0; i < count; i++)
		list_error(&items[i], row);
	return 0;
}

/*
 * How many of the peers are in the filter: the share of the sample that is, less what the filter says wrongly, of
 * all. The sample makes it independent of which came first, the failure or the ok. The standard error of a share p is
 * sqrt(p (1 - p) / 512), 2.2 % at most, and none up to 512 peers but the filter's. A filter that takes most peers for
 * known (from two million on) says nothing.
 */
static double peers_returning(const struct distinct *peers, const struct peer_filter *ok_peers)
{
	double wrong = peer_filter_false_ratio(ok_peers), hits = 0;

	if (wrong > 0.5)
		return RETURNING_UNKNOWN;
	if (peers->used == 0)
		return 0;
	for (uint32_t i = 0; i < peers->used; i++)
		hits += peer_filter_has(ok_peers, peers->sample[i]);
	hits = (hits - wrong * peers->used) / (1 - wrong);
	return hits > 0 ? hits * (distinct_count(peers) / peers->used) : 0;
}

int cause_tally_row(const struct cause_tally *tally, const struct tally_limits *limits,
		    const struct peer_filter *ok_peers, struct cause_row *row)
{
	row->count = tally->sums.count;
	row->latency = tally->sums.latency;
	row->cpu_seconds = (double)tally->sums.cpu_us / 1e6;
	parts_tally_row(&tally->sums.parts, NULL, &row->parts);
	row->waited_for_worker = tally->waited_for_worker;
	row->waited_for_peer = tally->waited_for_peer;
	row->without_identity = tally->without_identity;
	row->first_ns = tally->first_ns;
	row->last_ns = tally->last_ns;
	row->peers_distinct = distinct_count(&tally->peers_seen);
	row->peers_returning = peers_returning(&tally->peers_seen, ok_peers);
	if (list_peers(&tally->peers, limits->top_peers, &row->peers) < 0 ||
	    list_names(&tally->names, limits->top_names, &row->server_names) < 0)
		return -ENOMEM;
	return list_errors(&tally->errors, row);
}

void ok_tally_row(const struct ok_tally *tally, struct ok_row *row)
{
	const struct tally_sums *added = &tally->added, *taken = &tally->taken;

	row->count = count_less(added->count, taken->count);
	row->latency = added->latency;
	histogram_subtract_all(&row->latency, &taken->latency);
	row->cpu_seconds = (double)count_less(added->cpu_us, taken->cpu_us) / 1e6;
	parts_tally_row(&added->parts, &taken->parts, &row->parts);
}
