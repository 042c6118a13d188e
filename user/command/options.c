/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of options and its parser.
 *
 * Invariant: a value is taken whole or refused with a sentence; nothing is silently cut or clamped.
 * Must not know: what a command does.
 */
#include "command/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define DURATION_MAX_S (31.0 * 86400)
#define INTERVAL_MAX_S 86400.0
#define PERCENT_MAX    100000.0 /* of one core: a large machine has hundreds */

/* Takes an option's value (NULL where it has none). Returns 0, or -EINVAL; the caller says which option. */
typedef int option_fn(struct options *options, const char *value);

struct option_row {
	const char *name;
	char letter; /* 0: none */
	const char *argument;
	unsigned int commands;
	option_fn *take;
	const char *help;
};

static int parse_whole(const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
	char *end = NULL;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

static int take_pid(struct options *options, const char *value)
{
	unsigned long pid;

	if (options->pid_count == OPTIONS_PIDS || parse_whole(value, 1, INT_MAX, &pid))
		return -EINVAL;
	options->pids[options->pid_count++] = (pid_t)pid;
	return 0;
}

static int parse_number(const char *text, double max, double *out)
{
	char *end = NULL;
	double number;

	if ((text[0] < '0' || text[0] > '9') && text[0] != '.')
		return -EINVAL;
	number = strtod(text, &end);
	if (end == text || *end || !(number <= max))
		return -EINVAL;
	*out = number;
	return 0;
}

static int parse_seconds(const char *text, double max, double *out)
{
	double seconds;

	if (parse_number(text, max, &seconds) || !(seconds > 0))
		return -EINVAL;
	*out = seconds;
	return 0;
}

static int take_duration(struct options *options, const char *value)
{
	return parse_seconds(value, DURATION_MAX_S, &options->duration_s);
}

static int take_format(struct options *options, const char *value)
{
	if (strcmp(value, "text") == 0)
		options->format = FORMAT_TEXT;
	else if (strcmp(value, "json") == 0)
		options->format = FORMAT_JSON;
	else
		return -EINVAL;
	return 0;
}

static int take_color(struct options *options, const char *value)
{
	if (strcmp(value, "auto") == 0)
		options->color = COLOR_AUTO;
	else if (strcmp(value, "always") == 0)
		options->color = COLOR_ALWAYS;
	else if (strcmp(value, "never") == 0)
		options->color = COLOR_NEVER;
	else
		return -EINVAL;
	return 0;
}

static int take_ring_bytes(struct options *options, const char *value)
{
	unsigned long bytes;

	if (parse_whole(value, 4096, 1ul << 30, &bytes) || (bytes & (bytes - 1)) != 0)
		return -EINVAL;
	options->ring_bytes = (uint32_t)bytes;
	return 0;
}

static int take_spill_entries(struct options *options, const char *value)
{
	unsigned long entries;

	if (parse_whole(value, 1, 1ul << 20, &entries))
		return -EINVAL;
	options->spill_entries = (uint32_t)entries;
	return 0;
}

static int take_foreign_budget(struct options *options, const char *value)
{
	options->foreign_given = true;
	return parse_number(value, PERCENT_MAX, &options->foreign_percent);
}

static int take_input(struct options *options, const char *value)
{
	if (options->input_count == OPTIONS_INPUTS || !value[0])
		return -EINVAL;
	/* Standard input can be read once. */
	for (size_t i = 0; strcmp(value, OPTIONS_STDIN) == 0 && i < options->input_count; i++)
		if (strcmp(options->inputs[i], OPTIONS_STDIN) == 0)
			return -EINVAL;
	options->inputs[options->input_count++] = value;
	return 0;
}

static int take_output(struct options *options, const char *value)
{
	if (!value[0])
		return -EINVAL;
	options->output = value;
	return 0;
}

static int take_listen(struct options *options, const char *value)
{
	return address_parse(value, &options->listen);
}

static int take_textfile(struct options *options, const char *value)
{
	if (!value[0])
		return -EINVAL;
	options->textfile = value;
	return 0;
}

static int take_interval(struct options *options, const char *value)
{
	return parse_seconds(value, INTERVAL_MAX_S, &options->interval_s);
}

static int take_verbose(struct options *options, const char *value)
{
	(void)value;
	options->verbose = true;
	return 0;
}

static int take_live(struct options *options, const char *value)
{
	(void)value;
	options->live = true;
	return 0;
}

static int take_exit_code(struct options *options, const char *value)
{
	(void)value;
	options->exit_code = true;
	return 0;
}

static int take_cost(struct options *options, const char *value)
{
	(void)value;
	options->cost = true;
	return 0;
}

static int take_help(struct options *options, const char *value)
{
	(void)value;
	options->help = true;
	return 0;
}

static const struct option_row rows[] = {
	{ .name = "pid",
	  .letter = 'p',
	  .argument = "PID",
	  .commands = COMMAND_ALL,
	  .take = take_pid,
	  .help = "only the nginx with this master, or only this worker; may be repeated" },
	{ .name = "duration",
	  .letter = 'd',
	  .argument = "SECONDS",
	  .commands = COMMAND_ALL,
	  .take = take_duration,
	  .help = "how long to watch; default: until interrupted, with --cost 5 or 1000 handshakes" },
	{ .name = "input",
	  .letter = 'i',
	  .argument = "FILE",
	  .commands = COMMAND_REPORT | COMMAND_TRACE | COMMAND_EXPORT,
	  .take = take_input,
	  .help = "read this recording instead of watching, - is standard input; may be repeated: all as one" },
	{ .name = "output",
	  .letter = 'o',
	  .argument = "FILE",
	  .commands = COMMAND_RECORD,
	  .take = take_output,
	  .help = "the recording, a file that does not exist yet" },
	{ .name = "record",
	  .argument = "FILE",
	  .commands = COMMAND_REPORT | COMMAND_TRACE,
	  .take = take_output,
	  .help = "keep what is seen in this file as well, as tlswhy record does" },
	{ .name = "format",
	  .argument = "text|json",
	  .commands = COMMAND_REPORT | COMMAND_TRACE | COMMAND_CHECK,
	  .take = take_format,
	  .help = "default: text" },
	{ .name = "color",
	  .argument = "auto|always|never",
	  .commands = COMMAND_REPORT | COMMAND_TRACE | COMMAND_CHECK,
	  .take = take_color,
	  .help = "default: auto, on a terminal unless NO_COLOR is set" },
	{ .name = "live",
	  .commands = COMMAND_TRACE,
	  .take = take_live,
	  .help = "print every handshake at once, and a second line if nginx refuses it afterwards" },
	{ .name = "exit-code",
	  .commands = COMMAND_REPORT,
	  .take = take_exit_code,
	  .help = "exit with 4 when a finding is at least a warning" },
	{ .name = "cost",
	  .commands = COMMAND_CHECK,
	  .take = take_cost,
	  .help = "watch for a while and say what that costs a handshake" },
	{ .name = "listen",
	  .argument = "ADDR:PORT",
	  .commands = COMMAND_EXPORT,
	  .take = take_listen,
	  .help = "where to serve /metrics, [::1]:PORT too; default, without --textfile: " OPTIONS_LISTEN },
	{ .name = "textfile",
	  .argument = "FILE",
	  .commands = COMMAND_EXPORT,
	  .take = take_textfile,
	  .help = "replace this file with the metrics, again and again; once with -i" },
	{ .name = "interval",
	  .argument = "SECONDS",
	  .commands = COMMAND_EXPORT,
	  .take = take_interval,
	  .help = "how often --textfile is written; default: 15" },
	{ .name = "ring-bytes",
	  .argument = "BYTES",
	  .commands = COMMAND_REPORT | COMMAND_TRACE | COMMAND_RECORD | COMMAND_EXPORT,
	  .take = take_ring_bytes,
	  .help = "size of the ring buffer, a power of two from 4096; default: 4194304" },
	{ .name = "spill-entries",
	  .argument = "N",
	  .commands = COMMAND_REPORT | COMMAND_TRACE | COMMAND_RECORD | COMMAND_EXPORT,
	  .take = take_spill_entries,
	  .help = "size of the map that counts when the ring is full; default: 16384" },
	{ .name = "foreign-budget",
	  .argument = "PERCENT",
	  .commands = COMMAND_REPORT | COMMAND_TRACE | COMMAND_RECORD | COMMAND_EXPORT,
	  .take = take_foreign_budget,
	  .help = "of a core that probes may cost other processes before the watch ends; 0: no limit; default: 1" },
	{ .name = "verbose",
	  .letter = 'v',
	  .commands = COMMAND_ALL,
	  .take = take_verbose,
	  .help = "say what is being done" },
	{ .name = "help", .letter = 'h', .commands = COMMAND_ALL, .take = take_help, .help = "this text" },
};

#define ROW_COUNT  (sizeof(rows) / sizeof(rows[0]))
#define LONG_FIRST 256 /* getopt's value of row 0: letters are below */

static void build_getopt(enum command_bit command, struct option *longs, char *shorts)
{
	size_t count = 0, at = 0;

	shorts[at++] = ':';
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (!(rows[i].commands & command))
			continue;
		longs[count++] = (struct option){ .name = rows[i].name,
						  .has_arg = rows[i].argument ? required_argument : no_argument,
						  .val = LONG_FIRST + (int)i };
		if (!rows[i].letter)
			continue;
		shorts[at++] = rows[i].letter;
		if (rows[i].argument)
			shorts[at++] = ':';
	}
	longs[count] = (struct option){ .name = NULL };
	shorts[at] = '\0';
}

static const struct option_row *row_of(int value)
{
	if (value >= LONG_FIRST && value < LONG_FIRST + (int)ROW_COUNT)
		return &rows[value - LONG_FIRST];
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].letter && rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static int usage_error(const char *what, const char *subject)
{
	log_error("%s '%s'", what, subject);
	log_hint("tlswhy --help lists commands, tlswhy COMMAND --help a command's options");
	return -EINVAL;
}

static bool is_about_watching(const struct options *options)
{
	return options->pid_count || options->duration_s > 0 || options->output || options->ring_bytes ||
	       options->spill_entries || options->foreign_given;
}

int options_parse(struct options *options, enum command_bit command, int argc, char **argv)
{
	struct option longs[ROW_COUNT + 1];
	char shorts[ROW_COUNT * 2 + 2];
	struct options parsed = { .format = FORMAT_TEXT, .foreign_percent = OPTIONS_FOREIGN_PERCENT };
	int value;

	build_getopt(command, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = row_of(value);

		if (value == ':')
			return usage_error("no value for option", argv[optind - 1]);
		if (!row)
			return usage_error("unknown option", argv[optind - 1]);
		if (row->take(&parsed, optarg)) {
			log_error("invalid value '%s' for option '--%s'", optarg, row->name);
			log_hint("--%s %s: %s", row->name, row->argument, row->help);
			return -EINVAL;
		}
	}
	if (optind < argc)
		return usage_error("unexpected argument", argv[optind]);
	if (parsed.input_count && is_about_watching(&parsed)) {
		log_error(
			"-i reads recordings, and watches nothing that -p, -d, --record, a size or a limit is about");
		log_hint("choose what is recorded when it is recorded");
		return -EINVAL;
	}
	if (command == COMMAND_CHECK && parsed.duration_s > 0 && !parsed.cost) {
		log_error("check watches nothing that -d is about");
		log_hint("with --cost it watches for so long");
		return -EINVAL;
	}
	*options = parsed;
	return 0;
}

void options_help(enum command_bit command, FILE *stream)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		char left[64];

		if (!(rows[i].commands & command))
			continue;
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", rows[i].letter ? "-" : "   ",
			 rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ", " : "", rows[i].name,
			 rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
		fprintf(stream, "  %-32s %s\n", left, rows[i].help);
	}
}
