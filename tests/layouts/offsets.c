/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled by tests/layouts/measure against the headers of one OpenSSL release: prints each member of struct layout
 * and of struct layout_row's anchor as the compiler has it, "name value", in the order of config.h. A field that a
 * release moved elsewhere or renamed ends the compilation, not the truth. Must not know: the numbers; which release
 * it is, beyond where the release keeps a field.
 */
#if __has_include("crypto/bio/bio_local.h")
#include "crypto/bio/bio_local.h"
#else
#include "crypto/bio/bio_lcl.h"
#endif
#if __has_include("ssl/ssl_local.h")
#include "ssl/ssl_local.h"
#else
#include "ssl/ssl_locl.h"
#endif
#if __has_include("ssl/record/methods/recmethod_local.h")
#include "ssl/record/methods/recmethod_local.h"
#endif

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdio.h>

#include <linux/types.h>

#include "tlswhy/config.h"
#include "tlswhy/verdict.h"

#if OPENSSL_VERSION_NUMBER >= 0x30200000L
/* SSL is the head of a connection, among others; readers and ex_data are objects of their own. */
typedef SSL_CONNECTION connection;
#define OFFSET_ex_data             offsetof(connection, ssl.ex_data.sk)
#define OFFSET_record_layer        offsetof(connection, rlayer.rrl)
#define OFFSET_record_packet       offsetof(OSSL_RECORD_LAYER, packet)
#define OFFSET_record_packet_bytes offsetof(OSSL_RECORD_LAYER, packet_length)
#else
typedef SSL connection;
#define OFFSET_ex_data             offsetof(connection, ex_data.sk)
#define OFFSET_record_layer        LAYOUT_NONE
#define OFFSET_record_packet       offsetof(connection, rlayer.packet)
#define OFFSET_record_packet_bytes offsetof(connection, rlayer.packet_length)
#endif

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define OFFSET_s3            LAYOUT_NONE
#define OFFSET_OF_S3(member) offsetof(connection, s3.member)
#define OFFSET_did_kex       OFFSET_OF_S3(did_kex)
#define OFFSET_peer_share    LAYOUT_NONE
#define OFFSET_session_group offsetof(struct ssl_session_st, kex_group)
#define FAMILY               LIBRARY_OPENSSL_3
#else
#define OFFSET_s3            offsetof(connection, s3)
#define OFFSET_OF_S3(member) offsetof(SSL3_STATE, member)
#define OFFSET_did_kex       LAYOUT_NONE
#define OFFSET_peer_share    OFFSET_OF_S3(peer_tmp)
#define OFFSET_session_group LAYOUT_NONE
#define FAMILY               LIBRARY_OPENSSL_1_1_1
#endif

#define OFFSET_version          offsetof(connection, version)
#define OFFSET_rbio             offsetof(connection, rbio)
#define OFFSET_wbio             offsetof(connection, wbio)
#define OFFSET_rwstate          offsetof(connection, rwstate)
#define OFFSET_server           offsetof(connection, server)
#define OFFSET_shutdown         offsetof(connection, shutdown)
#define OFFSET_flow_state       offsetof(connection, statem.state)
#define OFFSET_read_state       offsetof(connection, statem.read_state)
#define OFFSET_hand_state       offsetof(connection, statem.hand_state)
#define OFFSET_in_init          offsetof(connection, statem.in_init)
#define OFFSET_init_msg         offsetof(connection, init_msg)
#define OFFSET_fatal_alert      OFFSET_OF_S3(fatal_alert)
#define OFFSET_send_alert       OFFSET_OF_S3(send_alert)
#define OFFSET_message_size     OFFSET_OF_S3(tmp.message_size)
#define OFFSET_message_type     OFFSET_OF_S3(tmp.message_type)
#define OFFSET_cert_req         OFFSET_OF_S3(tmp.cert_req)
#define OFFSET_cert_request     OFFSET_OF_S3(tmp.cert_request)
#define OFFSET_new_cipher       OFFSET_OF_S3(tmp.new_cipher)
#define OFFSET_group_id         OFFSET_OF_S3(group_id)
#define OFFSET_sigalg           OFFSET_OF_S3(tmp.sigalg)
#define OFFSET_peer_sigalg      OFFSET_OF_S3(tmp.peer_sigalg)
#define OFFSET_hit              offsetof(connection, hit)
#define OFFSET_hello_retry      offsetof(connection, hello_retry_request)
#define OFFSET_session          offsetof(connection, session)
#define OFFSET_verify_mode      offsetof(connection, verify_mode)
#define OFFSET_verify_result    offsetof(connection, verify_result)
#define OFFSET_options          offsetof(connection, options)
#define OFFSET_min_version      offsetof(connection, min_proto_version)
#define OFFSET_max_version      offsetof(connection, max_proto_version)
#define OFFSET_client_version   offsetof(connection, client_version)
#define OFFSET_hostname         offsetof(connection, ext.hostname)
#define OFFSET_early_data       offsetof(connection, ext.early_data)
#define OFFSET_bio_flags        offsetof(struct bio_st, flags)
#define OFFSET_bio_num          offsetof(struct bio_st, num)
#define OFFSET_bio_next         offsetof(struct bio_st, next_bio)
#define OFFSET_session_cipher   offsetof(struct ssl_session_st, cipher)
#define OFFSET_session_peer     offsetof(struct ssl_session_st, peer)
#define OFFSET_session_hostname offsetof(struct ssl_session_st, ext.hostname)
#define OFFSET_cipher_id        offsetof(struct ssl_cipher_st, id)
#define OFFSET_cipher_exchange  offsetof(struct ssl_cipher_st, algorithm_mkey)
#define OFFSET_sigalg_number    offsetof(SIGALG_LOOKUP, sigalg)

/* The kernel side takes these for the same in every release. */
_Static_assert((SSL_kRSA | SSL_kRSAPSK) == 0x41, "another number of a key exchange without a signature");

static int zero_bits_below(unsigned long number)
{
	int bits = 0;

	for (; !(number & 1); number >>= 1)
		bits++;
	return bits;
}

static void print(const char *name, unsigned long value)
{
	printf("%s %lu\n", name, value);
}

int main(void)
{
#define X(name, meaning) print(#name, OFFSET_##name);
	LAYOUT_FIELDS(X)
#undef X
	/* Not read by us, but returned by a public function of the library: it shows whether its surroundings
	 * moved. */
	print("anchor_read_ahead", offsetof(connection, rlayer.read_ahead));
	print("error_lib_shift", (unsigned long)zero_bits_below(ERR_PACK(1, 0, 0)));
	print("family", FAMILY);
	print("error_lib_ssl", ERR_LIB_SSL);
	print("state_hello_server", TLS_ST_SR_CLNT_HELLO);
	print("state_early_data", TLS_ST_EARLY_DATA);
	print("state_write_hello", TLS_ST_CW_CLNT_HELLO);
	print("state_write_finished", TLS_ST_CW_FINISHED);
	return 0;
}
