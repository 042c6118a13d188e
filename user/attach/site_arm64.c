/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aarch64: what the kernel simulates at a uprobe, and what a function may do before one.
 *
 * Invariant: the link register and all arguments are at the site as they were at the entry, for nothing but a landing
 * pad is passed: a return probe changes the link register, so it must come before it is signed (paciasp) or saved.
 */
#include <string.h>

#include "attach/site_private.h"

static uint32_t word_of(const cs_insn *instruction)
{
	uint32_t word;

	memcpy(&word, instruction->bytes, sizeof(word));
	return word;
}

/*
 * arch/arm64/kernel/probes/decode-insn.c, arm_probe_decode_insn(): what is not stepped and has a handler since
 * uprobes are there (Linux 4.10, commit 9842ceae9fa8): jumps, conditional or not, and the addresses relative to the
 * program counter. nop came in 6.13 (commit ac4ad5c09b34); stp, which most functions begin with, is stepped.
 */
static bool emulates(const cs_insn *instruction)
{
	uint32_t word = word_of(instruction);

	return (word & 0xfc000000) == 0x14000000 || /* b */
	       (word & 0xff000010) == 0x54000000 || /* b.cond */
	       (word & 0x7e000000) == 0x34000000 || /* cbz, cbnz */
	       (word & 0x7e000000) == 0x36000000 || /* tbz, tbnz */
	       (word & 0x1f000000) == 0x10000000;   /* adr, adrp */
}

/* bti c, bti j, bti jc */
static bool passes(const cs_insn *instruction, struct site_query query __attribute__((unused)))
{
	uint32_t word = word_of(instruction);

	return word == 0xd503245f || word == 0xd503249f || word == 0xd50324df;
}

const struct site_machine site_machine_arm64 = { .reads_tables = false, .emulates = emulates, .passes = passes };
