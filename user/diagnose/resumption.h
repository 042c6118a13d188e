/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What resumption spares, and what more of it could spare.
 *
 * Of handshakes whose cost is known: those that completed and were seen from their beginning. Must not know: outputs.
 */
#ifndef TLSWHY_DIAGNOSE_RESUMPTION_H
#define TLSWHY_DIAGNOSE_RESUMPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "diagnose/diagnose.h"

struct resumption {
	uint64_t full, resumed;
	uint64_t full_cpu_us, resumed_cpu_us;
	bool saving_known; /* a resumed handshake was seen to compare with */
	/*
	 * CPU of the full handshakes beyond what as many resumed ones of the same version took: what better
	 * resumption saves at most, since nobody resumes a first visit. Versions of which none was resumed are not in
	 * it.
	 */
	uint64_t saving_us;
};

/* Of one direction. */
void resumption_of(const struct snapshot *snapshot, unsigned int direction, struct resumption *resumption);
/* CPU of all workers while they were sampled, in seconds; negative: unknown, of one that had handshakes too. */
double workers_cpu_seconds(const struct snapshot *snapshot);

/* The finding resumption_low. */
void diagnose_resumption(const struct snapshot *snapshot, struct findings *findings);

#endif
