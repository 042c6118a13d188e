/* SPDX-License-Identifier: BSD-2-Clause */
/* In the manner of OpenSSL since 3.2: a connection around an ssl_st, s3 within, a record layer of its own. */
#ifndef TLSWHY_TESTS_DWARF_MODERN_H
#define TLSWHY_TESTS_DWARF_MODERN_H

#include <stddef.h>
#include <stdint.h>

#ifndef SALT
#define SALT 8
#endif

struct ssl_st {
	int type;
	char padding[20];
	struct crypto_ex_data_st {
		void *ctx;
		void *sk;
	} ex_data;
};

typedef enum {
	TLS_ST_BEFORE,
	TLS_ST_CW_CLNT_HELLO = 15,
	TLS_ST_CW_FINISHED = 25,
	TLS_ST_SR_CLNT_HELLO = 35,
	TLS_ST_EARLY_DATA = 250,
} OSSL_HANDSHAKE_STATE;

typedef struct ossl_record_layer_st OSSL_RECORD_LAYER;

typedef struct ssl_session_st {
	char salt[SALT]; /* differs between libraries that share the types of the other members */
	int ssl_version;
	void *peer;
	const struct ssl_cipher_st *cipher;
	struct {
		char *hostname;
		size_t ticklen;
	} ext;
	unsigned int kex_group;
} SSL_SESSION;

struct ssl_cipher_st {
	const char *name;
	uint32_t valid, id, algorithm_mkey;
};

typedef struct sigalg_lookup_st {
	const char *name, *name12;
	uint16_t sigalg;
	int hash;
} SIGALG_LOOKUP;

#ifdef ODD
typedef float version_number; /* as large as an int, and none */
typedef _Bool exchanged;
typedef uint32_t group_number;
#define ODD_BITS : 1
#else
typedef int version_number;
typedef char exchanged;
typedef uint16_t group_number;
#define ODD_BITS
#endif

struct ssl_connection_st {
	struct ssl_st ssl;
	int version;
	void *rbio, *wbio, *bbio;
	volatile int rwstate;
	int server;
	/* Members of structures without a name belong to what is around them. */
	union {
		struct {
			long quiet_shutdown;
			int shutdown;
		};
		char spare[24];
	};
	struct ossl_statem_st {
		enum { MSG_FLOW_UNINITED, MSG_FLOW_READING } state;
		enum { READ_STATE_HEADER, READ_STATE_BODY } read_state;
		OSSL_HANDSHAKE_STATE request_state, hand_state;
		int in_init ODD_BITS;
	} statem;
	void *const init_msg;
	struct {
		int warn_alert, fatal_alert;
#ifdef ODD
		unsigned char send_alert[3];
#else
		unsigned char send_alert[2];
#endif
		struct {
			size_t message_size;
			int message_type, cert_req, cert_request;
			const struct ssl_cipher_st *new_cipher;
			const SIGALG_LOOKUP *sigalg, *peer_sigalg;
		} tmp;
		exchanged did_kex;
		group_number group_id;
	} s3;
	int hit;
	enum { SSL_HRR_NONE } hello_retry_request;
	SSL_SESSION *session;
	uint32_t verify_mode;
	long verify_result;
	uint64_t options;
	int min_proto_version;
	version_number max_proto_version;
	int client_version;
	struct {
		char *hostname;
		int early_data;
	} ext;
	struct {
		void *s;
		OSSL_RECORD_LAYER *rrl;
	} rlayer;
};

#endif
