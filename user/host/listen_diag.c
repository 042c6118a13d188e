/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of sock_diag(7). Contract: listen_diag.h. */
#include "host/listen_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define ERRNO_MAX 4095

/* What is left of a message. */
struct span {
	const uint8_t *at;
	size_t left;
};

static bool take(struct span *span, void *out, size_t bytes)
{
	if (span->left < bytes)
		return false;
	memcpy(out, span->at, bytes);
	span->at += bytes;
	span->left -= bytes;
	return true;
}

/* The last one of a list may lack its padding. */
static void skip_padded(struct span *span, size_t bytes)
{
	size_t padded = NLMSG_ALIGN(bytes) < span->left ? NLMSG_ALIGN(bytes) : span->left;

	span->at += padded;
	span->left -= padded;
}

/* struct sk_meminfo is a list that has become longer over time. */
static void take_drops(struct span value, struct listen_socket *socket)
{
	const size_t at = SK_MEMINFO_DROPS * sizeof(socket->drops);

	if (value.left < at + sizeof(socket->drops))
		return;
	memcpy(&socket->drops, value.at + at, sizeof(socket->drops));
	socket->has_drops = true;
}

static int take_attributes(struct span attributes, struct listen_socket *socket)
{
	struct nlattr head;

	while (attributes.left) {
		struct span value = attributes;

		if (!take(&value, &head, sizeof(head)) || head.nla_len < sizeof(head) ||
		    head.nla_len > attributes.left)
			return -EBADMSG;
		value.left = head.nla_len - sizeof(head);
		if ((head.nla_type & NLA_TYPE_MASK) == INET_DIAG_SKMEMINFO)
			take_drops(value, socket);
		skip_padded(&attributes, head.nla_len);
	}
	return 0;
}

static int take_socket(struct span body, struct listen_answer *answer, listen_socket_fn *each, void *context)
{
	struct listen_socket socket = { .half_open = false };
	struct inet_diag_msg message;
	int error;

	if (!take(&body, &message, sizeof(message)))
		return -EBADMSG;
	error = take_attributes(body, &socket);
	if (error)
		return error;
	answer->sockets++;
	if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6)
		return 0;
	if (message.idiag_state != TCP_LISTEN && message.idiag_state != TCP_SYN_RECV)
		return 0;
	socket.half_open = message.idiag_state == TCP_SYN_RECV;
	socket.family = message.idiag_family;
	socket.port = ntohs(message.id.idiag_sport);
	memcpy(socket.address, message.id.idiag_src, message.idiag_family == AF_INET ? 4 : LISTEN_ADDRESS_BYTES);
	socket.inode = message.idiag_inode;
	socket.cookie = (uint64_t)message.id.idiag_cookie[1] << 32 | message.id.idiag_cookie[0];
	socket.queue = message.idiag_rqueue;
	socket.queue_limit = message.idiag_wqueue;
	each(context, &socket);
	return 0;
}

/* Both an NLMSG_ERROR and an NLMSG_DONE begin with an error number; 0 is none. */
static int take_error(struct span body)
{
	int error;

	if (!take(&body, &error, sizeof(error)) || error > 0 || error < -ERRNO_MAX)
		return -EBADMSG;
	return error;
}

static int take_message(const struct nlmsghdr *header, struct span body, struct listen_answer *answer,
			listen_socket_fn *each, void *context)
{
	int error = 0;

	answer->interrupted |= !!(header->nlmsg_flags & NLM_F_DUMP_INTR);
	switch (header->nlmsg_type) {
	case NLMSG_ERROR:
		error = take_error(body);
		break;
	case NLMSG_DONE:
		error = take_error(body);
		answer->done = true;
		break;
	case SOCK_DIAG_BY_FAMILY:
		error = take_socket(body, answer, each, context);
		break;
	}
	return error;
}

int listen_answer_parse(const void *bytes, size_t count, uint32_t sequence, struct listen_answer *answer,
			listen_socket_fn *each, void *context)
{
	struct span messages = { .at = bytes, .left = count };
	struct nlmsghdr header;

	while (messages.left) {
		struct span body = messages;
		int error = 0;

		if (!take(&body, &header, sizeof(header)) || header.nlmsg_len < sizeof(header) ||
		    header.nlmsg_len > messages.left)
			return -EBADMSG;
		body.left = header.nlmsg_len - sizeof(header);
		if (header.nlmsg_seq == sequence && !answer->done)
			error = take_message(&header, body, answer, each, context);
		if (error)
			return error;
		skip_padded(&messages, header.nlmsg_len);
	}
	return 0;
}
