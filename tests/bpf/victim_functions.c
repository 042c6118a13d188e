/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that are probed, by the names they have in OpenSSL and nginx. In a file of their own: no call to them
 * can be folded into its caller.
 */
#include "victim.h"

__thread int victim_result, victim_error;

/* Keeps a function's body from being folded into another's: each needs an address of its own. */
#define BODY(text) __asm__ volatile("/* " text " */" ::: "memory")

/*
 * Where probes are placed is chosen by a function's first instructions. Here they are those that compilers make of
 * nginx and OpenSSL, and the function proper is behind them.
 */
#if defined(__x86_64__)
#define PROLOGUE(name, instructions)                                                                          \
	__asm__(".pushsection .text, \"ax\", @progbits\n.globl " #name "\n.type " #name ", @function\n" #name \
		":\n" instructions "\n.size " #name ", .-" #name "\n.popsection")
#define PROPER(name) name##_proper
PROLOGUE(SSL_do_handshake, "endbr64; push %rbx; call SSL_do_handshake_proper; pop %rbx; ret");
PROLOGUE(SSL_free, "endbr64; test %rdi, %rdi; je 1f; jmp SSL_free_proper; 1: ret");
PROLOGUE(ERR_error_string_n,
	 "mov %rdx, %rcx; mov %rsi, %rdx; lea 1f(%rip), %rsi; jmp ERR_error_string_n_proper; 1: ret");
PROLOGUE(ngx_connection_error,
	 "endbr64; mov %esi, %eax; cmp $0x68, %esi; je 1f; nop; 1: jmp ngx_connection_error_proper");
PROLOGUE(ngx_ssl_check_host, "endbr64; push %r12; call ngx_ssl_check_host_proper; pop %r12; ret");
PROLOGUE(ngx_ssl_handshake, "endbr64; sub $8, %rsp; call ngx_ssl_handshake_proper; add $8, %rsp; ret");

int SSL_do_handshake_proper(struct object *object);
void SSL_free_proper(struct object *object);
void ERR_error_string_n_proper(unsigned long code, char *text, size_t bytes);
int ngx_connection_error_proper(void *connection, int error, const char *text);
long ngx_ssl_check_host_proper(void *connection, void *name);
long ngx_ssl_handshake_proper(void *connection);
#else
#define PROPER(name) name
#endif

__attribute__((noinline)) int PROPER(SSL_do_handshake)(struct object *object)
{
	BODY("SSL_do_handshake");
	for (size_t i = 0; i < object->change_count; i++) {
		const struct change *change = &object->changes[i];

		switch (change->kind) {
		case CHANGE_FIELD:
			field_set(object, change->field, change->value);
			break;
		case CHANGE_ERROR:
			ERR_error_string_n(change->value, NULL, 0);
			break;
		case CHANGE_PAUSE:
			victim_pause();
			break;
		case CHANGE_SPIN:
			victim_spin(change->value);
			break;
		}
	}
	object->change_count = 0;
	return victim_result;
}

__attribute__((noinline)) void PROPER(SSL_free)(struct object *object)
{
	BODY("SSL_free");
	(void)object;
}

__attribute__((noinline)) void PROPER(ERR_error_string_n)(unsigned long code, char *text, size_t bytes)
{
	BODY("ERR_error_string_n");
	(void)code, (void)text, (void)bytes;
}

__attribute__((noinline)) const char *X509_verify_cert_error_string(long result)
{
	BODY("X509_verify_cert_error_string");
	return result ? "" : "ok";
}

__attribute__((noinline)) int PROPER(ngx_connection_error)(void *connection, int error, const char *text)
{
	BODY("ngx_connection_error");
	(void)connection, (void)text;
	return error;
}

__attribute__((noinline)) void ngx_ssl_remove_cached_session(void *context, void *session)
{
	BODY("ngx_ssl_remove_cached_session");
	(void)context, (void)session;
}

__attribute__((noinline)) long PROPER(ngx_ssl_check_host)(void *connection, void *name)
{
	BODY("ngx_ssl_check_host");
	(void)connection, (void)name;
	return victim_result;
}

__attribute__((noinline)) long ngx_http_special_response_handler(void *request, long status)
{
	BODY("ngx_http_special_response_handler");
	(void)request;
	return status;
}

__attribute__((noinline)) long ngx_ssl_create_connection(void *context, void *connection, unsigned long flags)
{
	BODY("ngx_ssl_create_connection");
	(void)context, (void)connection, (void)flags;
	return 0;
}

__attribute__((noinline)) long PROPER(ngx_ssl_handshake)(void *connection)
{
	BODY("ngx_ssl_handshake");
	(void)connection;
	if (victim_error)
		ngx_connection_error(connection, victim_error - 1, "peer closed connection in SSL handshake");
	return victim_result;
}

__attribute__((noinline)) long ngx_ssl_shutdown(void *connection)
{
	BODY("ngx_ssl_shutdown");
	(void)connection;
	return 0;
}

__attribute__((noinline)) long ngx_quic_close_connection(void *connection, long result)
{
	BODY("ngx_quic_close_connection");
	(void)connection;
	return result;
}
