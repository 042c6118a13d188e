/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of probes: which function of which file feeds which program, and whether we can do without.
 *
 * The one place where function names of nginx and OpenSSL are written. Must not know: libbpf.
 */
#ifndef TLSWHY_ATTACH_PROBES_H
#define TLSWHY_ATTACH_PROBES_H

#include <stdbool.h>
#include <stdint.h>

#include "attach/site.h"

enum probe_file { PROBE_IN_NGINX, PROBE_IN_LIBSSL, PROBE_IN_LIBCRYPTO };

/* For which targets: whose library's objects can be read, of whose library nothing is known, both. */
enum probe_use {
	PROBE_FOR_OBJECTS,
	PROBE_FOR_CONNECTIONS,
	PROBE_FOR_ALL,
	PROBE_FOR_PART_0, /* PROBE_FOR_CONNECTIONS, in what the compiler made of the rest of the function (tails.h) */
	PROBE_FOR_PART_1,
};

/* X(symbol, number, program, function, file, is a return probe, required, use, arguments that the program reads) */
#define PROBES(X)                                                                                                  \
	X(HANDSHAKE_ENTER, 0, handshake_enter, "SSL_do_handshake", LIBSSL, false, true, OBJECTS, SITE_ARGUMENT(1)) \
	X(HANDSHAKE_RETURN, 1, handshake_return, "SSL_do_handshake", LIBSSL, true, true, OBJECTS, 0)               \
	X(OBJECT_FREE, 2, object_free, "SSL_free", LIBSSL, false, true, OBJECTS, SITE_ARGUMENT(1))                 \
	X(ERROR_STRING, 3, error_string, "ERR_error_string_n", LIBCRYPTO, false, true, OBJECTS, SITE_ARGUMENT(1))  \
	X(VERIFY_ERROR_STRING, 4, verify_error_string, "X509_verify_cert_error_string", LIBCRYPTO, false, true,    \
	  OBJECTS, SITE_ARGUMENT(1))                                                                               \
	X(CONNECTION_ERROR, 5, connection_error, "ngx_connection_error", NGINX, false, true, ALL,                  \
	  SITE_ARGUMENT(2) | SITE_ARGUMENT(3))                                                                     \
	X(REMOVE_SESSION, 6, remove_cached_session, "ngx_ssl_remove_cached_session", NGINX, false, true, OBJECTS,  \
	  SITE_ARGUMENT(2))                                                                                        \
	X(CHECK_HOST, 7, check_host_return, "ngx_ssl_check_host", NGINX, true, false, ALL, 0)                      \
	X(SPECIAL_RESPONSE, 8, special_response, "ngx_http_special_response_handler", NGINX, false, false, ALL,    \
	  SITE_ARGUMENT(1) | SITE_ARGUMENT(2))                                                                     \
	X(CONNECTION_CREATE, 9, connection_create, "ngx_ssl_create_connection", NGINX, false, true, CONNECTIONS,   \
	  SITE_ARGUMENT(2))                                                                                        \
	X(CONNECTION_ENTER, 10, connection_enter, "ngx_ssl_handshake", NGINX, false, true, CONNECTIONS,            \
	  SITE_ARGUMENT(1))                                                                                        \
	X(CONNECTION_RETURN, 11, connection_return, "ngx_ssl_handshake", NGINX, true, true, CONNECTIONS, 0)        \
	X(CONNECTION_SHUTDOWN, 12, connection_shutdown, "ngx_ssl_shutdown", NGINX, false, true, CONNECTIONS,       \
	  SITE_ARGUMENT(1))                                                                                        \
	X(PART_0_ENTER, 13, connection_enter, "ngx_ssl_handshake", NGINX, false, false, PART_0, SITE_ARGUMENT(1))  \
	X(PART_0_RETURN, 14, connection_return, "ngx_ssl_handshake", NGINX, true, false, PART_0, 0)                \
	X(PART_1_ENTER, 15, connection_enter, "ngx_ssl_handshake", NGINX, false, false, PART_1, SITE_ARGUMENT(1))  \
	X(PART_1_RETURN, 16, connection_return, "ngx_ssl_handshake", NGINX, true, false, PART_1, 0)                \
	X(QUIC_CLOSE, 17, quic_connection_close, "ngx_quic_close_connection", NGINX, false, false, OBJECTS,        \
	  SITE_ARGUMENT(1) | SITE_ARGUMENT(2))

enum probe {
#define X(symbol, number, ...) PROBE_##symbol = (number),
	PROBES(X)
#undef X
		PROBE_COUNT
};
#define X(...) +1
_Static_assert((0 PROBES(X)) == PROBE_COUNT, "PROBES: gap or duplicate number");
#undef X

struct probe_spec {
	const char *function;
	enum probe_file file;
	bool is_return;
	bool required;
	enum probe_use use;
	unsigned int arguments; /* SITE_ARGUMENT(n) of those that the program reads */
};

/* The row of a probe; static storage. */
const struct probe_spec *probe_spec(enum probe probe);

/* What all probes on a probe's function need: at one place they share a breakpoint, and so its cost. */
struct site_query probe_query(enum probe probe);

/* Where a probe goes. path is borrowed. */
struct probe_site {
	enum probe probe;
	const char *path;     /* as this process can open it */
	uint64_t file_offset; /* bytes */
	uint32_t group;       /* sites of one file, to be detached together; 0: none */
};

#endif
