/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting records and spill rows, and merging.
 *
 * Invariant: every change goes through batch_count(), whichever way the facts came; what only a full record has is
 * added beside it. Counters cannot fail; lists may, when memory is short.
 * Must not know: how a cause is decided (classify.c), where records come from, the time.
 */
#include <errno.h>
#include <stdlib.h>

#include "handshake/aggregate_private.h"
#include "handshake/classify.h"
#include "handshake/hash.h"

#define TOP_DEFAULT     20
#define TRACKED_DEFAULT 256
#define TRACKED_ERRORS  128
#define WORKERS_DEFAULT 1024
#define VERSIONS_LIMIT  64
#define CIPHERS_LIMIT   512
#define GROUPS_LIMIT    128
#define DIRECTION_MASK  (~(uint64_t)0xffff)

static size_t or_default(size_t value, size_t fallback)
{
	return value > 0 ? value : fallback;
}

static struct tally_limits limits_from(const struct aggregate_options *options)
{
	struct tally_limits limits = {
		.top_peers = or_default(options->top_peers, TOP_DEFAULT),
		.top_names = or_default(options->top_names, TOP_DEFAULT),
		.tracked_peers = or_default(options->tracked_keys, TRACKED_DEFAULT),
		.tracked_names = or_default(options->tracked_keys, TRACKED_DEFAULT),
		.tracked_errors = TRACKED_ERRORS,
		.seed = options->seed,
	};

	if (limits.tracked_peers < limits.top_peers)
		limits.tracked_peers = limits.top_peers;
	if (limits.tracked_names < limits.top_names)
		limits.tracked_names = limits.top_names;
	return limits;
}

struct aggregate *aggregate_new(const struct aggregate_options *options)
{
	static const struct aggregate_options defaults;
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));

	if (!aggregate)
		return NULL;
	if (!options)
		options = &defaults;
	aggregate->limits = limits_from(options);
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		servers_init(&aggregate->servers[direction], SERVERS_LIMIT);
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			cause_tally_init(&aggregate->causes[direction][cause], &aggregate->limits);
	}
	if (keycount_init(&aggregate->versions, VERSIONS_LIMIT, DIRECTION_MASK) < 0 ||
	    keycount_init(&aggregate->ciphers, CIPHERS_LIMIT, DIRECTION_MASK) < 0 ||
	    keycount_init(&aggregate->groups, GROUPS_LIMIT, DIRECTION_MASK) < 0 ||
	    worker_tallies_init(&aggregate->workers, or_default(options->workers, WORKERS_DEFAULT)) < 0 ||
	    costs_init(&aggregate->costs) < 0) {
		aggregate_free(aggregate);
		return NULL;
	}
	return aggregate;
}

void aggregate_free(struct aggregate *aggregate)
{
	if (!aggregate)
		return;
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		servers_release(&aggregate->servers[direction]);
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			cause_tally_release(&aggregate->causes[direction][cause]);
	}
	keycount_release(&aggregate->versions);
	keycount_release(&aggregate->ciphers);
	keycount_release(&aggregate->groups);
	keyrows_release(&aggregate->workers);
	keyrows_release(&aggregate->costs);
	peer_filter_release(&aggregate->ok_peers);
	free(aggregate);
}

/* What was ok before is no longer; what nothing else is known of failed for an unknown cause. */
static enum cause counted_cause(enum cause cause, bool amends)
{
	if ((unsigned int)cause >= CAUSE_COUNT || (amends && cause == CAUSE_OK))
		return CAUSE_UNKNOWN;
	return cause;
}

static unsigned int counted_direction(uint8_t direction)
{
	return direction < DIRECTION_COUNT ? direction : DIRECTION_UNKNOWN;
}

/* Of handshakes that were ok and kept. */
static void negotiated_count(struct keycount *counts, const struct batch *batch, uint16_t number)
{
	int64_t kept = batch_kept(batch);

	if (kept != 0)
		keycount_add(counts, (uint64_t)batch->direction << 16 | number, kept);
}

static int batch_count(struct aggregate *aggregate, const struct batch *batch)
{
	struct ok_tally *ok = &aggregate->ok[batch->direction];
	int err = worker_tallies_add(&aggregate->workers, batch);

	aggregate->has_input = true;
	if (costs_add(&aggregate->costs, batch) < 0)
		err = -ENOMEM;
	negotiated_count(&aggregate->versions, batch, batch->tls_version);
	if (batch->cipher)
		negotiated_count(&aggregate->ciphers, batch, batch->cipher);
	if (batch->group)
		negotiated_count(&aggregate->groups, batch, batch->group);
	if (batch->cause == CAUSE_OK) {
		tally_sums_add(&ok->added, batch);
		return err;
	}
	if (batch->amends)
		tally_sums_add(&ok->taken, batch);
	if (cause_tally_add(&aggregate->causes[batch->direction][batch->cause], batch) < 0)
		err = -ENOMEM;
	return err;
}

/* Who it was. */
static struct identity identity_of(const struct aggregate *aggregate, unsigned int direction,
				   const struct observation *observation)
{
	const struct event *event = &observation->event;
	uint64_t seed = aggregate->limits.seed;
	struct identity identity = { .name = observation->sni, .name_bytes = observation->sni_bytes };

	if (identity.name_bytes > 0)
		identity.name_hash = hash_bytes(identity.name, identity.name_bytes, seed);
	identity.has_peer = peer_from_event(&identity.peer, event);
	if (!identity.has_peer)
		return identity;
	if (direction == DIRECTION_UPSTREAM)
		peer_add_port(&identity.peer, event->peer_port);
	identity.peer_hash = peer_hash(&identity.peer, direction, seed);
	return identity;
}

/* Peers that were ok are remembered, those that failed are listed. */
static int identity_count(struct aggregate *aggregate, const struct batch *batch, uint64_t time_ns,
			  const struct identity *identity)
{
	struct peer_filter *ok_peers = &aggregate->ok_peers;

	if (batch->cause == CAUSE_OK)
		return identity->has_peer ? peer_filter_add(ok_peers, identity->peer_hash) : 0;
	if (batch->amends && identity->has_peer)
		peer_filter_remove(ok_peers, identity->peer_hash);
	return cause_tally_add_identity(&aggregate->causes[batch->direction][batch->cause], time_ns, identity);
}

/*
 * What the handshake did to its request. An ok may still be taken back, which the amendment then says: it was not the
 * rescue, but another failure of the same request.
 */
static void impact_count(struct aggregate *aggregate, const struct batch *batch, const struct event *event)
{
	if (batch->direction != DIRECTION_UPSTREAM || !(event->flags & EVENT_NGINX))
		return;
	if (batch->cause == CAUSE_OK)
		impact_completed(&aggregate->impact, event->header.tgid, event->connection);
	else
		impact_failed(&aggregate->impact, event->header.tgid, event->connection, batch->cause, batch->amends);
}

static struct batch batch_of_record(const struct observation *observation)
{
	const struct event *event = &observation->event;
	bool amends = event->header.kind == EVENT_AMENDED, resumed = event->flags & EVENT_RESUMED;
	uint16_t cipher = (uint16_t)event->cipher;
	struct batch batch = {
		.verdict = &event->verdict,
		.cause = counted_cause(observation->cause, amends),
		.direction = counted_direction(event->verdict.direction),
		.count = 1,
		.latency_ns = event->latency_ns,
		.joined = event->verdict.flags & VERDICT_JOINED,
		.unmeasured = event->verdict.flags & VERDICT_UNMEASURED,
		.amends = amends,
		.resumed = resumed,
		.tls_version = event->tls_version,
		.cipher = cipher,
		.group = event->group,
		.authentication = authentication_of(event->tls_version, cipher, event->signature, resumed),
		.flags = event->flags,
		.before_us = event->parts.before_us,
		.round_trip_us = event->srtt_us,
		.resent = event->retransmits > 0,
		.tgid = event->header.tgid,
		.generation = event->generation,
	};

	for (unsigned int part = 0; part < PART_COUNT; part++)
		batch.part_us[part] = event->parts.us[part];
	return batch;
}

int aggregate_add(struct aggregate *aggregate, const struct observation *observation)
{
	const struct event *event = &observation->event;
	struct identity identity;
	struct batch batch;
	int err, identity_err;

	if (event->header.kind == EVENT_ANSWERED) {
		impact_answered(&aggregate->impact, event->header.tgid, event->connection);
		return 0;
	}
	if (event->header.kind != EVENT_AMENDED && event->header.kind != EVENT_SETTLED)
		return -EINVAL;
	if (event->header.tail_kind == TAIL_CLIENT_HELLO)
		aggregate->hellos_cut += event->header.tail_true_bytes > event->header.tail_bytes;
	batch = batch_of_record(observation);
	identity = identity_of(aggregate, batch.direction, observation);
	peer_filter_prefetch(&aggregate->ok_peers, identity.peer_hash);
	err = batch_count(aggregate, &batch);
	impact_count(aggregate, &batch, event);
	servers_add(&aggregate->servers[batch.direction], &batch, identity.name, identity.name_bytes,
		    identity.name_hash);
	identity_err = identity_count(aggregate, &batch, event->time_ns, &identity);
	return err < 0 ? err : identity_err;
}

int aggregate_add_spilled(struct aggregate *aggregate, const struct spill_key *key, const struct spill_value *value)
{
	struct batch batch = {
		.verdict = &key->verdict,
		.cause = counted_cause(classify(&key->verdict), key->amends),
		.direction = counted_direction(key->verdict.direction),
		.count = value->count,
		.latency_ns = value->latency_sum_ns,
		.bucket = key->bucket,
		.spilled = true,
		.joined = key->verdict.flags & VERDICT_JOINED,
		.unmeasured = key->verdict.flags & VERDICT_UNMEASURED,
		.amends = key->amends,
		.resumed = key->resumed,
		.tls_version = key->tls_version,
		.authentication = authentication_of(key->tls_version, 0, 0, key->resumed),
		.before_us = value->before_sum_us,
		.tgid = key->tgid,
		.generation = key->generation,
	};

	for (unsigned int part = 0; part < PART_COUNT; part++)
		batch.part_us[part] = value->part_sum_us[part];
	return value->count > 0 ? batch_count(aggregate, &batch) : 0;
}

static void totals_merge(struct totals *into, const struct totals *from)
{
	into->begun += from->begun;
	into->ok += from->ok;
	into->failed += from->failed;
	into->open += from->open;
	into->evicted += from->evicted;
	into->resumed += from->resumed;
	into->joined += from->joined;
	into->unmatched += from->unmatched;
}

static void losses_merge(struct losses *into, const struct losses *from)
{
	into->ring_full += from->ring_full;
	into->spill_full += from->spill_full;
	into->state_full += from->state_full;
	into->settled_full += from->settled_full;
	into->evicted += from->evicted;
	into->read_faults += from->read_faults;
	into->unmatched += from->unmatched;
	into->undecodable += from->undecodable;
}

/* Totals of a part say nothing of the whole; an aggregate that nothing was added to is no part. */
static void kernel_merge(struct aggregate *into, const struct aggregate *from)
{
	into->has_totals = (into->has_totals || !into->has_input) && (from->has_totals || !from->has_input) &&
			   (into->has_totals || from->has_totals);
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		totals_merge(&into->totals[direction], &from->totals[direction]);
	losses_merge(&into->losses, &from->losses);
	into->has_input |= from->has_input;
}

int aggregate_merge(struct aggregate *into, const struct aggregate *from)
{
	int err;

	if (into == from || into->limits.seed != from->limits.seed)
		return -EINVAL;
	kernel_merge(into, from);
	impact_merge(&into->impact, &from->impact);
	into->hellos_cut += from->hellos_cut;
	err = peer_filter_merge(&into->ok_peers, &from->ok_peers);
	keycount_merge(&into->versions, &from->versions);
	keycount_merge(&into->ciphers, &from->ciphers);
	keycount_merge(&into->groups, &from->groups);
	if (worker_tallies_merge(&into->workers, &from->workers) < 0 || costs_merge(&into->costs, &from->costs) < 0)
		err = -ENOMEM;
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		servers_merge(&into->servers[direction], &from->servers[direction]);
		tally_sums_merge(&into->ok[direction].added, &from->ok[direction].added);
		tally_sums_merge(&into->ok[direction].taken, &from->ok[direction].taken);
		for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
			if (cause_tally_merge(&into->causes[direction][cause], &from->causes[direction][cause]) < 0)
				err = -ENOMEM;
	}
	return err;
}

void aggregate_set_totals(struct aggregate *aggregate, const struct totals totals[SNAPSHOT_DIRECTIONS],
			  const struct losses *losses)
{
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++)
		aggregate->totals[direction] = totals[direction];
	aggregate->losses = *losses;
	aggregate->has_totals = true;
}
