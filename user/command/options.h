/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options: one table that drives parsing, defaults, help and the check against the man page.
 *
 * struct options is filled once and read only afterwards. Must not know: what a command does with them.
 */
#ifndef TLSWHY_COMMAND_OPTIONS_H
#define TLSWHY_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "command/address.h"

#define OPTIONS_PIDS   64
#define OPTIONS_INPUTS 64
#define OPTIONS_STDIN  "-" /* as one of them: standard input */
/* Where export listens if nothing else is asked for. No service is registered for the port (IANA). */
#define OPTIONS_LISTEN "127.0.0.1:19443"
/* What the probes may cost processes that are not watched, percent of one core, unless said otherwise. */
#define OPTIONS_FOREIGN_PERCENT 1.0

/* Exit codes of the program. */
enum {
	EXIT_FINE = 0,
	EXIT_RUNTIME = 1,
	EXIT_USAGE = 2,
	EXIT_REQUIREMENT = 3, /* the host lacks something; the hint says how to get it */
	EXIT_FINDING = 4,     /* report --exit-code: a finding is at least a warning */
};

/* Bits of the commands that take an option. */
enum command_bit {
	COMMAND_REPORT = 1,
	COMMAND_TRACE = 2,
	COMMAND_CHECK = 4,
	COMMAND_RECORD = 8,
	COMMAND_EXPORT = 16,
	COMMAND_ALL = 31,
};

enum format { FORMAT_TEXT, FORMAT_JSON };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
	pid_t pids[OPTIONS_PIDS];
	size_t pid_count;
	double duration_s; /* 0: until interrupted */
	enum format format;
	enum color color;
	bool verbose;
	bool live;
	bool exit_code;
	bool cost;
	const char *inputs[OPTIONS_INPUTS]; /* recordings, of argv, or OPTIONS_STDIN; none: this host is watched */
	size_t input_count;
	const char *output; /* where a watch is recorded; NULL: nowhere; of argv */
	bool help;
	uint32_t ring_bytes, spill_entries; /* 0: default */
	double foreign_percent;             /* of one core; 0: no limit */
	bool foreign_given;
	union address listen; /* AF_UNSPEC: not given */
	const char *textfile; /* NULL: none; of argv */
	double interval_s;    /* 0: not given */
};

/*
 * Parses what follows the command's name. command is one of enum command_bit. Returns 0, or -EINVAL after having told
 * the user what is wrong.
 */
int options_parse(struct options *options, enum command_bit command, int argc, char **argv);

/* The help of a command's options, a line or more each. */
void options_help(enum command_bit command, FILE *stream);

#endif
