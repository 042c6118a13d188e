/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection's way: connect, handshake or raw bytes, answer, drain until the server ends it.
 *
 * Invariant: the client never closes a socket before the server did, except to reset. It only shuts its sending
 * side down, so no RST of its own overtakes what the server still has to read: nginx always enters OpenSSL.
 */
#include "loadgen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
static const char plain_request[] = "GET / HTTP/1.0\r\n\r\n";
/* A record of type 22 whose message is no handshake message. */
static const unsigned char garbage[] = { 22, 3, 1, 0, 8, 0xee, 0, 0, 4, 1, 2, 3, 4 };

static void wait_for(struct connection *connection, const struct load *load, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = connection };

	(void)epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static void release(struct connection *connection)
{
	SSL_free(connection->ssl);
	ERR_clear_error();
	if (connection->fd >= 0)
		(void)close(connection->fd);
	*connection = (struct connection){ .step = STEP_FREE, .fd = -1 };
}

/* Counts the end and frees the slot. Always true: the connection has ended. */
static bool finish(struct connection *connection, uint64_t *end)
{
	struct kind_counts *counts = &connection->state->counts;

	if (connection->alert_received > 0)
		counts->alerts_received[connection->alert_received]++;
	if (connection->alert_sent > 0)
		counts->alerts_sent[connection->alert_sent]++;
	(*end)++;
	release(connection);
	return true;
}

static bool finish_unexpected(struct connection *connection)
{
	return finish(connection, &connection->state->counts.unexpected);
}

void connection_abandon(struct connection *connection)
{
	(void)finish(connection, &connection->state->counts.unfinished);
}

static bool would_block(ssize_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static bool drain(struct connection *connection)
{
	struct kind_counts *counts = &connection->state->counts;
	unsigned char buffer[4096];
	ssize_t got;

	do
		got = recv(connection->fd, buffer, sizeof(buffer), 0);
	while (got > 0);
	if (would_block(got))
		return false;
	if (got == 0)
		counts->server_closed++;
	else
		counts->server_reset++;
	return finish(connection, connection->as_prescribed ? &counts->carried : &counts->unexpected);
}

static bool begin_drain(struct connection *connection, const struct load *load)
{
	connection->step = STEP_DRAIN;
	(void)shutdown(connection->fd, SHUT_WR);
	wait_for(connection, load, EPOLLIN);
	return drain(connection);
}

/* A socket closed with a linger time of 0 sends RST. */
static bool reset(struct connection *connection)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return finish(connection, &connection->state->counts.carried);
}

static void learn_session(struct connection *connection)
{
	SSL_SESSION *session = SSL_get1_session(connection->ssl);

	if (session == NULL || SSL_SESSION_is_resumable(session) != 1) {
		SSL_SESSION_free(session);
		connection->as_prescribed = false;
		return;
	}
	/* A copy: libssl marks the session of a connection that ended without close_notify as not resumable. */
	SSL_SESSION_free(connection->learner->session);
	connection->learner->session = SSL_SESSION_dup(session);
	SSL_SESSION_free(session);
}

static bool continue_response(struct connection *connection, const struct load *load)
{
	unsigned char buffer[4096];
	int got;

	while ((got = SSL_read(connection->ssl, buffer, sizeof(buffer))) > 0) {
		size_t room = STATUS_BYTES - connection->answer_bytes;
		size_t taken = (size_t)got < room ? (size_t)got : room;

		memcpy(connection->answer + connection->answer_bytes, buffer, taken);
		connection->answer_bytes += taken;
	}
	if (SSL_get_error(connection->ssl, got) == SSL_ERROR_WANT_READ)
		return false;
	connection->as_prescribed = connection->answer_bytes == STATUS_BYTES &&
				    memcmp(connection->answer, connection->state->kind->status, STATUS_BYTES) == 0;
	if (connection->learner != NULL)
		learn_session(connection);
	return begin_drain(connection, load);
}

static void note_cipher(struct seen *seen, const char *name)
{
	for (size_t i = 0; i < CIPHERS_MAX; i++) {
		struct cipher_count *row = &seen->ciphers[i];

		if (row->name == NULL)
			row->name = name;
		if (strcmp(row->name, name) == 0) {
			row->count++;
			return;
		}
	}
}

/* Which key it was, the signature says (RFC 8446 section 4.4.3, RFC 5246 section 7.4.3). */
static void note_negotiated(struct seen *seen, SSL *ssl)
{
	int type;

	if (SSL_version(ssl) == TLS1_3_VERSION)
		seen->tls13++;
	else
		seen->tls12++;
	if (SSL_session_reused(ssl) == 1 || SSL_get_peer_signature_type_nid(ssl, &type) != 1)
		seen->no_key++;
	else if (type == EVP_PKEY_EC)
		seen->ecdsa++;
	else
		seen->rsa++;
	note_cipher(seen, SSL_get_cipher_name(ssl));
}

static bool handshake_completed(struct connection *connection, const struct load *load)
{
	const struct kind *kind = connection->state->kind;
	bool resumed = SSL_session_reused(connection->ssl) == 1;

	connection->state->counts.completed++;
	connection->state->counts.resumed += resumed;
	note_negotiated(&connection->state->seen, connection->ssl);
	connection->as_prescribed = kind->completes && resumed == kind->resumes;
	if (kind->holds) {
		connection->step = STEP_HELD;
		wait_for(connection, load, 0);
		return false;
	}
	if (kind->status == NULL) {
		(void)SSL_shutdown(connection->ssl);
		return begin_drain(connection, load);
	}
	if (SSL_write(connection->ssl, request, sizeof(request) - 1) <= 0)
		return finish_unexpected(connection);
	connection->step = STEP_RESPONSE;
	wait_for(connection, load, EPOLLIN);
	return continue_response(connection, load);
}

static bool continue_handshake(struct connection *connection, const struct load *load)
{
	const struct kind *kind = connection->state->kind;
	int result;

	ERR_clear_error();
	result = SSL_connect(connection->ssl);
	if (result == 1)
		return handshake_completed(connection, load);
	switch (SSL_get_error(connection->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		wait_for(connection, load, EPOLLIN);
		return false;
	case SSL_ERROR_WANT_WRITE:
		wait_for(connection, load, EPOLLOUT);
		return false;
	case SSL_ERROR_SSL:
		connection->as_prescribed = !kind->completes && connection->alert_received == kind->alert_received &&
					    connection->alert_sent == kind->alert_sent;
		return begin_drain(connection, load);
	default: /* the server ended the connection without an alert */
		return finish_unexpected(connection);
	}
}

static bool begin_handshake(struct connection *connection, const struct load *load)
{
	struct kind_state *state = connection->state;
	SSL_SESSION *session;

	connection->ssl = SSL_new(connection->learner != NULL ? connection->learner->context : state->context);
	if (connection->ssl == NULL || SSL_set_fd(connection->ssl, connection->fd) != 1)
		return finish_unexpected(connection);
	SSL_set_app_data(connection->ssl, connection);
	if (state->session != NULL) {
		/* A copy: libssl marks a session it has replaced as not resumable. */
		session = SSL_SESSION_dup(state->session);
		(void)SSL_set_session(connection->ssl, session);
		SSL_SESSION_free(session);
	}
	connection->step = STEP_HANDSHAKE;
	return continue_handshake(connection, load);
}

/* Content type handshake, message type ServerHello (RFC 8446 sections 5.1 and 4). */
static bool is_server_hello(const unsigned char *bytes)
{
	return bytes[0] == 22 && bytes[5] == 2;
}

static bool continue_hello(struct connection *connection, const struct load *load)
{
	unsigned char head[6];
	ssize_t got = recv(connection->fd, head, sizeof(head), MSG_PEEK);

	if (would_block(got))
		return false;
	if (got != (ssize_t)sizeof(head) || !is_server_hello(head))
		return finish_unexpected(connection);
	connection->state->counts.server_hello++;
	if (connection->state->kind->resets)
		return reset(connection);
	connection->as_prescribed = true;
	return begin_drain(connection, load);
}

static const void *payload_of(const struct load *load, enum payload payload, size_t *bytes)
{
	switch (payload) {
	case PAYLOAD_HELLO:
		*bytes = load->hello_bytes;
		return load->hello;
	case PAYLOAD_HALF_HELLO:
		*bytes = load->hello_bytes / 2;
		return load->hello;
	case PAYLOAD_GARBAGE:
		*bytes = sizeof(garbage);
		return garbage;
	case PAYLOAD_HTTP:
		*bytes = sizeof(plain_request) - 1;
		return plain_request;
	case PAYLOAD_NONE:
		break;
	}
	*bytes = 0;
	return NULL;
}

static bool send_payload(struct connection *connection, const struct load *load)
{
	const struct kind *kind = connection->state->kind;
	size_t bytes;
	const void *payload = payload_of(load, kind->payload, &bytes);

	if (send(connection->fd, payload, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
		return finish_unexpected(connection);
	if (!kind->awaits_hello) {
		connection->as_prescribed = true;
		return begin_drain(connection, load);
	}
	connection->step = STEP_HELLO;
	wait_for(connection, load, EPOLLIN);
	return false;
}

static bool continue_connect(struct connection *connection, const struct load *load)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
		return finish(connection, &connection->state->counts.connect_errors);
	if (connection->state->kind->payload != PAYLOAD_NONE)
		return send_payload(connection, load);
	return begin_handshake(connection, load);
}

bool connection_continue(struct connection *connection, struct load *load)
{
	switch (connection->step) {
	case STEP_CONNECT:
		return continue_connect(connection, load);
	case STEP_HANDSHAKE:
		return continue_handshake(connection, load);
	case STEP_RESPONSE:
		return continue_response(connection, load);
	case STEP_HELLO:
		return continue_hello(connection, load);
	case STEP_HELD: /* an error or the server's end, for it is asked for nothing else */
		return finish_unexpected(connection);
	case STEP_DRAIN:
		return drain(connection);
	case STEP_FREE:
		break;
	}
	return false;
}

bool connection_let_go(struct connection *connection, const struct load *load)
{
	if (connection->step != STEP_HELD)
		return false;
	(void)SSL_shutdown(connection->ssl);
	return begin_drain(connection, load);
}

/* Several source addresses: each has its own range of ports, so TIME_WAIT does not use them up. */
static int bind_source(int fd, struct load *load)
{
	struct sockaddr_in source = { .sin_family = AF_INET };
	int on = 1;

	if (load->sources == 0)
		return 0;
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + load->next_source++ % load->sources);
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0)
		return -errno;
	return bind(fd, (const struct sockaddr *)&source, sizeof(source)) == 0 ? 0 : -errno;
}

static int open_socket(struct load *load, const struct sockaddr_in *server, struct connection *connection)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = connection };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind_source(fd, load) != 0 ||
	    (connect(fd, (const struct sockaddr *)server, sizeof(*server)) != 0 && errno != EINPROGRESS) ||
	    epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		(void)close(fd);
		return -EIO;
	}
	return fd;
}

bool connection_start(struct connection *connection, struct load *load, struct kind_state *state,
		      struct kind_state *learner)
{
	int fd;

	state->counts.started++;
	fd = open_socket(load, state->kind->port_mtls ? &load->server_mtls : &load->server, connection);
	if (fd < 0) {
		state->counts.connect_errors++;
		return false;
	}
	*connection = (struct connection){ .step = STEP_CONNECT, .fd = fd, .state = state, .learner = learner };
	return true;
}
