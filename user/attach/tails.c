/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the parts of a split function. Contract: tails.h.
 *
 * Only jumps count: what is called is another function. Must not know: which function it is.
 */
#include "attach/tails.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdbool.h>

#define STUB_BYTES 128 /* nginx's ngx_ssl_handshake is 48 bytes when split, and over 800 whole */

static void close_decoder(csh *decoder)
{
	if (*decoder)
		cs_close(decoder);
}

static void free_instruction(cs_insn **instruction)
{
	if (*instruction)
		cs_free(*instruction, 1);
}

static int open_decoder(const struct library *library, csh *decoder)
{
	bool x86 = library_machine(library) == LIBRARY_MACHINE_X86_64;

	if (cs_open(x86 ? CS_ARCH_X86 : CS_ARCH_ARM64, x86 ? CS_MODE_64 : CS_MODE_ARM, decoder) != CS_ERR_OK)
		return -ENOTSUP;
	return cs_option(*decoder, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK ? 0 : -ENOTSUP;
}

/* Where a jump leads: its last operand, where that is a number. */
static bool jump_target(csh decoder, const struct library *library, const cs_insn *instruction, uint64_t *target)
{
	if (!cs_insn_group(decoder, instruction, CS_GRP_JUMP))
		return false;
	if (library_machine(library) == LIBRARY_MACHINE_X86_64) {
		const cs_x86 *x86 = &instruction->detail->x86;

		if (x86->op_count != 1 || x86->operands[0].type != X86_OP_IMM)
			return false;
		*target = (uint64_t)x86->operands[0].imm;
		return true;
	}
	const cs_arm64 *arm64 = &instruction->detail->arm64;

	if (!arm64->op_count || arm64->operands[arm64->op_count - 1].type != ARM64_OP_IMM)
		return false;
	*target = (uint64_t)arm64->operands[arm64->op_count - 1].imm;
	return true;
}

static int tails_add(struct tails *tails, const struct symbol *function, uint64_t target)
{
	for (size_t i = 0; i < tails->count; i++)
		if (tails->items[i].value == target)
			return 0;
	if (tails->count == TAILS_MAX)
		return -ENOTSUP;
	/* In the same segment: the distance is that in the file. */
	tails->items[tails->count++] =
		(struct symbol){ .value = target,
				 .file_offset = function->file_offset + (target - function->value),
				 .is_function = true };
	return 0;
}

static bool is_outside(const struct symbol *function, uint64_t address)
{
	return address < function->value || address >= function->value + function->size;
}

int tails_find(const struct library *library, const struct symbol *function, const struct symbol *known,
	       struct tails *out)
{
	__attribute__((cleanup(free_instruction))) cs_insn *instruction = NULL;
	__attribute__((cleanup(close_decoder))) csh decoder = 0;
	uint64_t address = function->value, target;
	struct tails tails = { 0 };
	uint8_t code[STUB_BYTES];
	const uint8_t *p = code;
	size_t left = function->size;
	int error;

	if (!left || left > STUB_BYTES) {
		*out = tails;
		return 0;
	}
	error = library_read(library, function->value, code, left);
	if (!error)
		error = open_decoder(library, &decoder);
	if (error)
		return error;
	instruction = cs_malloc(decoder);
	while (instruction && cs_disasm_iter(decoder, &p, &left, &address, instruction)) {
		if (!jump_target(decoder, library, instruction, &target) || !is_outside(function, target) ||
		    (known && target == known->value))
			continue;
		error = tails_add(&tails, function, target);
		if (error)
			return error;
	}
	if (!instruction || left)
		return -ENOTSUP;
	*out = tails;
	return 0;
}
