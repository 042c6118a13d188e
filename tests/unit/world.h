/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made-up handshakes, as the kernel side would tell of them: as records, as spill rows, or as a mix of both.
 *
 * Deterministic by seed. Used by the tests of counting.
 */
#ifndef TLSWHY_TESTS_UNIT_WORLD_H
#define TLSWHY_TESTS_UNIT_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/aggregate.h"

/* One thing to count, in both forms; spilled says which is meant. */
struct world_input {
	bool spilled;
	struct observation record;
	struct spill_key key;
	struct spill_value value;
};

struct world {
	struct world_input *inputs;
	size_t count;
};

/* xorshift64; *state is not 0. */
uint64_t world_random(uint64_t *state);

/* handshakes of all directions and causes; every sixth ok is amended later, by an input of its own. */
void world_init(struct world *world, size_t handshakes, uint64_t seed);
void world_release(struct world *world);

/* Chooses the form of every input: percent of them are spill rows. */
void world_spill(struct world *world, unsigned int percent, uint64_t seed);
void world_shuffle(struct world *world, uint64_t seed);

void world_add(struct aggregate *aggregate, const struct world_input *input);
void world_add_all(struct aggregate *aggregate, const struct world *world);

#endif
