/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which text format a scraper wants, from its Accept header (RFC 9110, section 12.5.1).
 *
 * Must not know: HTTP beyond this header.
 */
#ifndef TLSWHY_COMMAND_ACCEPT_H
#define TLSWHY_COMMAND_ACCEPT_H

#include "output/openmetrics.h"

/*
 * OpenMetrics where it is named, in version 1.0.0 or without one, and not liked less than the Prometheus text format;
 * else that, also for those who accept neither: a scraper can say so better than a 406. header may be NULL.
 */
enum openmetrics_form accept_form(const char *header);
/* The form's Content-Type. Static storage. */
const char *accept_content_type(enum openmetrics_form form);

#endif
