/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Written by tests/layouts/generate from tests/layouts/offsets.csv, which tests/layouts/measure filled by compiling
 * offsetof() against the headers of 79 releases. Change those, not this.
 *
 * Invariant: a range ends at releases that were compiled. Must not know: what a row is used for.
 */
#include "attach/layout.h"
#include "attach/layout_table.h"

_Static_assert(LAYOUT_FIELD_COUNT == 49, "tests/layouts/measure has to measure the fields of config.h again");

/* clang-format off */
const struct layout_row layout_rows[] = {
	/* 1.1.1 */
	{
		.layout = {
			.version = 0, .rbio = 16, .wbio = 24, .rwstate = 40, .server = 56, .shutdown = 68,
			.flow_state = 72, .read_state = 84, .hand_state = 92, .in_init = 100, .init_msg = 144,
			.fatal_alert = 248, .send_alert = 256, .message_size = 552, .message_type = 560,
			.cert_req = 584, .cert_request = 672, .new_cipher = 568, .group_id = 1030,
			.did_kex = LAYOUT_NONE, .peer_share = 1032, .sigalg = 728, .peer_sigalg = 776, .hit = 200,
			.hello_retry = 1248, .session = 1296, .verify_mode = 1376, .verify_result = 1456,
			.options = 1484, .min_version = 1492, .max_version = 1496, .client_version = 1516,
			.hostname = 1592, .early_data = 1776, .s3 = 168, .ex_data = 1464, .record_layer = LAYOUT_NONE,
			.record_packet = 5976, .record_packet_bytes = 5984, .bio_flags = 40, .bio_num = 48,
			.bio_next = 64, .session_cipher = 312, .session_peer = 248, .session_hostname = 360,
			.session_group = LAYOUT_NONE, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 24, .family = 1, .error_lib_ssl = 20, .state_hello_server = 20,
			.state_early_data = 46, .state_write_hello = 12, .state_write_finished = 18,
		},
		.anchor_read_ahead = 2072,
	},
	/* 1.1.1a */
	{
		.layout = {
			.version = 0, .rbio = 16, .wbio = 24, .rwstate = 40, .server = 56, .shutdown = 68,
			.flow_state = 72, .read_state = 84, .hand_state = 92, .in_init = 100, .init_msg = 144,
			.fatal_alert = 248, .send_alert = 256, .message_size = 552, .message_type = 560,
			.cert_req = 584, .cert_request = 672, .new_cipher = 568, .group_id = 1030,
			.did_kex = LAYOUT_NONE, .peer_share = 1032, .sigalg = 728, .peer_sigalg = 776, .hit = 200,
			.hello_retry = 1248, .session = 1296, .verify_mode = 1376, .verify_result = 1456,
			.options = 1492, .min_version = 1500, .max_version = 1504, .client_version = 1524,
			.hostname = 1600, .early_data = 1784, .s3 = 168, .ex_data = 1464, .record_layer = LAYOUT_NONE,
			.record_packet = 5984, .record_packet_bytes = 5992, .bio_flags = 40, .bio_num = 48,
			.bio_next = 64, .session_cipher = 504, .session_peer = 440, .session_hostname = 552,
			.session_group = LAYOUT_NONE, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 24, .family = 1, .error_lib_ssl = 20, .state_hello_server = 20,
			.state_early_data = 46, .state_write_hello = 12, .state_write_finished = 18,
		},
		.anchor_read_ahead = 2080,
	},
	/* 1.1.1b */
	{
		.layout = {
			.version = 0, .rbio = 16, .wbio = 24, .rwstate = 40, .server = 56, .shutdown = 68,
			.flow_state = 72, .read_state = 84, .hand_state = 92, .in_init = 100, .init_msg = 144,
			.fatal_alert = 248, .send_alert = 256, .message_size = 552, .message_type = 560,
			.cert_req = 584, .cert_request = 672, .new_cipher = 568, .group_id = 1030,
			.did_kex = LAYOUT_NONE, .peer_share = 1032, .sigalg = 728, .peer_sigalg = 776, .hit = 200,
			.hello_retry = 1240, .session = 1288, .verify_mode = 1368, .verify_result = 1448,
			.options = 1484, .min_version = 1492, .max_version = 1496, .client_version = 1516,
			.hostname = 1592, .early_data = 1776, .s3 = 168, .ex_data = 1456, .record_layer = LAYOUT_NONE,
			.record_packet = 5976, .record_packet_bytes = 5984, .bio_flags = 40, .bio_num = 48,
			.bio_next = 64, .session_cipher = 504, .session_peer = 440, .session_hostname = 552,
			.session_group = LAYOUT_NONE, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 24, .family = 1, .error_lib_ssl = 20, .state_hello_server = 20,
			.state_early_data = 46, .state_write_hello = 12, .state_write_finished = 18,
		},
		.anchor_read_ahead = 2072,
	},
	/* 1.1.1c */
	{
		.layout = {
			.version = 0, .rbio = 16, .wbio = 24, .rwstate = 40, .server = 56, .shutdown = 68,
			.flow_state = 72, .read_state = 84, .hand_state = 92, .in_init = 100, .init_msg = 144,
			.fatal_alert = 248, .send_alert = 256, .message_size = 552, .message_type = 560,
			.cert_req = 584, .cert_request = 672, .new_cipher = 568, .group_id = 1030,
			.did_kex = LAYOUT_NONE, .peer_share = 1032, .sigalg = 728, .peer_sigalg = 776, .hit = 200,
			.hello_retry = 1240, .session = 1288, .verify_mode = 1368, .verify_result = 1448,
			.options = 1484, .min_version = 1492, .max_version = 1496, .client_version = 1516,
			.hostname = 1592, .early_data = 1776, .s3 = 168, .ex_data = 1456, .record_layer = LAYOUT_NONE,
			.record_packet = 5984, .record_packet_bytes = 5992, .bio_flags = 40, .bio_num = 48,
			.bio_next = 64, .session_cipher = 504, .session_peer = 440, .session_hostname = 552,
			.session_group = LAYOUT_NONE, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 24, .family = 1, .error_lib_ssl = 20, .state_hello_server = 20,
			.state_early_data = 46, .state_write_hello = 12, .state_write_finished = 18,
		},
		.anchor_read_ahead = 2080,
	},
	/* 1.1.1d 1.1.1e 1.1.1f 1.1.1g 1.1.1h 1.1.1i */
	{
		.layout = {
			.version = 0, .rbio = 16, .wbio = 24, .rwstate = 40, .server = 56, .shutdown = 68,
			.flow_state = 72, .read_state = 84, .hand_state = 92, .in_init = 100, .init_msg = 144,
			.fatal_alert = 248, .send_alert = 256, .message_size = 552, .message_type = 560,
			.cert_req = 584, .cert_request = 672, .new_cipher = 568, .group_id = 1030,
			.did_kex = LAYOUT_NONE, .peer_share = 1032, .sigalg = 728, .peer_sigalg = 776, .hit = 200,
			.hello_retry = 1248, .session = 1296, .verify_mode = 1376, .verify_result = 1456,
			.options = 1492, .min_version = 1500, .max_version = 1504, .client_version = 1524,
			.hostname = 1600, .early_data = 1816, .s3 = 168, .ex_data = 1464, .record_layer = LAYOUT_NONE,
			.record_packet = 6024, .record_packet_bytes = 6032, .bio_flags = 40, .bio_num = 48,
			.bio_next = 64, .session_cipher = 504, .session_peer = 440, .session_hostname = 544,
			.session_group = LAYOUT_NONE, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 24, .family = 1, .error_lib_ssl = 20, .state_hello_server = 20,
			.state_early_data = 46, .state_write_hello = 12, .state_write_finished = 18,
		},
		.anchor_read_ahead = 2120,
	},
	/* 1.1.1j 1.1.1k 1.1.1l 1.1.1m 1.1.1n 1.1.1o 1.1.1p 1.1.1q 1.1.1r 1.1.1s 1.1.1t 1.1.1u
	 * 1.1.1v 1.1.1w */
	{
		.layout = {
			.version = 0, .rbio = 16, .wbio = 24, .rwstate = 40, .server = 56, .shutdown = 68,
			.flow_state = 72, .read_state = 84, .hand_state = 92, .in_init = 100, .init_msg = 144,
			.fatal_alert = 248, .send_alert = 256, .message_size = 552, .message_type = 560,
			.cert_req = 584, .cert_request = 672, .new_cipher = 568, .group_id = 1030,
			.did_kex = LAYOUT_NONE, .peer_share = 1032, .sigalg = 728, .peer_sigalg = 776, .hit = 200,
			.hello_retry = 1248, .session = 1296, .verify_mode = 1376, .verify_result = 1456,
			.options = 1492, .min_version = 1500, .max_version = 1504, .client_version = 1524,
			.hostname = 1600, .early_data = 1816, .s3 = 168, .ex_data = 1464, .record_layer = LAYOUT_NONE,
			.record_packet = 6024, .record_packet_bytes = 6032, .bio_flags = 40, .bio_num = 48,
			.bio_next = 64, .session_cipher = 496, .session_peer = 440, .session_hostname = 536,
			.session_group = LAYOUT_NONE, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 24, .family = 1, .error_lib_ssl = 20, .state_hello_server = 20,
			.state_early_data = 46, .state_write_hello = 12, .state_write_finished = 18,
		},
		.anchor_read_ahead = 2120,
	},
	/* 3.0.0 3.0.1 3.0.2 3.0.3 3.0.4 3.0.5 3.0.6 3.0.7 3.0.8 3.0.9 3.0.10 3.0.11 3.0.12
	 * 3.0.13 3.0.14 3.0.15 3.0.17 3.0.20 3.0.22 3.1.0 3.1.1 3.1.2 3.1.3 3.1.4 3.1.5 3.1.6
	 * 3.1.7 */
	{
		.layout = {
			.version = 0, .rbio = 16, .wbio = 24, .rwstate = 40, .server = 56, .shutdown = 68,
			.flow_state = 72, .read_state = 84, .hand_state = 92, .in_init = 100, .init_msg = 144,
			.fatal_alert = 416, .send_alert = 424, .message_size = 720, .message_type = 728,
			.cert_req = 752, .cert_request = 840, .new_cipher = 736, .group_id = 1198, .did_kex = 1197,
			.peer_share = LAYOUT_NONE, .sigalg = 896, .peer_sigalg = 944, .hit = 1232,
			.hello_retry = 2280, .session = 2328, .verify_mode = 2408, .verify_result = 2488,
			.options = 2536, .min_version = 2548, .max_version = 2552, .client_version = 2572,
			.hostname = 2648, .early_data = 2864, .s3 = LAYOUT_NONE, .ex_data = 2504,
			.record_layer = LAYOUT_NONE, .record_packet = 7336, .record_packet_bytes = 7344,
			.bio_flags = 48, .bio_num = 56, .bio_next = 72, .session_cipher = 760, .session_peer = 696,
			.session_hostname = 816, .session_group = 776, .cipher_id = 24, .cipher_exchange = 28,
			.sigalg_number = 8,
			.error_lib_shift = 23, .family = 2, .error_lib_ssl = 20, .state_hello_server = 20,
			.state_early_data = 46, .state_write_hello = 12, .state_write_finished = 18,
		},
		.anchor_read_ahead = 3168,
	},
	/* 3.2.0 3.2.1 3.2.2 3.3.0 3.3.1 */
	{
		.layout = {
			.version = 64, .rbio = 72, .wbio = 80, .rwstate = 96, .server = 112, .shutdown = 124,
			.flow_state = 144, .read_state = 156, .hand_state = 164, .in_init = 172, .init_msg = 248,
			.fatal_alert = 376, .send_alert = 384, .message_size = 680, .message_type = 688,
			.cert_req = 712, .cert_request = 800, .new_cipher = 696, .group_id = 1126, .did_kex = 1125,
			.peer_share = LAYOUT_NONE, .sigalg = 856, .peer_sigalg = 904, .hit = 1160,
			.hello_retry = 2128, .session = 2176, .verify_mode = 2256, .verify_result = 2328,
			.options = 2352, .min_version = 2364, .max_version = 2368, .client_version = 2388,
			.hostname = 2464, .early_data = 2680, .s3 = LAYOUT_NONE, .ex_data = 56, .record_layer = 3040,
			.record_packet = 4080, .record_packet_bytes = 4088, .bio_flags = 48, .bio_num = 56,
			.bio_next = 72, .session_cipher = 768, .session_peer = 704, .session_hostname = 824,
			.session_group = 784, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 23, .family = 2, .error_lib_ssl = 20, .state_hello_server = 22,
			.state_early_data = 50, .state_write_hello = 13, .state_write_finished = 20,
		},
		.anchor_read_ahead = 3072,
	},
	/* 3.2.3 3.3.2 3.4.0 */
	{
		.layout = {
			.version = 64, .rbio = 72, .wbio = 80, .rwstate = 96, .server = 112, .shutdown = 124,
			.flow_state = 144, .read_state = 156, .hand_state = 164, .in_init = 172, .init_msg = 248,
			.fatal_alert = 376, .send_alert = 384, .message_size = 680, .message_type = 688,
			.cert_req = 712, .cert_request = 800, .new_cipher = 696, .group_id = 1126, .did_kex = 1125,
			.peer_share = LAYOUT_NONE, .sigalg = 856, .peer_sigalg = 904, .hit = 1160,
			.hello_retry = 2128, .session = 2176, .verify_mode = 2256, .verify_result = 2328,
			.options = 2352, .min_version = 2364, .max_version = 2368, .client_version = 2388,
			.hostname = 2464, .early_data = 2680, .s3 = LAYOUT_NONE, .ex_data = 56, .record_layer = 3040,
			.record_packet = 4080, .record_packet_bytes = 4088, .bio_flags = 48, .bio_num = 56,
			.bio_next = 72, .session_cipher = 760, .session_peer = 704, .session_hostname = 800,
			.session_group = 776, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 23, .family = 2, .error_lib_ssl = 20, .state_hello_server = 22,
			.state_early_data = 50, .state_write_hello = 13, .state_write_finished = 20,
		},
		.anchor_read_ahead = 3072,
	},
	/* 3.3.3 3.3.4 3.3.5 3.3.6 3.4.1 3.4.2 3.4.3 3.4.4 */
	{
		.layout = {
			.version = 72, .rbio = 80, .wbio = 88, .rwstate = 104, .server = 120, .shutdown = 132,
			.flow_state = 152, .read_state = 164, .hand_state = 172, .in_init = 180, .init_msg = 256,
			.fatal_alert = 384, .send_alert = 392, .message_size = 688, .message_type = 696,
			.cert_req = 720, .cert_request = 808, .new_cipher = 704, .group_id = 1134, .did_kex = 1133,
			.peer_share = LAYOUT_NONE, .sigalg = 864, .peer_sigalg = 912, .hit = 1168,
			.hello_retry = 2136, .session = 2184, .verify_mode = 2264, .verify_result = 2336,
			.options = 2360, .min_version = 2372, .max_version = 2376, .client_version = 2396,
			.hostname = 2472, .early_data = 2688, .s3 = LAYOUT_NONE, .ex_data = 56, .record_layer = 3048,
			.record_packet = 4080, .record_packet_bytes = 4088, .bio_flags = 48, .bio_num = 56,
			.bio_next = 72, .session_cipher = 760, .session_peer = 704, .session_hostname = 800,
			.session_group = 776, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 8,
			.error_lib_shift = 23, .family = 2, .error_lib_ssl = 20, .state_hello_server = 22,
			.state_early_data = 50, .state_write_hello = 13, .state_write_finished = 20,
		},
		.anchor_read_ahead = 3080,
	},
	/* 3.5.0 3.5.1 3.5.2 3.5.3 3.5.4 3.5.5 3.5.6 3.5.7 */
	{
		.layout = {
			.version = 72, .rbio = 80, .wbio = 88, .rwstate = 104, .server = 120, .shutdown = 132,
			.flow_state = 152, .read_state = 164, .hand_state = 172, .in_init = 180, .init_msg = 256,
			.fatal_alert = 448, .send_alert = 456, .message_size = 752, .message_type = 760,
			.cert_req = 832, .cert_request = 920, .new_cipher = 768, .group_id = 1246, .did_kex = 1245,
			.peer_share = LAYOUT_NONE, .sigalg = 976, .peer_sigalg = 1024, .hit = 1288,
			.hello_retry = 2256, .session = 2304, .verify_mode = 2384, .verify_result = 2456,
			.options = 2480, .min_version = 2492, .max_version = 2496, .client_version = 2516,
			.hostname = 2592, .early_data = 2840, .s3 = LAYOUT_NONE, .ex_data = 56, .record_layer = 3200,
			.record_packet = 4080, .record_packet_bytes = 4088, .bio_flags = 48, .bio_num = 56,
			.bio_next = 72, .session_cipher = 760, .session_peer = 704, .session_hostname = 800,
			.session_group = 776, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 16,
			.error_lib_shift = 23, .family = 2, .error_lib_ssl = 20, .state_hello_server = 22,
			.state_early_data = 50, .state_write_hello = 13, .state_write_finished = 20,
		},
		.anchor_read_ahead = 3232,
	},
	/* 3.6.0 3.6.1 3.6.3 */
	{
		.layout = {
			.version = 72, .rbio = 80, .wbio = 88, .rwstate = 104, .server = 120, .shutdown = 132,
			.flow_state = 152, .read_state = 164, .hand_state = 172, .in_init = 180, .init_msg = 256,
			.fatal_alert = 448, .send_alert = 456, .message_size = 752, .message_type = 760,
			.cert_req = 832, .cert_request = 920, .new_cipher = 768, .group_id = 1246, .did_kex = 1245,
			.peer_share = LAYOUT_NONE, .sigalg = 976, .peer_sigalg = 1024, .hit = 1288,
			.hello_retry = 2256, .session = 2304, .verify_mode = 2384, .verify_result = 2456,
			.options = 2480, .min_version = 2492, .max_version = 2496, .client_version = 2516,
			.hostname = 2592, .early_data = 2848, .s3 = LAYOUT_NONE, .ex_data = 56, .record_layer = 3208,
			.record_packet = 4080, .record_packet_bytes = 4088, .bio_flags = 48, .bio_num = 56,
			.bio_next = 72, .session_cipher = 760, .session_peer = 704, .session_hostname = 800,
			.session_group = 776, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 16,
			.error_lib_shift = 23, .family = 2, .error_lib_ssl = 20, .state_hello_server = 22,
			.state_early_data = 50, .state_write_hello = 13, .state_write_finished = 20,
		},
		.anchor_read_ahead = 3240,
	},
	/* 4.0.2 */
	{
		.layout = {
			.version = 72, .rbio = 80, .wbio = 88, .rwstate = 104, .server = 120, .shutdown = 132,
			.flow_state = 152, .read_state = 164, .hand_state = 172, .in_init = 184, .init_msg = 256,
			.fatal_alert = 448, .send_alert = 456, .message_size = 752, .message_type = 760,
			.cert_req = 832, .cert_request = 920, .new_cipher = 768, .group_id = 1246, .did_kex = 1245,
			.peer_share = LAYOUT_NONE, .sigalg = 976, .peer_sigalg = 1024, .hit = 1288,
			.hello_retry = 2256, .session = 2304, .verify_mode = 2384, .verify_result = 2456,
			.options = 2480, .min_version = 2492, .max_version = 2496, .client_version = 2516,
			.hostname = 2592, .early_data = 2848, .s3 = LAYOUT_NONE, .ex_data = 56, .record_layer = 3640,
			.record_packet = 4080, .record_packet_bytes = 4088, .bio_flags = 48, .bio_num = 56,
			.bio_next = 72, .session_cipher = 760, .session_peer = 704, .session_hostname = 800,
			.session_group = 776, .cipher_id = 24, .cipher_exchange = 28, .sigalg_number = 16,
			.error_lib_shift = 23, .family = 2, .error_lib_ssl = 20, .state_hello_server = 22,
			.state_early_data = 50, .state_write_hello = 13, .state_write_finished = 20,
		},
		.anchor_read_ahead = 3672,
	},
};

const struct layout_range layout_ranges[] = {
	{ .first = 0x1010100f, .last = 0x1010100f, .row = 0, .name = "1.1.1" },
	{ .first = 0x1010101f, .last = 0x1010101f, .row = 1, .name = "1.1.1a" },
	{ .first = 0x1010102f, .last = 0x1010102f, .row = 2, .name = "1.1.1b" },
	{ .first = 0x1010103f, .last = 0x1010103f, .row = 3, .name = "1.1.1c" },
	{ .first = 0x1010104f, .last = 0x1010109f, .row = 4, .name = "1.1.1d to 1.1.1i" },
	{ .first = 0x101010af, .last = 0x1010117f, .row = 5, .name = "1.1.1j to 1.1.1w" },
	{ .first = 0x30000000, .last = 0x30000160, .row = 6, .name = "3.0.0 to 3.0.22" },
	{ .first = 0x30100000, .last = 0x30100070, .row = 6, .name = "3.1.0 to 3.1.7" },
	{ .first = 0x30200000, .last = 0x30200020, .row = 7, .name = "3.2.0 to 3.2.2" },
	{ .first = 0x30200030, .last = 0x30200030, .row = 8, .name = "3.2.3" },
	{ .first = 0x30300000, .last = 0x30300010, .row = 7, .name = "3.3.0 to 3.3.1" },
	{ .first = 0x30300020, .last = 0x30300020, .row = 8, .name = "3.3.2" },
	{ .first = 0x30300030, .last = 0x30300060, .row = 9, .name = "3.3.3 to 3.3.6" },
	{ .first = 0x30400000, .last = 0x30400000, .row = 8, .name = "3.4.0" },
	{ .first = 0x30400010, .last = 0x30400040, .row = 9, .name = "3.4.1 to 3.4.4" },
	{ .first = 0x30500000, .last = 0x30500070, .row = 10, .name = "3.5.0 to 3.5.7" },
	{ .first = 0x30600000, .last = 0x30600030, .row = 11, .name = "3.6.0 to 3.6.3" },
	{ .first = 0x40000020, .last = 0x40000020, .row = 12, .name = "4.0.2" },
};
/* clang-format on */

const unsigned int layout_row_count = sizeof(layout_rows) / sizeof(layout_rows[0]);
const unsigned int layout_range_count = sizeof(layout_ranges) / sizeof(layout_ranges[0]);
