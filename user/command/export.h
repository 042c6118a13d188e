/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporting a snapshot that is complete, wherever it comes from, and one of recordings. */
#ifndef TLSWHY_COMMAND_EXPORT_H
#define TLSWHY_COMMAND_EXPORT_H

#include "command/options.h"
#include "handshake/snapshot.h"

/*
 * Writes the snapshot once: to --textfile in the Prometheus text format, which its readers want; else to standard
 * output as OpenMetrics. Returns an exit code after having told the user what failed.
 */
int export_snapshot(const struct options *options, const struct snapshot *snapshot);

/* export_snapshot() of what the recordings hold, all as one. Returns an exit code, of a damaged one EXIT_RUNTIME. */
int export_recordings(const struct options *options);

#endif
