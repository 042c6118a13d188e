/* SPDX-License-Identifier: BSD-2-Clause */
/* Most structures, what to expect of all of them, and what must not be mistaken for the states. */
#include "modern.h"
#include "expected.h"

#include "modern_layers.h"

enum decoy { DECOY_TLS_ST_SR_CLNT_HELLO = 1, DECOY_TLS_ST_EARLY_DATA };

struct ssl_connection_st *modern_connection;
struct ssl_cipher_st *modern_cipher;
enum decoy modern_decoy;

typedef struct ssl_connection_st C;

const uint16_t dwarf_expected[LAYOUT_FIELD_COUNT + 4] = {
	FIELD(version, C, version),
	FIELD(rbio, C, rbio),
	FIELD(wbio, C, wbio),
	FIELD(rwstate, C, rwstate),
	FIELD(server, C, server),
	FIELD(shutdown, C, shutdown),
	FIELD(flow_state, C, statem.state),
	FIELD(read_state, C, statem.read_state),
	FIELD(hand_state, C, statem.hand_state),
	FIELD(init_msg, C, init_msg),
	FIELD(fatal_alert, C, s3.fatal_alert),
	FIELD(message_size, C, s3.tmp.message_size),
	FIELD(message_type, C, s3.tmp.message_type),
	FIELD(cert_req, C, s3.tmp.cert_req),
	FIELD(cert_request, C, s3.tmp.cert_request),
	FIELD(new_cipher, C, s3.tmp.new_cipher),
	UNKNOWN(peer_share),
	FIELD(sigalg, C, s3.tmp.sigalg),
	FIELD(peer_sigalg, C, s3.tmp.peer_sigalg),
	FIELD(hit, C, hit),
	FIELD(hello_retry, C, hello_retry_request),
	FIELD(session, C, session),
	FIELD(verify_mode, C, verify_mode),
	FIELD(verify_result, C, verify_result),
	FIELD(options, C, options),
	FIELD(min_version, C, min_proto_version),
	FIELD(client_version, C, client_version),
	FIELD(hostname, C, ext.hostname),
	FIELD(early_data, C, ext.early_data),
	UNKNOWN(s3),
	FIELD(ex_data, C, ssl.ex_data.sk),
	FIELD(record_layer, C, rlayer.rrl),
	FIELD(record_packet, struct expected_record_layer, packet),
	FIELD(record_packet_bytes, struct expected_record_layer, packet_length),
	FIELD(bio_flags, struct expected_bio, flags),
	FIELD(bio_num, struct expected_bio, num),
	FIELD(bio_next, struct expected_bio, next_bio),
	FIELD(session_cipher, SSL_SESSION, cipher),
	FIELD(session_peer, SSL_SESSION, peer),
	FIELD(session_hostname, SSL_SESSION, ext.hostname),
	FIELD(session_group, SSL_SESSION, kex_group),
	FIELD(cipher_id, struct ssl_cipher_st, id),
	FIELD(cipher_exchange, struct ssl_cipher_st, algorithm_mkey),
	FIELD(sigalg_number, SIGALG_LOOKUP, sigalg),
#ifdef ODD
	UNKNOWN(in_init),
	UNKNOWN(send_alert),
	UNKNOWN(max_version),
	UNKNOWN(did_kex),
	UNKNOWN(group_id),
#else
	FIELD(in_init, C, statem.in_init),
	FIELD(send_alert, C, s3.send_alert),
	FIELD(max_version, C, max_proto_version),
	FIELD(did_kex, C, s3.did_kex),
	FIELD(group_id, C, s3.group_id),
#endif
	STATES(TLS_ST_SR_CLNT_HELLO, TLS_ST_EARLY_DATA, TLS_ST_CW_CLNT_HELLO, TLS_ST_CW_FINISHED),
};
