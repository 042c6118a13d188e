/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers and generations, in the JSON report. */
#include "output/json_private.h"

/* Of what is sampled: null where nothing was. */
static json_t *sampled(const struct snapshot_worker *row, double value)
{
	return row->sampled_seconds > 0 ? json_ratio(value) : json_null();
}

/* Of the worker's CPU, by two clocks, one of them a tick's: never above all of it. */
static json_t *cpu_share(const struct snapshot_worker *row)
{
	double seconds = (double)row->cpu_us / 1e6;

	if (row->sampled_seconds <= 0 || row->cpu_seconds <= 0)
		return json_null();
	return json_number(seconds < row->cpu_seconds ? seconds / row->cpu_seconds : 1);
}

static void put_cpu(json_t *object, const struct snapshot_worker *row, bool *failed)
{
	json_put(object, "cpu_ratio", json_ratio(row->cpu_ratio), failed);
	json_put(object, "cpu_ratio_peak", sampled(row, row->cpu_ratio_peak), failed);
	json_put(object, "run_delay_ratio", json_ratio(row->run_delay_ratio), failed);
	json_put(object, "run_delay_ratio_peak", sampled(row, row->run_delay_peak), failed);
	json_put(object, "cpu_seconds", sampled(row, row->cpu_seconds), failed);
	json_put(object, "saturated_seconds", sampled(row, row->saturated_seconds), failed);
	json_put(object, "sampled_seconds", json_number(row->sampled_seconds), failed);
	json_put(object, "handshake_cpu_seconds", json_microseconds(row->cpu_us), failed);
	json_put(object, "handshake_cpu_share", cpu_share(row), failed);
}

static json_t *worker(const struct snapshot_worker *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "pid", json_count(row->pid), failed);
	json_put(object, "master_pid", json_count(row->master_pid), failed);
	json_put(object, "generation", json_count(row->generation), failed);
	put_cpu(object, row, failed);
	json_put(object, "handshakes", json_count(row->handshakes), failed);
	json_put(object, "failed", json_count(row->failed), failed);
	json_put(object, "resumed", json_count(row->resumed), failed);
	json_put(object, "given_up", json_count(row->given_up), failed);
	json_put(object, "given_up_late", json_count(row->given_up_late), failed);
	json_put(object, "lag_seconds", json_histogram(&row->lag), failed);
	json_put(object, "latency_seconds", json_histogram(&row->latency), failed);
	json_put(object, "whole_seconds", json_microseconds(row->whole_us), failed);
	json_put(object, "parts", json_part_sums(row->us, row->whole_us, row->count, row->lag.count > 0, failed),
		 failed);
	json_put_codes(object, &row->codes, failed);
	return object;
}

json_t *json_workers(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->worker_count; i++)
		json_push(array, worker(&snapshot->workers[i], failed), failed);
	return array;
}

static json_t *generation(const struct generation_row *row, bool *failed)
{
	json_t *object = json_object();

	json_put(object, "master_pid", row->master_pid ? json_count(row->master_pid) : json_null(), failed);
	json_put(object, "generation", json_count(row->generation), failed);
	json_put(object, "workers", json_count(row->workers), failed);
	json_put(object, "handshakes", json_count(row->handshakes), failed);
	json_put(object, "failed", json_count(row->failed), failed);
	json_put(object, "resumed", json_count(row->resumed), failed);
	json_put(object, "given_up", json_count(row->given_up), failed);
	json_put(object, "given_up_late", json_count(row->given_up_late), failed);
	json_put(object, "lag_seconds", json_histogram(&row->lag), failed);
	json_put(object, "latency_seconds", json_histogram(&row->latency), failed);
	json_put(object, "whole_seconds", json_microseconds(row->whole_us), failed);
	json_put(object, "parts", json_part_sums(row->us, row->whole_us, row->count, row->lag.count > 0, failed),
		 failed);
	json_put_codes(object, &row->codes, failed);
	return object;
}

json_t *json_generations(const struct snapshot *snapshot, bool *failed)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->generation_count; i++)
		json_push(array, generation(&snapshot->generations[i], failed), failed);
	return array;
}
