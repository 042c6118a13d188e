/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What failed upstream handshakes did to requests: answered with 502 or 504, or rescued by the next upstream.
 *
 * A request is known by its worker and nginx's connection number, which the upstream's handshakes and the answer
 * share. The last failure before the answer, or before a handshake that completed, is the one it is put down to, so
 * that requests are counted once. A request that ends in another way (its client left, a kept connection was used) is
 * neither; it is forgotten when its place is needed.
 * Invariant: memory is bounded; where it does not suffice a request is not counted, never counted wrongly.
 * Must not know: where the records come from.
 */
#ifndef TLSWHY_HANDSHAKE_IMPACT_H
#define TLSWHY_HANDSHAKE_IMPACT_H

#include <stdbool.h>
#include <stdint.h>

#include "handshake/cause.h"

#define IMPACT_REQUESTS 4096 /* remembered at once: requests whose upstream failed and whose end is not known yet */

struct impact_request {
	uint64_t connection; /* 0: a free place */
	uint32_t tgid;
	bool completed; /* a later handshake of it completed; it may still be taken back */
	enum cause cause;
};

/* About 100 KiB. `= { 0 }` is none. */
struct impact {
	struct impact_request requests[IMPACT_REQUESTS]; /* by hash; a newer one takes an older one's place */
	uint64_t lost[CAUSE_COUNT];
	uint64_t rescued[CAUSE_COUNT]; /* less those that are remembered as completed */
};

/*
 * An upstream handshake failed for the request. amends: it had completed before. Nothing is remembered for connection
 * 0, which is unknown.
 */
void impact_failed(struct impact *impact, uint32_t tgid, uint64_t connection, enum cause cause, bool amends);
/* One completed. */
void impact_completed(struct impact *impact, uint32_t tgid, uint64_t connection);
/* The request was answered with an error of nginx's own. Where a handshake had completed it is not for these
 * failures. */
void impact_answered(struct impact *impact, uint32_t tgid, uint64_t connection);
/* Requests rescued from a cause so far. */
uint64_t impact_rescued(const struct impact *impact, enum cause cause);
/* Adds the counts of from; what from remembers as not ended is not taken over. */
void impact_merge(struct impact *into, const struct impact *from);

#endif
