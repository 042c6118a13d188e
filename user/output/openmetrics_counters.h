/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a snapshot to exported counters, for openmetrics.c alone.
 *
 * Must not know: the text formats.
 */
#ifndef TLSWHY_OUTPUT_OPENMETRICS_COUNTERS_H
#define TLSWHY_OUTPUT_OPENMETRICS_COUNTERS_H

#include "output/openmetrics.h"

/* Replaces *counters. */
void openmetrics_count(const struct snapshot *snapshot, struct openmetrics_counters *counters);
/* Raises each counter that is lower than the other's. */
void openmetrics_raise(struct openmetrics_counters *counters, const struct openmetrics_counters *by);
/* Label values: of openmetrics_counters.negotiated, of .requests, and of .lost. Static storage. */
const char *openmetrics_version(unsigned int index);
const char *openmetrics_result(unsigned int index);
const char *openmetrics_stage(unsigned int index);

#endif
