/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files site*.c share. Included by them only. */
#ifndef TLSWHY_ATTACH_SITE_PRIVATE_H
#define TLSWHY_ATTACH_SITE_PRIVATE_H

#include <stddef.h>

#include "attach/decoder.h"
#include "attach/site.h"

/* A function's code, and who decodes it. */
struct site_code {
	const struct library *library;
	const struct site_machine *machine;
	struct decoder decoder;
	uint64_t address; /* of the first byte, as linked */
	uint8_t *bytes;
	size_t size;
};

/* What differs between the instruction sets. */
struct site_machine {
	bool reads_tables; /* the tables of jumps through a register are understood */
	/* Whether the kernel emulates the instruction, whatever the registers hold. */
	bool (*emulates)(const cs_insn *instruction);
	/* Whether what the query asks for is the same behind the instruction, which always leads to the next one. */
	bool (*passes)(const cs_insn *instruction, struct site_query query);
};

extern const struct site_machine site_machine_x86, site_machine_arm64;

/*
 * Whether nothing but what comes from the function's first instruction gets to the bytes behind it up to and with the
 * one at offset last. Returns NULL, or why that is not known.
 */
const char *site_is_entered(struct site_code *code, size_t last);

#endif
