/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site.h and what is around a function's beginning: its size, what lies far from the entry, its tables of jumps.
 * Single instructions are test_site.c's.
 */
#include <string.h>

#include <check.h>

#include "attach/site.h"
#include "stored_library.h"

Suite *suite_site_whole(void);

#define ENDBR64 "\xf3\x0f\x1e\xfa"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct library *library_of(const char *code, size_t bytes)
{
	static struct stored_library stored;

	memset(&stored, 0, sizeof(stored));
	stored_library_set(&stored, "asked", code, bytes);
	return stored_library_open(&stored);
}

/* The site in a function of a library; its size may be said to be another. */
static struct site find(const struct library *library, struct site_query query, const uint64_t *size)
{
	struct symbol symbol;
	struct site site;

	ck_assert_int_eq(library_symbol(library, "asked", &symbol), 0);
	symbol.size = size ? *size : symbol.size;
	ck_assert_int_eq(site_find(library, &symbol, query, &site), 0);
	return site;
}

/* endbr64; push rbx; pop rbx; ret, of a size that is not said, not believed, or more than there is. */
START_TEST(the_size_must_be_known)
{
	static const struct {
		uint64_t size;
		const char *reason;
	} cases[] = { { 0, "where it ends is not known" }, { 16385, "too long" }, { 1 << 30, "too long" } };
	autolibrary struct library *library = library_of(ENDBR64 "\x53\x5b\xc3", 7);

	for (int i = 0; i < COUNT(cases); i++) {
		struct site site = find(library, (struct site_query){ 0 }, &cases[i].size);

		ck_assert_uint_eq(site.offset, 0);
		ck_assert_uint_eq(site.cost, SITE_STEPPED);
		ck_assert_ptr_nonnull(strstr(site.reason, cases[i].reason));
		ck_assert_str_eq(site.instruction, "endbr64");
	}
}
END_TEST

/* Where the function ends plays no part in what its first instruction is. */
START_TEST(the_entry_needs_no_size)
{
	autolibrary struct library *library = library_of("\x53\x5b\xc3", 3);
	struct site site = find(library, (struct site_query){ .returns = true }, &(uint64_t){ 0 });

	ck_assert_uint_eq(site.cost, SITE_EMULATED);
	ck_assert_ptr_null(site.reason);
	ck_assert_str_eq(site.instruction, "push rbx");
}
END_TEST

START_TEST(code_that_is_not_there)
{
	autolibrary struct library *library = library_of("\xc3", 1);
	struct symbol symbol = { .value = 1 << 30, .size = 8, .is_function = true };
	struct site site = { .offset = 4711 };

	ck_assert_int_lt(site_find(library, &symbol, (struct site_query){ 0 }, &site), 0);
	ck_assert_uint_eq(site.offset, 4711);
}
END_TEST

/* Far from the entry nothing is looked for: mov eax,ecx and again; push rbx; ret. */
START_TEST(the_beginning_is_short)
{
	char code[256];
	struct library *library;
	struct site site;

	for (size_t movs = 48; movs <= 49; movs++) {
		for (size_t i = 0; i < movs; i++)
			memcpy(code + 2 * i, "\x89\xc8", 2);
		memcpy(code + 2 * movs, "\x53\xc3", 2);
		library = library_of(code, 2 * movs + 2);
		site = find(library, (struct site_query){ 0 }, NULL);
		library_close(library);
		ck_assert_uint_eq(site.offset, movs == 48 ? 96 : 0);
		ck_assert_uint_eq(site.cost, movs == 48 ? SITE_EMULATED : SITE_STEPPED);
	}
}
END_TEST

/* Where functions of stored libraries are, in the order they are set. */
static uint64_t address_of(size_t number)
{
	static struct stored_library stored;
	autolibrary struct library *library = NULL;
	struct symbol symbol;

	memset(&stored, 0, sizeof(stored));
	stored_library_set(&stored, "asked", "\xc3", 1);
	library = stored_library_open(&stored);
	ck_assert_int_eq(library_symbol(library, "asked", &symbol), 0);
	return symbol.value + number * STORED_FUNCTION_BYTES;
}

/* The site in code that jumps by a table, which is the next function. */
static struct site find_by_table(const char *code, size_t code_bytes, const void *table, size_t table_bytes)
{
	static struct stored_library stored;
	autolibrary struct library *library = NULL;

	memset(&stored, 0, sizeof(stored));
	stored_library_set(&stored, "asked", code, code_bytes);
	stored_library_set(&stored, "table", table, table_bytes);
	library = stored_library_open(&stored);
	return find(library, (struct site_query){ .arguments = SITE_ARGUMENT(1) }, NULL);
}

static void assert_site_at(const struct site *site, uint32_t offset)
{
	ck_assert_msg(site->offset == offset, "%u: %s", site->offset, site->reason ? site->reason : "");
	if (offset)
		ck_assert_ptr_null(site->reason);
	else
		ck_assert_ptr_nonnull(strstr(site->reason, "a table of jumps"));
}

/*
 * test edi,edi; ja .+9; lea rdx,[rip+table]; jmp rax; ret. The entries are distances from the table. What they mean
 * is not asked, only that none of them leads to the jump at 2.
 */
START_TEST(tables_of_distances_are_read)
{
	char code[] = "\x85\xff\x77\x09\x48\x8d\x15\0\0\0\0\xff\xe0\xc3";
	uint32_t distance = STORED_FUNCTION_BYTES - 11;
	int32_t table[] = { 13 - STORED_FUNCTION_BYTES, 4 - STORED_FUNCTION_BYTES, -STORED_FUNCTION_BYTES };
	struct site site;

	memcpy(code + 7, &distance, sizeof(distance));
	site = find_by_table(code, sizeof(code) - 1, table, sizeof(table));
	assert_site_at(&site, 2);
	table[2] += 2;
	site = find_by_table(code, sizeof(code) - 1, table, sizeof(table));
	assert_site_at(&site, 0);
}
END_TEST

/* test edi,edi; ja .+7; jmp [rdi*8+table]; ret. The entries are addresses. */
START_TEST(tables_of_addresses_are_read)
{
	char code[] = "\x85\xff\x77\x07\xff\x24\xfd\0\0\0\0\xc3";
	uint64_t table[] = { address_of(0) + 11, address_of(0) + 4, address_of(0) };
	uint32_t place = (uint32_t)address_of(1);
	struct site site;

	memcpy(code + 7, &place, sizeof(place));
	site = find_by_table(code, sizeof(code) - 1, table, sizeof(table));
	assert_site_at(&site, 2);
	table[2] += 2;
	site = find_by_table(code, sizeof(code) - 1, table, sizeof(table));
	assert_site_at(&site, 0);
}
END_TEST

Suite *suite_site_whole(void)
{
	Suite *suite = suite_create("site_whole");
	TCase *whole = tcase_create("whole functions");

	tcase_add_test(whole, the_size_must_be_known);
	tcase_add_test(whole, the_entry_needs_no_size);
	tcase_add_test(whole, code_that_is_not_there);
	tcase_add_test(whole, the_beginning_is_short);
	tcase_add_test(whole, tables_of_distances_are_read);
	tcase_add_test(whole, tables_of_addresses_are_read);
	suite_add_tcase(suite, whole);
	return suite;
}
