/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of `check --cost`. Contract: watch_cost.h. */
#include "command/watch_cost.h"

static double trap_of(const struct watch_cost_row *row, const struct trap_costs *traps)
{
	double entry = row->stepped ? traps->stepped_ns : traps->emulated_ns;

	if (!row->is_probe)
		return 0;
	if (!row->is_return)
		return entry;
	if (traps->return_ns < 0 || (row->alone && entry < 0))
		return -1;
	return traps->return_ns + (row->alone ? entry : 0);
}

static double program_of(const struct watch_cost_row *row, const struct trap_costs *traps)
{
	double each = row->runs ? (double)row->ns / (double)row->runs : 0;
	double clock = traps->clock_ns > 0 ? traps->clock_ns : 0;

	return each > clock ? each - clock : 0;
}

/* Sums over the probes; what one hit costs is unknown where that of one kind that was hit is. */
struct sums {
	double hits, programs_ns, traps_ns;
	bool traps_known;
};

static struct sums sum_probes(const struct watch_cost *account)
{
	struct sums sums = { .traps_known = true };

	for (size_t i = 0; i < account->count; i++) {
		const struct watch_cost_row *row = &account->rows[i];
		double runs = (double)row->runs;

		if (!row->is_probe || !row->runs)
			continue;
		sums.hits += runs;
		sums.programs_ns += runs * row->program_ns;
		sums.traps_ns += runs * row->trap_ns;
		sums.traps_known &= row->trap_ns >= 0;
	}
	return sums;
}

static void sum_tracepoints(struct watch_cost *account)
{
	for (size_t i = 0; i < account->count; i++) {
		const struct watch_cost_row *row = &account->rows[i];

		if (row->is_probe || !(account->seconds > 0))
			continue;
		account->tracepoints_per_second += (double)row->runs / account->seconds;
		account->tracepoints_ns += (double)row->runs * row->program_ns / account->seconds;
	}
}

/* Foreign hits are taken off as mean ones: whose a hit was is known of all programs together only. */
void watch_cost_sum(struct watch_cost *account)
{
	double handshakes = (double)(account->ok + account->failed), own;
	struct sums sums;

	account->tracepoints_ns = account->tracepoints_per_second = 0;
	account->hits = account->programs_ns = account->traps_ns = account->share = account->foreign_ns = -1;
	for (size_t i = 0; i < account->count; i++) {
		struct watch_cost_row *row = &account->rows[i];

		row->program_ns = program_of(row, &account->traps);
		row->trap_ns = trap_of(row, &account->traps);
		row->per_handshake = handshakes > 0 ? (double)row->runs / handshakes : -1;
	}
	sum_tracepoints(account);
	sums = sum_probes(account);
	if (!(sums.hits > 0))
		return;
	if (sums.traps_known)
		account->foreign_ns = (sums.programs_ns + sums.traps_ns) / sums.hits;
	if (!(handshakes > 0))
		return;
	own = sums.hits > (double)account->foreign ? 1 - (double)account->foreign / sums.hits : 0;
	account->hits = own * sums.hits / handshakes;
	account->programs_ns = own * sums.programs_ns / handshakes;
	if (!sums.traps_known)
		return;
	account->traps_ns = own * sums.traps_ns / handshakes;
	if (account->cpu_ns > 0)
		account->share = (account->programs_ns + account->traps_ns) / account->cpu_ns;
}
