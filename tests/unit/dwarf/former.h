/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the manner of OpenSSL 1.1.1: s3 is an object of its own, the record being read is in the SSL object. A source
 * with S3_IS_OPAQUE knows that object by pointer only, as compilers write it down where nothing looks into it.
 */
#ifndef TLSWHY_TESTS_DWARF_FORMER_H
#define TLSWHY_TESTS_DWARF_FORMER_H

#include <stddef.h>
#include <stdint.h>

typedef struct ssl3_state_st SSL3_STATE;

#ifndef S3_IS_OPAQUE
struct ssl3_state_st {
	long flags;
	int fatal_alert;
	unsigned char send_alert[2];
	struct {
		size_t message_size;
		int message_type, cert_req, cert_request;
		const struct ssl_cipher_st *new_cipher;
		const struct sigalg_lookup_st *sigalg, *peer_sigalg;
	} tmp;
	uint16_t group_id;
	void *peer_tmp;
};
#endif

struct sigalg_lookup_st {
	const char *name;
	uint16_t sigalg;
	int hash;
};

typedef struct ssl_session_st {
	void *peer, *cipher;
	struct {
		char *hostname;
	} ext;
} SSL_SESSION;

struct ssl_cipher_st {
	uint32_t id, algorithm_mkey;
};

struct bio_st {
	int flags, num;
	struct bio_st *next_bio;
};

struct ssl_st {
	int version;
	void *rbio, *wbio;
	int rwstate, server, shutdown;
	struct {
		int state, read_state;
		enum {
			TLS_ST_BEFORE,
			TLS_ST_SR_CLNT_HELLO = 3,
			TLS_ST_EARLY_DATA,
			TLS_ST_CW_CLNT_HELLO,
			TLS_ST_CW_FINISHED,
		} hand_state;
		int in_init;
	} statem;
	void *init_msg;
	SSL3_STATE *s3;
	int hit, hello_retry_request;
	SSL_SESSION *session;
	uint32_t verify_mode, options;
	long verify_result;
	int min_proto_version, max_proto_version, client_version;
	struct {
		void *sk;
	} ex_data;
	struct {
		char *hostname;
		int early_data;
	} ext;
	struct {
		unsigned char *packet;
		size_t packet_length;
	} rlayer;
};

#endif
