/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the parts of a split function. Contract: tails.h.
 *
 * Only jumps count: what is called is another function. Must not know: which function it is.
 */
#include "attach/tails.h"

#include <errno.h>
#include <stdbool.h>

#include "attach/decoder.h"

#define STUB_BYTES 128 /* nginx's ngx_ssl_handshake is 48 bytes when split, and over 800 whole */

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
	autodecoder struct decoder decoder = { 0 };
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
		error = decoder_open(&decoder, library_machine(library));
	if (error)
		return error;
	while (decoder_next(&decoder, &p, &left, &address)) {
		if (!decoder_is(&decoder, CS_GRP_JUMP) || !decoder_target(&decoder, &target) ||
		    !is_outside(function, target) || (known && target == known->value))
			continue;
		error = tails_add(&tails, function, target);
		if (error)
			return error;
	}
	if (left)
		return -ENOTSUP;
	*out = tails;
	return 0;
}
