/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at listeners added up: peaks, drops, several sockets on one address, and whose a half-open connection is. */
#include <check.h>
#include <string.h>
#include <sys/socket.h>

#include "host/listen_table.h"

Suite *suite_listen_table(void);

/* An inode stands for a socket: its cookie is made of it. */
static struct listen_socket on_port(unsigned int port, unsigned int inode, unsigned int queue, unsigned int drops)
{
	return (struct listen_socket){
		.family = AF_INET,
		.port = (uint16_t)port,
		.address = { 127, 0, 0, 1 },
		.inode = inode,
		.cookie = 1000 + inode,
		.queue = queue,
		.queue_limit = 4,
		.has_drops = true,
		.drops = drops,
	};
}

static void look(struct listen_table *table, const struct listen_claim *claims, size_t claim_count,
		 const struct listen_socket *sockets, size_t count)
{
	listen_table_begin(table, claims, claim_count, LISTEN_ROWS_MAX);
	for (size_t i = 0; i < count; i++)
		listen_table_add(table, &sockets[i]);
	listen_table_end(table, true);
}

static const struct listen_claim ours[] = {
	{ .inode = 10, .owner = 100 },
	{ .inode = 11, .owner = 100 },
	{ .inode = 12, .owner = 200 },
};

START_TEST(keeps_peaks_and_differences)
{
	struct listen_table table = { 0 };
	struct listen_socket socket = on_port(443, 10, 1, 70);

	look(&table, ours, 3, &socket, 1);
	socket = on_port(443, 10, 5, 76);
	look(&table, NULL, 0, &socket, 1);
	socket = on_port(443, 10, 2, 77);
	look(&table, NULL, 0, &socket, 1);
	ck_assert_uint_eq(table.count, 1);
	ck_assert_uint_eq(table.rows[0].owner, 100);
	ck_assert_uint_eq(table.rows[0].sockets, 1);
	ck_assert_uint_eq(table.rows[0].queue, 2);
	ck_assert_uint_eq(table.rows[0].queue_peak, 5);
	ck_assert_uint_eq(table.rows[0].queue_limit, 4);
	ck_assert_int_eq(table.rows[0].drops, 7);
	ck_assert_int_eq(table.rows[0].half_open, LISTEN_UNKNOWN);
	/* It was closed: nothing waits there any more. */
	look(&table, NULL, 0, NULL, 0);
	ck_assert_uint_eq(table.rows[0].queue, 0);
	ck_assert_uint_eq(table.rows[0].queue_peak, 5);
	ck_assert_uint_eq(table.rows[0].queue_limit, 4);
	listen_table_release(&table);
}
END_TEST

START_TEST(adds_up_sockets_of_an_address)
{
	const struct listen_socket sockets[] = { on_port(443, 10, 1, 5), on_port(443, 11, 2, UINT32_MAX),
						 on_port(443, 11, 2, UINT32_MAX) /* it may come twice */ };
	const struct listen_socket later[] = { on_port(443, 10, 0, 6), on_port(443, 11, 0, 1) /* wrapped */ };
	struct listen_table table = { 0 };

	look(&table, ours, 3, sockets, 3);
	ck_assert_uint_eq(table.count, 1);
	ck_assert_uint_eq(table.rows[0].sockets, 2);
	ck_assert_uint_eq(table.rows[0].queue, 3);
	ck_assert_uint_eq(table.rows[0].queue_limit, 8);
	look(&table, NULL, 0, later, 2);
	ck_assert_int_eq(table.rows[0].drops, 1 + 2);
	listen_table_release(&table);
}
END_TEST

START_TEST(passes_over_what_is_not_ours)
{
	struct listen_socket sockets[] = { on_port(22, 9, 1, 0), on_port(443, 10, 1, 0), on_port(80, 0, 1, 0),
					   on_port(8443, 12, 1, 0) };
	struct listen_table table = { 0 };

	look(&table, ours, 3, sockets, 4);
	ck_assert_uint_eq(table.count, 2);
	ck_assert_uint_eq(table.rows[0].address.port, 443);
	ck_assert_uint_eq(table.rows[1].address.port, 8443);
	ck_assert_uint_eq(table.rows[1].owner, 200);
	/* Another socket with the inode of one that was closed. */
	sockets[1].cookie = 4711;
	sockets[1].queue = 3;
	look(&table, NULL, 0, sockets, 4);
	ck_assert_uint_eq(table.rows[0].queue, 0);
	ck_assert_uint_eq(table.rows[1].queue, 1);
	listen_table_release(&table);
}
END_TEST

START_TEST(takes_in_what_comes_later)
{
	const struct listen_claim inherited = { .inode = 10, .owner = 300 };
	const struct listen_socket sockets[] = { on_port(443, 10, 1, 8), on_port(8443, 12, 1, 900) };
	struct listen_table table = { 0 };

	look(&table, ours, 1, sockets, 2);
	ck_assert_uint_eq(table.count, 1);
	look(&table, ours, 3, sockets, 2);
	ck_assert_uint_eq(table.count, 2);
	ck_assert_int_eq(table.rows[1].drops, 0);
	look(&table, &inherited, 1, sockets, 2);
	ck_assert_uint_eq(table.rows[0].owner, 300);
	listen_table_release(&table);
}
END_TEST

START_TEST(drops_are_unknown_where_nobody_counts)
{
	struct listen_socket socket = on_port(443, 10, 1, 8);
	struct listen_table table = { 0 };

	socket.has_drops = false;
	look(&table, ours, 3, &socket, 1);
	look(&table, ours, 3, &socket, 1);
	ck_assert_int_eq(table.rows[0].drops, LISTEN_UNKNOWN);
	listen_table_release(&table);
}
END_TEST

START_TEST(a_look_that_missed_something_does_not_count)
{
	struct listen_socket socket = on_port(443, 10, 3, 8);
	struct listen_table table = { 0 };

	look(&table, ours, 3, &socket, 1);
	listen_table_begin(&table, NULL, 0, LISTEN_ROWS_MAX);
	listen_table_end(&table, false);
	ck_assert_uint_eq(table.rows[0].queue, 3);
	ck_assert_uint_eq(table.rows[0].queue_peak, 3);
	listen_table_release(&table);
}
END_TEST

/* nginx with a socket a worker makes new ones at each reload: those that were closed make room. */
START_TEST(forgets_what_was_closed)
{
	struct listen_table table = { 0 };

	for (unsigned int i = 1; i <= LISTEN_SOCKETS_MAX + 10; i++) {
		const struct listen_claim claim = { .inode = i, .owner = 1 };
		const struct listen_socket socket = on_port(1 + i % 10, i, i, 0);

		look(&table, &claim, 1, &socket, 1);
		ck_assert_uint_eq(table.rows[(i - 1) % 10].queue, i);
	}
	ck_assert_uint_eq(table.count, 10);
	ck_assert_uint_le(table.known_count, LISTEN_SOCKETS_MAX);
	listen_table_release(&table);
}
END_TEST

START_TEST(leaves_out_what_has_no_room)
{
	struct listen_table table = { 0 };

	for (unsigned int i = 1; i <= LISTEN_ROWS_MAX + 10; i++) {
		const struct listen_claim claim = { .inode = i, .owner = 1 };
		const struct listen_socket socket = on_port(i, i, i, 0);

		look(&table, &claim, 1, &socket, 1);
	}
	ck_assert_uint_eq(table.count, LISTEN_ROWS_MAX);
	ck_assert_uint_eq(table.rows[LISTEN_ROWS_MAX - 1].address.port, LISTEN_ROWS_MAX);
	listen_table_release(&table);
}
END_TEST

START_TEST(gives_half_open_ones_to_their_listener)
{
	const struct listen_socket sockets[] = {
		on_port(443, 10, 0, 0),
		{ .family = AF_INET, .port = 443, .inode = 11 },  /* 0.0.0.0 */
		{ .family = AF_INET6, .port = 443, .inode = 12 }, /* :: */
		{ .family = AF_INET6, .port = 80, .inode = 13 },  /* :: alone */
	};
	const struct listen_claim claims[] = { { .inode = 10, .owner = 1 },
					       { .inode = 11, .owner = 1 },
					       { .inode = 12, .owner = 1 },
					       { .inode = 13, .owner = 1 } };
	const struct listen_socket half_open[] = {
		{ .half_open = true, .family = AF_INET, .port = 443, .address = { 127, 0, 0, 1 } },
		{ .half_open = true, .family = AF_INET, .port = 443, .address = { 192, 0, 2, 1 } },
		{ .half_open = true, .family = AF_INET, .port = 443, .address = { 192, 0, 2, 2 } },
		{ .half_open = true, .family = AF_INET6, .port = 443, .address = { 0x20 } },
		{ .half_open = true, .family = AF_INET, .port = 80, .address = { 192, 0, 2, 2 } },
		{ .half_open = true, .family = AF_INET, .port = 22, .address = { 192, 0, 2, 2 } },
		{ .family = AF_INET, .port = 443, .address = { 127, 0, 0, 1 } },
	};
	const int64_t expected[] = { 1, 2, 1, 1 };
	struct listen_table table = { 0 };

	look(&table, claims, 4, sockets, 4);
	listen_table_begin_half_open(&table);
	for (size_t i = 0; i < sizeof(half_open) / sizeof(half_open[0]); i++)
		listen_table_add_half_open(&table, &half_open[i]);
	listen_table_end_half_open(&table, false);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(table.rows[i].half_open, expected[i]);
	ck_assert(!table.rows[1].half_open_is_bound);
	listen_table_begin_half_open(&table);
	listen_table_add_half_open(&table, &half_open[1]);
	listen_table_end_half_open(&table, true);
	ck_assert_int_eq(table.rows[1].half_open, 1);
	ck_assert_int_eq(table.rows[1].half_open_peak, 2);
	ck_assert(table.rows[1].half_open_is_bound);
	listen_table_release(&table);
}
END_TEST

Suite *suite_listen_table(void)
{
	Suite *suite = suite_create("listen_table");
	TCase *tests = tcase_create("listen_table");

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, keeps_peaks_and_differences);
	tcase_add_test(tests, adds_up_sockets_of_an_address);
	tcase_add_test(tests, passes_over_what_is_not_ours);
	tcase_add_test(tests, takes_in_what_comes_later);
	tcase_add_test(tests, drops_are_unknown_where_nobody_counts);
	tcase_add_test(tests, a_look_that_missed_something_does_not_count);
	tcase_add_test(tests, forgets_what_was_closed);
	tcase_add_test(tests, leaves_out_what_has_no_room);
	tcase_add_test(tests, gives_half_open_ones_to_their_listener);
	suite_add_tcase(suite, tests);
	return suite;
}
