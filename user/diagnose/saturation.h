/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workers that do not get to their handshakes, and why: the cause of causes of timeouts and abandoned handshakes.
 *
 * The rules are in diagnose.h. Must not know: outputs.
 */
#ifndef TLSWHY_DIAGNOSE_SATURATION_H
#define TLSWHY_DIAGNOSE_SATURATION_H

#include <stdbool.h>

#include "diagnose/diagnose.h"

enum shortage {
	SHORTAGE_NONE,
	SHORTAGE_BUSY,    /* it runs nearly all the time */
	SHORTAGE_STARVED, /* it is ready to run, and others have its CPU */
	SHORTAGE_BLOCKED, /* it is late, and neither runs nor waits for a CPU: it sleeps where it should not */
};

enum shortage worker_shortage(const struct snapshot_worker *worker);

/* Whether most handshakes of a cause that means giving up waited longer for nginx's worker than for the peer. */
bool cause_is_of_workers(const struct cause_row *row);
/*
 * What to change about the workers, as a sentence that begins with where to look, up to a ';'. Where none is found
 * short of anything it is of late workers in general. Static.
 */
const char *workers_advice(const struct snapshot *snapshot);
/*
 * What is wrong with the workers, the title of their worst finding, into text[FINDING_TEXT_BYTES]. False, and text
 * untouched, where nothing is.
 */
bool workers_title(const struct snapshot *snapshot, char *text);

/* The findings workers_saturated and workers_blocked. Returns whether there is one. */
bool diagnose_saturation(const struct snapshot *snapshot, struct findings *findings);

#endif
