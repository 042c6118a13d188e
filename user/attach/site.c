/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choosing the place of a probe. Contract: site.h.
 *
 * Invariant: fails closed. From the entry to the site there are only instructions of which it is known what they do,
 * in one straight line; anything else, and anything that cannot be proven, is the entry. Must not know: which
 * function it is, what the program at the probe does.
 */
#include "attach/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/site_private.h"
#include "base/cleanup.h"

#define FUNCTION_BYTES_MAX 16384 /* the longest function probed is 2,413 bytes long; decoding this takes 5 ms */
#define BEGINNING_BYTES    96    /* how far a site is looked for */
#define UNDECODED_BYTES    16    /* of a function whose size is not said: one instruction, for its text */

static void code_release(struct site_code *code)
{
	decoder_release(&code->decoder);
	free(code->bytes);
}

static int code_read(struct site_code *code, const struct symbol *function)
{
	size_t bytes = function->size && function->size <= FUNCTION_BYTES_MAX ? function->size : UNDECODED_BYTES;
	int error;

	code->bytes = calloc(1, bytes);
	if (!code->bytes)
		return -ENOMEM;
	code->address = function->value;
	code->size = bytes;
	error = library_read(code->library, function->value, code->bytes, bytes);
	/* The last function of a file may be shorter than what was asked for. */
	while (error && function->size != bytes && code->size > 1)
		error = library_read(code->library, function->value, code->bytes, --code->size);
	return error;
}

static int code_open(struct site_code *code, const struct symbol *function)
{
	int error = code_read(code, function);

	if (error)
		return error;
	code->machine = library_machine(code->library) == LIBRARY_MACHINE_X86_64 ? &site_machine_x86
										 : &site_machine_arm64;
	return decoder_open(&code->decoder, library_machine(code->library));
}

static void describe(const struct site_code *code, struct site *site)
{
	const cs_insn *instruction = code->decoder.instruction;

	snprintf(site->instruction, sizeof(site->instruction), "%s%s%s", instruction->mnemonic,
		 instruction->op_str[0] ? " " : "", instruction->op_str);
}

/*
 * Walks from the entry to the first instruction that is emulated. False: there is none that the query allows. The
 * entry's own text is told in any case.
 */
static bool walk(struct site_code *code, struct site_query query, struct site *entry, struct site *found)
{
	const uint8_t *at = code->bytes;
	uint64_t address = code->address, offset;
	size_t left = code->size;

	while (decoder_next(&code->decoder, &at, &left, &address)) {
		offset = code->decoder.instruction->address - code->address;
		if (!offset)
			describe(code, entry);
		if (offset > BEGINNING_BYTES)
			return false;
		if (code->machine->emulates(code->decoder.instruction)) {
			*found = (struct site){ .offset = (uint32_t)offset, .cost = SITE_EMULATED };
			describe(code, found);
			return true;
		}
		if (!code->machine->passes(code->decoder.instruction, query))
			return false;
	}
	return false;
}

/* Why a site behind the entry is not proven, or NULL. */
static const char *is_unproven(struct site_code *code, const struct symbol *function, size_t offset)
{
	if (!function->size)
		return "where it ends is not known";
	if (function->size > FUNCTION_BYTES_MAX)
		return "it is too long to be decoded";
	return site_is_entered(code, offset);
}

int site_find(const struct library *library, const struct symbol *function, struct site_query query, struct site *out)
{
	__attribute__((cleanup(code_release))) struct site_code code = { .library = library };
	struct site entry = { .cost = SITE_STEPPED }, found;
	int error = code_open(&code, function);

	if (error)
		return error;
	if (!walk(&code, query, &entry, &found)) {
		entry.reason = "nothing that the kernel emulates comes before what the probe needs changes";
		found = entry;
	} else if (found.offset) {
		entry.reason = is_unproven(&code, function, found.offset);
		if (entry.reason)
			found = entry;
	}
	*out = found;
	return 0;
}
