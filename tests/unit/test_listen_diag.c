/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of sock_diag: what a whole one says, and that no cut or hostile one is read beyond its end. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/listen_diag.h"

Suite *suite_listen_diag(void);

#define SEQUENCE 7

struct answer_builder {
	uint8_t bytes[4096];
	size_t used, message_at;
};

static void put(struct answer_builder *out, const void *bytes, size_t count)
{
	ck_assert_uint_le(out->used + count, sizeof(out->bytes));
	if (count)
		memcpy(out->bytes + out->used, bytes, count);
	out->used += count;
}

static void open_message(struct answer_builder *out, unsigned int type, unsigned int flags, unsigned int sequence)
{
	const struct nlmsghdr header = { .nlmsg_type = (uint16_t)type,
					 .nlmsg_flags = (uint16_t)flags,
					 .nlmsg_seq = sequence };

	out->message_at = out->used;
	put(out, &header, sizeof(header));
}

static void close_message(struct answer_builder *out)
{
	uint32_t length = (uint32_t)(out->used - out->message_at);

	memcpy(out->bytes + out->message_at, &length, sizeof(length));
	while (out->used % NLMSG_ALIGNTO)
		put(out, "", 1);
}

static void put_attribute(struct answer_builder *out, unsigned int type, const void *value, size_t count)
{
	const struct nlattr head = { .nla_len = (uint16_t)(sizeof(head) + count), .nla_type = (uint16_t)type };

	put(out, &head, sizeof(head));
	put(out, value, count);
	while (out->used % NLA_ALIGNTO)
		put(out, "", 1);
}

static struct inet_diag_msg message_of(unsigned int family, unsigned int state, unsigned int port)
{
	struct inet_diag_msg message = {
		.idiag_family = (uint8_t)family,
		.idiag_state = (uint8_t)state,
		.id = { .idiag_sport = htons((uint16_t)port), .idiag_cookie = { 5, 6 } },
		.idiag_rqueue = 3,
		.idiag_wqueue = 511,
		.idiag_inode = 4711,
	};

	message.id.idiag_src[0] = htonl(0xc0000201);
	message.id.idiag_src[3] = htonl(1); /* meant for IPv6 alone */
	return message;
}

/* drops: how many numbers of struct sk_meminfo there are; the last of them is 9. */
static void put_socket(struct answer_builder *out, unsigned int family, unsigned int state, unsigned int port,
		       unsigned int numbers)
{
	struct inet_diag_msg message = message_of(family, state, port);
	uint32_t memory[16] = { 0 };
	uint8_t odd[3] = { 1, 2, 3 };

	open_message(out, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE);
	put(out, &message, sizeof(message));
	put_attribute(out, INET_DIAG_SHUTDOWN, odd, sizeof(odd));
	if (numbers)
		memory[numbers - 1] = 9;
	put_attribute(out, INET_DIAG_SKMEMINFO, memory, numbers * sizeof(memory[0]));
	close_message(out);
}

static void put_number(struct answer_builder *out, unsigned int type, unsigned int flags, int number)
{
	open_message(out, type, flags, SEQUENCE);
	put(out, &number, sizeof(number));
	close_message(out);
}

struct found {
	struct listen_socket sockets[8];
	size_t count;
};

static void note(void *context, const struct listen_socket *socket)
{
	struct found *found = context;

	ck_assert_uint_lt(found->count, 8);
	found->sockets[found->count++] = *socket;
}

/* At an odd address, in memory of exactly these bytes, so that a sanitizer sees what is wrong. */
static int parse(const void *bytes, size_t count, struct listen_answer *answer, struct found *found)
{
	uint8_t *copy = malloc(count + 1);
	int error;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy + 1, bytes, count);
	*found = (struct found){ 0 };
	error = listen_answer_parse(copy + 1, count, SEQUENCE, answer, note, found);
	free(copy);
	return error;
}

START_TEST(reads_listeners)
{
	static const uint8_t four[LISTEN_ADDRESS_BYTES] = { 192, 0, 2, 1 };
	static const uint8_t six[LISTEN_ADDRESS_BYTES] = { 192, 0, 2, 1, [15] = 1 };
	struct answer_builder builder = { .used = 0 };
	struct listen_answer answer = { 0 };
	struct found found;

	put_socket(&builder, AF_INET, TCP_LISTEN, 443, SK_MEMINFO_DROPS + 1);
	put_socket(&builder, AF_INET6, TCP_LISTEN, 8443, SK_MEMINFO_DROPS); /* an older kernel */
	put_socket(&builder, AF_INET, TCP_SYN_RECV, 443, 0);
	put_socket(&builder, AF_INET, TCP_ESTABLISHED, 443, 0);
	put_socket(&builder, AF_UNIX, TCP_LISTEN, 443, 0);
	put_number(&builder, NLMSG_DONE, NLM_F_MULTI, 0);
	ck_assert_int_eq(parse(builder.bytes, builder.used, &answer, &found), 0);
	ck_assert(answer.done);
	ck_assert(!answer.interrupted);
	ck_assert_uint_eq(answer.sockets, 5);
	ck_assert_uint_eq(found.count, 3);
	ck_assert(!found.sockets[0].half_open);
	ck_assert_uint_eq(found.sockets[0].family, AF_INET);
	ck_assert_uint_eq(found.sockets[0].port, 443);
	ck_assert_mem_eq(found.sockets[0].address, four, sizeof(four));
	ck_assert_uint_eq(found.sockets[0].inode, 4711);
	ck_assert_uint_eq(found.sockets[0].cookie, 5 | 6ull << 32);
	ck_assert_uint_eq(found.sockets[0].queue, 3);
	ck_assert_uint_eq(found.sockets[0].queue_limit, 511);
	ck_assert(found.sockets[0].has_drops);
	ck_assert_uint_eq(found.sockets[0].drops, 9);
	ck_assert_uint_eq(found.sockets[1].family, AF_INET6);
	ck_assert_mem_eq(found.sockets[1].address, six, sizeof(six));
	ck_assert(!found.sockets[1].has_drops);
	ck_assert(found.sockets[2].half_open);
}
END_TEST

/* An answer in parts; what comes after its end, or belongs to another request, is nobody's. */
START_TEST(reads_parts)
{
	struct answer_builder first = { .used = 0 }, second = { .used = 0 };
	struct listen_answer answer = { 0 };
	struct found found;

	put_socket(&first, AF_INET, TCP_LISTEN, 1, 0);
	open_message(&first, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE - 1);
	close_message(&first);
	open_message(&first, NLMSG_DONE, NLM_F_MULTI, SEQUENCE + 1);
	close_message(&first);
	ck_assert_int_eq(parse(first.bytes, first.used, &answer, &found), 0);
	ck_assert_uint_eq(found.count, 1);
	ck_assert(!answer.done);
	put_socket(&second, AF_INET, TCP_LISTEN, 2, 0);
	put_number(&second, NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, 0);
	put_socket(&second, AF_INET, TCP_LISTEN, 3, 0);
	ck_assert_int_eq(parse(second.bytes, second.used, &answer, &found), 0);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_uint_eq(found.sockets[0].port, 2);
	ck_assert_uint_eq(answer.sockets, 2);
	ck_assert(answer.done);
	ck_assert(answer.interrupted);
}
END_TEST

START_TEST(tells_refusals)
{
	static const struct {
		unsigned int type;
		int number, result;
	} rows[] = {
		{ .type = NLMSG_ERROR, .number = -ENOENT, .result = -ENOENT },
		{ .type = NLMSG_ERROR, .number = -4095, .result = -4095 },
		{ .type = NLMSG_ERROR, .number = 0, .result = 0 },
		{ .type = NLMSG_ERROR, .number = 1, .result = -EBADMSG },
		{ .type = NLMSG_ERROR, .number = -4096, .result = -EBADMSG },
		{ .type = NLMSG_ERROR, .number = INT32_MIN, .result = -EBADMSG },
		{ .type = NLMSG_DONE, .number = -ENOMEM, .result = -ENOMEM },
		{ .type = NLMSG_DONE, .number = 5, .result = -EBADMSG },
		{ .type = NLMSG_NOOP, .number = -ENOENT, .result = 0 },
		{ .type = 4711, .number = -ENOENT, .result = 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer_builder builder = { .used = 0 };
		struct listen_answer answer = { 0 };
		struct found found;

		put_number(&builder, rows[i].type, 0, rows[i].number);
		ck_assert_msg(parse(builder.bytes, builder.used, &answer, &found) == rows[i].result, "row %zu", i);
	}
}
END_TEST

/* Wherever it ends: refused, or all that is handed out was before. */
START_TEST(reads_no_further_than_the_end)
{
	struct answer_builder builder = { .used = 0 };
	size_t first;

	put_socket(&builder, AF_INET, TCP_LISTEN, 443, SK_MEMINFO_DROPS + 1);
	first = builder.used;
	put_socket(&builder, AF_INET, TCP_LISTEN, 444, SK_MEMINFO_DROPS + 1);
	for (size_t cut = 0; cut < builder.used; cut++) {
		struct listen_answer answer = { 0 };
		struct found found;
		int error = parse(builder.bytes, cut, &answer, &found);

		ck_assert_int_eq(error, cut == 0 || cut == first ? 0 : -EBADMSG);
		ck_assert_uint_eq(found.count, cut >= first);
	}
}
END_TEST

/* Any byte may be any other. */
START_TEST(survives_damage)
{
	struct answer_builder builder = { .used = 0 };

	put_socket(&builder, AF_INET, TCP_LISTEN, 443, SK_MEMINFO_DROPS + 1);
	put_socket(&builder, AF_INET6, TCP_SYN_RECV, 443, 3);
	put_number(&builder, NLMSG_DONE, NLM_F_MULTI, 0);
	for (size_t at = 0; at < builder.used; at++) {
		for (unsigned int flip = 1; flip < 256; flip++) {
			struct listen_answer answer = { 0 };
			struct found found;

			builder.bytes[at] ^= (uint8_t)flip;
			ck_assert_int_le(parse(builder.bytes, builder.used, &answer, &found), 0);
			ck_assert_uint_le(found.count, 2);
			builder.bytes[at] ^= (uint8_t)flip;
		}
	}
}
END_TEST

START_TEST(refuses_lengths_that_do_not_fit)
{
	static const uint32_t lengths[] = { 0, 1, 15, 16, 87, 1u << 20, UINT32_MAX };
	struct answer_builder builder = { .used = 0 };

	put_socket(&builder, AF_INET, TCP_LISTEN, 443, 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct listen_answer answer = { 0 };
		struct found found;

		memcpy(builder.bytes, &lengths[i], sizeof(lengths[i]));
		ck_assert_int_eq(parse(builder.bytes, builder.used, &answer, &found), -EBADMSG);
		ck_assert_uint_eq(found.count, 0);
	}
}
END_TEST

Suite *suite_listen_diag(void)
{
	Suite *suite = suite_create("listen_diag");
	TCase *tests = tcase_create("listen_diag");

	tcase_add_test(tests, reads_listeners);
	tcase_add_test(tests, reads_parts);
	tcase_add_test(tests, tells_refusals);
	tcase_add_test(tests, reads_no_further_than_the_end);
	tcase_add_test(tests, survives_damage);
	tcase_add_test(tests, refuses_lengths_that_do_not_fit);
	suite_add_tcase(suite, tests);
	return suite;
}
