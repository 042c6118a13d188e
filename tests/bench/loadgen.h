/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load generator: many TLS connections to one nginx, that succeed and fail in prescribed ways, each counted.
 *
 * Invariant: started = carried + connect_errors + unexpected + unfinished, for every kind. A connection is carried
 * only when it did what its kind prescribes and the server ended it; a kind that resets is carried once the
 * server's hello was read, and one that holds once the load lets go of it. So the server's own counts must equal
 * carried, to the last handshake, provided that the other three are 0. Must not know: tlswhy.
 */
#ifndef TLSWHY_TESTS_BENCH_LOADGEN_H
#define TLSWHY_TESTS_BENCH_LOADGEN_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KIND_COUNT       15
#define ALERT_COUNT      256
#define CIPHERS_MAX      16
#define STATUS_BYTES     12 /* of "HTTP/1.1 400" */
#define CLIENT_HELLO_MAX 2048

/* What is written instead of a handshake by libssl. */
enum payload {
	PAYLOAD_NONE, /* libssl speaks */
	PAYLOAD_HELLO,
	PAYLOAD_HALF_HELLO,
	PAYLOAD_GARBAGE,
	PAYLOAD_HTTP,
};

/* By which key the server is to prove who it is; it needs a certificate of each. */
enum key_type { KEY_ANY, KEY_ECDSA, KEY_RSA };

/* One prescribed way. Constant. */
struct kind {
	const char *name;
	int min_version, max_version;
	const char *ciphers; /* NULL: the library's */
	const char *status;  /* answer expected to a request; NULL: no request is sent */
	int alert_received;  /* expected; 0 is none */
	int alert_sent;      /* expected; 0 is none */
	enum payload payload;
	bool completes;    /* the handshake is expected to complete */
	bool resumes;      /* a session learnt beforehand */
	bool verifies;     /* checks the server's certificate against an empty store */
	bool port_mtls;    /* goes to the port that asks for a client certificate */
	bool awaits_hello; /* reads the server's hello before it closes */
	bool resets;       /* closes with RST */
	bool holds;        /* stays connected, saying nothing, until the load is stopped */
};

struct kind_counts {
	uint64_t started, carried, connect_errors, unexpected, unfinished;
	uint64_t completed, resumed, server_hello, server_closed, server_reset;
	uint64_t alerts_received[ALERT_COUNT], alerts_sent[ALERT_COUNT];
};

struct cipher_count {
	const char *name; /* the library's, static */
	uint64_t count;
};

/* What completed handshakes negotiated. */
struct seen {
	uint64_t tls12, tls13;
	uint64_t ecdsa, rsa, no_key; /* what the server signed with; nothing where a session was resumed */
	struct cipher_count ciphers[CIPHERS_MAX];
};

/* What a kind needs at run time. */
struct kind_state {
	const struct kind *kind;
	SSL_CTX *context;     /* NULL: libssl does not speak */
	SSL_SESSION *session; /* to resume; NULL until one was learnt */
	unsigned int weight;
	long credit; /* smooth weighted round robin */
	struct kind_counts counts;
	struct seen seen;
};

struct load {
	struct sockaddr_in server, server_mtls;
	unsigned int sources; /* addresses 127.0.0.2 and up to connect from; 0: the kernel chooses */
	unsigned int next_source;
	enum key_type key;
	int epoll;
	unsigned char hello[CLIENT_HELLO_MAX];
	size_t hello_bytes;
	struct kind_state kinds[KIND_COUNT];
};

enum step { STEP_FREE, STEP_CONNECT, STEP_HANDSHAKE, STEP_RESPONSE, STEP_HELLO, STEP_HELD, STEP_DRAIN };

struct connection {
	enum step step;
	int fd;
	SSL *ssl;
	struct kind_state *state;
	struct kind_state *learner; /* the kind whose settings it uses and that gets its session; NULL: none */
	int alert_received, alert_sent;
	bool as_prescribed;
	unsigned char answer[STATUS_BYTES];
	size_t answer_bytes;
};

/* loadgen_kinds.c */

/* Sets up every kind that has a weight. 0 or a negative errno; libssl's own errors go to stderr. */
int load_prepare(struct load *load);
void load_release(struct load *load);
/* NULL: no such kind. Valid as soon as load_init_kinds() was called. */
struct kind_state *load_find_kind(struct load *load, const char *name, size_t name_bytes);
void load_init_kinds(struct load *load);
/* The next kind by weight: over any sum-of-weights picks in a row, each kind comes exactly weight times. */
struct kind_state *load_pick_kind(struct load *load);

/* loadgen_connection.c */

/*
 * Starts a connection of the kind in the free slot. learner, NULL for none, is another kind that has no session
 * yet: the connection uses its settings, and gives it the session that the server issues.
 * Returns false, with connect_errors counted and the slot still free, when it could not be started.
 */
bool connection_start(struct connection *connection, struct load *load, struct kind_state *state,
		      struct kind_state *learner);
/* Goes on after an epoll event. Returns true when the connection has ended and the slot is free. */
bool connection_continue(struct connection *connection, struct load *load);
/* Lets a held connection go; nothing where it is not held. Returns true when it has ended and the slot is free. */
bool connection_let_go(struct connection *connection, const struct load *load);
/* Gives a connection up: counted as unfinished. */
void connection_abandon(struct connection *connection);

/* loadgen_report.c */

/* One JSON object on a line. seconds is the time from the first connection to the end of the last. */
void load_print(const struct load *load, double seconds, FILE *out);

#endif
