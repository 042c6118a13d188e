/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands. Each runs to its end and returns the program's exit code. */
#ifndef TLSWHY_COMMAND_COMMAND_H
#define TLSWHY_COMMAND_COMMAND_H

#include "command/options.h"

int command_report(const struct options *options);
int command_trace(const struct options *options);
int command_record(const struct options *options);
int command_export(const struct options *options);
int command_check(const struct options *options);
int command_version(void);

#endif
