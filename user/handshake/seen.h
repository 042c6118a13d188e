/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Was this peer seen with a handshake that was ok? A counting Bloom filter (Fan et al., Summary Cache, 2000).
 *
 * 2^22 counters of 8 bits, 4 hash functions: 4 MiB, of which the system hands out only the pages that are touched.
 * With n peers in it, a peer that is not is taken for one with probability (1 - e^(-4n / 2^22))^4: 0.007 % at 100,000
 * peers, 2.1 % at 500,000, 14 % at 1,000,000. peer_filter_false_ratio() says what it is now.
 * It counts, because an ok that is amended is taken out again. A counter that reached 255 stays there.
 * Two filters may be merged only where their hashes come from the same function with the same seed.
 * Must not know: what a peer is; it is given hashes.
 */
#ifndef TLSWHY_HANDSHAKE_SEEN_H
#define TLSWHY_HANDSHAKE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_FILTER_COUNTERS (1u << 22)
#define PEER_FILTER_HASHES   4

/* `= { 0 }` is an empty filter; memory is taken with the first peer. */
struct peer_filter {
	uint8_t *counters;
	size_t used; /* counters that are not 0 */
};

void peer_filter_release(struct peer_filter *filter);
/*
 * Has the memory fetched that an addition or removal of the hash will touch: four places that are in no near cache
 * where there are many peers. Changes nothing.
 */
void peer_filter_prefetch(const struct peer_filter *filter, uint64_t hash);
/* Takes a hash whose 64 bits are uniform. Returns 0, or -ENOMEM with the filter unchanged. */
int peer_filter_add(struct peer_filter *filter, uint64_t hash);
/* Takes one addition back; a hash that is not in the filter changes nothing. */
void peer_filter_remove(struct peer_filter *filter, uint64_t hash);
/* Never false for a hash that was added and not removed. */
bool peer_filter_has(const struct peer_filter *filter, uint64_t hash);
/* Returns 0, -EINVAL where they are the same, or -ENOMEM with into unchanged. */
int peer_filter_merge(struct peer_filter *into, const struct peer_filter *from);
/* The probability, at its present load, that a hash that was not added is said to be there. */
double peer_filter_false_ratio(const struct peer_filter *filter);

#endif
