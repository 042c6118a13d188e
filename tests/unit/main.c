/* SPDX-License-Identifier: BSD-2-Clause */
/* The unit tests: all suites, or the one named by the only argument. */
#include "../run_suites.h"

/* Suites, in the order they run. A new suite is a line here: X(name) stands for Suite *suite_name(void). */
#define SUITES(X)           \
	X(latency_bucket)   \
	X(cause)            \
	X(authentication)   \
	X(histogram)        \
	X(toplist)          \
	X(distinct)         \
	X(impact)           \
	X(aggregate)        \
	X(snapshot)         \
	X(classify)         \
	X(classify_noise)   \
	X(reason_causes)    \
	X(verify_causes)    \
	X(clienthello)      \
	X(decode)           \
	X(escape)           \
	X(json)             \
	X(json_host)        \
	X(json_time)        \
	X(text)             \
	X(text_time)        \
	X(openmetrics)      \
	X(metrics_workers)  \
	X(export)           \
	X(foreign_budget)   \
	X(watch_cost)       \
	X(trace)            \
	X(trace_time)       \
	X(accessor)         \
	X(site)             \
	X(site_whole)       \
	X(site_probes)      \
	X(layout)           \
	X(layout_unknown)   \
	X(sight)            \
	X(library)          \
	X(dwarf)            \
	X(dwarf_files)      \
	X(debug_file)       \
	X(nginx_title)      \
	X(procmaps)         \
	X(selftest)         \
	X(harm)             \
	X(worker)           \
	X(listen_diag)      \
	X(listen_counters)  \
	X(listen_table)     \
	X(listen_space)     \
	X(worker_meter)     \
	X(diagnose)         \
	X(saturation)       \
	X(recording)        \
	X(recording_layout) \
	X(recorded_backlog) \
	X(window)           \
	X(golden)

#define X(name) Suite *suite_##name(void);
SUITES(X)
#undef X

static const struct suite_entry suites[] = {
#define X(name_) { .name = #name_, .make = suite_##name_ },
	SUITES(X)
#undef X
};

int main(int argc, char **argv)
{
	return run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
