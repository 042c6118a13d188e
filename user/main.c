/* SPDX-License-Identifier: BSD-2-Clause */
/* The command table, nothing more. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "command/command.h"

struct command {
	const char *name;
	enum command_bit bit;
	int (*run)(const struct options *options);
	const char *summary;
};

static const struct command commands[] = {
	{ .name = "report",
	  .bit = COMMAND_REPORT,
	  .run = command_report,
	  .summary = "watch, then say why handshakes fail" },
	{ .name = "trace",
	  .bit = COMMAND_TRACE,
	  .run = command_trace,
	  .summary = "one line a handshake, as it ends" },
	{ .name = "record",
	  .bit = COMMAND_RECORD,
	  .run = command_record,
	  .summary = "keep what is seen in a file, for report, trace and export to read with -i" },
	{ .name = "export",
	  .bit = COMMAND_EXPORT,
	  .run = command_export,
	  .summary = "metrics for Prometheus: over HTTP, in a file, or both" },
	{ .name = "check",
	  .bit = COMMAND_CHECK,
	  .run = command_check,
	  .summary = "can this host be traced, what would be attached, what is missing" },
};

#define COMMAND_TOTAL (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *stream)
{
	fputs("usage: tlswhy COMMAND [OPTION...]\n\n"
	      "Says why nginx's TLS handshakes fail: attaches to the running nginx, changes nothing.\n\n",
	      stream);
	for (size_t i = 0; i < COMMAND_TOTAL; i++)
		fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\nFirst steps:  tlswhy check;  tlswhy report -d 30;  tlswhy trace\n"
	      "Options of a command:  tlswhy COMMAND --help\n",
	      stream);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct options options;

	if (options_parse(&options, command->bit, argc, argv))
		return EXIT_USAGE;
	log_set_verbose(options.verbose);
	if (!options.help)
		return command->run(&options);
	printf("usage: tlswhy %s [OPTION...]\n\n%s\n\n", command->name, command->summary);
	options_help(command->bit, stdout);
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < COMMAND_TOTAL; i++)
		if (strcmp(name, commands[i].name) == 0)
			return run_command(&commands[i], argc - 1, argv + 1);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return EXIT_FINE;
	}
	if (strcmp(name, "--version") == 0)
		return command_version();
	if (argc > 1)
		log_error("unknown command '%s'", name);
	print_help(stderr);
	return EXIT_USAGE;
}
