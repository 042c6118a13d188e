/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only reader of OpenSSL's memory, with agreement.bpf.h, through a layout given as data.
 *
 * Invariant: a field that nobody vouches for is not read (field.bpf.h). ClientHello bytes are read only while the
 * message is one: what lies there later holds secrets. Must not know: versions of OpenSSL.
 */
#ifndef TLSWHY_OPENSSL_BPF_H
#define TLSWHY_OPENSSL_BPF_H

#define HELLO_EXTENSIONS_MAX         40 /* browsers send under 20 */
#define HELLO_VERSIONS_MAX           8
#define HELLO_BYTES_MAX              (1 << 17) /* SSL_MAX_CLIENTHELLO of OpenSSL is 131,396 */
#define TLS_STATE_OK                 1 /* TLS_ST_OK, TLS_ST_CR_SRVR_HELLO: the same numbers from 1.1.1 to 4.0 */
#define TLS_STATE_CR_SRVR_HELLO      3
#define MESSAGE_CLIENT_HELLO         1 /* RFC 8446 section 4 */
#define MESSAGE_SERVER_HELLO         2
#define EXTENSION_SUPPORTED_VERSIONS 43
#define BIO_FLAG_RETRY               0x08
#define BIO_FLAG_EOF                 0x800
#define TLS1_3                       0x0304

static __always_inline __s32 openssl_alert_received(const struct hit *hit)
{
	return seen_s32(hit, fatal_alert, 0);
}

/*
 * How the state machine stands: 0 is never started, 1 has failed. Where that field is not known the state of the
 * handshake has the same 0 (TLS_ST_BEFORE), although it keeps it until a message has come; a failure does not show.
 */
static __always_inline __s32 openssl_flow(const struct hit *hit)
{
	__u16 place = hit->sight->flow_state == LAYOUT_NONE ? hit->sight->hand_state : hit->sight->flow_state;

	return sight_s32(hit, place, -1);
}

static __always_inline __u32 openssl_direction(const struct hit *hit)
{
	__s32 server = seen_s32(hit, server, -1);

	if (server < 0)
		return DIRECTION_UNKNOWN;
	return server ? DIRECTION_CLIENT : DIRECTION_UPSTREAM;
}

static __always_inline __s32 bio_flags(const struct hit *hit, __u64 bio)
{
	return bio ? field_s32(bio, hit->layout->bio_flags, 0) : 0;
}

/*
 * After a return that is not 1: does it only wait? SSL_get_error() says so by the same fields: rwstate 2 and 3
 * with the BIO's retry flag, 4 to 8 (certificate callback, asynchronous job, ClientHello callback, verify retry).
 * A BIO begins each operation by clearing its flags (BIO_clear_retry_flags()), and one that is to be done again ends
 * the call: what waits for us has no such flag. So the flag alone tells the usual case, by the copy that the call's
 * entry left.
 */
enum waits {
	WAITS_NOT = 0,
	WAITS_FOR_PEER = 1,
	WAITS_FOR_US = 2,
};

static __always_inline enum waits openssl_waits(const struct hit *hit, __s32 *read_flags)
{
	__s32 rwstate;

	if (hit->call->seen == hit->object && (bio_flags(hit, seen_u64(hit, rbio)) & BIO_FLAG_RETRY))
		return WAITS_FOR_PEER;
	sight_look(hit, SIGHT_END);
	rwstate = seen_s32(hit, rwstate, 0);
	*read_flags = bio_flags(hit, seen_u64(hit, rbio));
	if (rwstate >= 4 && rwstate <= 8)
		return WAITS_FOR_US;
	if (*read_flags & BIO_FLAG_RETRY)
		return WAITS_FOR_PEER;
	return rwstate == 2 && (bio_flags(hit, seen_u64(hit, wbio)) & BIO_FLAG_RETRY) ? WAITS_FOR_PEER : WAITS_NOT;
}

/* The object where it is nginx's connection, else 0. Without a branch, as above. */
static __always_inline __u64 object_if_connection(const struct hit *hit)
{
	__u64 none = (__u64)hit->layout->object_is_connection - 1;

	asm volatile("" : "+r"(none));
	return hit->object & ~none;
}

/*
 * The descriptor, or -1 where there is none, as in QUIC: rbio's, which is never the buffering BIO that wbio is during
 * a handshake. A connection has its descriptor in itself.
 */
static __always_inline __s32 hit_fd(const struct hit *hit)
{
	__u64 bio = seen_u64(hit, rbio) | object_if_connection(hit);

	return bio ? field_s32(bio, hit->layout->bio_num, -1) : -1;
}

/*
 * 1 where a version is allowed: not forbidden by its SSL_OP_NO_* bit, which is how nginx applies ssl_protocols, and
 * within the bounds. Arithmetic instead of branches, as above.
 */
static __always_inline __u32 version_allowed(__s64 options, __s64 min, __s64 max, __s64 version, __u32 bit)
{
	__u64 forbidden = (__u64)options >> bit, below = (__u64)(version - min) >> 63,
	      above = (__u64)(max - version) >> 63;

	return (__u32)(~(forbidden | below | above) & 1);
}

/* By the set of allowed versions, bit 0 is TLS 1.0: oldest << 16 | newest. */
static const __u32 version_ranges[16] = {
	0x00000000, 0x03010301, 0x03020302, 0x03010302, 0x03030303, 0x03010303, 0x03020303, 0x03010303,
	0x03040304, 0x03010304, 0x03020304, 0x03010304, 0x03030304, 0x03010304, 0x03020304, 0x03010304,
};

/* Our oldest << 16 | newest version, as the object has them in force; 0 when that is not known. */
static __always_inline __u32 openssl_our_versions(const struct hit *hit)
{
	__s64 options = (__u32)seen_s32(hit, options, -1);
	__s64 min = seen_s32(hit, min_version, 0);
	__s64 max = seen_s32(hit, max_version, 0);
	__u32 set;

	max |= ((max - 1) >> 63) & 0xffff; /* 0: no bound */
	/* SSL_OP_NO_TLSv1, 1_1, 1_2, 1_3: the same bits from 1.1.1 to 4.0 */
	set = version_allowed(options, min, max, 0x0301, 26) | version_allowed(options, min, max, 0x0302, 28) << 1 |
	      version_allowed(options, min, max, 0x0303, 27) << 2 |
	      version_allowed(options, min, max, 0x0304, 29) << 3;
	set &= field_unknown(hit->sight->options) + field_unknown(hit->sight->min_version) +
			       field_unknown(hit->sight->max_version) + hit->call->unseen
		       ? 0
		       : 15;
	/* The compiler knows that set is below 16 and would leave the mask out; 6.1's verifier does not know. */
	barrier_var(set);
	return version_ranges[set & 15];
}

/* Two bytes in network order; 0 where they cannot be read. */
static __always_inline __u16 read_be16(__u64 address)
{
	__u16 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (const void *)address);
	return bpf_ntohs(value);
}

static __always_inline __u8 read_u8(__u64 address)
{
	__u8 byte = 0;

	bpf_probe_read_user(&byte, sizeof(byte), (const void *)address);
	return byte;
}

/* The versions of a supported_versions extension, GREASE (RFC 8701) and unknown ones left out. */
static __always_inline __u32 hello_supported_versions(__u64 list, __u32 bytes)
{
	__u32 set = 0;

	for (__u32 i = 0; i < HELLO_VERSIONS_MAX && i * 2 + 1 < bytes; i++) {
		__u32 minor = (__u32)read_be16(list + i * 2) - 0x0301;

		set |= minor < 4 ? 1u << minor : 0;
	}
	return version_ranges[set & 15];
}

/*
 * What the ClientHello at body offers: oldest << 16 | newest, 0 when it cannot be told. Without the extension a
 * client offers everything up to legacy_version (RFC 8446 section 4.1.2), hence oldest 0x0300.
 */
__noinline __u32 hello_versions(__u64 body, __u64 bytes)
{
	__u64 at = 34, end;
	__u32 up_to_legacy = 0x0300u << 16 | read_be16(body);

	if (bytes < 38 || bytes > HELLO_BYTES_MAX)
		return 0;
	at += 1 + read_u8(body + at);
	at += 2 + read_be16(body + at);
	at += 1 + read_u8(body + at);
	if (at + 2 > bytes)
		return up_to_legacy;
	end = at + 2 + read_be16(body + at);
	at += 2;
	if (end > bytes)
		return 0;
	for (__u32 i = 0; i < HELLO_EXTENSIONS_MAX && at + 4 <= end; i++) {
		__u32 head = 0;

		bpf_probe_read_user(&head, sizeof(head), (const void *)(body + at));
		head = bpf_ntohl(head); /* type << 16 | length */
		at += 4 + (__u16)head;
		if (head >> 16 == EXTENSION_SUPPORTED_VERSIONS)
			return (__u16)head && at <= end
				       ? hello_supported_versions(body + at + 1 - (__u16)head, (__u16)head - 1)
				       : 0;
	}
	return at == end ? up_to_legacy : 0;
}

/* The handshake message in the buffer, if it is the one of this type and still being read; else 0. */
static __always_inline __u64 openssl_message(const struct hit *hit, __s32 type, __u64 *bytes)
{
	__s32 reading = type == MESSAGE_CLIENT_HELLO ? hit->layout->state_hello_server : TLS_STATE_CR_SRVR_HELLO;

	if (seen_s32(hit, hand_state, -1) != reading || seen_s32(hit, message_type, -1) != type)
		return 0;
	*bytes = seen_u64(hit, message_size); /* 0 where it is not known: no message */
	return seen_u64(hit, init_msg);
}

static __always_inline void verdict_alerts(const struct hit *hit, struct verdict *verdict)
{
	__s32 received = openssl_alert_received(hit);
	__u16 sent = sight_u16(hit, hit->sight->send_alert); /* level, description */
	__u8 level = ((const __u8 *)&sent)[0], description = ((const __u8 *)&sent)[1];

	if (received > 0 && received < 256) {
		verdict->alert_received = (__u8)received;
		verdict->flags |= VERDICT_ALERT_RECEIVED;
	}
	if (level == 2) { /* fatal */
		verdict->alert_sent = description;
		verdict->flags |= VERDICT_ALERT_SENT;
	}
}

/* Certificates: asked for, shown, sent. In a client cert_req is 2 when the answer was empty, else 1. */
static __always_inline void verdict_certificates(const struct hit *hit, struct verdict *verdict)
{
	__u64 session = seen_u64(hit, session);

	if (verdict->direction == DIRECTION_UPSTREAM) {
		__s32 asked = seen_s32(hit, cert_req, 0);

		verdict->flags |= asked ? VERDICT_CERTIFICATE_ASKED : 0;
		verdict->flags |= asked == 1 ? VERDICT_OUR_CERTIFICATE_SENT : 0;
	} else if (seen_s32(hit, cert_request, 0) || (seen_s32(hit, verify_mode, 0) & 1)) {
		verdict->flags |= VERDICT_CERTIFICATE_ASKED;
	}
	if (session && field_u64(session, hit->layout->session_peer))
		verdict->flags |= VERDICT_PEER_CERTIFICATE;
	verdict->verify_result = seen_s32(hit, verify_result, 0);
}

static __always_inline __u8 openssl_stage(const struct hit *hit, __u32 direction, bool failed_processing)
{
	const struct layout *layout = hit->layout;
	__s32 state = seen_s32(hit, hand_state, -1);

	if (state < 0)
		return STAGE_UNKNOWN;
	if (state == TLS_STATE_OK)
		return STAGE_DONE;
	if (direction == DIRECTION_UPSTREAM) {
		if (state == 0 || state == layout->state_write_hello)
			return STAGE_BEFORE_HELLO;
		if (state == TLS_STATE_CR_SRVR_HELLO && failed_processing)
			return STAGE_HELLO;
		/* The state stays until the next message: the hello is complete when no body is awaited. */
		if (state == TLS_STATE_CR_SRVR_HELLO && seen_s32(hit, read_state, 1) != 0)
			return STAGE_BEFORE_HELLO;
		return state == layout->state_write_finished ? STAGE_CLIENT_FINISHED : STAGE_MID;
	}
	if (state == 0)
		return STAGE_BEFORE_HELLO;
	if (state == layout->state_hello_server)
		return failed_processing ? STAGE_HELLO : STAGE_BEFORE_HELLO;
	return STAGE_MID;
}

/* The record that could not be read: its five header bytes, trusted only while the library counts them in. */
static __always_inline __u8 openssl_first_record(const struct hit *hit, __u8 bytes[5])
{
	bool apart = hit->layout->record_layer != LAYOUT_NONE;
	__u64 reader = apart ? field_u64(hit->object, hit->layout->record_layer) : hit->object;
	__u64 packet = reader ? field_u64(reader, hit->layout->record_packet) : 0;

	if (!packet || field_u64(reader, hit->layout->record_packet_bytes) < 5)
		return FIRST_RECORD_UNKNOWN;
	if (!read_user(bytes, 5, packet))
		return FIRST_RECORD_UNKNOWN;
	if (bytes[0] == 'H' && bytes[1] == 'T' && bytes[2] == 'T' && bytes[3] == 'P')
		return FIRST_RECORD_HTTP;
	if (bytes[0] >= 20 && bytes[0] <= 24 && bytes[1] == 3)
		return FIRST_RECORD_TLS;
	return FIRST_RECORD_OTHER;
}

/* The server name into a buffer of 256; returns its length, 0 is none. A resumed TLS 1.2 session keeps it itself. */
static __always_inline __u32 openssl_server_name(const struct hit *hit, char *name)
{
	__u64 text = seen_u64(hit, hostname);
	long length;

	if (!text && hit->layout->session_hostname != LAYOUT_NONE) {
		__u64 session = seen_u64(hit, session);

		if (session && seen_s32(hit, hit, 0))
			text = field_u64(session, hit->layout->session_hostname);
	}
	if (!text)
		return 0;
	length = bpf_probe_read_user_str(name, 256, (const void *)text);
	if (length < 0)
		counter_add(COUNTER_READ_FAULTS, 1);
	return length > 1 ? (__u32)(length - 1) & 0xff : 0;
}

#endif
