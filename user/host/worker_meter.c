/* SPDX-License-Identifier: BSD-2-Clause */
/* From readings to figures. Contract: worker_meter.h. */
#include "host/worker_meter.h"

/* What one process did between two readings. */
struct span {
	double seconds;
	double cpu_ratio;
	double run_delay_ratio, busy_ratio; /* of the main thread; negative: unknown */
};

/* The kernel's sums only grow; should one not, nothing was added. */
static double grown(uint64_t before, uint64_t after)
{
	return after > before ? (double)(after - before) / 1e9 : 0;
}

static double at_most_one(double ratio)
{
	return ratio < 1 ? ratio : 1;
}

static struct span span_between(const struct worker_reading *before, const struct worker_reading *after)
{
	const struct worker_schedstat *from = &before->schedstat, *to = &after->schedstat;
	double seconds = grown(before->time_ns, after->time_ns);
	struct span span = { .seconds = seconds, .cpu_ratio = -1, .run_delay_ratio = -1, .busy_ratio = -1 };

	if (seconds <= 0)
		return span;
	span.cpu_ratio = grown(before->cpu_ns, after->cpu_ns) / seconds;
	if (!before->has_schedstat || !after->has_schedstat)
		return span;
	span.run_delay_ratio = at_most_one(grown(from->run_delay_ns, to->run_delay_ns) / seconds);
	span.busy_ratio = span.run_delay_ratio + grown(from->cpu_ns, to->cpu_ns) / seconds;
	return span;
}

void worker_meter_start(struct worker_meter *meter, const struct worker_reading *reading)
{
	*meter = (struct worker_meter){
		.first = *reading,
		.last = *reading,
		.cpu_peak = -1,
		.run_delay_peak = -1,
	};
}

static void raise_to(double *peak, double value)
{
	if (value > *peak)
		*peak = value;
}

void worker_meter_add(struct worker_meter *meter, const struct worker_reading *reading)
{
	struct span span = span_between(&meter->last, reading);
	uint64_t length_ns;

	if (span.seconds <= 0)
		return;
	length_ns = reading->time_ns - meter->last.time_ns;
	if (length_ns >= WORKER_PEAK_NS) {
		raise_to(&meter->cpu_peak, span.cpu_ratio);
		raise_to(&meter->run_delay_peak, span.run_delay_ratio);
	}
	meter->knows_saturated |= span.busy_ratio >= 0;
	if (span.busy_ratio >= WORKER_SATURATED)
		meter->saturated_ns += length_ns;
	meter->last = *reading;
}

struct worker_usage worker_meter_usage(const struct worker_meter *meter)
{
	struct span whole = span_between(&meter->first, &meter->last);

	return (struct worker_usage){
		.cpu_ratio = whole.cpu_ratio,
		.run_delay_ratio = whole.run_delay_ratio,
		.cpu_ratio_peak = meter->cpu_peak,
		.run_delay_peak = meter->run_delay_peak,
		.cpu_seconds = whole.seconds > 0 ? whole.cpu_ratio * whole.seconds : -1,
		.saturated_seconds = meter->knows_saturated ? (double)meter->saturated_ns / 1e9 : -1,
		.sampled_seconds = whole.seconds,
	};
}
