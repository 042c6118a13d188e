/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A symbolic walk over machine code. Registers hold a constant, the object's address, what was loaded from it, or
 * nothing known. Compilers differ in how they return a field (register clearing by -fzero-call-used-regs, landing
 * pads, a check of the object's type, a copy through another register), not in what the value is at the return.
 *
 * Invariant: fails closed. An instruction, operand or branch outside of what is handled ends the walk without a
 * result, so a library that was built in an unforeseen way costs a field, never a wrong one.
 * Must not know: which accessors there are, tables, versions, instructions (accessor_x86.c, accessor_arm64.c do).
 */
#include "attach/accessor.h"

#include <errno.h>
#include <string.h>

#include "attach/accessor_walk.h"
#include "attach/library.h"

#define WALK_STEPS        64 /* instructions; the longest accessor known takes 26 */
#define INSTRUCTION_BYTES 15
#define OFFSET_MAX        65534 /* sizeof(SSL) is below 8000 in every version; 65535 means "unknown" to the reader */

/* What differs between the instruction sets. */
struct machine {
	unsigned int argument, second, result;
	enum step (*step)(struct walk *walk, const cs_insn *instruction);
};

static const struct machine machines[] = {
	[LIBRARY_MACHINE_X86_64] = { .argument = WALK_X86_ARGUMENT,
				     .second = WALK_X86_SECOND,
				     .result = WALK_X86_RESULT,
				     .step = accessor_step_x86 },
	[LIBRARY_MACHINE_AARCH64] = { .argument = WALK_ARM64_ARGUMENT,
				      .second = WALK_ARM64_SECOND,
				      .result = WALK_ARM64_RESULT,
				      .step = accessor_step_arm64 },
};

bool walk_load(struct value base, int64_t displacement, unsigned int bytes, struct value *out)
{
	struct value loaded = { .kind = VALUE_FIELD, .number = displacement, .bytes = (uint8_t)bytes };

	if (bytes != 4 && bytes != 8)
		return false;
	if (base.kind == VALUE_ADDRESS) {
		loaded.number += base.number;
	} else if (base.kind == VALUE_FIELD && base.bytes == 8) {
		loaded.kind = VALUE_NESTED;
		loaded.through = (uint32_t)base.number;
	} else {
		return false;
	}
	*out = loaded;
	return loaded.number >= 0 && loaded.number <= OFFSET_MAX;
}

bool walk_concrete(const struct walk *walk, struct value value, unsigned int bytes, int64_t *out)
{
	if (value.kind == VALUE_CONSTANT) {
		*out = bytes == 4 ? (int32_t)value.number : value.number;
		return true;
	}
	/* Eight bytes hold more than the int; of fewer than four, only a 0 is surely the same. */
	if (value.kind != VALUE_FIELD || bytes > 4)
		return false;
	*out = 0;
	if (!value.number)
		return true;
	for (unsigned int i = 0; i < walk->query->known_count; i++) {
		if (walk->query->known[i].offset != value.number)
			continue;
		*out = walk->query->known[i].value;
		return bytes == 4 || !*out;
	}
	return false;
}

bool walk_is_zero(const struct walk *walk, struct value value, unsigned int bytes, bool *zero)
{
	enum accessor_pointers pointers = walk->query->pointers;
	int64_t number;

	if (walk_concrete(walk, value, bytes, &number)) {
		*zero = !number;
		return true;
	}
	*zero = false;
	if (value.kind == VALUE_ADDRESS)
		return bytes == 8;
	*zero = pointers == ACCESSOR_POINTERS_NULL;
	/* At 0 there is an int in every version, whatever size it is read in. */
	return value.kind == VALUE_FIELD && value.bytes == 8 && bytes == 8 && value.number &&
	       pointers != ACCESSOR_POINTERS_UNKNOWN;
}

enum step walk_jump(struct walk *walk, uint64_t to)
{
	walk->address = to;
	return walk->query->passed_on && (to < walk->first || to >= walk->end) ? STEP_PASS : STEP_NEXT;
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

static enum step decode_step(struct walk *walk, const struct machine *machine, const struct library *library)
{
	const cs_insn *instruction = walk->decoder.instruction;
	unsigned char code[INSTRUCTION_BYTES];
	size_t bytes = read_instruction(library, walk->address, code);
	const uint8_t *p = code;
	uint64_t address = walk->address;

	if (!bytes || !decoder_next(&walk->decoder, &p, &bytes, &address))
		return STEP_FAIL;
	walk->address = instruction->address + instruction->size;
	return machine->step(walk, instruction);
}

static int take_result(const struct walk *walk, const struct machine *machine, enum step last,
		       struct accessor_place *place)
{
	struct value value = walk->registers[last == STEP_PASS ? machine->argument : machine->result];
	bool found;

	if (last == STEP_PASS)
		found = value.kind == VALUE_ADDRESS && value.number >= 0 && value.number <= OFFSET_MAX;
	else
		found = last == STEP_RETURN && !walk->query->passed_on &&
			(value.kind == VALUE_FIELD || value.kind == VALUE_NESTED);
	if (!found)
		return -ENOTSUP;
	*place = (struct accessor_place){ .offset = (uint32_t)value.number,
					  .through = value.kind == VALUE_NESTED ? value.through : ACCESSOR_DIRECT };
	return 0;
}

static int run(struct walk *walk, const struct machine *machine, const struct library *library,
	       struct accessor_place *place)
{
	enum step result = STEP_NEXT;

	for (int i = 0; i < WALK_STEPS && result == STEP_NEXT; i++)
		result = decode_step(walk, machine, library);
	return take_result(walk, machine, result, place);
}

int accessor_find(const struct library *library, const struct accessor_query *query, struct accessor_place *place)
{
	const struct machine *machine = &machines[library_machine(library)];
	struct walk walk = { .query = query };
	struct symbol symbol;
	int error = library_symbol(library, query->function, &symbol);

	if (error)
		return error == -ENOENT ? -ENOENT : -ENOTSUP;
	/* Without a size, where the function ends and another begins is not known. */
	if (!symbol.is_function || (query->passed_on && !symbol.size))
		return -ENOTSUP;
	error = decoder_open(&walk.decoder, library_machine(library));
	walk.address = walk.first = symbol.value;
	walk.end = symbol.value + symbol.size;
	walk.registers[machine->argument].kind = VALUE_ADDRESS;
	walk.registers[machine->second].kind = VALUE_CONSTANT;
	if (!error)
		error = run(&walk, machine, library, place);
	decoder_release(&walk.decoder);
	return error;
}

int accessor_offset(const struct library *library, const char *name, uint32_t *offset)
{
	const struct accessor_query query = { .function = name };
	struct accessor_place place;
	int error = accessor_find(library, &query, &place);

	if (error)
		return error;
	if (place.through != ACCESSOR_DIRECT)
		return -ENOTSUP;
	*offset = place.offset;
	return 0;
}
