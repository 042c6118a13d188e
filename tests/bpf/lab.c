/* SPDX-License-Identifier: BSD-2-Clause */
/* The tracer under test. See lab.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "attach/library.h"
#include "attach/site.h"
#include "control.h"
#include "fake_layout.h"
#include "handshake/classify.h"
#include "handshake/decode.h"
#include "lab.h"

static void attach_probes(struct tracer *tracer)
{
	char path[4096];
	autolibrary struct library *program = NULL;

	victim_path(path, sizeof(path));
	ck_assert_int_eq(library_open(path, &program), 0);
	for (unsigned int i = 0; i < PROBE_COUNT; i++) {
		struct probe_site site = { .probe = (enum probe)i, .path = path };
		struct symbol symbol;
		struct site where;
		int error = library_symbol(program, probe_spec(site.probe)->function, &symbol);

		if (probe_spec(site.probe)->use >= PROBE_FOR_PART_0) /* the victim's functions are whole */
			continue;
		if (error == -ENOENT && !probe_spec(site.probe)->required)
			continue; /* as the program does */
		ck_assert_int_eq(error, 0);
		ck_assert_int_eq(site_find(program, &symbol, probe_query(site.probe), &where), 0);
		site.file_offset = symbol.file_offset + where.offset;
		ck_assert_int_eq(tracer_attach(tracer, &site), 0);
	}
	ck_assert_int_eq(tracer_attach_processes(tracer), 0);
}

void lab_open(struct lab *lab, const struct tracer_options *options)
{
	struct tracer_options all = options ? *options : (struct tracer_options){ 0 };

	all.connections = true;
	memset(lab, 0, sizeof(*lab));
	ck_assert_int_eq(tracer_new(&lab->tracer, &all), 0);
	ck_assert_int_eq(tracer_set_layout(lab->tracer, 0, &fake_layout), 0);
	attach_probes(lab->tracer);
}

static void watch_row(struct lab *lab, pid_t pid, uint32_t row)
{
	struct target target = { .row = row,
				 .generation = LAB_GENERATION,
				 .connection_index = FAKE_CONNECTION_INDEX,
				 .master = (uint32_t)pid,
				 .http_handler = FAKE_HTTP_HANDLER };

	ck_assert_int_eq(tracer_add_target(lab->tracer, (uint32_t)pid, &target), 0);
}

void lab_watch(struct lab *lab, pid_t pid)
{
	watch_row(lab, pid, 0);
}

void lab_watch_as(struct lab *lab, pid_t pid, const struct layout *layout)
{
	ck_assert_int_eq(tracer_set_layout(lab->tracer, LAYOUT_ROWS - 2, layout), 0);
	watch_row(lab, pid, LAYOUT_ROWS - 2);
}

void lab_watch_connections(struct lab *lab, pid_t pid)
{
	watch_row(lab, pid, LAYOUT_ROW_NONE);
}

void lab_arm(struct lab *lab)
{
	tracer_arm(lab->tracer);
}

static void tally_add(struct tally *tally, const struct verdict *verdict, bool amends, uint64_t count)
{
	enum cause cause = classify(verdict);

	ck_assert_uint_lt(verdict->direction, DIRECTION_COUNT);
	tally->count[verdict->direction][cause] += (int64_t)count;
	if (amends)
		tally->count[verdict->direction][CAUSE_OK] -= (int64_t)count;
}

static void keep(struct lab *lab, const struct observation *seen, const uint8_t *bytes)
{
	struct lab_record *record;

	lab->records = reallocarray(lab->records, lab->record_count + 1, sizeof(*lab->records));
	ck_assert_ptr_nonnull(lab->records);
	record = &lab->records[lab->record_count++];
	record->seen = *seen;
	record->tail = malloc(seen->event.header.tail_bytes + 1u);
	ck_assert_ptr_nonnull(record->tail);
	memcpy(record->tail, bytes + seen->event.header.size, seen->event.header.tail_bytes);
}

static void on_record(void *context, const void *bytes, size_t size)
{
	struct lab *lab = context;
	struct observation seen;
	uint8_t kind;

	ck_assert_int_eq(decode_record(bytes, size, &seen), 0);
	kind = seen.event.header.kind;
	if (kind == EVENT_EXIT)
		ck_assert_int_eq(tracer_evict(lab->tracer, seen.event.header.tgid, lab->evicted), 0);
	if ((kind == EVENT_SETTLED || kind == EVENT_AMENDED) && seen.event.header.tgid != (uint32_t)lab->ignored)
		tally_add(&lab->recorded, &seen.event.verdict, kind == EVENT_AMENDED, 1);
	if (!lab->count_only)
		keep(lab, &seen, bytes);
}

void lab_drain(struct lab *lab)
{
	ck_assert_int_ge(tracer_drain(lab->tracer, on_record, lab), 0);
}

static void on_spill(void *context, const struct spill_key *key, const struct spill_value *value)
{
	struct lab *lab = context;

	lab->spills = reallocarray(lab->spills, lab->spill_count + 1, sizeof(*lab->spills));
	ck_assert_ptr_nonnull(lab->spills);
	lab->spills[lab->spill_count++] = (struct lab_spill){ .key = *key, .value = *value };
	if (key->tgid != (uint32_t)lab->ignored)
		tally_add(&lab->spilled, &key->verdict, key->amends, value->count);
}

void lab_read(struct lab *lab)
{
	lab_drain(lab);
	ck_assert_int_eq(tracer_spilled(lab->tracer, on_spill, lab), 0);
	ck_assert_int_eq(tracer_counters(lab->tracer, lab->counters), 0);
	ck_assert_int_eq(tracer_open_handshakes(lab->tracer, lab->open), 0);
	for (unsigned int i = 0; i < COUNTER_ROWS; i++)
		lab->counters[i] -= lab->counters_before[i];
	for (unsigned int i = 0; i < DIRECTION_COUNT; i++)
		lab->open[i] -= lab->open_before[i];
}

void lab_finish(struct lab *lab)
{
	ck_assert_int_eq(tracer_disarm(lab->tracer), 0);
	lab_read(lab);
}

static void forget_records(struct lab *lab)
{
	for (size_t i = 0; i < lab->record_count; i++)
		free(lab->records[i].tail);
	free(lab->records);
	free(lab->spills);
}

void lab_close(struct lab *lab)
{
	forget_records(lab);
	tracer_free(lab->tracer);
}

/* Made before the tests' processes are: each has a copy of this, and all have the same maps. */
static struct lab shared;

void lab_share_open(void)
{
	struct tracer_options options = { .final_marks = true };

	lab_open(&shared, &options);
	lab_arm(&shared);
}

void lab_share_open_adopting(void)
{
	struct tracer_options options = { .final_marks = true, .adopt = true };

	lab_open(&shared, &options);
	lab_arm(&shared);
}

void lab_share_open_by_events(void)
{
	struct tracer_options options = { .final_marks = true, .by_events = true };

	lab_open(&shared, &options);
	lab_arm(&shared);
}

void lab_share_close(void)
{
	lab_close(&shared);
}

struct lab *lab_share(void)
{
	struct tracer *tracer = shared.tracer;

	lab_drain(&shared); /* what died since is evicted now and not later */
	forget_records(&shared);
	shared = (struct lab){ .tracer = tracer };
	ck_assert_int_eq(tracer_counters(tracer, shared.counters_before), 0);
	ck_assert_int_eq(tracer_open_handshakes(tracer, shared.open_before), 0);
	return &shared;
}

static unsigned int rows_of(enum counter counter)
{
	switch (counter) {
#define X(symbol, row, rows, name, meaning) \
	case COUNTER_##symbol:              \
		return (rows);
		COUNTERS(X)
#undef X
	case COUNTER_ROWS:
		break;
	}
	return 0;
}

uint64_t lab_sum(const struct lab *lab, enum counter counter)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < rows_of(counter); i++)
		sum += lab->counters[(unsigned int)counter + i];
	return sum;
}

uint64_t lab_of(const struct lab *lab, enum counter counter, enum direction direction)
{
	ck_assert_uint_eq(rows_of(counter), DIRECTION_COUNT);
	return lab->counters[(unsigned int)counter + (unsigned int)direction];
}

size_t lab_count(const struct lab *lab, enum event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < lab->record_count; i++)
		count += lab->records[i].seen.event.header.kind == kind;
	return count;
}

const struct lab_record *lab_only(const struct lab *lab, enum event_kind kind)
{
	ck_assert_uint_eq(lab_count(lab, kind), 1);
	for (size_t i = 0; i < lab->record_count; i++)
		if (lab->records[i].seen.event.header.kind == kind)
			return &lab->records[i];
	return NULL;
}

bool lab_balances(const struct lab *lab, enum direction direction, uint64_t open)
{
	return lab_of(lab, COUNTER_BEGUN, direction) ==
	       lab_of(lab, COUNTER_OK, direction) + lab_of(lab, COUNTER_FAILED, direction) + open +
		       lab->evicted[direction] + lab_of(lab, COUNTER_UNMATCHED, direction);
}

void lab_assert_exact(const struct lab *lab)
{
	for (unsigned int i = 0; i < DIRECTION_COUNT; i++)
		ck_assert_msg(lab_balances(lab, (enum direction)i, lab->open[i]), "direction %u does not balance", i);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_SPILL_FULL), 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_STATE_FULL), 0);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_SETTLED_FULL), 0);
}

const struct event *lab_settled_one(struct lab *lab)
{
	lab_read(lab);
	lab_assert_exact(lab);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_BEGUN), 1);
	ck_assert_uint_eq(lab_sum(lab, COUNTER_READ_FAULTS), 0);
	return &lab_only(lab, EVENT_SETTLED)->seen.event;
}
