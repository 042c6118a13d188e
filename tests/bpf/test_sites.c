/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes at the places that site.h chooses, as the kernel sees them: each call hits once, whatever the function jumps
 * to, it returns what it returns, and hits at the place are as many as at the entry. Counted by the kernel's own
 * counters of probes, without a program. What programs read there the other suites show: all of them use such places
 * on functions of victim_functions.c.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <check.h>

#include "attach/library.h"
#include "attach/probes.h"
#include "attach/site.h"
#include "base/cleanup.h"
#include "control.h"
#include "suites.h"

#define CALLS 50
#define SELF  "/proc/self/exe"

#if defined(__x86_64__)
#define FUNCTION(name, instructions)                                                                          \
	long name(long argument);                                                                             \
	__asm__(".pushsection .text, \"ax\", @progbits\n.globl " #name "\n.type " #name ", @function\n" #name \
		":\n" instructions "\n.size " #name ", .-" #name "\n.popsection")

/* All return twice the argument, and five for 0. */
FUNCTION(site_push, "endbr64; push %rbx; mov %rdi, %rbx; lea (%rbx,%rbx), %rax; test %rbx, %rbx; jne 1f;"
		    "mov $5, %eax; 1: pop %rbx; ret");
FUNCTION(site_check, "endbr64; test %rdi, %rdi; je 1f; lea (%rdi,%rdi), %rax; ret; 1: mov $5, %eax; ret");
FUNCTION(site_frame, "endbr64; sub $0x18, %rsp; mov %rbx, 8(%rsp); test %rdi, %rdi; je 1f; mov %rdi, %rbx;"
		     "lea (%rbx,%rbx), %rax; 2: mov 8(%rsp), %rbx; add $0x18, %rsp; ret; 1: mov $5, %eax; jmp 2b");
/* A loop whose head is the place where a site would be: it is run once for the argument and each one below. */
FUNCTION(site_loop, "mov $5, %eax; xor %edx, %edx; 1: test %rdi, %rdi; je 2f; add $2, %rdx; dec %rdi; mov %rdx, %rax;"
		    "jmp 1b; 2: ret");
/* Calls itself for the argument less one, down to 1; and the same as the last thing done. */
FUNCTION(site_recursive,
	 "endbr64; push %rbx; mov $5, %eax; test %rdi, %rdi; je 1f; mov $2, %eax; cmp $1, %rdi; je 1f;"
	 "dec %rdi; call site_recursive; add $2, %rax; 1: pop %rbx; ret");
FUNCTION(site_again, "endbr64; test %rdi, %rdi; js 1f; lea (%rdi,%rdi), %rax; test %rdi, %rdi; jne 2f; mov $5, %eax;"
		     "2: ret; 1: neg %rdi; jmp site_again");
/* Another function's, as the last thing done. */
FUNCTION(site_elsewhere, "mov %rsi, %rdx; mov %rax, %rcx; jmp site_check");

static const struct place {
	const char *name;
	long (*function)(long argument);
	bool returns;
	uint32_t offset;
	enum site_cost cost;
	unsigned int hits; /* of a call with 4; with 0 it is one */
	bool both_signs;   /* -4 gives what 4 gives, and hits twice */
} places[] = {
	{ "site_push", site_push, true, 4, SITE_EMULATED, 1, false },
	{ "site_check", site_check, true, 7, SITE_EMULATED, 1, false },
	{ "site_frame", site_frame, false, 16, SITE_EMULATED, 1, false },
	{ "site_frame", site_frame, true, 0, SITE_STEPPED, 1, false },
	{ "site_loop", site_loop, true, 0, SITE_STEPPED, 1, false },
	{ "site_recursive", site_recursive, true, 4, SITE_EMULATED, 4, false },
	{ "site_again", site_again, false, 7, SITE_EMULATED, 1, true },
	{ "site_elsewhere", site_elsewhere, true, 6, SITE_EMULATED, 1, false },
};

static unsigned int uprobe_type(void)
{
	autofclose FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	unsigned int type = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%u", &type), 1);
	return type;
}

/* A probe of this process alone, which counts its hits. */
static int counter_open(uint64_t file_offset, bool is_return)
{
	struct perf_event_attr attributes = { .size = sizeof(attributes),
					      .type = uprobe_type(),
					      .config = is_return,
					      .uprobe_path = (uint64_t)(uintptr_t)SELF,
					      .probe_offset = file_offset };
	long fd = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	ck_assert_msg(fd >= 0, "no probe: %s", strerror(errno));
	return (int)fd;
}

static uint64_t counter_read(int fd)
{
	uint64_t count = 0;

	ck_assert_int_eq(read(fd, &count, sizeof(count)), sizeof(count));
	return count;
}

static void call(const struct place *place)
{
	for (unsigned int i = 0; i < CALLS; i++) {
		ck_assert_int_eq(place->function(4), 8);
		ck_assert_int_eq(place->function(0), 5);
		if (place->both_signs)
			ck_assert_int_eq(place->function(-4), 8);
	}
}

START_TEST(a_call_hits_once)
{
	const struct place *place = &places[_i];
	const struct site_query query = { .arguments = SITE_ARGUMENT(1), .returns = place->returns };
	const uint64_t hits = (uint64_t)CALLS * (place->hits + 1 + (place->both_signs ? 2 : 0));
	autolibrary struct library *program = NULL;
	autoclose int at_site = -1, at_entry = -1, at_return = -1;
	struct symbol symbol;
	struct site site;

	ck_assert_int_eq(library_open(SELF, &program), 0);
	ck_assert_int_eq(library_symbol(program, place->name, &symbol), 0);
	ck_assert_int_eq(site_find(program, &symbol, query, &site), 0);
	ck_assert_msg(site.offset == place->offset && site.cost == place->cost, "%s+%u '%s': %s", place->name,
		      site.offset, site.instruction, site.reason ? site.reason : "");
	at_site = counter_open(symbol.file_offset + site.offset, false);
	at_entry = counter_open(symbol.file_offset, false);
	if (place->returns)
		at_return = counter_open(symbol.file_offset + site.offset, true);
	call(place);
	ck_assert_uint_eq(counter_read(at_site), hits);
	ck_assert_uint_eq(counter_read(at_entry), hits);
	if (place->returns)
		ck_assert_uint_eq(counter_read(at_return), hits);
}
END_TEST

/* Without this the other suites would show nothing about places behind an entry. */
START_TEST(the_victim_has_places_behind_entries)
{
	static const struct {
		enum probe probe;
		uint32_t offset;
	} cases[] = { { PROBE_HANDSHAKE_ENTER, 4 },  { PROBE_HANDSHAKE_RETURN, 4 }, { PROBE_OBJECT_FREE, 7 },
		      { PROBE_ERROR_STRING, 13 },    { PROBE_CONNECTION_ERROR, 9 }, { PROBE_CHECK_HOST, 4 },
		      { PROBE_CONNECTION_ENTER, 0 }, { PROBE_CONNECTION_RETURN, 0 } };
	autolibrary struct library *program = NULL;
	char path[4096];

	victim_path(path, sizeof(path));
	ck_assert_int_eq(library_open(path, &program), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *function = probe_spec(cases[i].probe)->function;
		struct symbol symbol;
		struct site site;

		ck_assert_int_eq(library_symbol(program, function, &symbol), 0);
		ck_assert_int_eq(site_find(program, &symbol, probe_query(cases[i].probe), &site), 0);
		ck_assert_msg(site.offset == cases[i].offset, "%s+%u: %s", function, site.offset,
			      site.reason ? site.reason : site.instruction);
	}
}
END_TEST
#endif

Suite *suite_sites(void)
{
	Suite *suite = suite_create("sites");
	TCase *sites = tcase_create("sites");

#if defined(__x86_64__)
	tcase_add_loop_test(sites, a_call_hits_once, 0, (int)(sizeof(places) / sizeof(places[0])));
	tcase_add_test(sites, the_victim_has_places_behind_entries);
#endif
	tcase_set_timeout(sites, 60);
	suite_add_tcase(suite, sites);
	return suite;
}
