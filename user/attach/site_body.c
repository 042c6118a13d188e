/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who can get into the beginning of a function other than through its first instruction.
 *
 * A function is entered at its first instruction: callers, pointers and the dynamic linker know no other. The
 * function itself may come back to a place further on, and so may the parts that the compiler has split off from it
 * (NAME.cold, NAME.part.0), but these return behind the branch that led to them. So all of the function's own code is
 * decoded, and all that it says of where it jumps is looked at. A return, also one by longjmp() or to what a signal
 * has interrupted, leads behind a call or to where the code had come to.
 *
 * Invariant: code that does not decode as a whole, or that jumps into the middle of what was decoded, proves nothing.
 * Must not know: which place is looked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/site_private.h"
#include "base/cleanup.h"

/* X509_verify_cert_error_string() has some 100 texts, whose addresses are taken for tables' too. */
#define TABLES_MAX    256
#define TABLE_ENTRIES 1024
#define MARK_BOUNDARY 1 /* an instruction begins here */
#define MARK_TARGET   2 /* something leads here */
#define UNDECODED     "its code cannot be decoded as a whole"

/* What is said about a function's code. */
struct body {
	struct site_code *code;
	uint8_t *marks; /* one a byte */
	bool jumps_by_register;
	size_t table_count; /* all that were seen, also above TABLES_MAX */
	uint64_t tables[TABLES_MAX];
};

static bool branches(const struct decoder *decoder)
{
	return decoder_is(decoder, CS_GRP_JUMP) || decoder_is(decoder, CS_GRP_CALL) ||
	       decoder_is(decoder, CS_GRP_BRANCH_RELATIVE);
}

static void add_table(struct body *body, uint64_t address)
{
	if (body->table_count < TABLES_MAX)
		body->tables[body->table_count] = address;
	body->table_count++;
}

/* Addresses that could be a table's: lea table(%rip), %register; jmp *table(, %register, 8). */
static void note_tables(struct body *body, const cs_insn *instruction)
{
	const cs_x86 *x86 = &instruction->detail->x86;

	for (uint8_t i = 0; i < x86->op_count; i++) {
		const x86_op_mem *memory = &x86->operands[i].mem;

		if (x86->operands[i].type != X86_OP_MEM)
			continue;
		if (memory->base == X86_REG_RIP && instruction->id == X86_INS_LEA)
			add_table(body, instruction->address + instruction->size + (uint64_t)memory->disp);
		else if (memory->base == X86_REG_INVALID && memory->index != X86_REG_INVALID)
			add_table(body, (uint64_t)memory->disp);
	}
}

static void note_instruction(struct body *body)
{
	const struct site_code *code = body->code;
	const struct decoder *decoder = &code->decoder;
	const cs_insn *instruction = decoder->instruction;
	uint64_t target;

	body->marks[instruction->address - code->address] |= MARK_BOUNDARY;
	if (branches(decoder) && decoder_target(decoder, &target)) {
		if (target >= code->address && target - code->address < code->size)
			body->marks[target - code->address] |= MARK_TARGET;
	} else if (decoder_is(decoder, CS_GRP_JUMP)) {
		body->jumps_by_register = true;
	}
	if (code->machine->reads_tables)
		note_tables(body, instruction);
}

static const char *decode_all(struct body *body)
{
	struct site_code *code = body->code;
	const uint8_t *at = code->bytes;
	uint64_t address = code->address;
	size_t left = code->size;

	while (decoder_next(&code->decoder, &at, &left, &address))
		note_instruction(body);
	if (left)
		return UNDECODED;
	for (size_t i = 0; i < code->size; i++)
		if (body->marks[i] == MARK_TARGET)
			return UNDECODED;
	return NULL;
}

/* Bytes at an address, as many as there are. */
static size_t read_up_to(const struct library *library, uint64_t address, void *buffer, size_t bytes)
{
	while (bytes >= 8 && library_read(library, address, buffer, bytes))
		bytes /= 2;
	return bytes >= 8 ? bytes : 0;
}

/* Whether an address is one of the function's up to last, but for its entry. */
static bool is_inside(const struct site_code *code, uint64_t address, size_t last)
{
	return address > code->address && address - code->address <= last;
}

/*
 * What an entry means is not asked: as a distance from the table (-fPIC) or as an address, none may lead there. Where
 * the table ends is not known; what follows it is looked at in vain.
 */
static bool table_enters(const struct site_code *code, uint64_t table, size_t last)
{
	union {
		int32_t distances[TABLE_ENTRIES];
		uint64_t addresses[TABLE_ENTRIES / 2];
	} entries;
	size_t bytes = read_up_to(code->library, table, &entries, sizeof(entries));

	for (size_t i = 0; i < bytes / 4; i++)
		if (is_inside(code, table + (uint64_t)entries.distances[i], last))
			return true;
	for (size_t i = 0; i < bytes / 8; i++)
		if (is_inside(code, entries.addresses[i], last))
			return true;
	return false;
}

/*
 * A jump through a register goes by a table of this function, whose address is in this function's code, or it is the
 * call of a function that is the last thing done here (SSL_do_handshake calls the object's handshake_func so).
 */
static const char *tables_enter(const struct body *body, size_t last)
{
	if (!body->jumps_by_register)
		return NULL;
	if (!body->code->machine->reads_tables || body->table_count > TABLES_MAX)
		return "it jumps through a register";
	for (size_t i = 0; i < body->table_count; i++)
		if (table_enters(body->code, body->tables[i], last))
			return "a table of jumps leads into its beginning";
	return NULL;
}

const char *site_is_entered(struct site_code *code, size_t last)
{
	autofree uint8_t *marks = calloc(1, code->size);
	struct body body = { .code = code, .marks = marks };
	const char *reason;

	if (!marks)
		return "there is no memory to decode it";
	reason = decode_all(&body);
	if (reason)
		return reason;
	if (!(marks[last] & MARK_BOUNDARY))
		return UNDECODED;
	for (size_t i = 1; i <= last; i++)
		if (marks[i] & MARK_TARGET)
			return "it jumps back into its beginning";
	return tables_enter(&body, last);
}
