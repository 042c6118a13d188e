/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64: what the kernel emulates at a uprobe, and what a prologue may do before one.
 *
 * Invariant: both lists are complete in what they allow; all else is neither emulated nor passed. Must not know: who
 * can get to an instruction.
 */
#include <string.h>

#include "attach/site_private.h"

#define ARGUMENTS 6 /* in registers (System V ABI, 3.2.3) */

/* The general registers by all their names; the first six are the arguments', in order. */
static const x86_reg registers[][5] = {
	{ X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL },
	{ X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL },
	{ X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH },
	{ X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH },
	{ X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B },
	{ X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B },
	{ X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH },
	{ X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH },
	{ X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL },
	{ X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B },
	{ X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B },
	{ X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B },
	{ X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B },
	{ X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B },
	{ X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B },
};

#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

/* Which of the above a register is part of; REGISTERS: the stack pointer, or none of them. */
static size_t register_number(unsigned int name)
{
	for (size_t i = 0; i < REGISTERS; i++)
		for (size_t j = 0; j < 5; j++)
			if (registers[i][j] == name && name != X86_REG_INVALID)
				return i;
	return REGISTERS;
}

/*
 * arch/x86/kernel/uprobes.c: branch_setup_xol_ops() takes nop and relative jumps (Linux 3.16, commit 7ba6db2d688b and
 * those after it), push_setup_xol_ops() pushes of a 64-bit register (4.16, commit e7ed9d9bd037). Of these, the forms
 * that every kernel since emulates: with a prefix a jump may be refused (66) and a push is stepped. A relative call
 * is emulated too and is no part of a prologue. The five-byte nop is left out: from 6.18 on (commit ba2bfc97b462) it
 * is turned into a call, which uses the stack below.
 */
static bool emulates(const cs_insn *instruction)
{
	const uint8_t *bytes = instruction->bytes;

	switch (instruction->size) {
	case 1:
		return bytes[0] == 0x90 || (bytes[0] & 0xf8) == 0x50;
	case 2:
		return bytes[0] == 0xeb || (bytes[0] & 0xf0) == 0x70 ||
		       (bytes[0] == 0x41 && (bytes[1] & 0xf8) == 0x50);
	case 5:
		return bytes[0] == 0xe9;
	case 6:
		return bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80;
	default:
		return false;
	}
}

/* Is a register that may change. */
static bool is_free(unsigned int name, struct site_query query)
{
	size_t number = register_number(name);

	return number < REGISTERS && !(number < ARGUMENTS && (query.arguments & SITE_ARGUMENT(number + 1)));
}

/* The first operand is what changes. A prologue also saves registers in its own frame. */
static bool passes_write(const cs_insn *instruction, struct site_query query)
{
	const cs_x86_op *to = &instruction->detail->x86.operands[0];

	if (to->type == X86_OP_REG) {
		if (to->reg == X86_REG_RSP)
			return instruction->id == X86_INS_SUB && !query.returns &&
			       instruction->detail->x86.operands[1].type == X86_OP_IMM;
		return is_free(to->reg, query);
	}
	return to->type == X86_OP_MEM && instruction->id == X86_INS_MOV && !query.returns &&
	       to->mem.base == X86_REG_RSP && to->mem.index == X86_REG_INVALID && to->mem.segment == X86_REG_INVALID;
}

static bool is_endbr64(const cs_insn *instruction)
{
	return instruction->size == 4 && !memcmp(instruction->bytes, "\xf3\x0f\x1e\xfa", 4);
}

static bool passes(const cs_insn *instruction, struct site_query query)
{
	if (is_endbr64(instruction))
		return true;
	switch (instruction->id) {
	case X86_INS_NOP:
		return true;
	case X86_INS_TEST:
	case X86_INS_CMP:
		return !instruction->detail->x86.prefix[0];
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
	case X86_INS_LEA:
	case X86_INS_XOR:
	case X86_INS_AND:
	case X86_INS_OR:
	case X86_INS_ADD:
	case X86_INS_SUB:
		return !instruction->detail->x86.prefix[0] && instruction->detail->x86.op_count == 2 &&
		       passes_write(instruction, query);
	default:
		return false;
	}
}

const struct site_machine site_machine_x86 = { .reads_tables = true, .emulates = emulates, .passes = passes };
