/* SPDX-License-Identifier: BSD-2-Clause */
/* What resumption spares. Contract: resumption.h. */
#include <inttypes.h>

#include "diagnose/resumption.h"
#include "handshake/names.h"

#define LOW_SHARE   0.2
#define LOW_SECONDS 1.0

/* Mean CPU of the resumed handshakes of a version; negative: there were none. */
static double resumed_mean_us(const struct snapshot *snapshot, unsigned int direction, uint16_t version)
{
	uint64_t count = 0, cpu_us = 0;

	for (size_t i = 0; i < snapshot->cost_count; i++) {
		const struct cost_row *row = &snapshot->costs[i];

		if (row->direction != direction || row->version != version || !row->resumed)
			continue;
		count += row->count;
		cpu_us += row->cpu_us;
	}
	return count ? (double)cpu_us / (double)count : -1;
}

static void add_full(const struct snapshot *snapshot, const struct cost_row *row, struct resumption *resumption)
{
	double mean_us = resumed_mean_us(snapshot, row->direction, row->version);
	double saving_us = (double)row->cpu_us - mean_us * (double)row->count;

	resumption->full += row->count;
	resumption->full_cpu_us += row->cpu_us;
	if (mean_us >= 0 && saving_us > 0)
		resumption->saving_us += (uint64_t)(saving_us + 0.5);
}

void resumption_of(const struct snapshot *snapshot, unsigned int direction, struct resumption *resumption)
{
	*resumption = (struct resumption){ 0 };
	for (size_t i = 0; i < snapshot->cost_count; i++) {
		const struct cost_row *row = &snapshot->costs[i];

		if (row->direction != direction)
			continue;
		if (!row->resumed) {
			add_full(snapshot, row, resumption);
			continue;
		}
		resumption->resumed += row->count;
		resumption->resumed_cpu_us += row->cpu_us;
	}
	resumption->saving_known = resumption->resumed > 0;
}

/* A process may have several rows, neighbours, each with what is the process's. */
double workers_cpu_seconds(const struct snapshot *snapshot)
{
	double seconds = -1;

	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct snapshot_worker *worker = &snapshot->workers[i];

		if (worker->sampled_seconds <= 0 || worker->cpu_seconds < 0) {
			if (worker->handshakes)
				return -1;
			continue;
		}
		if (i > 0 && worker[-1].pid == worker->pid)
			continue;
		seconds = (seconds < 0 ? 0 : seconds) + worker->cpu_seconds;
	}
	return seconds;
}

static void add_direction(struct finding *finding, const struct snapshot *snapshot, unsigned int direction)
{
	struct resumption resumption;

	resumption_of(snapshot, direction, &resumption);
	if (!resumption.saving_us)
		return;
	finding_evidence(finding,
			 "%s: %" PRIu64 " full handshakes and %" PRIu64 " resumed; as many resumed ones would have "
			 "taken up to %.2f s less CPU",
			 direction_name(direction), resumption.full, resumption.resumed,
			 (double)resumption.saving_us / 1e6);
	if (direction == DIRECTION_UPSTREAM)
		finding_change(finding, "proxy_ssl_session_reuse on, and keepalive in the upstream block: fewer "
					"handshakes to backends");
	else
		finding_change(finding,
			       "ssl_session_cache shared:SSL:10m and ssl_session_timeout; with several nodes "
			       "the same ssl_session_ticket_key on each");
}

void diagnose_resumption(const struct snapshot *snapshot, struct findings *findings)
{
	double saving_seconds = 0, cpu_seconds = workers_cpu_seconds(snapshot);
	struct finding *finding;

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++) {
		struct resumption resumption;

		resumption_of(snapshot, direction, &resumption);
		saving_seconds += (double)resumption.saving_us / 1e6;
	}
	if (saving_seconds < LOW_SECONDS || cpu_seconds <= 0 || saving_seconds < LOW_SHARE * cpu_seconds)
		return;
	finding = findings_add(findings, "resumption_low", SEVERITY_INFO);
	finding_title(finding,
		      "up to %.0f %% of the workers' CPU goes into full handshakes that could be resumed ones",
		      saving_seconds < cpu_seconds ? 100 * saving_seconds / cpu_seconds : 100);
	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		add_direction(finding, snapshot, direction);
	finding_verify(finding,
		       "tlswhy report -d 30: 'resumption' says more resumed ones, and the workers use less CPU");
}
