/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offsets are data: rows of a table, keyed by version, computed by compiling offsetof() against the sources of each
 * release (55 tags; x86-64 and aarch64 agree). A distribution may ship a patched library under the same
 * version, so a row is handed out only when the machine code of the library's accessors agrees with it.
 *
 * Invariant: a wrong offset is never handed out when one accessor contradicts its row.
 * Must not know: processes, the kernel side, how accessors are decoded.
 */
#include "attach/layout.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tlswhy/verdict.h"
#include "attach/accessor.h"

/* Of 19 fields with an accessor; Debian's and upstream's builds since 1.1.1 give all of them. */
#define WITNESSES_NEEDED 12

struct row {
	uint32_t version_first, version_last; /* OpenSSL_version_num() */
	struct layout layout;
};

static const struct row rows[] = {
	{
		/* 3.0.0 to 3.0.20 and 3.1.0 to 3.1.7 were compiled: one layout. */
		.version_first = 0x30000000,
		.version_last = 0x301fffff,
		.layout = {
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
			.ex_data = 2504, /* ex_data at 2496, its sk at +8 */
			.record_layer = LAYOUT_NONE,
			.record_packet = 7336,
			.record_packet_bytes = 7344,
			.bio_flags = 48,
			.bio_num = 56,
			.bio_next = 72,
			.session_cipher = 760,
			.session_peer = 696,
			.session_hostname = 816,
			.cipher_id = 24,
			.error_lib_shift = 23,
			.family = LIBRARY_OPENSSL_3,
			.error_lib_ssl = 20,
			.state_hello_server = 20,
			.state_early_data = 46,
			.state_write_hello = 12,
			.state_write_finished = 18,
		},
	},
	{
		/* 3.5.3 and 3.5.7 were compiled: one layout. */
		.version_first = 0x30500000,
		.version_last = 0x305fffff,
		.layout = {
			.version = 72,
			.rbio = 80,
			.wbio = 88,
			.rwstate = 104,
			.server = 120,
			.shutdown = 132,
			.flow_state = 152,
			.read_state = 164,
			.hand_state = 172,
			.in_init = 180,
			.init_msg = 256,
			.fatal_alert = 448,
			.send_alert = 456,
			.message_size = 752,
			.message_type = 760,
			.cert_req = 832,
			.cert_request = 920,
			.hit = 1288,
			.hello_retry = 2256,
			.session = 2304,
			.verify_mode = 2384,
			.verify_result = 2456,
			.options = 2480,
			.min_version = 2492,
			.max_version = 2496,
			.client_version = 2516,
			.hostname = 2592,
			.early_data = 2840,
			.s3 = LAYOUT_NONE,
			.ex_data = 56, /* ex_data at 48, its sk at +8 */
			.record_layer = 3200,
			.record_packet = 4080,
			.record_packet_bytes = 4088,
			.bio_flags = 48,
			.bio_num = 56,
			.bio_next = 72,
			.session_cipher = 760,
			.session_peer = 704,
			.session_hostname = 800,
			.cipher_id = 24,
			.error_lib_shift = 23,
			.family = LIBRARY_OPENSSL_3,
			.error_lib_ssl = 20,
			.state_hello_server = 22,
			.state_early_data = 50,
			.state_write_hello = 13,
			.state_write_finished = 20,
		},
	},
};

/* Where in struct layout each field is, by its number. */
static const struct {
	const char *name;
	size_t place;
} fields[LAYOUT_FIELD_COUNT] = {
#define X(field, meaning) [LAYOUT_FIELD_##field] = { .name = #field, .place = offsetof(struct layout, field) },
	LAYOUT_FIELDS(X)
#undef X
};

/* Functions that return a field. delta: from what the accessor reads to the field (BIO's ints are consecutive). */
static const struct {
	enum layout_field field;
	const char *function;
	unsigned int delta;
	bool in_libcrypto;
} accessors[] = {
	{ .field = LAYOUT_FIELD_version, .function = "SSL_version" },
	{ .field = LAYOUT_FIELD_server, .function = "SSL_is_server" },
	{ .field = LAYOUT_FIELD_rbio, .function = "SSL_get_rbio" },
	{ .field = LAYOUT_FIELD_rwstate, .function = "SSL_want" },
	{ .field = LAYOUT_FIELD_shutdown, .function = "SSL_get_shutdown" },
	{ .field = LAYOUT_FIELD_hand_state, .function = "SSL_get_state" },
	{ .field = LAYOUT_FIELD_in_init, .function = "SSL_in_init" },
	{ .field = LAYOUT_FIELD_hit, .function = "SSL_session_reused" },
	{ .field = LAYOUT_FIELD_session, .function = "SSL_get_session" },
	{ .field = LAYOUT_FIELD_verify_mode, .function = "SSL_get_verify_mode" },
	{ .field = LAYOUT_FIELD_verify_result, .function = "SSL_get_verify_result" },
	{ .field = LAYOUT_FIELD_client_version, .function = "SSL_client_version" },
	{ .field = LAYOUT_FIELD_options, .function = "SSL_get_options" },
	{ .field = LAYOUT_FIELD_session_cipher, .function = "SSL_SESSION_get0_cipher" },
	{ .field = LAYOUT_FIELD_session_hostname, .function = "SSL_SESSION_get0_hostname" },
	{ .field = LAYOUT_FIELD_cipher_id, .function = "SSL_CIPHER_get_id" },
	{ .field = LAYOUT_FIELD_bio_next, .function = "BIO_next", .in_libcrypto = true },
	{ .field = LAYOUT_FIELD_bio_flags, .function = "BIO_get_init", .delta = 8, .in_libcrypto = true },
	{ .field = LAYOUT_FIELD_bio_num, .function = "BIO_get_init", .delta = 16, .in_libcrypto = true },
};
#define ACCESSOR_COUNT (sizeof(accessors) / sizeof(accessors[0]))

const char *layout_field_name(enum layout_field field)
{
	return (unsigned int)field < LAYOUT_FIELD_COUNT ? fields[field].name : "unknown";
}

const char *layout_source_name(enum layout_source source)
{
	switch (source) {
	case LAYOUT_SOURCE_TABLE:
		return "table";
	case LAYOUT_SOURCE_ACCESSORS:
		return "accessors";
	case LAYOUT_SOURCE_NONE:
		break;
	}
	return "none";
}

static uint16_t layout_get(const struct layout *layout, enum layout_field field)
{
	uint16_t value;

	memcpy(&value, (const char *)layout + fields[field].place, sizeof(value));
	return value;
}

static void decode_accessors(const struct library *libssl, const struct library *libcrypto,
			     struct layout_report *report)
{
	for (size_t i = 0; i < ACCESSOR_COUNT; i++) {
		const struct library *library = accessors[i].in_libcrypto ? libcrypto : libssl;
		uint32_t offset;

		if (accessor_offset(library, accessors[i].function, &offset))
			continue;
		if (offset + accessors[i].delta < LAYOUT_NONE)
			report->fields[accessors[i].field].accessors = (uint16_t)(offset + accessors[i].delta);
	}
}

/* The digits of "OpenSSL 3.0.19 ..." as OpenSSL_version_num() packs them since 3.0; 0 for anything else. */
static uint32_t packed_version(const char *text)
{
	unsigned int parts[3] = { 0 };
	const char *p = text + strlen("OpenSSL ");

	if (strncmp(text, "OpenSSL ", strlen("OpenSSL ")))
		return 0;
	for (int i = 0; i < 3; i++) {
		const char *start = p;

		for (; *p >= '0' && *p <= '9' && p - start < 3; p++)
			parts[i] = parts[i] * 10 + (unsigned int)(*p - '0');
		if (p == start || (i < 2 && *p++ != '.'))
			return 0;
	}
	/* Behind the number a release has a blank; "+quic", "-dev" and the like are other layouts. */
	if (*p != ' ' || parts[0] < 3 || parts[0] > 15 || parts[1] > 255 || parts[2] > 255)
		return 0;
	return parts[0] << 28 | parts[1] << 20 | parts[2] << 4;
}

static void find_version(const struct library *libcrypto, struct layout_report *report)
{
	if (library_openssl_version(libcrypto, report->version, sizeof(report->version)))
		report->version[0] = '\0';
	if (library_version_number(libcrypto, &report->version_number))
		report->version_number = packed_version(report->version);
}

static const struct row *find_row(uint32_t version)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (version >= rows[i].version_first && version <= rows[i].version_last)
			return &rows[i];
	}
	return NULL;
}

/* Sets the two sources against each other; the first disagreement becomes the reason. */
static void compare(const struct layout *layout, struct layout_report *report)
{
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++) {
		struct layout_witness *witness = &report->fields[i];

		witness->table = layout_get(layout, (enum layout_field)i);
		if (witness->accessors == LAYOUT_NONE || witness->table == LAYOUT_NONE)
			continue;
		if (witness->accessors == witness->table) {
			report->agreeing++;
			continue;
		}
		if (!report->disagreeing++)
			snprintf(report->reason, sizeof(report->reason),
				 "field '%s' is at %u by the library's machine code and at %u in the table",
				 fields[i].name, witness->accessors, witness->table);
	}
}

/*
 * The same digits under other names hide other layouts ("OpenSSL 3.0.15+quic"), and a text that contradicts the
 * number is a library that is not what it says.
 */
static bool is_release(const struct layout_report *report)
{
	return !report->version[0] || packed_version(report->version) == report->version_number;
}

int layout_for(const struct library *libssl, const struct library *libcrypto, struct layout *out,
	       struct layout_report *report)
{
	const char *version = report->version;
	const struct row *row;

	memset(report, 0, sizeof(*report));
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		report->fields[i] = (struct layout_witness){ .table = LAYOUT_NONE, .accessors = LAYOUT_NONE };
	find_version(libcrypto, report);
	decode_accessors(libssl, libcrypto, report);
	row = is_release(report) ? find_row(report->version_number) : NULL;
	if (!row) {
		snprintf(report->reason, sizeof(report->reason), "no layout is known for TLS library '%s'",
			 version[0] ? version : "of unknown version");
		return -ENOTSUP;
	}
	compare(&row->layout, report);
	if (report->disagreeing)
		return -ENOTSUP;
	if (report->agreeing < WITNESSES_NEEDED) {
		snprintf(report->reason, sizeof(report->reason),
			 "only %u fields of '%s' could be checked in its machine code, %d are needed",
			 report->agreeing, version, WITNESSES_NEEDED);
		return -ENOTSUP;
	}
	report->source = LAYOUT_SOURCE_TABLE;
	*out = row->layout;
	return 0;
}
