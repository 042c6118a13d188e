/* SPDX-License-Identifier: BSD-2-Clause */
/* All structures of the former kind, and what to expect. */
#include "former.h"
#include "expected.h"

struct ssl_st *former_ssl;
struct bio_st *former_bio;
struct ssl_cipher_st *former_cipher;
struct sigalg_lookup_st *former_sigalg;

const uint16_t dwarf_expected[LAYOUT_FIELD_COUNT + 4] = {
	FIELD(version, struct ssl_st, version),
	FIELD(rbio, struct ssl_st, rbio),
	FIELD(wbio, struct ssl_st, wbio),
	FIELD(rwstate, struct ssl_st, rwstate),
	FIELD(server, struct ssl_st, server),
	FIELD(shutdown, struct ssl_st, shutdown),
	FIELD(flow_state, struct ssl_st, statem.state),
	FIELD(read_state, struct ssl_st, statem.read_state),
	FIELD(hand_state, struct ssl_st, statem.hand_state),
	FIELD(in_init, struct ssl_st, statem.in_init),
	FIELD(init_msg, struct ssl_st, init_msg),
	FIELD(fatal_alert, SSL3_STATE, fatal_alert),
	FIELD(send_alert, SSL3_STATE, send_alert),
	FIELD(message_size, SSL3_STATE, tmp.message_size),
	FIELD(message_type, SSL3_STATE, tmp.message_type),
	FIELD(cert_req, SSL3_STATE, tmp.cert_req),
	FIELD(cert_request, SSL3_STATE, tmp.cert_request),
	FIELD(new_cipher, SSL3_STATE, tmp.new_cipher),
	FIELD(group_id, SSL3_STATE, group_id),
	UNKNOWN(did_kex),
	FIELD(peer_share, SSL3_STATE, peer_tmp),
	FIELD(sigalg, SSL3_STATE, tmp.sigalg),
	FIELD(peer_sigalg, SSL3_STATE, tmp.peer_sigalg),
	FIELD(hit, struct ssl_st, hit),
	FIELD(hello_retry, struct ssl_st, hello_retry_request),
	FIELD(session, struct ssl_st, session),
	FIELD(verify_mode, struct ssl_st, verify_mode),
	FIELD(verify_result, struct ssl_st, verify_result),
	FIELD(options, struct ssl_st, options),
	FIELD(min_version, struct ssl_st, min_proto_version),
	FIELD(max_version, struct ssl_st, max_proto_version),
	FIELD(client_version, struct ssl_st, client_version),
	FIELD(hostname, struct ssl_st, ext.hostname),
	FIELD(early_data, struct ssl_st, ext.early_data),
	FIELD(s3, struct ssl_st, s3),
	FIELD(ex_data, struct ssl_st, ex_data.sk),
	UNKNOWN(record_layer),
	FIELD(record_packet, struct ssl_st, rlayer.packet),
	FIELD(record_packet_bytes, struct ssl_st, rlayer.packet_length),
	FIELD(bio_flags, struct bio_st, flags),
	FIELD(bio_num, struct bio_st, num),
	FIELD(bio_next, struct bio_st, next_bio),
	FIELD(session_cipher, SSL_SESSION, cipher),
	FIELD(session_peer, SSL_SESSION, peer),
	FIELD(session_hostname, SSL_SESSION, ext.hostname),
	UNKNOWN(session_group),
	FIELD(cipher_id, struct ssl_cipher_st, id),
	FIELD(cipher_exchange, struct ssl_cipher_st, algorithm_mkey),
	FIELD(sigalg_number, struct sigalg_lookup_st, sigalg),
	STATES(TLS_ST_SR_CLNT_HELLO, TLS_ST_EARLY_DATA, TLS_ST_CW_CLNT_HELLO, TLS_ST_CW_FINISHED),
};
