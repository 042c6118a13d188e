/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site.h against machine code made for the purpose: which instructions are passed, where a site is chosen, why the
 * entry is kept. Whole functions are in test_site_whole.c, those of nginx and OpenSSL in test_site_probes.c.
 */
#include <string.h>

#include <check.h>

#include "attach/site.h"
#include "stored_library.h"

Suite *suite_site(void);

struct chosen {
	const char *name;
	const char *code;
	size_t bytes;
	struct site_query query;
	uint32_t offset;
	const char *instruction;
};

struct kept {
	const char *name;
	const char *code;
	size_t bytes;
	struct site_query query;
	const char *reason; /* a part of it */
};

#define CODE(text) .code = (text), .bytes = sizeof(text) - 1
#define FIRST      .query = { .arguments = SITE_ARGUMENT(1) }
#define SECOND     .query = { .arguments = SITE_ARGUMENT(2) }
#define RETURNS    .query = { .returns = true }
#define BOTH       .query = { .arguments = SITE_ARGUMENT(1), .returns = true }
#define ENDBR64    "\xf3\x0f\x1e\xfa"
#define CHANGES    "before what the probe needs changes"
#define UNDECODED  "cannot be decoded as a whole"
#define JUMPS_BACK "jumps back into its beginning"

static const struct chosen chosen_x86[] = {
	/* push rbx; pop rbx; ret */
	{ .name = "the entry", CODE("\x53\x5b\xc3"), BOTH, .offset = 0, .instruction = "push rbx" },
	{ .name = "push behind endbr64", CODE(ENDBR64 "\x55\x5d\xc3"), BOTH, .offset = 4, .instruction = "push rbp" },
	{ .name = "push of a new register",
	  CODE(ENDBR64 "\x41\x54\x41\x5c\xc3"),
	  BOTH,
	  .offset = 4,
	  .instruction = "push r12" },
	{ .name = "nop", CODE(ENDBR64 "\x90\xc3"), BOTH, .offset = 4, .instruction = "nop" },
	/* test rdi,rdi; je .+1; ret; ret */
	{ .name = "check for NULL", CODE("\x48\x85\xff\x74\x01\xc3\xc3"), BOTH, .offset = 3, .instruction = "je 0x" },
	/* test rdi,rdi; je .+1 (near); ret; ret */
	{ .name = "a far check",
	  CODE(ENDBR64 "\x48\x85\xff\x0f\x84\x01\0\0\0\xc3\xc3"),
	  FIRST,
	  .offset = 7,
	  .instruction = "je 0x" },
	/* cmp qword [rdi+0x90],0; jne .+1; ret; ret */
	{ .name = "check of a field",
	  CODE(ENDBR64 "\x48\x83\xbf\x90\0\0\0\0\x75\x01\xc3\xc3"),
	  FIRST,
	  .offset = 12,
	  .instruction = "jne 0x" },
	/* mov rcx,rdx; mov rsi,rax; lea rdx,[rip]; jmp far away */
	{ .name = "on to another function",
	  CODE("\x48\x89\xd1\x48\x89\xc6\x48\x8d\x15\0\0\0\0\xe9\0\x20\0\0"),
	  FIRST,
	  .offset = 13,
	  .instruction = "jmp 0x" },
	{ .name = "a short jump", CODE(ENDBR64 "\xeb\0\xc3"), BOTH, .offset = 4, .instruction = "jmp 0x" },
	/* sub rsp,0x18; mov [rsp+8],rbx; test rdi,rdi; je .+1; ret; ret */
	{ .name = "behind the frame",
	  CODE("\x48\x83\xec\x18\x48\x89\x5c\x24\x08\x48\x85\xff\x74\x01\xc3\xc3"),
	  FIRST,
	  .offset = 12,
	  .instruction = "je 0x" },
	/* xor edi,edi; push rbx; ret */
	{ .name = "another argument", CODE("\x31\xff\x53\xc3"), SECOND, .offset = 2, .instruction = "push rbx" },
	{ .name = "no argument", CODE("\x31\xff\x53\xc3"), RETURNS, .offset = 2, .instruction = "push rbx" },
	/* nop of five bytes; push rbx; ret */
	{ .name = "never a nop of five bytes",
	  CODE("\x0f\x1f\x44\0\0\x53\xc3"),
	  BOTH,
	  .offset = 5,
	  .instruction = "push rbx" },
	{ .name = "a nop with a prefix", CODE("\x66\x90\x53\xc3"), BOTH, .offset = 2, .instruction = "push rbx" },
	/* push rbx; pop rbx; jmp rax */
	{ .name = "a call of a pointer at the end",
	  CODE(ENDBR64 "\x53\x5b\xff\xe0"),
	  BOTH,
	  .offset = 4,
	  .instruction = "push rbx" },
	/* push rbx; pop rbx; jmp [rdi+8] */
	{ .name = "a call of an object's pointer",
	  CODE(ENDBR64 "\x53\x5b\xff\x67\x08"),
	  BOTH,
	  .offset = 4,
	  .instruction = "push rbx" },
	/* push rbx; pop rbx; jmp .-8 */
	{ .name = "again from the start",
	  CODE(ENDBR64 "\x53\x5b\xeb\xf8"),
	  BOTH,
	  .offset = 4,
	  .instruction = "push rbx" },
	/* test rdi,rdi; je .+2; jmp .-2; ret */
	{ .name = "a loop further on",
	  CODE("\x48\x85\xff\x74\x02\xeb\xfe\xc3"),
	  FIRST,
	  .offset = 3,
	  .instruction = "je 0x" },
};

static const struct kept kept_x86[] = {
	{ .name = "nothing that is emulated", CODE(ENDBR64 "\xc3"), BOTH, .reason = CHANGES },
	/* sub rsp,0x48; push rbx; ret */
	{ .name = "the return address is covered",
	  CODE(ENDBR64 "\x48\x83\xec\x48\x53\xc3"),
	  BOTH,
	  .reason = CHANGES },
	/* mov [rsp],rbx; push rbx; ret */
	{ .name = "the return address is overwritten", CODE("\x48\x89\x1c\x24\x53\xc3"), RETURNS, .reason = CHANGES },
	/* mov rdi,rsi; push rbx; ret */
	{ .name = "the argument is overwritten", CODE("\x48\x89\xf7\x53\xc3"), FIRST, .reason = CHANGES },
	{ .name = "half of it", CODE("\x31\xff\x53\xc3"), FIRST, .reason = CHANGES },
	/* mov dil,1; push rbx; ret */
	{ .name = "a byte of it", CODE("\x40\xb7\x01\x53\xc3"), FIRST, .reason = CHANGES },
	/* mov sil,1; push rbx; ret */
	{ .name = "a byte of the second", CODE("\x40\xb6\x01\x53\xc3"), SECOND, .reason = CHANGES },
	/* mov [rdi],rsi; push rbx; ret */
	{ .name = "the object changes", CODE("\x48\x89\x37\x53\xc3"), FIRST, .reason = CHANGES },
	/* mov [rsp+rax],rbx; push rbx; ret */
	{ .name = "somewhere on the stack", CODE("\x48\x89\x1c\x04\x53\xc3"), FIRST, .reason = CHANGES },
	/* add [rsp+8],rbx; push rbx; ret */
	{ .name = "arithmetic on the stack", CODE("\x48\x01\x5c\x24\x08\x53\xc3"), FIRST, .reason = CHANGES },
	/* mov rsp,rax; push rbx; ret */
	{ .name = "another stack", CODE("\x48\x89\xc4\x53\xc3"), FIRST, .reason = CHANGES },
	/* and rsp,-16; push rbx; ret */
	{ .name = "an aligned stack", CODE("\x48\x83\xe4\xf0\x53\xc3"), FIRST, .reason = CHANGES },
	/* lock add [rsp],eax; push rbx; ret */
	{ .name = "an atomic change", CODE("\xf0\x01\x04\x24\x53\xc3"), FIRST, .reason = CHANGES },
	/* xchg rax,rdi; push rbx; ret */
	{ .name = "an exchange", CODE("\x48\x97\x53\xc3"), FIRST, .reason = CHANGES },
	{ .name = "a call", CODE("\xe8\x60\0\0\0\x53\xc3"), FIRST, .reason = CHANGES },
	{ .name = "a return", CODE("\xc3\x53\xc3"), FIRST, .reason = CHANGES },
	/* bnd jmp .+0; ret */
	{ .name = "a jump with a prefix", CODE(ENDBR64 "\xf2\xeb\0\xc3"), FIRST, .reason = CHANGES },
	/* rex.w push rbx; ret */
	{ .name = "a push with a prefix", CODE(ENDBR64 "\x48\x53\xc3"), FIRST, .reason = CHANGES },
	/* push [rdi]; push 1; ret */
	{ .name = "a push of something else", CODE(ENDBR64 "\xff\x37\x6a\x01\x53\xc3"), FIRST, .reason = CHANGES },
	/* nop; jrcxz .+0; ret: a nop is emulated, a loop's jump is not */
	{ .name = "a jump by a register's value", CODE(ENDBR64 "\xe3\0\xc3"), FIRST, .reason = CHANGES },
	/* test rdi,rdi; je .+2; jmp .-4; ret */
	{ .name = "a loop to the site", CODE("\x48\x85\xff\x74\x02\xeb\xfc\xc3"), FIRST, .reason = JUMPS_BACK },
	/* endbr64; test rdi,rdi; je .+2; jmp .-7; ret */
	{ .name = "a loop before the site",
	  CODE(ENDBR64 "\x48\x85\xff\x74\x02\xeb\xf9\xc3"),
	  FIRST,
	  .reason = JUMPS_BACK },
	/* endbr64; push rbx; call .-6; pop rbx; ret */
	{ .name = "a call of the site",
	  CODE(ENDBR64 "\x53\xe8\xfa\xff\xff\xff\x5b\xc3"),
	  FIRST,
	  .reason = JUMPS_BACK },
	/* endbr64; push rbx; loop .-3; ret */
	{ .name = "a counting loop", CODE(ENDBR64 "\x53\xe2\xfd\xc3"), FIRST, .reason = JUMPS_BACK },
	/* endbr64; push rbx; jmp .-6, into endbr64; ret */
	{ .name = "into an instruction", CODE(ENDBR64 "\x53\xeb\xfa\xc3"), FIRST, .reason = UNDECODED },
	/* endbr64; push rbx; jmp .+1, into mov eax,imm; ret */
	{ .name = "into a later instruction",
	  CODE(ENDBR64 "\x53\xeb\x01\xb8\x53\x53\x53\x53\xc3"),
	  FIRST,
	  .reason = UNDECODED },
	{ .name = "no instruction", CODE(ENDBR64 "\x53\x06\xc3"), FIRST, .reason = UNDECODED },
	{ .name = "half an instruction", CODE(ENDBR64 "\x53\xe9\0\0"), FIRST, .reason = UNDECODED },
};

static const struct chosen chosen_arm64[] = {
	/* cbz x0,.+8; ret; ret */
	{ .name = "the entry",
	  CODE("\x40\0\0\xb4\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  BOTH,
	  .offset = 0,
	  .instruction = "cbz x0" },
	/* bti c; cbz x0,.+8; ret; ret */
	{ .name = "check for NULL",
	  CODE("\x5f\x24\x03\xd5\x40\0\0\xb4\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  BOTH,
	  .offset = 4,
	  .instruction = "cbz x0" },
	/* bti jc; tbnz w1,#7,.+8; ret; ret */
	{ .name = "check of a bit",
	  CODE("\xdf\x24\x03\xd5\x41\0\x38\x37\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  BOTH,
	  .offset = 4,
	  .instruction = "tbnz w1" },
	/* bti c; b far away */
	{ .name = "on to another function",
	  CODE("\x5f\x24\x03\xd5\0\x08\0\x14"),
	  BOTH,
	  .offset = 4,
	  .instruction = "b #" },
	/* bti c; adrp x1,...; ret */
	{ .name = "an address",
	  CODE("\x5f\x24\x03\xd5\x01\0\0\x90\xc0\x03\x5f\xd6"),
	  BOTH,
	  .offset = 4,
	  .instruction = "adrp x1" },
};

static const struct kept kept_arm64[] = {
	/* bti c; stp x29,x30,[sp,#-32]!; ret */
	{ .name = "a frame", CODE("\x5f\x24\x03\xd5\xfd\x7b\xbe\xa9\xc0\x03\x5f\xd6"), FIRST, .reason = CHANGES },
	/* paciasp; cbz x0,.+8; ret; ret */
	{ .name = "a signed return address",
	  CODE("\x3f\x23\x03\xd5\x40\0\0\xb4\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  RETURNS,
	  .reason = CHANGES },
	/* cmp x0,#0; b.eq .+8; ret; ret */
	{ .name = "a comparison",
	  CODE("\x1f\0\0\xf1\x40\0\0\x54\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  FIRST,
	  .reason = CHANGES },
	/* bti c; ldr x1,.+8; ret; ret: refused since commit acc450aa0709 */
	{ .name = "a literal",
	  CODE("\x5f\x24\x03\xd5\x41\0\0\x58\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  FIRST,
	  .reason = CHANGES },
	/* bti c; cbz x0,.+8; b .-4; ret */
	{ .name = "a loop to the site",
	  CODE("\x5f\x24\x03\xd5\x40\0\0\xb4\xff\xff\xff\x17\xc0\x03\x5f\xd6"),
	  FIRST,
	  .reason = JUMPS_BACK },
	/* bti c; cbz x0,.+8; br x1; ret */
	{ .name = "a jump through a register",
	  CODE("\x5f\x24\x03\xd5\x40\0\0\xb4\x20\0\x1f\xd6\xc0\x03\x5f\xd6"),
	  FIRST,
	  .reason = "jumps through a register" },
	/* bti c; cbz x0,.+8; no instruction; ret */
	{ .name = "no instruction",
	  CODE("\x5f\x24\x03\xd5\x40\0\0\xb4\0\0\0\0\xc0\x03\x5f\xd6"),
	  FIRST,
	  .reason = UNDECODED },
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct library *library_of(enum library_machine machine, const char *code, size_t bytes)
{
	static struct stored_library stored;

	memset(&stored, 0, sizeof(stored));
	stored.machine = machine;
	stored_library_set(&stored, "asked", code, bytes);
	return stored_library_open(&stored);
}

static struct site find(const struct library *library, struct site_query query)
{
	struct symbol symbol;
	struct site site;

	ck_assert_int_eq(library_symbol(library, "asked", &symbol), 0);
	ck_assert_int_eq(site_find(library, &symbol, query, &site), 0);
	return site;
}

static void assert_chosen(enum library_machine machine, const struct chosen *it)
{
	autolibrary struct library *library = library_of(machine, it->code, it->bytes);
	struct site site = find(library, it->query);

	ck_assert_msg(!site.reason, "%s: %s", it->name, site.reason);
	ck_assert_msg(site.offset == it->offset, "%s gave %u", it->name, site.offset);
	ck_assert_uint_eq(site.cost, SITE_EMULATED);
	ck_assert_msg(!strncmp(site.instruction, it->instruction, strlen(it->instruction)), "%s gave '%s'", it->name,
		      site.instruction);
}

static void assert_kept(enum library_machine machine, const struct kept *it)
{
	autolibrary struct library *library = library_of(machine, it->code, it->bytes);
	struct site site = find(library, it->query);

	ck_assert_msg(site.offset == 0 && site.cost == SITE_STEPPED, "%s gave %u", it->name, site.offset);
	ck_assert_msg(site.reason && strstr(site.reason, it->reason), "%s: %s", it->name,
		      site.reason ? site.reason : "no reason");
	ck_assert_msg(site.instruction[0], "%s has no text", it->name);
}

START_TEST(chooses_on_x86)
{
	assert_chosen(LIBRARY_MACHINE_X86_64, &chosen_x86[_i]);
}
END_TEST

START_TEST(chooses_on_arm64)
{
	assert_chosen(LIBRARY_MACHINE_AARCH64, &chosen_arm64[_i]);
}
END_TEST

START_TEST(keeps_on_x86)
{
	assert_kept(LIBRARY_MACHINE_X86_64, &kept_x86[_i]);
}
END_TEST

START_TEST(keeps_on_arm64)
{
	assert_kept(LIBRARY_MACHINE_AARCH64, &kept_arm64[_i]);
}
END_TEST

Suite *suite_site(void)
{
	Suite *suite = suite_create("site");
	TCase *x86 = tcase_create("x86-64"), *arm64 = tcase_create("aarch64");

	tcase_add_loop_test(x86, chooses_on_x86, 0, COUNT(chosen_x86));
	tcase_add_loop_test(x86, keeps_on_x86, 0, COUNT(kept_x86));
	tcase_add_loop_test(arm64, chooses_on_arm64, 0, COUNT(chosen_arm64));
	tcase_add_loop_test(arm64, keeps_on_arm64, 0, COUNT(kept_arm64));
	suite_add_tcase(suite, x86);
	suite_add_tcase(suite, arm64);
	return suite;
}
