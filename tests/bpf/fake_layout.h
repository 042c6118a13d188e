/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the victim's objects have their fields: as in OpenSSL 3.0 on 64-bit machines, written down once more so that
 * the shipped table is checked against it and not against itself.
 * Must not know: the table of user/attach.
 */
#ifndef TLSWHY_TESTS_BPF_FAKE_LAYOUT_H
#define TLSWHY_TESTS_BPF_FAKE_LAYOUT_H

#include <linux/types.h>

#include "tlswhy/config.h"
#include "tlswhy/verdict.h"

/* ngx_ssl_connection_index in the victim. */
#define FAKE_CONNECTION_INDEX 3

/* What listeners of http have as their handler. */
#define FAKE_HTTP_HANDLER 0x41000

/* OpenSSL 3.2 on has an object that reads records: where the victim has a pointer to it, and in it. */
#define FAKE_READER        8000
#define FAKE_READER_PACKET 16

/* OpenSSL 1.1.1 keeps alerts and the message in an object of its own: where the victim has a pointer to it. */
#define FAKE_S3              8016
#define FAKE_S3_FATAL_ALERT  248
#define FAKE_S3_SEND_ALERT   256
#define FAKE_S3_MESSAGE_SIZE 552
#define FAKE_S3_MESSAGE_TYPE 560
#define FAKE_S3_CERT_REQ     584
#define FAKE_S3_CERT_REQUEST 672
#define FAKE_S3_NEW_CIPHER   568
#define FAKE_S3_GROUP_ID     1030
#define FAKE_S3_PEER_SHARE   1032
#define FAKE_S3_SIGALG       728
#define FAKE_S3_PEER_SIGALG  776

/* Values of OpenSSL 3.0's enums and flags that the scripts use. */
#define STATE_BEFORE                0  /* TLS_ST_BEFORE */
#define STATE_OK                    1  /* TLS_ST_OK */
#define STATE_READ_SH               3  /* TLS_ST_CR_SRVR_HELLO */
#define STATE_WROTE_CH              12 /* TLS_ST_CW_CLNT_HELLO */
#define STATE_WROTE_CLIENT_FINISHED 18
#define STATE_READ_CH               20 /* TLS_ST_SR_CLNT_HELLO */
#define STATE_READ_KEY              28 /* TLS_ST_SR_KEY_EXCH */
#define STATE_EARLY_DATA            46 /* TLS_ST_EARLY_DATA */
#define FLOW_UNINITED               0
#define FLOW_ERROR                  1
#define FLOW_READING                2
#define FLOW_WRITING                3
#define FLOW_FINISHED               4
#define WAIT_WRITE                  2 /* SSL_WRITING */
#define WAIT_READ                   3 /* SSL_READING */
#define READ_HEADER                 0 /* READ_STATE_HEADER, BODY */
#define READ_BODY                   1
#define EARLY_REJECTED              1 /* SSL_EARLY_DATA_REJECTED, ACCEPTED */
#define EARLY_ACCEPTED              2
#define BIO_READ_RETRY              9
#define BIO_WRITE_RETRY             0xa
#define BIO_AT_EOF                  0x800

#define X(...) +1
_Static_assert((0 LAYOUT_FIELDS(X)) == 49, "LAYOUT_FIELDS has changed: give the new field a place, or LAYOUT_NONE");
#undef X

static const struct layout fake_layout = {
	.version = 0,
	.rbio = 16,
	.wbio = 24,
	.rwstate = 40,
	.server = 56,
	.shutdown = 68,
	.flow_state = 72,
	.read_state = 84,
	.hand_state = 92,
	.in_init = 100,
	.init_msg = 144,
	.fatal_alert = 416,
	.send_alert = 424,
	.message_size = 720,
	.message_type = 728,
	.cert_req = 752,
	.cert_request = 840,
	.new_cipher = 736,
	.group_id = 1198,
	.did_kex = 1197,
	.peer_share = LAYOUT_NONE,
	.sigalg = 896,
	.peer_sigalg = 944,
	.hit = 1232,
	.hello_retry = 2280,
	.session = 2328,
	.verify_mode = 2408,
	.verify_result = 2488,
	.options = 2536,
	.min_version = 2548,
	.max_version = 2552,
	.client_version = 2572,
	.hostname = 2648,
	.early_data = 2864,
	.s3 = LAYOUT_NONE,
	.ex_data = 2504,
	.record_layer = LAYOUT_NONE,
	.record_packet = 7336,
	.record_packet_bytes = 7344,
	.bio_flags = 48,
	.bio_num = 56,
	.bio_next = 72,
	.session_cipher = 760,
	.session_peer = 696,
	.session_hostname = 816,
	.session_group = 776,
	.cipher_id = 24,
	.cipher_exchange = 28,
	.sigalg_number = 8,
	.error_lib_shift = 23,
	.family = LIBRARY_OPENSSL_3,
	.error_lib_ssl = 20,
	.state_hello_server = STATE_READ_CH,
	.state_early_data = STATE_EARLY_DATA,
	.state_write_hello = STATE_WROTE_CH,
	.state_write_finished = STATE_WROTE_CLIENT_FINISHED,
};

#endif
