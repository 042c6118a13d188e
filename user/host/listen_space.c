/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a namespace and asking in it. A thread of its own enters it, opens the sockets there and ends: a socket
 * stays in the namespace it was made in. Contract: listen_space.h.
 */
#define _GNU_SOURCE /* setns() */
#include "host/listen_space.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATH_BYTES     64
#define ANSWER_BYTES   (32u << 10) /* the kernel makes no part of an answer larger */
#define COUNTERS_BYTES (16u << 10)

/* What the thread that enters a namespace is given and gives back. */
struct entry {
	int namespace; /* -1: our own, there is nothing to enter */
	int listening, half_open;
	int error;
};

static int open_line(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

static int open_lines(struct entry *entry)
{
	autoclose int listening = open_line(), half_open = -1;

	if (listening < 0)
		return listening;
	half_open = open_line();
	if (half_open < 0)
		return half_open;
	entry->listening = take_fd(&listening);
	entry->half_open = take_fd(&half_open);
	return 0;
}

static void *enter(void *context)
{
	struct entry *entry = context;

	if (setns(entry->namespace, CLONE_NEWNET))
		entry->error = -errno;
	else
		entry->error = open_lines(entry);
	return NULL;
}

static int open_elsewhere(struct entry *entry)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, enter, entry);

	if (error)
		return -error;
	pthread_join(thread, NULL);
	return entry->error;
}

static int open_namespace(pid_t pid)
{
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

static int open_counters(pid_t pid)
{
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/net/netstat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int listen_space_of(pid_t pid, uint32_t *netns)
{
	char path[PATH_BYTES];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (stat(path, &status))
		return errno == ENOENT ? -ESRCH : -errno;
	*netns = (uint32_t)status.st_ino;
	return 0;
}

int listen_space_open(pid_t pid, struct listen_space *out)
{
	autoclose int namespace = open_namespace(pid);
	struct entry entry = { .namespace = namespace, .listening = -1, .half_open = -1 };
	struct stat own, theirs;
	int error, counters;

	if (namespace < 0)
		return namespace;
	if (fstat(namespace, &theirs))
		return -errno;
	if (stat("/proc/thread-self/ns/net", &own) == 0 && own.st_ino == theirs.st_ino && own.st_dev == theirs.st_dev)
		error = open_lines(&entry);
	else
		error = open_elsewhere(&entry);
	if (error)
		return error;
	counters = open_counters(pid);
	*out = (struct listen_space){
		.netns = (uint32_t)theirs.st_ino,
		.listening = { .fd = entry.listening },
		.half_open = { .fd = entry.half_open },
		.counters_fd = counters < 0 ? -1 : counters,
	};
	return 0;
}

static void close_line(struct listen_line *line)
{
	if (line->fd >= 0)
		close(line->fd);
	*line = (struct listen_line){ .fd = -1 };
}

void listen_space_close(struct listen_space *space)
{
	close_line(&space->listening);
	close_line(&space->half_open);
	if (space->counters_fd >= 0)
		close(space->counters_fd);
	space->counters_fd = -1;
}

static int ask(struct listen_line *line, uint16_t family, unsigned int states)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = { .nlmsg_len = sizeof(message),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			    .nlmsg_seq = line->sequence + 1 },
		.request = { .sdiag_family = (uint8_t)family,
			     .sdiag_protocol = IPPROTO_TCP,
			     .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
			     .idiag_states = states },
	};

	if (send(line->fd, &message, sizeof(message), 0) < 0)
		return -errno;
	line->sequence++;
	line->busy = true;
	line->answer = (struct listen_answer){ .done = false };
	return 0;
}

/* A part of an answer waits, or is made by asking for it: there is nothing to wait for. */
static int read_part(struct listen_line *line, listen_socket_fn *each, void *context)
{
	uint8_t part[ANSWER_BYTES];
	struct iovec room = { .iov_base = part, .iov_len = sizeof(part) };
	struct sockaddr_nl from;
	struct msghdr message = { .msg_iov = &room, .msg_iovlen = 1, .msg_name = &from, .msg_namelen = sizeof(from) };
	ssize_t n;

	do {
		n = recvmsg(line->fd, &message, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -EIO : -errno;
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	if (message.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0; /* not the kernel's */
	return listen_answer_parse(part, (size_t)n, line->sequence, &line->answer, each, context);
}

/* Returns 0 at the answer's end, 1 where max is reached before, or a negative errno: the line is broken then. */
static int read_answer(struct listen_line *line, size_t max, listen_socket_fn *each, void *context)
{
	size_t before = line->answer.sockets;

	while (!line->answer.done) {
		int error;

		if (line->answer.sockets - before > max)
			return 1;
		error = read_part(line, each, context);
		if (error) {
			close_line(line);
			return error;
		}
	}
	line->busy = false;
	return line->answer.interrupted ? -EAGAIN : 0;
}

static void ignore(void *context, const struct listen_socket *socket)
{
	(void)context;
	(void)socket;
}

/* Returns as read_answer(). */
static int talk(struct listen_line *line, uint16_t family, unsigned int states, size_t max, listen_socket_fn *each,
		void *context)
{
	int error;

	if (line->fd < 0)
		return -EBADF;
	if (line->busy) {
		error = read_answer(line, max, ignore, NULL);
		return error < 0 ? error : -EAGAIN;
	}
	error = ask(line, family, states);
	return error ? error : read_answer(line, max, each, context);
}

int listen_space_listening(struct listen_space *space, uint16_t family, size_t max, listen_socket_fn *each,
			   void *context)
{
	int result = talk(&space->listening, family, 1u << TCP_LISTEN, max, each, context);

	return result > 0 ? -EAGAIN : result;
}

int listen_space_half_open(struct listen_space *space, uint16_t family, size_t max, listen_socket_fn *each,
			   void *context)
{
	return talk(&space->half_open, family, 1u << TCP_SYN_RECV, max, each, context);
}

int listen_space_counters(const struct listen_space *space, struct listen_counters *out)
{
	char text[COUNTERS_BYTES];
	size_t done = 0;

	if (space->counters_fd < 0)
		return -EBADF;
	while (done < sizeof(text)) {
		ssize_t n = pread(space->counters_fd, text + done, sizeof(text) - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return listen_counters_parse(text, done, out);
}
