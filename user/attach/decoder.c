/* SPDX-License-Identifier: BSD-2-Clause */
/* Capstone, for the two instruction sets. Contract: decoder.h. */
#include "attach/decoder.h"

#include <errno.h>

int decoder_open(struct decoder *decoder, enum library_machine machine)
{
	const bool x86 = machine == LIBRARY_MACHINE_X86_64;

	*decoder = (struct decoder){ .machine = machine };
	if (cs_open(x86 ? CS_ARCH_X86 : CS_ARCH_ARM64, x86 ? CS_MODE_64 : CS_MODE_ARM, &decoder->handle) !=
		    CS_ERR_OK ||
	    cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
		return -ENOMEM;
	decoder->instruction = cs_malloc(decoder->handle);
	return decoder->instruction ? 0 : -ENOMEM;
}

void decoder_release(struct decoder *decoder)
{
	if (decoder->instruction)
		cs_free(decoder->instruction, 1);
	if (decoder->handle)
		cs_close(&decoder->handle);
	*decoder = (struct decoder){ 0 };
}

bool decoder_next(struct decoder *decoder, const uint8_t **code, size_t *left, uint64_t *address)
{
	return cs_disasm_iter(decoder->handle, code, left, address, decoder->instruction);
}

bool decoder_is(const struct decoder *decoder, uint8_t group)
{
	return cs_insn_group(decoder->handle, decoder->instruction, group);
}

bool decoder_target(const struct decoder *decoder, uint64_t *target)
{
	const cs_detail *detail = decoder->instruction->detail;

	if (decoder->machine == LIBRARY_MACHINE_X86_64) {
		if (detail->x86.op_count != 1 || detail->x86.operands[0].type != X86_OP_IMM)
			return false;
		*target = (uint64_t)detail->x86.operands[0].imm;
		return true;
	}
	if (!detail->arm64.op_count || detail->arm64.operands[detail->arm64.op_count - 1].type != ARM64_OP_IMM)
		return false;
	*target = (uint64_t)detail->arm64.operands[detail->arm64.op_count - 1].imm;
	return true;
}
