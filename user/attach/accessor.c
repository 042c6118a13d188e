/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A symbolic walk over x86-64 machine code. Registers hold one of four things: nothing known, a constant, the object,
 * or what was loaded from the object at an offset. Compilers differ in how they return a field (register clearing by
 * -fzero-call-used-regs, endbr64, a check of the object's type, a copy through another register), not in what the
 * value is at the return.
 *
 * Invariant: fails closed. An instruction, operand or branch outside of what is handled here ends the walk without
 * a result, so a library that was built in an unforeseen way costs a field, never a wrong one.
 * Must not know: which accessors there are, tables, versions.
 */
#include "attach/accessor.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "attach/library.h"

#define WALK_STEPS        64 /* instructions; the longest accessor known takes 12 */
#define INSTRUCTION_BYTES 15
#define STACK_SLOTS       8
#define OFFSET_MAX        65534 /* sizeof(SSL) is below 8000 in every version; 65535 means "unknown" to the reader */

enum value_kind { VALUE_UNKNOWN, VALUE_CONSTANT, VALUE_OBJECT, VALUE_FIELD };

struct value {
	enum value_kind kind;
	int64_t number; /* the constant, or the field's offset */
};

enum machine_register { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, REGISTERS };

struct walk {
	csh decoder;
	uint64_t address;
	struct value registers[REGISTERS];
	struct value stack[STACK_SLOTS];
	size_t stack_depth;
	bool flags_known; /* of the last comparison */
	bool zero;
};

enum step { STEP_NEXT, STEP_RETURN, STEP_FAIL };

static const struct value unknown = { .kind = VALUE_UNKNOWN };

/* The 64-bit register that holds the named one; REGISTERS when it is not followed. */
static enum machine_register full_register(unsigned int name)
{
#define NAMES(r, q, d, w, b)                                               \
	{                                                                  \
		(r),                                                       \
		{                                                          \
			X86_REG_##q, X86_REG_##d, X86_REG_##w, X86_REG_##b \
		}                                                          \
	}
	static const struct {
		enum machine_register full;
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
	return REGISTERS;
}

static bool is_plain_memory(const cs_x86_op *operand)
{
	return operand->type == X86_OP_MEM && operand->mem.segment == X86_REG_INVALID &&
	       operand->mem.index == X86_REG_INVALID;
}

/* What an operand holds. False: it is not of a kind that is followed. */
static bool read_operand(const struct walk *walk, const cs_x86_op *operand, struct value *out)
{
	enum machine_register base;

	if (operand->type == X86_OP_IMM) {
		*out = (struct value){ .kind = VALUE_CONSTANT, .number = operand->imm };
		return true;
	}
	if (operand->type == X86_OP_REG) {
		base = full_register(operand->reg);
		if (base == REGISTERS)
			return false;
		*out = walk->registers[base];
		return true;
	}
	if (!is_plain_memory(operand) || (operand->size != 4 && operand->size != 8))
		return false;
	base = full_register(operand->mem.base);
	if (base == REGISTERS || walk->registers[base].kind != VALUE_OBJECT)
		return false;
	*out = (struct value){ .kind = VALUE_FIELD, .number = operand->mem.disp };
	return operand->mem.disp >= 0 && operand->mem.disp <= OFFSET_MAX;
}

static enum step write_register(struct walk *walk, const cs_x86_op *operand, struct value value)
{
	enum machine_register full = REGISTERS;

	/* Writing 32 bits clears the rest; writing fewer makes a mixture. */
	if (operand->type == X86_OP_REG && operand->size >= 4)
		full = full_register(operand->reg);
	if (full == REGISTERS)
		return STEP_FAIL;
	/* The lower half of the object's address is not the object. */
	if (operand->size == 4 && value.kind == VALUE_OBJECT)
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

/* The number that a value is known to be: the first int of the object counts as 0. */
static bool concrete(struct value value, int64_t *out)
{
	if (value.kind == VALUE_CONSTANT) {
		*out = value.number;
		return true;
	}
	*out = 0;
	return value.kind == VALUE_FIELD && value.number == 0;
}

/* test and cmp: only whether the result is zero is followed. */
static enum step step_compare(struct walk *walk, const cs_x86 *x86, bool is_test)
{
	const cs_x86_op *left = &x86->operands[0], *right = &x86->operands[1];
	struct value a, b;
	int64_t x, y;

	walk->flags_known = false;
	if (!read_operand(walk, left, &a) || !read_operand(walk, right, &b))
		return STEP_FAIL;
	if (a.kind == VALUE_OBJECT && left->size == 8) {
		/* Against itself or against NULL: the object is there. */
		bool against_null = is_test ? b.kind == VALUE_OBJECT : b.kind == VALUE_CONSTANT && !b.number;

		walk->flags_known = against_null;
		walk->zero = false;
		return STEP_NEXT;
	}
	/* Eight bytes at offset 0 hold more than the type; below four, only a 0 is surely the same. */
	if (!concrete(a, &x) || !concrete(b, &y) || left->size > 4 || (left->size < 4 && x))
		return STEP_NEXT;
	walk->flags_known = true;
	walk->zero = is_test ? !((uint32_t)x & (uint32_t)y) : (uint32_t)x == (uint32_t)y;
	return STEP_NEXT;
}

static enum step step_jump(struct walk *walk, const cs_x86 *x86, bool taken)
{
	if (x86->operands[0].type != X86_OP_IMM)
		return STEP_FAIL;
	if (taken)
		walk->address = (uint64_t)x86->operands[0].imm;
	return STEP_NEXT;
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

	if (x86->operands[0].type != X86_OP_REG || walk->stack_depth == STACK_SLOTS ||
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

/* Room on the stack, whose memory is not followed: loads from it fail. Pushes and pops would no longer match. */
static enum step step_stack_pointer(struct walk *walk, const cs_x86 *x86)
{
	const cs_x86_op *to = &x86->operands[0], *by = &x86->operands[1];

	walk->flags_known = false;
	return to->type == X86_OP_REG && to->reg == X86_REG_RSP && by->type == X86_OP_IMM ? STEP_NEXT : STEP_FAIL;
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

static enum step step(struct walk *walk, const cs_insn *instruction)
{
	const cs_x86 *x86 = &instruction->detail->x86;

	walk->address = instruction->address + instruction->size;
	switch (instruction->id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
		return step_move(walk, x86);
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
	case X86_INS_ADD:
		return step_stack_pointer(walk, x86);
	case X86_INS_ENDBR64:
	case X86_INS_NOP:
		return STEP_NEXT;
	case X86_INS_RET:
		return walk->stack_depth ? STEP_FAIL : STEP_RETURN;
	default:
		return step_branching(walk, instruction->id, x86);
	}
}

/* Reads the instruction at an address; near the end of a segment fewer bytes than the longest one are there. */
static size_t read_instruction(const struct library *library, uint64_t address, unsigned char *code)
{
	for (size_t n = INSTRUCTION_BYTES; n; n--) {
		if (!library_read(library, address, code, n))
			return n;
	}
	return 0;
}

static enum step decode_step(struct walk *walk, const struct library *library, cs_insn *instruction)
{
	unsigned char code[INSTRUCTION_BYTES];
	size_t bytes = read_instruction(library, walk->address, code);
	const uint8_t *p = code;
	uint64_t address = walk->address;

	if (!bytes || !cs_disasm_iter(walk->decoder, &p, &bytes, &address, instruction))
		return STEP_FAIL;
	return step(walk, instruction);
}

static int run(struct walk *walk, const struct library *library, uint32_t *offset)
{
	cs_insn *instruction = cs_malloc(walk->decoder);
	enum step result = STEP_NEXT;

	if (!instruction)
		return -ENOMEM;
	for (int i = 0; i < WALK_STEPS && result == STEP_NEXT; i++)
		result = decode_step(walk, library, instruction);
	cs_free(instruction, 1);
	if (result != STEP_RETURN || walk->registers[RAX].kind != VALUE_FIELD)
		return -ENOTSUP;
	*offset = (uint32_t)walk->registers[RAX].number;
	return 0;
}

int accessor_offset(const struct library *library, const char *name, uint32_t *offset)
{
	struct walk walk = { .registers[RDI] = { .kind = VALUE_OBJECT } };
	struct symbol symbol;
	int error = library_symbol(library, name, &symbol);

	if (error)
		return error == -ENOENT ? -ENOENT : -ENOTSUP;
	if (library_machine(library) != LIBRARY_MACHINE_X86_64 || !symbol.is_function)
		return -ENOTSUP;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &walk.decoder) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(walk.decoder, CS_OPT_DETAIL, CS_OPT_ON);
	walk.address = symbol.value;
	error = run(&walk, library, offset);
	cs_close(&walk.decoder);
	return error;
}
