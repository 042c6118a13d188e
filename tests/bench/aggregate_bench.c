/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast a report takes records in, whether that stays so, and what memory it comes to. Prints one JSON object.
 *
 * A run is of a new aggregate, in CPU time of its thread; making the records is not in it and told apart. Runs take
 * turns, so that a busy host disturbs all of them alike; of a run's cost the median of its rounds counts.
 *   - usual, attack, ok: --records of a mix of that name, from the first to the last;
 *   - few: 10^4, a hundred times, with all that is allocated and touched for the first time, in memory that the
 *     process has already;
 *   - early, late: what records cost that come after 10^4 others, and after --records others;
 *   - peers_, names_, workers_N: a tenth of --records, with as many of these.
 *
 * "flat" compares: many_to_few is usual to few; late_to_early is what a thousand times as many records before have
 * made of the cost of one. "memory" is that of this process, before anything else ran in it. Invariant: no record is
 * refused, or there is no result.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate_bench.h"

#define ROUNDS_MAX   64
#define RUNS_MAX     16
#define FEW          10000
#define FEW_REPEATS  100
#define LATE         1000000
#define MEMORY_PEERS 10000000
#define KEPT_BYTES   (32 << 20) /* the most that M_MMAP_THRESHOLD takes */

/* The first runs, by their places. */
enum { RUN_USUAL, RUN_FEW, RUN_EARLY, RUN_LATE };

struct run {
	const char *name;
	enum mix mix;
	struct variety variety;
	uint64_t before; /* these come first and are not measured */
	uint64_t records;
	unsigned int repeats;
	double ns[ROUNDS_MAX], making_ns[ROUNDS_MAX];
};

struct bench {
	uint64_t records;
	unsigned int rounds;
	struct variety variety;
	const char *only; /* the one run that is wanted; NULL: all */
	const char *recording;
	enum mix recording_mix;
};

static void run_once(struct run *run, unsigned int round)
{
	uint64_t taking_ns = 0, making_ns = 0, aside_ns = 0;
	double measured = (double)run->records * run->repeats;
	struct stretch stretch;
	struct path path;

	stretch_init(&stretch, run->mix, &run->variety);
	for (unsigned int i = 0; i < run->repeats; i++) {
		path_init(&path, &stretch);
		path_feed(&path, &stretch, run->before, &aside_ns);
		taking_ns += path_feed(&path, &stretch, run->records, &making_ns);
		if (path.refused > 0) {
			(void)fprintf(stderr, "aggregate_bench: %" PRIu64 " records were refused\n", path.refused);
			exit(1);
		}
		path_release(&path);
	}
	stretch_release(&stretch);
	run->ns[round] = (double)taking_ns / measured;
	run->making_ns[round] = (double)making_ns / measured;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double print_run(struct run *run, unsigned int rounds, const char *separator)
{
	double ns = median(run->ns, rounds), making_ns = median(run->making_ns, rounds);

	printf("%s\n\"%s\":{\"mix\":\"%s\",\"before\":%" PRIu64 ",\"records\":%" PRIu64 ",\"peers\":%" PRIu64
	       ",\"names\":%" PRIu64 ",\"workers\":%" PRIu64,
	       separator, run->name, mix_name(run->mix), run->before, run->records, run->variety.peers,
	       run->variety.names, run->variety.workers);
	printf(",\"ns_per_record\":{\"median\":%.1f,\"min\":%.1f,\"max\":%.1f},\"records_per_second\":%.0f", ns,
	       run->ns[0], run->ns[rounds - 1], 1e9 / ns);
	printf(",\"making_ns_per_record\":%.1f}", making_ns);
	return ns;
}

/* A field of /proc/self/status, in bytes. */
static uint64_t status_bytes(const char *field)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long kib = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
			kib = strtoull(line + strlen(field) + 1, NULL, 10);
	if (status)
		(void)fclose(status);
	return kib * 1024;
}

/* With the report's snapshot, which is made while all of it is there. */
static void print_memory(const struct bench *bench)
{
	struct variety variety = bench->variety;
	struct snapshot snapshot;
	struct stretch stretch;
	struct path path;
	uint64_t before, after, making_ns = 0;

	variety.peers = MEMORY_PEERS;
	stretch_init(&stretch, MIX_USUAL, &variety);
	stretch_renew(&stretch, stretch.count);
	path_init(&path, &stretch);
	before = status_bytes("VmRSS");
	while (stretch.handshakes < variety.peers)
		path_feed(&path, &stretch, stretch.count, &making_ns);
	after = status_bytes("VmRSS");
	snapshot_init(&snapshot);
	if (aggregate_snapshot(path.aggregate, &snapshot) < 0)
		abort();
	printf(",\n\"memory\":{\"peers\":%" PRIu64 ",\"names\":%" PRIu64 ",\"workers\":%" PRIu64, variety.peers,
	       variety.names, variety.workers);
	printf(",\"handshakes\":%" PRIu64 ",\"added_rss_bytes\":%" PRIu64 ",\"rss_bytes\":%" PRIu64
	       ",\"with_snapshot_rss_bytes\":%" PRIu64 ",\"peak_rss_bytes\":%" PRIu64 "}",
	       stretch.handshakes, after - before, after, status_bytes("VmRSS"), status_bytes("VmHWM"));
	snapshot_release(&snapshot);
	path_release(&path);
	stretch_release(&stretch);
}

static void measure_all(const struct bench *bench, struct run *runs, size_t count)
{
	double ns[RUNS_MAX];

	for (unsigned int round = 0; round < bench->rounds; round++)
		for (size_t i = 0; i < count; i++)
			run_once(&runs[i], round);
	for (size_t i = 0; i < count; i++)
		ns[i] = print_run(&runs[i], bench->rounds, i > 0 ? "," : "");
	printf("}");
	if (count > 1)
		printf(",\n\"flat\":{\"many_to_few\":%.3f,\"late_to_early\":%.3f}", ns[RUN_USUAL] / ns[RUN_FEW],
		       ns[RUN_LATE] / ns[RUN_EARLY]);
}

/* Returns whether there was one of that name. */
static bool measure(const struct bench *bench)
{
	const struct variety v = bench->variety;
	const uint64_t all = bench->records, some = all / 10 > 0 ? all / 10 : 1;
	struct run runs[] = {
		{ .name = "usual", .variety = v, .records = all, .repeats = 1 },
		{ .name = "few", .variety = v, .records = FEW, .repeats = FEW_REPEATS },
		{ .name = "early", .variety = v, .before = FEW, .records = FEW, .repeats = FEW_REPEATS },
		{ .name = "late", .variety = v, .before = all, .records = LATE, .repeats = 1 },
		{ .name = "attack", .mix = MIX_ATTACK, .variety = v, .records = all, .repeats = 1 },
		{ .name = "ok", .mix = MIX_OK, .variety = v, .records = all, .repeats = 1 },
		{ .name = "peers_1000", .variety = { 1000, v.names, v.workers }, .records = some, .repeats = 1 },
		{ .name = "peers_1000000",
		  .variety = { 1000000, v.names, v.workers },
		  .records = some,
		  .repeats = 1 },
		{ .name = "names_100", .variety = { v.peers, 100, v.workers }, .records = some, .repeats = 1 },
		{ .name = "names_100000", .variety = { v.peers, 100000, v.workers }, .records = some, .repeats = 1 },
		{ .name = "workers_1", .variety = { v.peers, v.names, 1 }, .records = some, .repeats = 1 },
		{ .name = "workers_1000", .variety = { v.peers, v.names, 1000 }, .records = some, .repeats = 1 },
		{ .name = "workers_10000", .variety = { v.peers, v.names, 10000 }, .records = some, .repeats = 1 },
	};
	size_t first = 0, count = sizeof(runs) / sizeof(runs[0]);

	_Static_assert(sizeof(runs) / sizeof(runs[0]) <= RUNS_MAX, "a place for each");
	while (bench->only && first < count && strcmp(runs[first].name, bench->only) != 0)
		first++;
	if (first == count)
		return false;
	printf("{\"schema\":\"aggregate_bench/1\",\"rounds\":%u", bench->rounds);
	if (!bench->only)
		print_memory(bench);
	/* What a run gives back is the next one's: else page faults are what is measured, and chance how many. */
	(void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
	printf(",\n\"runs\":{");
	measure_all(bench, &runs[first], bench->only ? 1 : count);
	printf("}\n");
	return true;
}

static int write_recording(const struct bench *bench)
{
	struct stretch stretch;
	int error;

	stretch_init(&stretch, bench->recording_mix, &bench->variety);
	error = recording_make(bench->recording, &stretch, bench->records);
	stretch_release(&stretch);
	if (error)
		(void)fprintf(stderr, "aggregate_bench: '%s': %s\n", bench->recording, strerror(-error));
	return error ? 1 : 0;
}

static int usage(void)
{
	(void)fputs(
		"usage: aggregate_bench [--records N] [--peers N] [--names N] [--workers N] [--rounds N] [--only RUN]\n"
		"       aggregate_bench --recording FILE [--mix usual|attack|ok] [--records N] ...\n",
		stderr);
	return 2;
}

static bool take_mix(const char *text, enum mix *out)
{
	for (unsigned int mix = 0; mix < MIX_COUNT; mix++) {
		if (strcmp(text, mix_name((enum mix)mix)) != 0)
			continue;
		*out = (enum mix)mix;
		return true;
	}
	return false;
}

/* Returns whether the option is one, with a value it can have. */
static bool take_option(struct bench *bench, int option, const char *value)
{
	char *end = NULL;
	uint64_t number = strtoull(value, &end, 10);
	bool whole = *value && !*end && number > 0 && number <= 1000000000;

	switch (option) {
	case 'r':
		bench->records = number;
		return whole;
	case 'p':
		bench->variety.peers = number;
		return whole;
	case 'n':
		bench->variety.names = number;
		return whole && number <= 10000000; /* of seven digits */
	case 'w':
		bench->variety.workers = number;
		return whole;
	case 'o':
		bench->rounds = (unsigned int)number;
		return whole && number <= ROUNDS_MAX;
	case 'y':
		bench->only = value;
		return true;
	case 'f':
		bench->recording = value;
		return true;
	case 'm':
		return take_mix(value, &bench->recording_mix);
	}
	return false;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "records", required_argument, NULL, 'r' },
		{ "peers", required_argument, NULL, 'p' },
		{ "names", required_argument, NULL, 'n' },
		{ "workers", required_argument, NULL, 'w' },
		{ "rounds", required_argument, NULL, 'o' },
		{ "mix", required_argument, NULL, 'm' },
		{ "recording", required_argument, NULL, 'f' },
		{ "only", required_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	struct bench bench = { .records = 10000000, .rounds = 3, .variety = { 1000000, 100000, 128 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == '?' || !take_option(&bench, option, optarg))
			return usage();
	if (optind < argc)
		return usage();
	if (bench.recording)
		return write_recording(&bench);
	return measure(&bench) ? 0 : usage();
}
