/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * accessor.h against machine code made for the purpose. Functions as libraries really have them are asked in
 * test_layout.c.
 */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "attach/accessor.h"
#include "stored_library.h"

Suite *suite_accessor(void);

struct understood {
	const char *name;
	const char *code;
	size_t bytes;
	uint32_t offset;
};

struct refused {
	const char *name;
	const char *code;
	size_t bytes;
};

#define CODE(text) .code = (text), .bytes = sizeof(text) - 1

/* What is understood: forms that compilers were seen to use. */
static const struct understood understood_x86[] = {
	/* mov eax,[rdi+0x64]; xor edi,edi; ret */
	{ .name = "plain", CODE("\x8b\x47\x64\x31\xff\xc3"), .offset = 100 },
	/* OpenSSL 3.2 and later: NULL, type 0, QUIC types, the field */
	{ .name = "type check",
	  CODE("\xf3\x0f\x1e\xfa\x48\x85\xff\x74\x1b\x8b\x07\x85\xc0\x74\x0d\xa8\x80\x74\x11\x48\x83\xec\x08"
	       "\xe8\x08\x00\x00\x00\x48\x8b\x87\xb0\x09\x00\x00\xc3\x31\xc0\xc3"),
	  .offset = 2480 },
	/* xor eax,eax; cmp dword [rdi],0; cmove rax,rdi; mov eax,[rax+0x70]; xor edi,edi; ret */
	{ .name = "conditional move",
	  CODE("\x31\xc0\x83\x3f\x00\x48\x0f\x44\xc7\x8b\x40\x70\x31\xff\xc3"),
	  .offset = 112 },
	/* push rbx; mov rbx,rdi; mov rdx,[rbx+0x900]; pop rbx; mov rax,rdx; ret */
	{ .name = "through registers",
	  CODE("\x53\x48\x89\xfb\x48\x8b\x93\x00\x09\x00\x00\x5b\x48\x89\xd0\xc3"),
	  .offset = 2304 },
	/* mov eax,[rdi]; test al,al; jne; mov eax,[rdi+0x84]; ret; xor eax,eax; ret */
	{ .name = "test of a byte",
	  CODE("\x8b\x07\x84\xc0\x75\x07\x8b\x87\x84\x00\x00\x00\xc3\x31\xc0\xc3"),
	  .offset = 132 },
	{ .name = "jump", CODE("\xeb\x01\xc3\x8b\x47\x64\xc3"), .offset = 100 },
};

/* What must not be: a value would be wrong, or a guess. */
static const struct refused refused_x86[] = {
	{ .name = "a call", CODE("\x48\x83\xec\x08\xe8\x5f\x00\x00\x00\x8b\x47\x08\x48\x83\xc4\x08\xc3") },
	{ .name = "a field of a field", CODE("\x48\x8b\x87\xa8\x00\x00\x00\x8b\x40\x04\xc3") },
	{ .name = "an endless loop", CODE("\xeb\xfe") },
	{ .name = "a constant", CODE("\xb8\x05\x00\x00\x00\xc3") },
	{ .name = "arithmetic", CODE("\x8b\x47\x08\x83\xc0\x01\xc3") },
	{ .name = "a shift", CODE("\x8b\x47\x08\xd1\xe8\xc3") },
	{ .name = "a branch on an unknown field",
	  CODE("\x8b\x47\x04\x85\xc0\x74\x04\x8b\x47\x70\xc3\x8b\x87\x80\x00\x00\x00\xc3") },
	{ .name = "a byte", CODE("\x0f\xb6\x47\x05\xc3") },
	{ .name = "an index", CODE("\x48\x8b\x44\xf7\x10\xc3") },
	{ .name = "a segment", CODE("\x64\x48\x8b\x47\x10\xc3") },
	{ .name = "the second argument", CODE("\x8b\x46\x08\xc3") },
	{ .name = "flags of something else",
	  CODE("\x48\x85\xff\x48\x83\xec\x08\x74\x08\x48\x83\xc4\x08\x8b\x47\x08\xc3\xc3") },
	{ .name = "a push without a pop", CODE("\x57\x8b\x47\x08\xc3") },
	{ .name = "half a pointer", CODE("\x89\xf8\x8b\x40\x08\xc3") },
	{ .name = "before the object", CODE("\x8b\x47\xf8\xc3") },
	{ .name = "eight bytes as the type", CODE("\x48\x8b\x07\x48\x85\xc0\x74\x03\x31\xc0\xc3\x8b\x47\x08\xc3") },
	{ .name = "no instruction", CODE("\x06\x06\x06") },
};

static const struct understood understood_arm64[] = {
	/* ldr w1,[x0]; cmp w1,#0; csel x1,x0,xzr,eq; ldr w0,[x1,#112]; ret */
	{ .name = "select",
	  CODE("\x01\x00\x40\xb9\x3f\x00\x00\x71\x01\x00\x9f\x9a\x20\x70\x40\xb9\xc0\x03\x5f\xd6"),
	  .offset = 112 },
	/* ldr w1,[x0]; tbnz w1,#7,.+12; ldr w0,[x0,#132]; ret; mov w0,#0; ret */
	{ .name = "bit of the type",
	  CODE("\x01\x00\x40\xb9\x61\x00\x38\x37\x00\x84\x40\xb9\xc0\x03\x5f\xd6\x00\x00\x80\x52\xc0\x03\x5f\xd6"),
	  .offset = 132 },
	/* cbz x0,.+20; ldr w1,[x0]; cbnz w1,.+12; ldr x0,[x0,#2480]; ret; mov x0,#0; ret */
	{ .name = "type check",
	  CODE("\xa0\x00\x00\xb4\x01\x00\x40\xb9\x61\x00\x00\x35\x00\xd8\x44\xf9\xc0\x03\x5f\xd6\x00\x00\x80\xd2"
	       "\xc0\x03\x5f\xd6"),
	  .offset = 2480 },
	/* hint #25; stp x29,x30,[sp,#-32]!; mov x29,sp; str x19,[sp,#16]; mov x19,x0; ldr x2,[x19,#2304]; ldr
	   x19,[sp,#16]; ldp x29,x30,[sp],#32; hint #29; mov x0,x2; mov x2,#0; ret */
	{ .name = "through registers",
	  CODE("\x3f\x23\x03\xd5\xfd\x7b\xbe\xa9\xfd\x03\x00\x91\xf3\x0b\x00\xf9\xf3\x03\x00\xaa\x62\x82\x44\xf9"
	       "\xf3\x0b\x40\xf9\xfd\x7b\xc2\xa8\xbf\x23\x03\xd5\xe0\x03\x02\xaa\x02\x00\x80\xd2\xc0\x03\x5f\xd6"),
	  .offset = 2304 },
	/* b .+8; ret; ldr w0,[x0,#100]; ret */
	{ .name = "jump", CODE("\x02\x00\x00\x14\xc0\x03\x5f\xd6\x00\x64\x40\xb9\xc0\x03\x5f\xd6"), .offset = 100 },
	/* add x1,x0,#96; ldr w0,[x1,#8]; ret */
	{ .name = "address", CODE("\x01\x80\x01\x91\x20\x08\x40\xb9\xc0\x03\x5f\xd6"), .offset = 104 },
	/* ldr w1,[x0]; cmp w1,#0; b.ne .+12; ldr w0,[x0,#116]; ret; ret */
	{ .name = "condition",
	  CODE("\x01\x00\x40\xb9\x3f\x00\x00\x71\x61\x00\x00\x54\x00\x74\x40\xb9\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  .offset = 116 },
	/* ldr w1,[x0]; and w1,w1,#0x80; cbnz w1,.+12; ldr w0,[x0,#120]; ret; ret */
	{ .name = "mask",
	  CODE("\x01\x00\x40\xb9\x21\x00\x19\x12\x61\x00\x00\x35\x00\x78\x40\xb9\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6"),
	  .offset = 120 },
};

static const struct refused refused_arm64[] = {
	/* stp x29,x30,[sp,#-16]!; bl .+64; ldr w0,[x0,#8]; ldp x29,x30,[sp],#16; ret */
	{ .name = "a call",
	  CODE("\xfd\x7b\xbf\xa9\x10\x00\x00\x94\x00\x08\x40\xb9\xfd\x7b\xc1\xa8\xc0\x03\x5f\xd6") },
	/* ldr x0,[x0,#168]; ldr w0,[x0,#4]; ret */
	{ .name = "a field of a field", CODE("\x00\x54\x40\xf9\x00\x04\x40\xb9\xc0\x03\x5f\xd6") },
	/* b . */
	{ .name = "an endless loop", CODE("\x00\x00\x00\x14") },
	/* mov w0,#5; ret */
	{ .name = "a constant", CODE("\xa0\x00\x80\x52\xc0\x03\x5f\xd6") },
	/* ldr w0,[x0,#8]; add w0,w0,#1; ret */
	{ .name = "arithmetic", CODE("\x00\x08\x40\xb9\x00\x04\x00\x11\xc0\x03\x5f\xd6") },
	/* ldr w0,[x0,#8]; lsr w0,w0,#1; ret */
	{ .name = "a shift", CODE("\x00\x08\x40\xb9\x00\x7c\x01\x53\xc0\x03\x5f\xd6") },
	/* ldr w1,[x0,#4]; cbz w1,.+12; ldr w0,[x0,#112]; ret; ldr w0,[x0,#128]; ret */
	{ .name = "a branch on an unknown field",
	  CODE("\x01\x04\x40\xb9\x61\x00\x00\x34\x00\x70\x40\xb9\xc0\x03\x5f\xd6\x00\x80\x40\xb9\xc0\x03\x5f\xd6") },
	/* ldr w1,[x0,#4]; tbz w1,#3,.+12; ldr w0,[x0,#112]; ret; ldr w0,[x0,#128]; ret */
	{ .name = "a bit of an unknown field",
	  CODE("\x01\x04\x40\xb9\x61\x00\x18\x36\x00\x70\x40\xb9\xc0\x03\x5f\xd6\x00\x80\x40\xb9\xc0\x03\x5f\xd6") },
	/* ldrb w0,[x0,#5]; ret */
	{ .name = "a byte", CODE("\x00\x14\x40\x39\xc0\x03\x5f\xd6") },
	/* ldr x0,[x0,x1]; ret */
	{ .name = "an index", CODE("\x00\x68\x61\xf8\xc0\x03\x5f\xd6") },
	/* add x0,x0,x1,lsl #2; ldr w0,[x0,#8]; ret */
	{ .name = "a shifted index", CODE("\x00\x08\x01\x8b\x00\x08\x40\xb9\xc0\x03\x5f\xd6") },
	/* add x0,x0,x1; ldr w0,[x0,#8]; ret */
	{ .name = "a sum", CODE("\x00\x00\x01\x8b\x00\x08\x40\xb9\xc0\x03\x5f\xd6") },
	/* ldr w0,[x1,#8]; ret */
	{ .name = "the second argument", CODE("\x20\x08\x40\xb9\xc0\x03\x5f\xd6") },
	/* mov w1,w0; ldr w0,[x1,#8]; ret */
	{ .name = "half a pointer", CODE("\xe1\x03\x00\x2a\x20\x08\x40\xb9\xc0\x03\x5f\xd6") },
	/* ldur w0,[x0,#-8]; ret */
	{ .name = "before the object", CODE("\x00\x80\x5f\xb8\xc0\x03\x5f\xd6") },
	/* ldr x1,[x0]; cbz x1,.+12; mov w0,#0; ret; ldr w0,[x0,#8]; ret */
	{ .name = "eight bytes as the type",
	  CODE("\x01\x00\x40\xf9\x61\x00\x00\xb4\x00\x00\x80\x52\xc0\x03\x5f\xd6\x00\x08\x40\xb9\xc0\x03\x5f\xd6") },
	/* ldr w1,[x0,#8]!; mov w0,w1; ret */
	{ .name = "a changed base", CODE("\x01\x8c\x40\xb8\xe0\x03\x01\x2a\xc0\x03\x5f\xd6") },
	/* str wzr,[x0,#8]; ldr w0,[x0,#16]; ret */
	{ .name = "a changed object", CODE("\x1f\x08\x00\xb9\x00\x10\x40\xb9\xc0\x03\x5f\xd6") },
	/* str x0,[sp,#-16]!; ldr x1,[sp],#16; ldr w0,[x1,#8]; ret */
	{ .name = "through the stack", CODE("\xe0\x0f\x1f\xf8\xe1\x07\x41\xf8\x20\x08\x40\xb9\xc0\x03\x5f\xd6") },
	/* ldr w0,[x0,#8]; ret x1 */
	{ .name = "a return elsewhere", CODE("\x00\x08\x40\xb9\x20\x00\x5f\xd6") },
	/* ldr w1,[x0]; cmp w1,#0; b.gt .+12; ldr w0,[x0,#8]; ret; ret */
	{ .name = "an order",
	  CODE("\x01\x00\x40\xb9\x3f\x00\x00\x71\x6c\x00\x00\x54\x00\x08\x40\xb9\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6") },
	/* b.eq .+12; ldr w0,[x0,#8]; ret; ret */
	{ .name = "no comparison", CODE("\x60\x00\x00\x54\x00\x08\x40\xb9\xc0\x03\x5f\xd6\xc0\x03\x5f\xd6") },
	/* .inst 0x00000000 */
	{ .name = "no instruction", CODE("\x00\x00\x00\x00") },
	/* ldr x1,[x0,#8]; mov w0,w1; ret */
	{ .name = "half a field", CODE("\x01\x04\x40\xf9\xe0\x03\x01\x2a\xc0\x03\x5f\xd6") },
};

#undef CODE
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static int find(enum library_machine machine, const char *code, size_t bytes, struct accessor_query query,
		struct accessor_place *place)
{
	static struct stored_library stored;
	struct library *library;
	int error;

	memset(&stored, 0, sizeof(stored));
	stored.machine = machine;
	stored_library_set(&stored, "asked", code, bytes);
	library = stored_library_open(&stored);
	query.function = "asked";
	error = accessor_find(library, &query, place);
	library_close(library);
	return error;
}

static void assert_understood(enum library_machine machine, const struct understood *it)
{
	struct accessor_place place = { 0 };

	ck_assert_msg(!find(machine, it->code, it->bytes, (struct accessor_query){ 0 }, &place), "%s", it->name);
	ck_assert_msg(place.offset == it->offset, "%s gave %u", it->name, place.offset);
	ck_assert_uint_eq(place.through, ACCESSOR_DIRECT);
}

static void assert_refused(enum library_machine machine, const struct refused *it)
{
	static struct stored_library stored;
	struct library *library;
	uint32_t offset = 4711;

	memset(&stored, 0, sizeof(stored));
	stored.machine = machine;
	stored_library_set(&stored, "asked", it->code, it->bytes);
	library = stored_library_open(&stored);
	ck_assert_msg(accessor_offset(library, "asked", &offset) == -ENOTSUP, "%s gave %u", it->name, offset);
	ck_assert_uint_eq(offset, 4711);
	library_close(library);
}

START_TEST(follows_x86)
{
	assert_understood(LIBRARY_MACHINE_X86_64, &understood_x86[_i]);
}
END_TEST

START_TEST(follows_arm64)
{
	assert_understood(LIBRARY_MACHINE_AARCH64, &understood_arm64[_i]);
}
END_TEST

START_TEST(fails_closed_on_x86)
{
	assert_refused(LIBRARY_MACHINE_X86_64, &refused_x86[_i]);
}
END_TEST

START_TEST(fails_closed_on_arm64)
{
	assert_refused(LIBRARY_MACHINE_AARCH64, &refused_arm64[_i]);
}
END_TEST

/* One machine's code is nothing to the other. */
START_TEST(asks_the_machine)
{
	struct accessor_place place;

	ck_assert_int_eq(find(LIBRARY_MACHINE_AARCH64, understood_x86[0].code, understood_x86[0].bytes,
			      (struct accessor_query){ 0 }, &place),
			 -ENOTSUP);
	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, understood_arm64[0].code, understood_arm64[0].bytes,
			      (struct accessor_query){ 0 }, &place),
			 -ENOTSUP);
}
END_TEST

START_TEST(no_such_accessor)
{
	static struct stored_library stored;
	struct library *library = stored_library_open(&stored);
	uint32_t offset;

	ck_assert_int_eq(accessor_offset(library, "SSL_get_nothing", &offset), -ENOENT);
	library_close(library);
}
END_TEST

/* mov rax,[rdi+0x20]; test rax,rax; jne +5; mov rax,[rdi+0x18]; ret; ret */
static const char by_pointer[] = "\x48\x8b\x47\x20\x48\x85\xc0\x75\x05\x48\x8b\x47\x18\xc3\xc3";

START_TEST(pointers_are_as_said)
{
	static const struct {
		enum accessor_pointers pointers;
		int error;
		uint32_t offset;
	} cases[] = { { ACCESSOR_POINTERS_UNKNOWN, -ENOTSUP, 4711 },
		      { ACCESSOR_POINTERS_NULL, 0, 24 },
		      { ACCESSOR_POINTERS_SET, 0, 32 } };

	for (int i = 0; i < COUNT(cases); i++) {
		struct accessor_place place = { .offset = 4711 };

		ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, by_pointer, sizeof(by_pointer) - 1,
				      (struct accessor_query){ .pointers = cases[i].pointers }, &place),
				 cases[i].error);
		ck_assert_uint_eq(place.offset, cases[i].offset);
	}
}
END_TEST

/* At 0 is the type or the version, never a pointer. mov rax,[rdi]; test rax,rax; jne +1; ret; mov eax,[rdi+8]; ret */
START_TEST(no_pointer_is_at_the_start)
{
	static const char code[] = "\x48\x8b\x07\x48\x85\xc0\x75\x01\xc3\x8b\x47\x08\xc3";
	const struct accessor_query query = { .pointers = ACCESSOR_POINTERS_SET };
	struct accessor_place place;

	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, code, sizeof(code) - 1, query, &place), -ENOTSUP);
}
END_TEST

/* cmp dword [rdi+0x38],1; je +4; mov eax,[rdi+0x40]; ret; mov eax,[rdi+0x44]; ret */
static const char by_int[] = "\x83\x7f\x38\x01\x74\x04\x8b\x47\x40\xc3\x8b\x47\x44\xc3";

START_TEST(ints_are_as_said)
{
	struct accessor_query query = { .known_count = 1, .known[0] = { .offset = 0x38, .value = 1 } };
	struct accessor_place place = { 0 };

	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, by_int, sizeof(by_int) - 1, query, &place), 0);
	ck_assert_uint_eq(place.offset, 0x44);
	query.known[0].value = 0;
	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, by_int, sizeof(by_int) - 1, query, &place), 0);
	ck_assert_uint_eq(place.offset, 0x40);
	query.known[0].offset = 0x3c;
	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, by_int, sizeof(by_int) - 1, query, &place), -ENOTSUP);
}
END_TEST

START_TEST(a_field_of_a_field_is_told_as_such)
{
	struct accessor_place place = { 0 };

	/* mov rax,[rdi+0xa8]; mov rax,[rax+0x238]; ret */
	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, "\x48\x8b\x87\xa8\0\0\0\x48\x8b\x80\x38\x02\0\0\xc3", 15,
			      (struct accessor_query){ 0 }, &place),
			 0);
	ck_assert_uint_eq(place.through, 168);
	ck_assert_uint_eq(place.offset, 568);
}
END_TEST

START_TEST(what_is_passed_on)
{
	const struct accessor_query query = { .passed_on = true };
	struct accessor_place place = { .offset = 4711 };

	/* add rdi,0x30; jmp far away */
	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, "\x48\x83\xc7\x30\xe9\0\x20\0\0", 9, query, &place), 0);
	ck_assert_uint_eq(place.offset, 48);
	/* add x0,x0,#48; b far away */
	ck_assert_int_eq(find(LIBRARY_MACHINE_AARCH64, "\x00\xc0\x00\x91\x00\x08\x00\x14", 8, query, &place), 0);
	ck_assert_uint_eq(place.offset, 48);
	/* Nothing is passed on: jmp over nothing, ret; and what is passed on is a field's value. */
	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, "\x48\x83\xc7\x30\xeb\0\xc3", 7, query, &place), -ENOTSUP);
	ck_assert_int_eq(find(LIBRARY_MACHINE_X86_64, "\x48\x8b\x7f\x30\xe9\0\x20\0\0", 9, query, &place), -ENOTSUP);
}
END_TEST

Suite *suite_accessor(void)
{
	Suite *suite = suite_create("accessor");
	TCase *x86 = tcase_create("x86-64"), *arm64 = tcase_create("aarch64"), *queries = tcase_create("queries");

	tcase_add_loop_test(x86, follows_x86, 0, COUNT(understood_x86));
	tcase_add_loop_test(x86, fails_closed_on_x86, 0, COUNT(refused_x86));
	tcase_add_loop_test(arm64, follows_arm64, 0, COUNT(understood_arm64));
	tcase_add_loop_test(arm64, fails_closed_on_arm64, 0, COUNT(refused_arm64));
	tcase_add_test(queries, asks_the_machine);
	tcase_add_test(queries, no_such_accessor);
	tcase_add_test(queries, pointers_are_as_said);
	tcase_add_test(queries, no_pointer_is_at_the_start);
	tcase_add_test(queries, ints_are_as_said);
	tcase_add_test(queries, a_field_of_a_field_is_told_as_such);
	tcase_add_test(queries, what_is_passed_on);
	suite_add_tcase(suite, x86);
	suite_add_tcase(suite, arm64);
	suite_add_tcase(suite, queries);
	return suite;
}
