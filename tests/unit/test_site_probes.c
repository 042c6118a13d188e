/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the probes go in the functions that nginx and OpenSSL really have, and that the table of probes says what
 * their programs read.
 */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "attach/probes.h"
#include "attach/site.h"
#include "stored_library.h"

Suite *suite_site_probes(void);

#define PROGRAMS "bpf/tlswhy.bpf.c"

struct expected {
	const char *release, *function;
	uint32_t offset;
	const char *instruction; /* its mnemonic; NULL: the entry is kept */
};

static const struct expected expected[] = {
	{ "bullseye", "SSL_do_handshake", 0, "push" },
	{ "bullseye", "SSL_free", 3, "je" },
	{ "bullseye", "ERR_error_string_n", 0, "push" },
	{ "bullseye", "ngx_connection_error", 0, "push" },
	{ "bullseye", "ngx_ssl_remove_cached_session", 0, "push" },
	{ "bullseye", "ngx_ssl_check_host", 0, "push" },
	{ "bullseye", "ngx_ssl_create_connection", 0, "push" },
	{ "bookworm", "SSL_do_handshake", 0, "push" },
	{ "bookworm", "SSL_free", 3, "je" },
	{ "bookworm", "ERR_error_string_n", 13, "jmp" },
	{ "bookworm", "ngx_connection_error", 3, "jne" },
	{ "bookworm", "ngx_ssl_remove_cached_session", 0, "push" },
	{ "bookworm", "ngx_ssl_check_host", 0, "push" },
	{ "bookworm", "ngx_ssl_create_connection", 0, "push" },
	{ "trixie", "SSL_do_handshake", 4, "push" },
	{ "trixie", "SSL_free", 7, "je" },
	{ "trixie", "ERR_error_string_n", 17, "jmp" },
	{ "trixie", "ngx_connection_error", 9, "je" },
	{ "trixie", "ngx_ssl_remove_cached_session", 4, "push" },
	{ "trixie", "ngx_ssl_check_host", 4, "push" },
	{ "trixie", "ngx_ssl_create_connection", 4, "push" },
	/* gcc 15 makes a frame before it saves registers: the return probe must come before. */
	{ "forky", "SSL_do_handshake", 0, NULL },
	{ "forky", "SSL_free", 7, "je" },
	{ "forky", "ERR_error_string_n", 17, "jmp" },
	{ "forky", "ngx_connection_error", 10, "je" },
	{ "forky", "ngx_ssl_remove_cached_session", 0, NULL },
	{ "forky", "ngx_ssl_check_host", 0, NULL },
	{ "forky", "ngx_ssl_create_connection", 0, NULL },
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The first of a function's probes. */
static enum probe probe_of(const char *function)
{
	for (enum probe probe = 0; probe < PROBE_COUNT; probe++)
		if (!strcmp(probe_spec(probe)->function, function))
			return probe;
	ck_abort_msg("no probe on '%s'", function);
}

START_TEST(sites_of_releases)
{
	static struct stored_library stored;
	const struct expected *it = &expected[_i];
	autolibrary struct library *library = NULL;
	struct symbol symbol;
	struct site site;

	stored_library_read_from("tests/unit/sites.txt", &stored, LIBRARY_MACHINE_X86_64, it->release);
	library = stored_library_open(&stored);
	ck_assert_int_eq(library_symbol(library, it->function, &symbol), 0);
	ck_assert_int_eq(site_find(library, &symbol, probe_query(probe_of(it->function)), &site), 0);
	ck_assert_msg(site.offset == it->offset, "%s of %s: %u", it->function, it->release, site.offset);
	ck_assert_msg(it->instruction ? site.cost == SITE_EMULATED && !site.reason &&
						!strncmp(site.instruction, it->instruction, strlen(it->instruction))
				      : site.cost == SITE_STEPPED && site.reason,
		      "%s of %s: '%s', %s", it->function, it->release, site.instruction,
		      site.reason ? site.reason : "no reason");
}
END_TEST

/* Which arguments the program of a name reads, by its source: a bit a PT_REGS_PARMn. */
static unsigned int arguments_read(const char *source, const char *program)
{
	static const char word[] = "PT_REGS_PARM";
	const char *end;
	unsigned int arguments = 0;
	char head[64];

	snprintf(head, sizeof(head), "\nint %s(struct pt_regs *ctx)", program);
	source = strstr(source, head);
	ck_assert_msg(source != NULL, "no program '%s' in '%s'", program, PROGRAMS);
	end = strstr(source, "\n}");
	while ((source = strstr(source, word)) && source < end) {
		source += sizeof(word) - 1;
		arguments |= SITE_ARGUMENT((unsigned int)(*source - '0'));
	}
	return arguments;
}

START_TEST(programs_read_what_is_said)
{
	static const char *const programs[PROBE_COUNT] = {
#define X(symbol, number, program, ...) [PROBE_##symbol] = #program,
		PROBES(X)
#undef X
	};
	static char source[1 << 16];
	FILE *file = fopen(PROGRAMS, "re");
	unsigned int read = 0;

	ck_assert_ptr_nonnull(file);
	source[fread(source, 1, sizeof(source) - 1, file)] = '\0';
	fclose(file);
	for (enum probe probe = 0; probe < PROBE_COUNT; probe++) {
		ck_assert_msg(probe_spec(probe)->arguments == arguments_read(source, programs[probe]),
			      "'%s' does not read the arguments that its row says", programs[probe]);
		read |= probe_spec(probe)->arguments;
	}
	ck_assert_uint_eq(read, SITE_ARGUMENT(1) | SITE_ARGUMENT(2) | SITE_ARGUMENT(3));
}
END_TEST

/* Entry and return ask for one place; a part of a function is another one. */
START_TEST(probes_of_a_function_ask_together)
{
	struct site_query enter = probe_query(PROBE_HANDSHAKE_ENTER), leave = probe_query(PROBE_HANDSHAKE_RETURN);

	ck_assert(enter.returns && leave.returns);
	ck_assert_uint_eq(enter.arguments, SITE_ARGUMENT(1));
	ck_assert_uint_eq(leave.arguments, SITE_ARGUMENT(1));
	ck_assert(!probe_query(PROBE_OBJECT_FREE).returns);
	ck_assert_uint_eq(probe_query(PROBE_CHECK_HOST).arguments, 0);
	ck_assert_uint_eq(probe_query(PROBE_CONNECTION_ERROR).arguments, SITE_ARGUMENT(2) | SITE_ARGUMENT(3));
}
END_TEST

Suite *suite_site_probes(void)
{
	Suite *suite = suite_create("site_probes");
	TCase *probes = tcase_create("probes");

	tcase_add_loop_test(probes, sites_of_releases, 0, COUNT(expected));
	tcase_add_test(probes, probes_of_a_function_ask_together);
	tcase_add_test(probes, programs_read_what_is_said);
	suite_add_tcase(suite, probes);
	return suite;
}
