/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a layout's fields are, by the names they have in OpenSSL's sources from 1.1.1 on. Offsets are relative to
 * what the kernel side follows: fields of the record layer and, in 1.1.1, of s3 are in objects of their own.
 * Must not know: how debug information is read.
 */
#include "attach/dwarf_private.h"

#define STRUCTURE(name, owner_, part_, key_)                                                                         \
	{                                                                                                            \
		.tag = (name), .owner = DWARF_OWNER_##owner_, .part = DWARF_PART_##part_, .key = LAYOUT_FIELD_##key_ \
	}

const struct dwarf_structure dwarf_structures[] = {
	/* From 3.2 on an SSL is a connection, and ssl_st only what connections and streams have in common. */
	STRUCTURE("ssl_connection_st", SSL, SSL, version),
	STRUCTURE("ssl_st", SSL, SSL, version),
	STRUCTURE("ssl3_state_st", SSL3, SSL, fatal_alert),
	STRUCTURE("ossl_record_layer_st", RECORD_LAYER, SSL, record_packet),
	STRUCTURE("ssl_session_st", SESSION, SSL, session_cipher),
	STRUCTURE("ssl_cipher_st", CIPHER, SSL, cipher_id),
	STRUCTURE("sigalg_lookup_st", SIGALG, SSL, sigalg_number),
	STRUCTURE("bio_st", BIO, BIO, bio_flags),
};
const size_t dwarf_structure_count = sizeof(dwarf_structures) / sizeof(dwarf_structures[0]);

#define PATH(owner_, field_, kind_, members_)                                                              \
	{                                                                                                  \
		.field = LAYOUT_FIELD_##field_, .owner = DWARF_OWNER_##owner_, .kind = DWARF_KIND_##kind_, \
		.members = (members_)                                                                      \
	}
#define SSL(...)     PATH(SSL, __VA_ARGS__)
#define SSL3(...)    PATH(SSL3, __VA_ARGS__)
#define RECORD(...)  PATH(RECORD_LAYER, __VA_ARGS__)
#define SESSION(...) PATH(SESSION, __VA_ARGS__)
#define CIPHER(...)  PATH(CIPHER, __VA_ARGS__)
#define SIGALG(...)  PATH(SIGALG, __VA_ARGS__)
#define BIO(...)     PATH(BIO, __VA_ARGS__)

const struct dwarf_path dwarf_paths[] = {
	SSL(version, INT, "version"),
	SSL(rbio, POINTER, "rbio"),
	SSL(wbio, POINTER, "wbio"),
	SSL(rwstate, INT, "rwstate"),
	SSL(server, INT, "server"),
	SSL(shutdown, INT, "shutdown"),
	SSL(flow_state, INT, "statem.state"),
	SSL(read_state, INT, "statem.read_state"),
	SSL(hand_state, INT, "statem.hand_state"),
	SSL(in_init, INT, "statem.in_init"),
	SSL(init_msg, POINTER, "init_msg"),
	SSL(fatal_alert, INT, "s3.fatal_alert"),
	SSL3(fatal_alert, INT, "fatal_alert"),
	SSL(send_alert, BYTES2, "s3.send_alert"),
	SSL3(send_alert, BYTES2, "send_alert"),
	SSL(message_size, WORD, "s3.tmp.message_size"),
	SSL3(message_size, WORD, "tmp.message_size"),
	SSL(message_type, INT, "s3.tmp.message_type"),
	SSL3(message_type, INT, "tmp.message_type"),
	SSL(cert_req, INT, "s3.tmp.cert_req"),
	SSL3(cert_req, INT, "tmp.cert_req"),
	SSL(cert_request, INT, "s3.tmp.cert_request"),
	SSL3(cert_request, INT, "tmp.cert_request"),
	SSL(new_cipher, POINTER, "s3.tmp.new_cipher"),
	SSL3(new_cipher, POINTER, "tmp.new_cipher"),
	SSL(group_id, SHORT, "s3.group_id"),
	SSL3(group_id, SHORT, "group_id"),
	SSL(did_kex, CHAR, "s3.did_kex"),
	SSL3(peer_share, POINTER, "peer_tmp"),
	SSL(sigalg, POINTER, "s3.tmp.sigalg"),
	SSL3(sigalg, POINTER, "tmp.sigalg"),
	SSL(peer_sigalg, POINTER, "s3.tmp.peer_sigalg"),
	SSL3(peer_sigalg, POINTER, "tmp.peer_sigalg"),
	SSL(hit, INT, "hit"),
	SSL(hello_retry, INT, "hello_retry_request"),
	SSL(session, POINTER, "session"),
	SSL(verify_mode, INT, "verify_mode"),
	SSL(verify_result, WORD, "verify_result"),
	SSL(options, FLAGS, "options"),
	SSL(min_version, INT, "min_proto_version"),
	SSL(max_version, INT, "max_proto_version"),
	SSL(client_version, INT, "client_version"),
	SSL(hostname, POINTER, "ext.hostname"),
	SSL(early_data, INT, "ext.early_data"),
	SSL(s3, POINTER, "s3"),
	SSL(ex_data, POINTER, "ex_data.sk"),
	SSL(ex_data, POINTER, "ssl.ex_data.sk"),
	SSL(record_layer, POINTER, "rlayer.rrl"),
	SSL(record_packet, POINTER, "rlayer.packet"),
	RECORD(record_packet, POINTER, "packet"),
	SSL(record_packet_bytes, WORD, "rlayer.packet_length"),
	RECORD(record_packet_bytes, WORD, "packet_length"),
	BIO(bio_flags, INT, "flags"),
	BIO(bio_num, INT, "num"),
	BIO(bio_next, POINTER, "next_bio"),
	SESSION(session_cipher, POINTER, "cipher"),
	SESSION(session_peer, POINTER, "peer"),
	SESSION(session_hostname, POINTER, "ext.hostname"),
	SESSION(session_group, INT, "kex_group"),
	CIPHER(cipher_id, INT, "id"),
	CIPHER(cipher_exchange, INT, "algorithm_mkey"),
	SIGALG(sigalg_number, SHORT, "sigalg"),
};
const size_t dwarf_path_count = sizeof(dwarf_paths) / sizeof(dwarf_paths[0]);

const char *const dwarf_state_names[DWARF_STATE_COUNT] = {
#define X(name, enumerator) [DWARF_STATE_##name] = (enumerator),
	DWARF_STATES(X)
#undef X
};

void dwarf_types_clear(struct dwarf_types *types)
{
	*types = (struct dwarf_types){ 0 };
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		types->values[i] = LAYOUT_NONE;
}
