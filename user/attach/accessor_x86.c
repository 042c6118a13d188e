/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86-64 instructions that accessors are made of.
 *
 * Invariant: what is not handled is STEP_FAIL. Must not know: how a walk begins and what its result is.
 */
#include <stddef.h>

#include "attach/accessor_walk.h"

enum machine_register { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15 };

_Static_assert((int)RAX == WALK_X86_RESULT && (int)RSI == WALK_X86_SECOND && (int)RDI == WALK_X86_ARGUMENT,
	       "the registers of the calling convention");

static const struct value unknown = { .kind = VALUE_UNKNOWN };

/* The 64-bit register that holds the named one; WALK_UNFOLLOWED when it is not followed. */
static unsigned int full_register(unsigned int name)
{
#define NAMES(r, q, d, w, b)                                               \
	{                                                                  \
		(r),                                                       \
		{                                                          \
			X86_REG_##q, X86_REG_##d, X86_REG_##w, X86_REG_##b \
		}                                                          \
	}
	static const struct {
		unsigned int full;
		x86_reg names[4];
	} table[] = {
		NAMES(RAX, RAX, EAX, AX, AL),      NAMES(RBX, RBX, EBX, BX, BL),
		NAMES(RCX, RCX, ECX, CX, CL),      NAMES(RDX, RDX, EDX, DX, DL),
		NAMES(RSI, RSI, ESI, SI, SIL),     NAMES(RDI, RDI, EDI, DI, DIL),
		NAMES(RBP, RBP, EBP, BP, BPL),     NAMES(R8, R8, R8D, R8W, R8B),
		NAMES(R9, R9, R9D, R9W, R9B),      NAMES(R10, R10, R10D, R10W, R10B),
		NAMES(R11, R11, R11D, R11W, R11B), NAMES(R12, R12, R12D, R12W, R12B),
		NAMES(R13, R13, R13D, R13W, R13B), NAMES(R14, R14, R14D, R14W, R14B),
		NAMES(R15, R15, R15D, R15W, R15B),
	};
#undef NAMES

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (size_t j = 0; j < 4; j++) {
			if ((unsigned int)table[i].names[j] == name)
				return table[i].full;
		}
	}
	return WALK_UNFOLLOWED;
}

static bool is_plain_memory(const cs_x86_op *operand)
{
	return operand->type == X86_OP_MEM && operand->mem.segment == X86_REG_INVALID &&
	       operand->mem.index == X86_REG_INVALID;
}

/* What an operand holds. False: it is not of a kind that is followed. */
static bool read_operand(const struct walk *walk, const cs_x86_op *operand, struct value *out)
{
	unsigned int base;

	if (operand->type == X86_OP_IMM) {
		*out = (struct value){ .kind = VALUE_CONSTANT, .number = operand->imm };
		return true;
	}
	if (operand->type == X86_OP_REG) {
		base = full_register(operand->reg);
		if (base == WALK_UNFOLLOWED)
			return false;
		*out = walk->registers[base];
		return true;
	}
	if (!is_plain_memory(operand))
		return false;
	base = full_register(operand->mem.base);
	return base != WALK_UNFOLLOWED && walk_load(walk->registers[base], operand->mem.disp, operand->size, out);
}

static enum step write_register(struct walk *walk, const cs_x86_op *operand, struct value value)
{
	unsigned int full = WALK_UNFOLLOWED;

	/* Writing 32 bits clears the rest; writing fewer makes a mixture. */
	if (operand->type == X86_OP_REG && operand->size >= 4)
		full = full_register(operand->reg);
	if (full == WALK_UNFOLLOWED)
		return STEP_FAIL;
	/* The lower half of an address is no address. */
	if (operand->size == 4 && (value.kind == VALUE_ADDRESS || value.bytes == 8))
		value = unknown;
	walk->registers[full] = value;
	return STEP_NEXT;
}

static enum step step_move(struct walk *walk, const cs_x86 *x86)
{
	struct value value;

	if (!read_operand(walk, &x86->operands[1], &value))
		return STEP_FAIL;
	return write_register(walk, &x86->operands[0], value);
}

static enum step step_xor(struct walk *walk, const cs_x86 *x86)
{
	const cs_x86_op *to = &x86->operands[0], *from = &x86->operands[1];

	if (to->type != X86_OP_REG || from->type != X86_OP_REG || to->reg != from->reg)
		return STEP_FAIL;
	walk->flags_known = true;
	walk->zero = true;
	return write_register(walk, to, (struct value){ .kind = VALUE_CONSTANT });
}

/* test and cmp: only whether the result is zero is followed. */
static enum step step_compare(struct walk *walk, const cs_x86 *x86, bool is_test)
{
	const cs_x86_op *left = &x86->operands[0], *right = &x86->operands[1];
	bool against_itself = is_test && left->type == X86_OP_REG && right->type == X86_OP_REG &&
			      left->reg == right->reg;
	struct value a, b;
	int64_t x, y;

	walk->flags_known = false;
	if (!read_operand(walk, left, &a) || !read_operand(walk, right, &b))
		return STEP_FAIL;
	if (against_itself || (!is_test && b.kind == VALUE_CONSTANT && !b.number)) {
		walk->flags_known = walk_is_zero(walk, a, left->size, &walk->zero);
		return STEP_NEXT;
	}
	if (!walk_concrete(walk, a, left->size, &x) || !walk_concrete(walk, b, left->size, &y) || left->size > 4 ||
	    (left->size < 4 && x))
		return STEP_NEXT;
	walk->flags_known = true;
	walk->zero = is_test ? !((uint32_t)x & (uint32_t)y) : (uint32_t)x == (uint32_t)y;
	return STEP_NEXT;
}

static enum step step_jump(struct walk *walk, const cs_x86 *x86, bool taken)
{
	if (x86->operands[0].type != X86_OP_IMM)
		return STEP_FAIL;
	return taken ? walk_jump(walk, (uint64_t)x86->operands[0].imm) : STEP_NEXT;
}

static enum step step_conditional_move(struct walk *walk, const cs_x86 *x86, bool taken)
{
	struct value kept;

	if (taken)
		return step_move(walk, x86);
	return read_operand(walk, &x86->operands[0], &kept) ? write_register(walk, &x86->operands[0], kept)
							    : STEP_FAIL;
}

static enum step step_push(struct walk *walk, const cs_x86 *x86)
{
	struct value value;

	if (x86->operands[0].type != X86_OP_REG || walk->stack_depth == WALK_STACK ||
	    !read_operand(walk, &x86->operands[0], &value))
		return STEP_FAIL;
	walk->stack[walk->stack_depth++] = value;
	return STEP_NEXT;
}

static enum step step_pop(struct walk *walk, const cs_x86 *x86)
{
	if (!walk->stack_depth)
		return STEP_FAIL;
	return write_register(walk, &x86->operands[0], walk->stack[--walk->stack_depth]);
}

/*
 * Room on the stack, whose memory is not followed: loads from it fail. Pushes and pops would no longer match. Or a
 * place in the object, for a function that is called with it.
 */
static enum step step_add(struct walk *walk, const cs_x86 *x86, int sign)
{
	const cs_x86_op *to = &x86->operands[0], *by = &x86->operands[1];
	unsigned int full;

	walk->flags_known = false;
	if (to->type != X86_OP_REG || by->type != X86_OP_IMM)
		return STEP_FAIL;
	if (to->reg == X86_REG_RSP)
		return STEP_NEXT;
	full = full_register(to->reg);
	if (full == WALK_UNFOLLOWED || to->size != 8 || walk->registers[full].kind != VALUE_ADDRESS)
		return STEP_FAIL;
	walk->registers[full].number += sign * by->imm;
	return STEP_NEXT;
}

static enum step step_lea(struct walk *walk, const cs_x86 *x86)
{
	const cs_x86_op *from = &x86->operands[1];
	struct value value;
	unsigned int base;

	if (!is_plain_memory(from))
		return STEP_FAIL;
	base = full_register(from->mem.base);
	if (base == WALK_UNFOLLOWED || walk->registers[base].kind != VALUE_ADDRESS)
		return STEP_FAIL;
	value = walk->registers[base];
	value.number += from->mem.disp;
	return write_register(walk, &x86->operands[0], value);
}

static enum step step_branching(struct walk *walk, unsigned int id, const cs_x86 *x86)
{
	switch (id) {
	case X86_INS_JMP:
		return step_jump(walk, x86, true);
	case X86_INS_JE:
		return walk->flags_known ? step_jump(walk, x86, walk->zero) : STEP_FAIL;
	case X86_INS_JNE:
		return walk->flags_known ? step_jump(walk, x86, !walk->zero) : STEP_FAIL;
	case X86_INS_CMOVE:
		return walk->flags_known ? step_conditional_move(walk, x86, walk->zero) : STEP_FAIL;
	case X86_INS_CMOVNE:
		return walk->flags_known ? step_conditional_move(walk, x86, !walk->zero) : STEP_FAIL;
	default:
		return STEP_FAIL;
	}
}

enum step accessor_step_x86(struct walk *walk, const cs_insn *instruction)
{
	const cs_x86 *x86 = &instruction->detail->x86;

	switch (instruction->id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
		return step_move(walk, x86);
	case X86_INS_LEA:
		return step_lea(walk, x86);
	case X86_INS_XOR:
		return step_xor(walk, x86);
	case X86_INS_TEST:
		return step_compare(walk, x86, true);
	case X86_INS_CMP:
		return step_compare(walk, x86, false);
	case X86_INS_PUSH:
		return step_push(walk, x86);
	case X86_INS_POP:
		return step_pop(walk, x86);
	case X86_INS_SUB:
		return step_add(walk, x86, -1);
	case X86_INS_ADD:
		return step_add(walk, x86, 1);
	case X86_INS_ENDBR64:
	case X86_INS_NOP:
		return STEP_NEXT;
	case X86_INS_RET:
		return walk->stack_depth ? STEP_FAIL : STEP_RETURN;
	default:
		return step_branching(walk, instruction->id, x86);
	}
}
