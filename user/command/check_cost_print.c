/* SPDX-License-Identifier: BSD-2-Clause */
/* `check --cost` as text and as JSON. Contract: check_cost.h. Must not know: how it was measured. */
#include <inttypes.h>
#include <string.h>

#include "command/check_cost.h"

#define US 1e-3 /* of nanoseconds */

static void print_time(FILE *stream, const char *before, double ns, const char *behind)
{
	if (ns < 0)
		fprintf(stream, "%sunknown%s", before, behind);
	else
		fprintf(stream, "%s%.2f us%s", before, ns * US, behind);
}

static void print_answer(const struct watch_cost *account, FILE *stream)
{
	fprintf(stream, "%.2f hits, ", account->hits);
	if (account->traps_ns < 0) {
		print_time(stream, "", account->programs_ns,
			   " per handshake in programs; what traps cost is unknown\n");
		return;
	}
	print_time(stream, "", account->programs_ns + account->traps_ns, " per handshake");
	if (account->share >= 0)
		fprintf(stream, ", %.1f %% of a handshake's CPU (%.0f us)", account->share * 100,
			account->cpu_ns * US);
	print_time(stream, "; programs ", account->programs_ns, "");
	print_time(stream, ", traps ", account->traps_ns, "\n");
}

static void print_rows(const struct watch_cost *account, FILE *stream)
{
	for (size_t i = 0; i < account->count; i++) {
		const struct watch_cost_row *row = &account->rows[i];

		if (!row->is_probe || !row->runs)
			continue;
		fprintf(stream, "  %s%s: %.2f hits per handshake", row->name, row->is_return ? ", return" : "",
			row->per_handshake);
		print_time(stream, ", program ", row->program_ns, "");
		print_time(stream, ", trap ", row->trap_ns, "");
		fprintf(stream, "%s\n",
			row->is_return && !row->alone ? ""
			: row->stepped                ? " (single-stepped)"
						      : " (emulated)");
	}
}

static void print_traffic(const struct check_cost *cost, FILE *stream)
{
	const struct watch_cost *account = &cost->account;

	fprintf(stream, "%" PRIu64 " handshakes (%" PRIu64 " ok, %" PRIu64 " failed) in %.1f s",
		account->ok + account->failed, account->ok, account->failed, account->seconds);
	if (account->hits >= 0) {
		fputs(": ", stream);
		print_answer(account, stream);
		print_rows(account, stream);
	} else if (cost->statistics_error) {
		fprintf(stream, ": hits and run time are unknown, for BPF statistics cannot be switched on: %s\n",
			strerror(-cost->statistics_error));
		fputs("     hint: run it as root: that takes CAP_SYS_ADMIN\n", stream);
	} else {
		fputs(": too few to tell what one costs\n"
		      "     hint: watch for longer with -d SECONDS, or while there is traffic\n",
		      stream);
	}
}

static void print_others(const struct watch_cost *account, FILE *stream)
{
	if (account->foreign) {
		fprintf(stream, "  hits in other processes: %" PRIu64, account->foreign);
		print_time(stream, ", ", account->foreign_ns, " each\n");
	}
	if (account->tracepoints_per_second > 0)
		fprintf(stream,
			"  tracepoints (TCP states, starts and ends of processes): %.0f runs a second of the host, "
			"%.1f us of CPU a second\n",
			account->tracepoints_per_second, account->tracepoints_ns * US);
}

static void print_traps(const struct check_cost *cost, FILE *stream)
{
	const struct trap_costs *traps = &cost->account.traps;

	if (cost->traps_error) {
		fprintf(stream, "  what a trap costs could not be measured: %s\n", strerror(-cost->traps_error));
		return;
	}
	print_time(stream, "  a trap of this host, without a program: ", traps->emulated_ns, " where emulated");
	print_time(stream, ", ", traps->stepped_ns, " where single-stepped");
	print_time(stream, "; a return ", traps->return_ns, " more\n");
	if (traps->statistics_ns >= 0)
		print_time(stream, "  statistics, on while this was measured, add ", traps->statistics_ns,
			   " to a hit; not in the figures above\n");
}

void check_cost_print(const struct check_cost *cost, FILE *stream)
{
	fputs("\ncost: ", stream);
	print_traffic(cost, stream);
	print_others(&cost->account, stream);
	print_traps(cost, stream);
}

/* Seconds, null where unknown. */
static json_t *seconds_of(double ns)
{
	return ns < 0 ? json_null() : json_real(ns / 1e9);
}

static json_t *number_of(double number)
{
	return number < 0 ? json_null() : json_real(number);
}

static json_t *rows_of(const struct watch_cost *account)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < account->count; i++) {
		const struct watch_cost_row *row = &account->rows[i];

		json_array_append_new(rows, json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "name", row->name, "kind",
						      !row->is_probe   ? "tracepoint"
						      : row->is_return ? "return"
						      : row->stepped   ? "stepped"
								       : "emulated",
						      "hits", (json_int_t)row->runs, "hits_per_handshake",
						      number_of(row->is_probe ? row->per_handshake : -1),
						      "program_seconds", seconds_of(row->runs ? row->program_ns : -1),
						      "trap_seconds", seconds_of(row->is_probe ? row->trap_ns : -1)));
	}
	return rows;
}

json_t *check_cost_json(const struct check_cost *cost)
{
	const struct watch_cost *account = &cost->account;
	const struct trap_costs *traps = &account->traps;
	bool known = account->hits >= 0 && account->traps_ns >= 0;

	return json_pack("{s:f, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:o}, s:{s:f, s:f}, "
			 "s:{s:o, s:o, s:o, s:o}, s:b}",
			 "seconds", account->seconds, "handshakes",
			 (json_int_t)account->ok + (json_int_t)account->failed, "ok", (json_int_t)account->ok,
			 "failed", (json_int_t)account->failed, "hits_per_handshake", number_of(account->hits),
			 "seconds_per_handshake", seconds_of(known ? account->programs_ns + account->traps_ns : -1),
			 "program_seconds", seconds_of(account->programs_ns), "trap_seconds",
			 seconds_of(account->traps_ns), "handshake_cpu_seconds",
			 seconds_of(account->cpu_ns > 0 ? account->cpu_ns : -1), "share", number_of(account->share),
			 "probes", rows_of(account), "foreign", "hits", (json_int_t)account->foreign, "seconds_each",
			 seconds_of(account->foreign_ns), "tracepoints", "runs_per_second",
			 account->tracepoints_per_second, "seconds_per_second", account->tracepoints_ns / 1e9,
			 "traps", "emulated_seconds", seconds_of(traps->emulated_ns), "stepped_seconds",
			 seconds_of(traps->stepped_ns), "return_seconds", seconds_of(traps->return_ns),
			 "statistics_seconds", seconds_of(traps->statistics_ns), "statistics",
			 !cost->statistics_error);
}
