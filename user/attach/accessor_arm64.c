/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The aarch64 instructions that accessors are made of. The stack's memory is not followed: what is loaded from it is
 * not known, and what is stored there is not looked at.
 *
 * Invariant: what is not handled is STEP_FAIL. Must not know: how a walk begins and what its result is.
 */
#include <stddef.h>

#include "attach/accessor_walk.h"

/* A register as an operand: which, and how many of its bytes. */
struct operand_register {
	unsigned int full; /* WALK_UNFOLLOWED: the stack pointer and all but the general ones */
	unsigned int bytes;
	bool is_zero; /* xzr, wzr */
};

static struct operand_register operand_register(unsigned int name)
{
	struct operand_register found = { .full = WALK_UNFOLLOWED, .bytes = 8 };

	if (name >= ARM64_REG_X0 && name <= ARM64_REG_X28)
		found.full = name - ARM64_REG_X0;
	else if (name == ARM64_REG_X29 || name == ARM64_REG_X30)
		found.full = name == ARM64_REG_X29 ? 29 : 30;
	else if (name >= ARM64_REG_W0 && name <= ARM64_REG_W30)
		found = (struct operand_register){ .full = name - ARM64_REG_W0, .bytes = 4 };
	else if (name == ARM64_REG_XZR || name == ARM64_REG_WZR)
		found = (struct operand_register){ .full = WALK_UNFOLLOWED,
						   .bytes = name == ARM64_REG_WZR ? 4 : 8,
						   .is_zero = true };
	return found;
}

static bool is_stack(unsigned int name)
{
	return name == ARM64_REG_SP;
}

/* A register or a plain immediate. False: not followed. */
static bool read_operand(const struct walk *walk, const cs_arm64_op *operand, struct value *out)
{
	struct operand_register from;

	if (operand->shift.type != ARM64_SFT_INVALID || operand->ext != ARM64_EXT_INVALID)
		return false;
	if (operand->type == ARM64_OP_IMM) {
		*out = (struct value){ .kind = VALUE_CONSTANT, .number = operand->imm };
		return true;
	}
	if (operand->type != ARM64_OP_REG)
		return false;
	from = operand_register(operand->reg);
	if (from.is_zero) {
		*out = (struct value){ .kind = VALUE_CONSTANT };
		return true;
	}
	if (from.full == WALK_UNFOLLOWED)
		return false;
	*out = walk->registers[from.full];
	return true;
}

static enum step write_register(struct walk *walk, const cs_arm64_op *operand, struct value value)
{
	struct operand_register to = operand_register(operand->reg);

	if (operand->type != ARM64_OP_REG || to.full == WALK_UNFOLLOWED)
		return STEP_FAIL;
	/* The lower half of an address is no address. */
	if (to.bytes == 4 && (value.kind == VALUE_ADDRESS || value.bytes == 8))
		value = (struct value){ .kind = VALUE_UNKNOWN };
	walk->registers[to.full] = value;
	return STEP_NEXT;
}

static enum step step_move(struct walk *walk, const cs_arm64 *arm64)
{
	struct value value;

	/* mov x29, sp: the frame's address. */
	if (arm64->operands[1].type == ARM64_OP_REG && is_stack(arm64->operands[1].reg))
		return write_register(walk, &arm64->operands[0], (struct value){ .kind = VALUE_UNKNOWN });
	if (!read_operand(walk, &arm64->operands[1], &value))
		return STEP_FAIL;
	return write_register(walk, &arm64->operands[0], value);
}

/* ldr and ldp: from the object by a displacement, or from the stack. */
static enum step step_load(struct walk *walk, const cs_arm64 *arm64, int registers)
{
	const cs_arm64_op *from = &arm64->operands[registers];
	struct value value = { .kind = VALUE_UNKNOWN };
	struct operand_register base;

	if (from->type != ARM64_OP_MEM || from->mem.index != ARM64_REG_INVALID)
		return STEP_FAIL;
	if (is_stack(from->mem.base)) {
		for (int i = 0; i < registers; i++) {
			if (write_register(walk, &arm64->operands[i], value) != STEP_NEXT)
				return STEP_FAIL;
		}
		return STEP_NEXT;
	}
	base = operand_register(from->mem.base);
	if (registers != 1 || arm64->writeback || arm64->op_count != 2 || base.full == WALK_UNFOLLOWED ||
	    !walk_load(walk->registers[base.full], from->mem.disp, operand_register(arm64->operands[0].reg).bytes,
		       &value))
		return STEP_FAIL;
	return write_register(walk, &arm64->operands[0], value);
}

/* str and stp: saved registers. A store into the object would make of it another one than assumed. */
static enum step step_store(const cs_arm64 *arm64, int registers)
{
	const cs_arm64_op *to = &arm64->operands[registers];

	return to->type == ARM64_OP_MEM && is_stack(to->mem.base) ? STEP_NEXT : STEP_FAIL;
}

static enum step step_add(struct walk *walk, const cs_arm64 *arm64, int sign)
{
	const cs_arm64_op *to = &arm64->operands[0], *from = &arm64->operands[1], *by = &arm64->operands[2];
	struct value value, number;

	if (to->type == ARM64_OP_REG && is_stack(to->reg))
		return from->type == ARM64_OP_REG && is_stack(from->reg) ? STEP_NEXT : STEP_FAIL;
	if (by->type != ARM64_OP_IMM || !read_operand(walk, from, &value) || !read_operand(walk, by, &number) ||
	    value.kind != VALUE_ADDRESS)
		return STEP_FAIL;
	value.number += sign * number.number;
	return write_register(walk, to, value);
}

static enum step step_and(struct walk *walk, const cs_arm64 *arm64)
{
	struct value value = { .kind = VALUE_UNKNOWN }, left, right;
	unsigned int bytes = operand_register(arm64->operands[1].reg).bytes;
	int64_t x, y;

	if (!read_operand(walk, &arm64->operands[1], &left) || !read_operand(walk, &arm64->operands[2], &right))
		return STEP_FAIL;
	if (walk_concrete(walk, left, bytes, &x) && walk_concrete(walk, right, bytes, &y))
		value = (struct value){ .kind = VALUE_CONSTANT, .number = x & y };
	return write_register(walk, &arm64->operands[0], value);
}

/* cmp: only whether both are the same is followed, and only where one is 0. */
static enum step step_compare(struct walk *walk, const cs_arm64 *arm64)
{
	unsigned int bytes = operand_register(arm64->operands[0].reg).bytes;
	struct value left, right;

	walk->flags_known = false;
	if (!read_operand(walk, &arm64->operands[0], &left) || !read_operand(walk, &arm64->operands[1], &right))
		return STEP_FAIL;
	if (right.kind == VALUE_CONSTANT && !right.number)
		walk->flags_known = walk_is_zero(walk, left, bytes, &walk->zero);
	return STEP_NEXT;
}

static enum step jump_if(struct walk *walk, const cs_arm64_op *to, bool taken)
{
	if (to->type != ARM64_OP_IMM)
		return STEP_FAIL;
	return taken ? walk_jump(walk, (uint64_t)to->imm) : STEP_NEXT;
}

/* cbz and cbnz; tbz and tbnz of a known value. */
static enum step step_test(struct walk *walk, const cs_arm64 *arm64, bool jumps_on_zero, bool of_a_bit)
{
	unsigned int bytes = operand_register(arm64->operands[0].reg).bytes;
	struct value value;
	int64_t number;
	bool zero;

	if (!read_operand(walk, &arm64->operands[0], &value))
		return STEP_FAIL;
	if (!of_a_bit)
		return walk_is_zero(walk, value, bytes, &zero)
			       ? jump_if(walk, &arm64->operands[1], zero == jumps_on_zero)
			       : STEP_FAIL;
	if (!walk_concrete(walk, value, bytes, &number) || arm64->operands[1].type != ARM64_OP_IMM ||
	    arm64->operands[1].imm < 0 || arm64->operands[1].imm >= (int64_t)bytes * 8)
		return STEP_FAIL;
	zero = !(((uint64_t)number >> arm64->operands[1].imm) & 1);
	return jump_if(walk, &arm64->operands[2], zero == jumps_on_zero);
}

/* Whether the instruction's condition holds. False: not known. */
static bool condition(const struct walk *walk, const cs_arm64 *arm64, bool *holds)
{
	if (!walk->flags_known || (arm64->cc != ARM64_CC_EQ && arm64->cc != ARM64_CC_NE))
		return false;
	*holds = walk->zero == (arm64->cc == ARM64_CC_EQ);
	return true;
}

static enum step step_branch(struct walk *walk, const cs_arm64 *arm64)
{
	bool holds = true;

	if (arm64->cc != ARM64_CC_INVALID && arm64->cc != ARM64_CC_AL && !condition(walk, arm64, &holds))
		return STEP_FAIL;
	return jump_if(walk, &arm64->operands[0], holds);
}

static enum step step_select(struct walk *walk, const cs_arm64 *arm64)
{
	struct value value;
	bool holds;

	if (!condition(walk, arm64, &holds) || !read_operand(walk, &arm64->operands[holds ? 1 : 2], &value))
		return STEP_FAIL;
	return write_register(walk, &arm64->operands[0], value);
}

static enum step step_branching(struct walk *walk, unsigned int id, const cs_arm64 *arm64)
{
	switch (id) {
	case ARM64_INS_B:
		return step_branch(walk, arm64);
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
		return step_test(walk, arm64, id == ARM64_INS_CBZ, false);
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
		return step_test(walk, arm64, id == ARM64_INS_TBZ, true);
	case ARM64_INS_CSEL:
		return step_select(walk, arm64);
	case ARM64_INS_RET:
		/* Without an operand: through x30. */
		return arm64->op_count ? STEP_FAIL : STEP_RETURN;
	default:
		return STEP_FAIL;
	}
}

enum step accessor_step_arm64(struct walk *walk, const cs_insn *instruction)
{
	const cs_arm64 *arm64 = &instruction->detail->arm64;

	switch (instruction->id) {
	case ARM64_INS_MOV:
	case ARM64_INS_MOVZ:
		return step_move(walk, arm64);
	case ARM64_INS_LDR:
	case ARM64_INS_LDUR:
		return step_load(walk, arm64, 1);
	case ARM64_INS_LDP:
		return step_load(walk, arm64, 2);
	case ARM64_INS_STR:
		return step_store(arm64, 1);
	case ARM64_INS_STP:
		return step_store(arm64, 2);
	case ARM64_INS_ADD:
		return step_add(walk, arm64, 1);
	case ARM64_INS_SUB:
		return step_add(walk, arm64, -1);
	case ARM64_INS_AND:
		return step_and(walk, arm64);
	case ARM64_INS_CMP:
		return step_compare(walk, arm64);
	case ARM64_INS_HINT: /* landing pads and signed return addresses among them */
	case ARM64_INS_NOP:
		return STEP_NEXT;
	default:
		return step_branching(walk, instruction->id, arm64);
	}
}
