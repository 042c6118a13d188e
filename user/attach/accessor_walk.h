/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the walks over both instruction sets share: the values that registers hold, and what is known of the object.
 * Included by accessor*.c only.
 *
 * Invariant: a value is what the processor would have, or VALUE_UNKNOWN; what is taken as known of the object is in
 * the query and nowhere else. Must not know: instructions.
 */
#ifndef TLSWHY_ATTACH_ACCESSOR_WALK_H
#define TLSWHY_ATTACH_ACCESSOR_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "attach/accessor.h"
#include "attach/decoder.h"

#define WALK_REGISTERS  31 /* as many as aarch64 has; x86-64 uses the first 15 */
#define WALK_STACK      8
#define WALK_UNFOLLOWED WALK_REGISTERS /* the register that no walk follows */

enum value_kind {
	VALUE_UNKNOWN,
	VALUE_CONSTANT,
	VALUE_ADDRESS, /* the object plus number bytes */
	VALUE_FIELD,   /* loaded from the object at number */
	VALUE_NESTED,  /* loaded at number from what the pointer at through leads to */
};

struct value {
	enum value_kind kind;
	int64_t number;
	uint32_t through;
	uint8_t bytes; /* of a field */
};

struct walk {
	const struct accessor_query *query;
	struct decoder decoder;
	uint64_t address;
	uint64_t first, end; /* of the accessor's own instructions */
	struct value registers[WALK_REGISTERS];
	struct value stack[WALK_STACK];
	size_t stack_depth;
	bool flags_known; /* of the last comparison */
	bool zero;
};

/* STEP_PASS: goes on in another function, which returns to our caller. */
enum step { STEP_NEXT, STEP_RETURN, STEP_PASS, STEP_FAIL };

/* One instruction. Which register holds the object at first, and which the result. */
enum step accessor_step_x86(struct walk *walk, const cs_insn *instruction);
enum step accessor_step_arm64(struct walk *walk, const cs_insn *instruction);
#define WALK_X86_ARGUMENT   5
#define WALK_X86_SECOND     4
#define WALK_X86_RESULT     0
#define WALK_ARM64_ARGUMENT 0
#define WALK_ARM64_SECOND   1
#define WALK_ARM64_RESULT   0

/* What is at an address of a known kind. False: nothing that is followed. */
bool walk_load(struct value base, int64_t displacement, unsigned int bytes, struct value *out);
/* Whether the low bytes bytes of a value are zero. False: not known. */
bool walk_is_zero(const struct walk *walk, struct value value, unsigned int bytes, bool *zero);
/* The number that the low bytes bytes of a value are known to be. */
bool walk_concrete(const struct walk *walk, struct value value, unsigned int bytes, int64_t *out);
/* Goes on at an address. */
enum step walk_jump(struct walk *walk, uint64_t to);

#endif
