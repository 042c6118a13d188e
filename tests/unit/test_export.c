/* SPDX-License-Identifier: BSD-2-Clause */
/* What surrounds the metrics of an export: negotiation, addresses, the file, and the spill map read again and again.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/accept.h"
#include "command/address.h"
#include "command/textfile.h"
#include "handshake/spill_ledger.h"

#include "world.h"

Suite *suite_export(void);

static const struct {
	const char *header;
	enum openmetrics_form form;
} accepts[] = {
	{ NULL, PROMETHEUS_0_0_4 },
	{ "", PROMETHEUS_0_0_4 },
	{ "*/*", PROMETHEUS_0_0_4 },
	{ "text/html", PROMETHEUS_0_0_4 },
	{ "text/plain", PROMETHEUS_0_0_4 },
	{ "application/*", PROMETHEUS_0_0_4 },
	{ "application/openmetrics-text", OPENMETRICS_1_0 },
	{ "application/openmetrics-text; version=1.0.0; charset=utf-8", OPENMETRICS_1_0 },
	{ "Application/OpenMetrics-Text;Version=\"1.0.0\"", OPENMETRICS_1_0 },
	{ "application/openmetrics-text;version=0.0.1", PROMETHEUS_0_0_4 },
	{ "application/openmetrics-text;version=2.0.0", PROMETHEUS_0_0_4 },
	{ "application/openmetrics-text;q=0", PROMETHEUS_0_0_4 },
	{ "application/openmetrics-text;q=0.5,text/plain;q=0.6", PROMETHEUS_0_0_4 },
	{ "text/plain ; q=0.6 , application/openmetrics-text ; q=0.601", OPENMETRICS_1_0 },
	{ "application/openmetrics-text;q=0.x", PROMETHEUS_0_0_4 },
	{ "text/plain;x=\",application/openmetrics-text,\"", PROMETHEUS_0_0_4 },
	{ "text/plain;q=0.5,application/openmetrics-text;q=0.5", OPENMETRICS_1_0 },
	{ "x=\"application/openmetrics-text", PROMETHEUS_0_0_4 },
	{ ",,;;=,application/openmetrics-text", OPENMETRICS_1_0 },
	{ "application/openmetrics-textual", PROMETHEUS_0_0_4 },
	/* Prometheus 2.42 and 3. */
	{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
	  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	  OPENMETRICS_1_0 },
	{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
	  "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
	  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	  OPENMETRICS_1_0 },
	{ "text/plain;version=0.0.4;q=1,*/*;q=0.1", PROMETHEUS_0_0_4 },
};

#define ACCEPTS (sizeof(accepts) / sizeof(accepts[0]))

START_TEST(negotiates)
{
	ck_assert_msg(accept_form(accepts[_i].header) == accepts[_i].form, "for '%s'", accepts[_i].header);
}
END_TEST

START_TEST(addresses)
{
	static const char *const good[] = { "127.0.0.1:9", "0.0.0.0:65535", "[::1]:80", "[::]:0",
					    "[2001:db8::1]:443" };
	static const char *const bad[] = {
		"",
		":80",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1:80x",
		"::1:80",
		"[::1]",
		"[::1:80",
		"localhost:80",
		"127.1:80",
		"[127.0.0.1]:80",
		"1.2.3.4.5:1",
		"[]:80",
		" 1.2.3.4:1",
		"1.2.3.4: 1",
		"1.2.3.4:000080",
		"[::1%lo]:80",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1",
	};
	union address address = { 0 };
	char text[ADDRESS_BYTES];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(address_parse(bad[i], &address) == -EINVAL, "'%s' was taken", bad[i]);
	ck_assert_int_eq(address.any.sa_family, AF_UNSPEC);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(address_parse(good[i], &address), 0);
		ck_assert_str_eq(address_text(&address, text), good[i]);
		ck_assert_int_eq(address_is_loopback(&address), i == 0 || i == 2);
	}
}
END_TEST

START_TEST(listens)
{
	union address address, same;
	char text[ADDRESS_BYTES];
	int fd;

	ck_assert_int_eq(address_parse("127.0.0.1:0", &address), 0);
	fd = address_listen(&address);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_ne(address.v4.sin_port, 0);
	ck_assert_int_eq(address_parse(address_text(&address, text), &same), 0);
	ck_assert_int_eq(address_listen(&same), -EADDRINUSE);
	close(fd);
}
END_TEST

static char directory[] = "/tmp/tlswhy-unit-XXXXXX";
static char path[64];

static void make_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
}

static void remove_directory(void)
{
	unlink(path);
	ck_assert_msg(rmdir(directory) == 0, "something was left: %s", strerror(errno));
}

static void assert_content(const char *expected)
{
	char content[64] = "";
	FILE *stream = fopen(path, "r");

	ck_assert_ptr_nonnull(stream);
	content[fread(content, 1, sizeof(content) - 1, stream)] = '\0';
	fclose(stream);
	ck_assert_str_eq(content, expected);
}

START_TEST(replaces_a_file)
{
	struct stat before, after;

	make_directory();
	umask(077);
	ck_assert_int_eq(textfile_replace(path, "first", 5), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_int_eq(textfile_replace(path, "second", 6), 0);
	ck_assert_int_eq(stat(path, &after), 0);
	assert_content("second");
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	ck_assert_uint_eq(after.st_mode & 07777, 0644);
	remove_directory();
}
END_TEST

START_TEST(keeps_the_old_file)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };

	make_directory();
	ck_assert_int_eq(textfile_replace(path, "old", 3), 0);
	/* A limit stands for a full disk; its signal would end the process. */
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(textfile_replace(path, "new", 3), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }), 0);
	assert_content("old");
	remove_directory();
}
END_TEST

START_TEST(replaces_nothing_but_files)
{
	make_directory();
	ck_assert_int_eq(textfile_replace(directory, "new", 3), -EEXIST);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(textfile_replace(path, "new", 3), -EEXIST);
	unlink(path);
	remove_directory();
	ck_assert_int_eq(textfile_replace(path, "new", 3), -ENOENT);
}
END_TEST

static void assert_same(const struct spill_value *left, const struct spill_value *right)
{
	ck_assert_uint_eq(left->count, right->count);
	ck_assert_uint_eq(left->latency_sum_ns, right->latency_sum_ns);
	ck_assert_mem_eq(left->part_sum_us, right->part_sum_us, sizeof(left->part_sum_us));
	ck_assert_uint_eq(left->before_sum_us, right->before_sum_us);
}

static void grow(struct spill_value *value, const struct spill_value *by)
{
	value->count += by->count;
	value->latency_sum_ns += by->latency_sum_ns;
	for (unsigned int part = 0; part < PART_COUNT; part++)
		value->part_sum_us[part] += by->part_sum_us[part];
	value->before_sum_us += by->before_sum_us;
}

static struct spill_value value_of(uint64_t count, uint64_t latency_ns, uint64_t cpu_us, uint64_t before_us)
{
	return (struct spill_value){ .count = count,
				     .latency_sum_ns = latency_ns,
				     .part_sum_us = { [PART_CPU] = cpu_us },
				     .before_sum_us = before_us };
}

#define ROWS 500

/* Rows that grow at random, read at random: what was taken adds up to what is there. */
START_TEST(ledger_takes_everything_once)
{
	struct spill_value now[ROWS] = { 0 }, taken[ROWS] = { 0 }, delta, by;
	struct spill_ledger ledger;
	struct spill_key key = { 0 };
	uint64_t random = 42;

	spill_ledger_init(&ledger, ROWS, 7);
	for (unsigned int i = 0; i < 40 * ROWS; i++) {
		unsigned int row = world_random(&random) % ROWS;

		key.tgid = row;
		by = value_of(world_random(&random) % 3, 0, 0, 0);
		grow(&now[row], &by);
		by = value_of(0, world_random(&random) % 1000, 5, 2);
		if (now[row].count > taken[row].count)
			grow(&now[row], &by);
		if (world_random(&random) % 2)
			continue;
		ck_assert_int_eq(spill_ledger_take(&ledger, &key, &now[row], &delta), 0);
		grow(&taken[row], &delta);
		assert_same(&taken[row], &now[row]);
	}
	ck_assert_uint_eq(ledger.used, ROWS);
	key.tgid = ROWS;
	by = value_of(1, 1, 1, 1);
	ck_assert_int_eq(spill_ledger_take(&ledger, &key, &by, &delta), -ENOSPC);
	spill_ledger_release(&ledger);
}
END_TEST

/* The kernel side adds to a row's numbers one by one: what is missing at first comes with the next count. */
START_TEST(ledger_waits_for_late_sums)
{
	struct spill_value first = value_of(1, 0, 0, 0), late = value_of(1, 90, 8, 7), next = value_of(3, 99, 9, 9);
	struct spill_value rest = value_of(2, 99, 9, 9);
	struct spill_key key = { .tgid = 1 };
	struct spill_ledger ledger;
	struct spill_value delta;

	spill_ledger_init(&ledger, 4, 7);
	ck_assert_int_eq(spill_ledger_take(&ledger, &key, &first, &delta), 0);
	assert_same(&delta, &first);
	ck_assert_int_eq(spill_ledger_take(&ledger, &key, &late, &delta), 0);
	ck_assert_uint_eq(delta.count, 0);
	ck_assert_int_eq(spill_ledger_take(&ledger, &key, &next, &delta), 0);
	assert_same(&delta, &rest);
	spill_ledger_release(&ledger);
}
END_TEST

Suite *suite_export(void)
{
	Suite *suite = suite_create("export");
	TCase *tcase = tcase_create("export");

	tcase_add_loop_test(tcase, negotiates, 0, ACCEPTS);
	tcase_add_test(tcase, addresses);
	tcase_add_test(tcase, listens);
	tcase_add_test(tcase, replaces_a_file);
	tcase_add_test(tcase, keeps_the_old_file);
	tcase_add_test(tcase, replaces_nothing_but_files);
	tcase_add_test(tcase, ledger_takes_everything_once);
	tcase_add_test(tcase, ledger_waits_for_late_sums);
	suite_add_tcase(suite, tcase);
	return suite;
}
