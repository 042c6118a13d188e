/* SPDX-License-Identifier: BSD-2-Clause */
/* The victim's objects: their memory and their sockets. See victim.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "fake_layout.h"
#include "victim.h"

struct field {
	const char *name;
	size_t block;    /* of struct object */
	const __u16 *at; /* offset in the block, by the layout; NULL: fixed */
	size_t fixed;
	size_t bytes;
	size_t self_block; /* where a pointer leads; 0: it is none */
};

#define BLOCK(name) offsetof(struct object, name)
#define SSL(field_, bytes_, self_)                                                                  \
	{                                                                                           \
		.name = #field_, .block = BLOCK(ssl), .at = &fake_layout.field_, .bytes = (bytes_), \
		.self_block = (self_)                                                               \
	}
#define IN(name_, block_, field_, bytes_, self_)                                                       \
	{                                                                                              \
		.name = (name_), .block = BLOCK(block_), .at = &fake_layout.field_, .bytes = (bytes_), \
		.self_block = (self_)                                                                  \
	}
#define FIXED(name_, block_, fixed_, bytes_, self_)                                                                  \
	{                                                                                                            \
		.name = (name_), .block = BLOCK(block_), .fixed = (fixed_), .bytes = (bytes_), .self_block = (self_) \
	}

static const struct field fields[] = {
	SSL(version, 4, 0),
	SSL(rbio, 8, BLOCK(rbio)),
	SSL(wbio, 8, BLOCK(wbio)),
	SSL(rwstate, 4, 0),
	SSL(server, 4, 0),
	SSL(shutdown, 4, 0),
	SSL(flow_state, 4, 0),
	SSL(read_state, 4, 0),
	SSL(hand_state, 4, 0),
	SSL(in_init, 4, 0),
	SSL(init_msg, 8, 0),
	SSL(fatal_alert, 4, 0),
	SSL(send_alert, 2, 0), /* level in the low byte */
	SSL(message_size, 8, 0),
	SSL(message_type, 4, 0),
	SSL(cert_req, 4, 0),
	SSL(cert_request, 4, 0),
	SSL(new_cipher, 8, BLOCK(cipher)),
	SSL(group_id, 2, 0),
	SSL(did_kex, 1, 0),
	SSL(sigalg, 8, BLOCK(scheme)),
	SSL(peer_sigalg, 8, BLOCK(peer_scheme)),
	SSL(hit, 4, 0),
	SSL(hello_retry, 4, 0),
	SSL(session, 8, BLOCK(session)),
	SSL(verify_mode, 4, 0),
	SSL(verify_result, 8, 0),
	SSL(options, 8, 0),
	SSL(min_version, 4, 0),
	SSL(max_version, 4, 0),
	SSL(client_version, 4, 0),
	SSL(hostname, 8, BLOCK(hostname)),
	SSL(early_data, 4, 0),
	SSL(ex_data, 8, BLOCK(ex_stack)),
	SSL(record_packet, 8, BLOCK(packet)),
	SSL(record_packet_bytes, 8, 0),
	IN("rbio.flags", rbio, bio_flags, 4, 0),
	IN("rbio.num", rbio, bio_num, 4, 0),
	IN("wbio.flags", wbio, bio_flags, 4, 0),
	IN("session.cipher", session, session_cipher, 8, BLOCK(cipher)),
	IN("session.peer", session, session_peer, 8, BLOCK(session)),
	IN("session.hostname", session, session_hostname, 8, BLOCK(hostname)),
	IN("session.group", session, session_group, 4, 0),
	IN("cipher.id", cipher, cipher_id, 4, 0),
	IN("cipher.exchange", cipher, cipher_exchange, 4, 0),
	IN("sigalg.number", scheme, sigalg_number, 2, 0),
	IN("peer_sigalg.number", peer_scheme, sigalg_number, 2, 0),
	/* Behind all others: where a layout of the tests has a record layer of its own. */
	FIXED("reader", ssl, FAKE_READER, 8, BLOCK(reader)),
	FIXED("reader.packet", reader, FAKE_READER_PACKET, 8, BLOCK(packet)),
	FIXED("reader.bytes", reader, FAKE_READER_PACKET + 8, 8, 0),
	/* Likewise, where a layout of the tests has an s3. */
	FIXED("s3", ssl, FAKE_S3, 8, BLOCK(s3)),
	FIXED("s3.fatal_alert", s3, FAKE_S3_FATAL_ALERT, 4, 0),
	FIXED("s3.send_alert", s3, FAKE_S3_SEND_ALERT, 2, 0),
	FIXED("s3.message_size", s3, FAKE_S3_MESSAGE_SIZE, 8, 0),
	FIXED("s3.message_type", s3, FAKE_S3_MESSAGE_TYPE, 4, 0),
	FIXED("s3.cert_req", s3, FAKE_S3_CERT_REQ, 4, 0),
	FIXED("s3.cert_request", s3, FAKE_S3_CERT_REQUEST, 4, 0),
	FIXED("s3.new_cipher", s3, FAKE_S3_NEW_CIPHER, 8, BLOCK(cipher)),
	FIXED("s3.group_id", s3, FAKE_S3_GROUP_ID, 2, 0),
	FIXED("s3.peer_share", s3, FAKE_S3_PEER_SHARE, 8, BLOCK(s3)),
	FIXED("s3.sigalg", s3, FAKE_S3_SIGALG, 8, BLOCK(scheme)),
	FIXED("s3.peer_sigalg", s3, FAKE_S3_PEER_SIGALG, 8, BLOCK(peer_scheme)),
	/* nginx 1.18 to 1.30: src/core/ngx_connection.h, ngx_log.h, src/event/ngx_event.h */
	FIXED("slots", ex_stack, 8, 8, BLOCK(ex_slots)),
	FIXED("connection", ex_slots, 8 * FAKE_CONNECTION_INDEX, 8, BLOCK(connection)),
	FIXED("connection.read", connection, 8, 8, BLOCK(read_event)),
	FIXED("connection.write", connection, 16, 8, BLOCK(write_event)),
	FIXED("connection.fd", connection, 24, 4, 0),
	FIXED("connection.listening", connection, 64, 8, BLOCK(listening)),
	FIXED("connection.type", connection, 96, 4, 0),
	FIXED("connection.peer", connection, 104, 8, BLOCK(sockaddr)),
	FIXED("connection.ssl_old", connection, 144, 8, BLOCK(ssl)),
	FIXED("connection.ssl", connection, 152, 8, BLOCK(ssl)),
	FIXED("connection.local", connection, 168, 8, BLOCK(sockaddr)),
	FIXED("connection.buffer_old", connection, 176, 8, BLOCK(buffer)),
	FIXED("connection.buffer", connection, 184, 8, BLOCK(buffer)),
	FIXED("listening.handler", listening, 80, 8, 0),
	FIXED("listening.servers", listening, 88, 8, BLOCK(port)),
	FIXED("port.addresses", port, 0, 8, BLOCK(addresses)),
	FIXED("port.count", port, 8, 8, 0),
	FIXED("address0", addresses, 0, 4, 0),
	FIXED("address0.bits", addresses, 24, 4, 0),
	FIXED("address1.bits", addresses, 56, 4, 0),
	FIXED("address0.bits6", addresses, 32, 4, 0),
	FIXED("buffer.start", buffer, 32, 8, BLOCK(packet)),
	FIXED("peer.family", sockaddr, 0, 2, 0),
	FIXED("peer.port", sockaddr, 2, 2, 0),
	FIXED("peer.address", sockaddr, 4, 4, 0),
	FIXED("connection.log", connection, 80, 8, BLOCK(log)),
	FIXED("connection.proxy", connection, 136, 8, BLOCK(proxy)),
	FIXED("log.number", log, 16, 8, 0),
	FIXED("read.bits", read_event, 8, 4, 0),
	FIXED("write.bits", write_event, 8, 4, 0),
	FIXED("proxy.bytes", proxy, 0, 8, 0),
	FIXED("proxy.text", proxy, 8, 8, BLOCK(proxy_text)),
	FIXED("proxy.port", proxy, 32, 2, 0),
};

const struct field *field_find(const char *name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

void field_set(struct object *object, const struct field *field, uint64_t value)
{
	uint8_t *block = (uint8_t *)object + field->block;

	memcpy(block + (field->at ? *field->at : field->fixed), &value, field->bytes); /* little-endian */
}

uint64_t field_self(const struct object *object, const struct field *field)
{
	return field->self_block ? (uint64_t)(uintptr_t)object + field->self_block : 0;
}

void object_set(struct object *object, const char *name, uint64_t value)
{
	field_set(object, field_find(name), value);
}

void object_later(struct object *object, const char *name, uint64_t value)
{
	struct change change = { .kind = CHANGE_FIELD, .field = field_find(name), .value = value };

	object->changes[object->change_count++] = change;
}

static void point(struct object *object, const char *name)
{
	const struct field *field = field_find(name);

	field_set(object, field, field_self(object, field));
}

void object_init(struct object *object, bool server)
{
	static const char *const pointers[] = { "rbio",          "wbio",       "session",         "ex_data",
						"slots",         "connection", "connection.read", "connection.write",
						"connection.log" };

	memset(object, 0, sizeof(*object));
	object->fd = object->peer = -1;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		point(object, pointers[i]);
	object_set(object, "version", 0x0304);
	object_set(object, "server", server);
	object_set(object, "in_init", 1);
	object_set(object, "rbio.num", (uint64_t)-1);
	object_set(object, "connection.fd", (uint64_t)-1);
	if (server)
		point(object, "connection.peer");
}

/* A connected pair over a listener of its own. bind_to and connect_to may differ: mapped addresses. */
static bool connect_pair(int pair[2], const void *bind_to, socklen_t bind_bytes, void *connect_to,
			 socklen_t connect_bytes)
{
	sa_family_t bind_family = ((const struct sockaddr *)bind_to)->sa_family;
	sa_family_t connect_family = ((const struct sockaddr *)connect_to)->sa_family;
	int listener = socket(bind_family, SOCK_STREAM | SOCK_CLOEXEC, 0), no = 0, yes = 1;
	int client = socket(connect_family, SOCK_STREAM | SOCK_CLOEXEC, 0), server = -1;
	struct sockaddr_in6 bound; /* the port is where sockaddr_in has it */
	socklen_t bytes = sizeof(bound);

	if (bind_family == AF_INET6)
		setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (listener >= 0 && client >= 0 && !bind(listener, bind_to, bind_bytes) && !listen(listener, 1) &&
	    !getsockname(listener, (struct sockaddr *)&bound, &bytes)) {
		((struct sockaddr_in6 *)connect_to)->sin6_port = bound.sin6_port;
		if (!connect(client, connect_to, connect_bytes))
			server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	close(listener);
	/* What is written leaves at once, so that tests know when (RFC 896's algorithm would hold it back). */
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (server < 0)
		close(client);
	pair[0] = server;
	pair[1] = client;
	return server >= 0;
}

static bool make_pair(int pair[2], const char *kind)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };

	if (!strcmp(kind, "unix"))
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
	if (!strcmp(kind, "tcp6"))
		return connect_pair(pair, &v6, sizeof(v6), &v6, sizeof(v6));
	if (!strcmp(kind, "mapped"))
		return connect_pair(pair, &any, sizeof(any), &v4, sizeof(v4));
	return connect_pair(pair, &v4, sizeof(v4), &v4, sizeof(v4));
}

bool object_connect(struct object *object, bool server, const char *kind)
{
	int pair[2];

	if (!strcmp(kind, "none"))
		return true;
	if (!make_pair(pair, kind))
		return false;
	object->fd = pair[server ? 0 : 1];
	object->peer = pair[server ? 1 : 0];
	object_set(object, "rbio.num", (uint64_t)object->fd);
	object_set(object, "connection.fd", (uint64_t)object->fd);
	return true;
}

void object_message(struct object *object, unsigned int type, const uint8_t *body, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (bytes + page - 1) / page + 1;
	uint8_t *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	if (object->message)
		munmap(object->message, object->message_pages * page);
	object->message = memory;
	object->message_pages = pages;
	mprotect(memory + (pages - 1) * page, page, PROT_NONE);
	memory += (pages - 1) * page - bytes;
	if (bytes)
		memcpy(memory, body, bytes);
	object_set(object, "init_msg", (uint64_t)(uintptr_t)memory);
	object_set(object, "message_size", bytes);
	object_set(object, "message_type", type);
}

void object_release(struct object *object)
{
	if (object->message)
		munmap(object->message, object->message_pages * (size_t)sysconf(_SC_PAGESIZE));
	object->message = NULL;
	if (object->fd >= 0)
		close(object->fd);
	if (object->peer >= 0)
		close(object->peer);
	object->fd = object->peer = -1;
}
