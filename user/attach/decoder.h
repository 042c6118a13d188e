/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder of a file's machine code, and what is asked of an instruction in either instruction set.
 *
 * For those that read code: accessor*.c, site*.c, tails.c. Must not know: what the code is read for.
 */
#ifndef TLSWHY_ATTACH_DECODER_H
#define TLSWHY_ATTACH_DECODER_H

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/library.h"

/* `= { 0 }` is a closed one. */
struct decoder {
	csh handle;
	cs_insn *instruction; /* the one decoded last */
	enum library_machine machine;
};

/* With the details of operands and groups. Returns 0, or -ENOMEM; a decoder for decoder_release() in any case. */
int decoder_open(struct decoder *decoder, enum library_machine machine);
void decoder_release(struct decoder *decoder);
#define autodecoder __attribute__((cleanup(decoder_release)))

/* Decodes the next instruction of *left bytes at *code, loaded at *address, and moves them on. False: there is none.
 */
bool decoder_next(struct decoder *decoder, const uint8_t **code, size_t *left, uint64_t *address);
/* Whether the last instruction is in a group of capstone's: CS_GRP_JUMP, CS_GRP_CALL, ... */
bool decoder_is(const struct decoder *decoder, uint8_t group);
/* Where the last instruction, which is a jump or a call, leads: its last operand, where that is a number. */
bool decoder_target(const struct decoder *decoder, uint64_t *target);

#endif
