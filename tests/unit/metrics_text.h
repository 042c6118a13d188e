/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics of snapshots as text, for their tests. */
#ifndef TLSWHY_TESTS_METRICS_TEXT_H
#define TLSWHY_TESTS_METRICS_TEXT_H

#include "output/openmetrics.h"

/* With highest as openmetrics_write_raised() writes it, with NULL as openmetrics_write(). Memory for free(). */
char *metrics_text(struct openmetrics_counters *highest, const struct snapshot *snapshot, enum openmetrics_form form,
		   const char *version);
/* Fails where part is not in it. */
void assert_metrics(const char *text, const char *part);
/* How often part is in it. */
unsigned int metrics_count(const char *text, const char *part);

#endif
