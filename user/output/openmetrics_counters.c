/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a snapshot to exported counters.
 *
 * Invariant: fine buckets are added up whole; an exported bound is always one of theirs.
 * Must not know: the text formats.
 */
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "output/openmetrics_counters.h"

#define VERSION_OTHER   4
#define VERSION_UNKNOWN 5

enum { RESULT_LOST, RESULT_RESCUED };

static const uint8_t bound_shifts[OPENMETRICS_BOUNDS] = {
	18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30, 32, 34, 36
};

/* What is raised as an array of numbers. */
#define RAISED_BYTES offsetof(struct openmetrics_counters, lags)
_Static_assert(RAISED_BYTES == sizeof(uint64_t) * SNAPSHOT_DIRECTIONS *
					       (CAUSE_COUNT * (1 + OPENMETRICS_BOUNDS + 2) + 2 +
						OPENMETRICS_VERSIONS + PARTS_SHOWN) +
				       sizeof(uint64_t) * (CAUSE_COUNT * OPENMETRICS_RESULTS + OPENMETRICS_STAGES),
	       "the counters are raised as an array");

uint64_t openmetrics_bound_ns(unsigned int bound)
{
	return 1ull << bound_shifts[bound];
}

const char *openmetrics_version(unsigned int index)
{
	static const char *const versions[OPENMETRICS_VERSIONS] = {
		"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", [VERSION_OTHER] = "other", [VERSION_UNKNOWN] = "unknown",
	};

	return versions[index];
}

static unsigned int version_index(uint16_t version)
{
	if (version == 0)
		return VERSION_UNKNOWN;
	return version >= 0x0301 && version <= 0x0304 ? version - 0x0301u : VERSION_OTHER;
}

const char *openmetrics_result(unsigned int index)
{
	static const char *const results[OPENMETRICS_RESULTS] = {
		[RESULT_LOST] = "lost",
		[RESULT_RESCUED] = "rescued",
	};

	return results[index];
}

/* One list for the names of the stages and what they count. */
#define STAGES(X)       \
	X(ring_full)    \
	X(spill_full)   \
	X(state_full)   \
	X(settled_full) \
	X(evicted)      \
	X(read_faults)  \
	X(unmatched)    \
	X(undecodable)

const char *openmetrics_stage(unsigned int index)
{
	static const char *const stages[] = {
#define X(name) #name,
		STAGES(X)
#undef X
	};

	_Static_assert(sizeof(stages) / sizeof(stages[0]) == OPENMETRICS_STAGES, "a name a stage");
	return stages[index];
}

static void count_losses(const struct losses *losses, uint64_t lost[OPENMETRICS_STAGES])
{
	const uint64_t rows[OPENMETRICS_STAGES] = {
#define X(name) losses->name,
		STAGES(X)
#undef X
	};

	for (unsigned int i = 0; i < OPENMETRICS_STAGES; i++)
		lost[i] = rows[i];
}

static void count_durations(const struct histogram *latency, struct openmetrics_histogram *out)
{
	uint64_t sum = 0;
	uint32_t bucket = 0;

	for (unsigned int bound = 0; bound < OPENMETRICS_BOUNDS; bound++) {
		uint32_t last = latency_bucket(openmetrics_bound_ns(bound));

		while (bucket <= last)
			sum += latency->counts[bucket++];
		out->counts[bound] = sum;
	}
	out->counts[OPENMETRICS_BOUNDS] = latency->count;
	out->sum_ns = latency->sum_ns;
}

static void count_parts(const struct parts_row *row, uint64_t us[PARTS_SHOWN])
{
	for (unsigned int part = 0; part < PARTS_SHOWN; part++)
		us[part] += row->us[part];
}

/* A process has a row a generation, neighbours; its lag is of all of them. */
static void count_lags(const struct snapshot *snapshot, struct openmetrics_counters *counters)
{
	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct snapshot_worker *worker = &snapshot->workers[i];
		struct openmetrics_lag *last = counters->lag_count ? &counters->lags[counters->lag_count - 1] : NULL;

		if (worker->cpu_ratio < 0)
			continue;
		if (!last || last->pid != worker->pid) {
			if (counters->lag_count == OPENMETRICS_WORKERS)
				return;
			last = &counters->lags[counters->lag_count++];
			*last = (struct openmetrics_lag){ .pid = worker->pid };
		}
		last->count += worker->lag.count;
		last->sum_ns += worker->lag.sum_ns;
	}
}

static uint64_t to_ns(double seconds)
{
	return seconds > 0 ? (uint64_t)(seconds * 1e9 + 0.5) : 0;
}

void openmetrics_count(const struct snapshot *snapshot, struct openmetrics_counters *counters)
{
	*counters = (struct openmetrics_counters){ 0 };
	for (unsigned int i = 0; i < SNAPSHOT_DIRECTIONS; i++) {
		counters->handshakes[i][CAUSE_OK] = snapshot->ok[i].count;
		count_durations(&snapshot->ok[i].latency, &counters->durations[i][CAUSE_OK]);
		counters->cpu_ns[i] = to_ns(snapshot->ok[i].cpu_seconds);
		counters->resumed[i] = snapshot->totals[i].resumed;
		count_parts(&snapshot->ok[i].parts, counters->parts_us[i]);
	}
	for (size_t i = 0; i < snapshot->cause_count; i++) {
		const struct cause_row *row = &snapshot->causes[i];

		counters->handshakes[row->direction][row->cause] = row->count;
		count_durations(&row->latency, &counters->durations[row->direction][row->cause]);
		counters->cpu_ns[row->direction] += to_ns(row->cpu_seconds);
		count_parts(&row->parts, counters->parts_us[row->direction]);
		if (row->direction != DIRECTION_UPSTREAM)
			continue;
		counters->requests[row->cause][RESULT_LOST] = row->requests_lost;
		counters->requests[row->cause][RESULT_RESCUED] = row->requests_rescued;
	}
	for (size_t i = 0; i < snapshot->version_count; i++) {
		const struct version_row *row = &snapshot->versions[i];

		counters->negotiated[row->direction][version_index(row->version)] += row->count;
	}
	count_losses(&snapshot->losses, counters->lost);
	count_lags(snapshot, counters);
}

/* Those of *by, none lower than it was; a worker that is gone is forgotten. */
static void raise_lags(struct openmetrics_counters *counters, const struct openmetrics_counters *by)
{
	struct openmetrics_lag raised[OPENMETRICS_WORKERS];

	memcpy(raised, by->lags, sizeof(raised));
	for (size_t i = 0; i < by->lag_count; i++) {
		for (size_t j = 0; j < counters->lag_count; j++) {
			const struct openmetrics_lag *old = &counters->lags[j];

			if (old->pid != raised[i].pid)
				continue;
			raised[i].count = raised[i].count < old->count ? old->count : raised[i].count;
			raised[i].sum_ns = raised[i].sum_ns < old->sum_ns ? old->sum_ns : raised[i].sum_ns;
		}
	}
	memcpy(counters->lags, raised, sizeof(raised));
	counters->lag_count = by->lag_count;
}

void openmetrics_raise(struct openmetrics_counters *counters, const struct openmetrics_counters *by)
{
	uint64_t *own = (uint64_t *)counters;
	const uint64_t *other = (const uint64_t *)by;

	for (size_t i = 0; i < RAISED_BYTES / sizeof(*own); i++)
		if (own[i] < other[i])
			own[i] = other[i];
	raise_lags(counters, by);
}
