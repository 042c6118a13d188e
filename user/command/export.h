/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporting a snapshot that is complete, wherever it comes from. */
#ifndef TLSWHY_COMMAND_EXPORT_H
#define TLSWHY_COMMAND_EXPORT_H

#include "command/options.h"
#include "handshake/snapshot.h"

/*
 * Writes the snapshot once, in the Prometheus text format: to --textfile, else to standard output. Returns an exit
 * code after having told the user what failed.
 */
int export_snapshot(const struct options *options, const struct snapshot *snapshot);

#endif
