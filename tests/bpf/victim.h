/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traced program of the tests: objects that look like OpenSSL's and nginx's, and functions that bear their names.
 *
 * Invariant: an object's memory is laid out by fake_layout.h and holds what the script said, nothing else.
 * Must not know: the tracer.
 */
#ifndef TLSWHY_TESTS_BPF_VICTIM_H
#define TLSWHY_TESTS_BPF_VICTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OBJECT_CHANGES 32

/* What SSL_do_handshake changes while it runs. */
struct change {
	enum { CHANGE_FIELD, CHANGE_ERROR, CHANGE_PAUSE, CHANGE_SPIN } kind;
	const struct field *field;
	uint64_t value;
};

struct object {
	uint8_t ssl[8192]; /* first: the pointer that the functions take */
	uint8_t rbio[128], wbio[128];
	uint8_t session[1024], cipher[64];
	uint8_t ex_stack[32];
	uint64_t ex_slots[8];
	uint8_t connection[256], read_event[64], write_event[64], log[64], proxy[64];
	uint8_t packet[16], reader[64], s3[1536];
	uint8_t scheme[32], peer_scheme[32];
	uint8_t listening[128], port[16], addresses[128], buffer[64], sockaddr[32];
	char hostname[512], proxy_text[64];
	uint8_t *message; /* ends where its page ends: the next one cannot be read */
	size_t message_pages;
	struct change changes[OBJECT_CHANGES];
	size_t change_count;
	int fd, peer;
};

/* The probed functions; SSL_do_handshake() applies the object's changes and returns what it was told. */
int SSL_do_handshake(struct object *object);
void SSL_free(struct object *object);
void ERR_error_string_n(unsigned long code, char *text, size_t bytes);
const char *X509_verify_cert_error_string(long result);
int ngx_connection_error(void *connection, int error, const char *text);
void ngx_ssl_remove_cached_session(void *context, void *session);
long ngx_ssl_check_host(void *connection, void *name);
long ngx_http_special_response_handler(void *request, long status);
long ngx_ssl_create_connection(void *context, void *connection, unsigned long flags);
long ngx_ssl_handshake(void *connection);
long ngx_ssl_shutdown(void *connection);
long ngx_quic_close_connection(void *connection, long result);

/* What SSL_do_handshake and ngx_ssl_check_host of this thread return. */
extern __thread int victim_result;
/* What ngx_ssl_handshake says to ngx_connection_error, plus one; 0: nothing. */
extern __thread int victim_error;
/* Called inside of SSL_do_handshake where the script says `pause`. */
void victim_pause(void);
/* The same where it says `spin`: uses so much of a CPU. */
void victim_spin(uint64_t ms);

/* Commands of nginx's own functions on the object's connection. False: none of them. */
bool victim_nginx(struct object *object, const char *verb, const char *rest);
/* ngx_connection_error(): how is "", "_at" or "_absent". */
void victim_says(const char *how, char *rest);

/* One field by the name that the script uses: those of struct layout, and some of nginx's. NULL: no such field. */
const struct field *field_find(const char *name);
void field_set(struct object *object, const struct field *field, uint64_t value);
/* What the script's `self` stands for: where the field's pointer leads in a whole object. */
uint64_t field_self(const struct object *object, const struct field *field);

void object_set(struct object *object, const char *name, uint64_t value);
/* The same inside of the next SSL_do_handshake. */
void object_later(struct object *object, const char *name, uint64_t value);

/* A whole object in its initial state, without a socket. */
void object_init(struct object *object, bool server);
/* Connects it: tcp4, tcp6, mapped, unix or none. False where the host cannot. */
bool object_connect(struct object *object, bool server, const char *kind);
/* Puts a message's body where the library has it. */
void object_message(struct object *object, unsigned int type, const uint8_t *body, size_t bytes);
void object_release(struct object *object);

/* Many handshakes on several threads, dealt by seed; prints `done` and how many of each kind (burst.h) there were. */
void victim_burst(uint64_t count, uint64_t seed, unsigned int threads, FILE *out);

#endif
