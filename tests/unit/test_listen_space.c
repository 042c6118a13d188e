/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel asked about a listener of our own, in the namespace we are in: no privilege is needed for that. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/backlog.h"
#include "host/listen_space.h"
#include "host/listen_table.h"

Suite *suite_listen_space(void);

#define LIMIT 3

struct listener {
	int fd;
	uint32_t inode;
	struct sockaddr_in address;
};

static struct listener make_listener(void)
{
	struct listener listener = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	socklen_t length = sizeof(listener.address);
	struct stat status;

	listener.address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ck_assert_int_ge(listener.fd, 0);
	ck_assert_int_eq(bind(listener.fd, (struct sockaddr *)&listener.address, length), 0);
	ck_assert_int_eq(listen(listener.fd, LIMIT), 0);
	ck_assert_int_eq(getsockname(listener.fd, (struct sockaddr *)&listener.address, &length), 0);
	ck_assert_int_eq(fstat(listener.fd, &status), 0);
	listener.inode = (uint32_t)status.st_ino;
	return listener;
}

static void connect_to(const struct listener *listener)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&listener->address, sizeof(listener->address)), 0);
}

static void look(struct listen_space *space, struct listen_table *table, const struct listen_claim *claim)
{
	listen_table_begin(table, claim, claim ? 1 : 0, LISTEN_ROWS_MAX);
	ck_assert_int_eq(listen_space_listening(space, AF_INET, 65536, listen_table_add, table), 0);
	ck_assert_int_eq(listen_space_listening(space, AF_INET6, 65536, listen_table_add, table), 0);
	listen_table_end(table, true);
}

START_TEST(sees_our_own_queue)
{
	struct listener listener = make_listener();
	const struct listen_claim claim = { .inode = listener.inode, .owner = (uint32_t)getpid() };
	struct listen_table table = { 0 };
	struct listen_counters counters;
	struct listen_space space;

	ck_assert_int_eq(listen_space_open(getpid(), &space), 0);
	look(&space, &table, &claim);
	ck_assert_uint_eq(table.count, 1);
	ck_assert_uint_eq(table.rows[0].address.port, ntohs(listener.address.sin_port));
	ck_assert_uint_eq(table.rows[0].queue, 0);
	ck_assert_uint_eq(table.rows[0].queue_limit, LIMIT);
	connect_to(&listener);
	connect_to(&listener);
	/* The last packet of a handshake may still be on its way. */
	while (table.rows[0].queue < 2)
		look(&space, &table, NULL);
	ck_assert_uint_eq(table.rows[0].queue, 2);
	ck_assert_int_ne(table.rows[0].drops, LISTEN_UNKNOWN);
	listen_table_begin_half_open(&table);
	ck_assert_int_ge(listen_space_half_open(&space, AF_INET, 65536, listen_table_add_half_open, &table), 0);
	listen_table_end_half_open(&table, false);
	ck_assert_int_eq(table.rows[0].half_open, 0);
	ck_assert_int_eq(listen_space_counters(&space, &counters), 0);
	ck_assert_int_ge(counters.overflows, 0);
	listen_table_release(&table);
	listen_space_close(&space);
	close(listener.fd);
}
END_TEST

static void nothing(void *context, const struct listen_socket *socket)
{
	(void)context;
	(void)socket;
}

/* The rest of an answer is in the way of the next, and is gone after it. */
START_TEST(goes_on_after_an_answer_that_was_too_long)
{
	struct listener listeners[600];
	struct listen_space space;

	for (size_t i = 0; i < 600; i++)
		listeners[i] = make_listener();
	ck_assert_int_eq(listen_space_open(getpid(), &space), 0);
	ck_assert_int_eq(listen_space_listening(&space, AF_INET, 1, nothing, NULL), -EAGAIN);
	ck_assert(space.listening.busy);
	ck_assert_int_eq(listen_space_listening(&space, AF_INET, 1, nothing, NULL), -EAGAIN);
	while (space.listening.busy)
		ck_assert_int_eq(listen_space_listening(&space, AF_INET, 100, nothing, NULL), -EAGAIN);
	ck_assert_int_eq(listen_space_listening(&space, AF_INET, 65536, nothing, NULL), 0);
	ck_assert_uint_ge(space.listening.answer.sockets, 600);
	listen_space_close(&space);
	ck_assert_int_eq(listen_space_listening(&space, AF_INET, 1, nothing, NULL), -EBADF);
	for (size_t i = 0; i < 600; i++)
		close(listeners[i].fd);
}
END_TEST

START_TEST(lists_our_own_sockets)
{
	struct listener listener = make_listener(), other = make_listener();
	/* The first one comes last now. */
	int moved = dup(listener.fd);
	uint32_t *inodes = NULL, netns = 0;
	bool found = false;
	ssize_t count;

	close(listener.fd);
	count = listen_inodes_of(getpid(), &inodes);
	ck_assert_int_gt(moved, other.fd);
	ck_assert_int_ge(count, 2);
	for (ssize_t i = 0; i < count; i++) {
		ck_assert(i == 0 || inodes[i - 1] <= inodes[i]);
		found |= inodes[i] == listener.inode;
	}
	ck_assert(found);
	free(inodes);
	ck_assert_int_eq(listen_space_of(getpid(), &netns), 0);
	ck_assert_uint_ne(netns, 0);
	close(moved);
	close(other.fd);
}
END_TEST

START_TEST(tells_a_process_that_is_gone)
{
	struct listen_space space = { .netns = 4711 };
	uint32_t *inodes = NULL, netns = 4711;
	pid_t nobody = (1 << 22) + 1; /* beyond every pid */

	ck_assert_int_eq(listen_space_open(nobody, &space), -ESRCH);
	ck_assert_int_eq(listen_space_of(nobody, &netns), -ESRCH);
	ck_assert_int_eq(listen_inodes_of(nobody, &inodes), -ESRCH);
	ck_assert_uint_eq(netns, 4711);
	ck_assert_uint_eq(space.netns, 4711);
	ck_assert_ptr_null(inodes);
}
END_TEST

/* A hundredth of the time at most. */
START_TEST(rests_after_a_long_look)
{
	ck_assert_uint_eq(backlog_due_ns(1000, 1005, 10000), 11000);
	ck_assert_uint_eq(backlog_due_ns(1000, 1100, 10000), 11100);
	ck_assert_uint_eq(backlog_due_ns(1000, 2000, 10000), 102000);
}
END_TEST

Suite *suite_listen_space(void)
{
	Suite *suite = suite_create("listen_space");
	TCase *tests = tcase_create("listen_space");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, sees_our_own_queue);
	tcase_add_test(tests, goes_on_after_an_answer_that_was_too_long);
	tcase_add_test(tests, lists_our_own_sockets);
	tcase_add_test(tests, tells_a_process_that_is_gone);
	tcase_add_test(tests, rests_after_a_long_look);
	suite_add_tcase(suite, tests);
	return suite;
}
