/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which public function returns which field. All of them decode in Debian's libraries of 1.1.1, 3.0, 3.5, 3.6 and
 * 4.0, on x86-64 and aarch64.
 *
 * Invariant: what is decoded comes from the library at hand alone. Must not know: the table.
 */
#include <string.h>

#include "attach/accessor.h"
#include "attach/layout_private.h"

#define VERSION_3_0 0x30000000u

enum taken {
	TAKEN_VALUE,   /* the place of the returned value */
	TAKEN_POINTER, /* of the pointer that leads to it */
	TAKEN_PASSED,  /* of what is handed on to another function */
	TAKEN_LAST,    /* of the value, in what a pointer leads to or not */
};

/* delta: from there to the field. BIO's ints init, shutdown, flags, retry_reason and num follow each other. */
static const struct witness {
	enum layout_field field;
	const char *function;
	enum taken taken;
	enum accessor_pointers pointers;
	unsigned int delta;
	bool of_a_server; /* the way of a server whose session is not resumed is the plain one */
	bool in_libcrypto;
} witnesses[] = {
	{ .field = LAYOUT_FIELD_version, .function = "SSL_version" },
	{ .field = LAYOUT_FIELD_server, .function = "SSL_is_server" },
	{ .field = LAYOUT_FIELD_rbio, .function = "SSL_get_rbio" },
	/* Without a buffering BIO, which is there during a flight only. */
	{ .field = LAYOUT_FIELD_wbio, .function = "SSL_get_wbio", .pointers = ACCESSOR_POINTERS_NULL },
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
	{ .field = LAYOUT_FIELD_early_data, .function = "SSL_get_early_data_status" },
	{ .field = LAYOUT_FIELD_hostname,
	  .function = "SSL_get_servername",
	  .pointers = ACCESSOR_POINTERS_SET,
	  .of_a_server = true },
	{ .field = LAYOUT_FIELD_ex_data, .function = "SSL_get_ex_data", .taken = TAKEN_PASSED },
	{ .field = LAYOUT_FIELD_s3, .function = "SSL_get_pending_cipher", .taken = TAKEN_POINTER },
	{ .field = LAYOUT_FIELD_new_cipher, .function = "SSL_get_pending_cipher", .taken = TAKEN_LAST },
	{ .field = LAYOUT_FIELD_session_cipher, .function = "SSL_SESSION_get0_cipher" },
	{ .field = LAYOUT_FIELD_session_peer, .function = "SSL_SESSION_get0_peer" },
	{ .field = LAYOUT_FIELD_session_hostname, .function = "SSL_SESSION_get0_hostname" },
	{ .field = LAYOUT_FIELD_cipher_id, .function = "SSL_CIPHER_get_id" },
	{ .field = LAYOUT_FIELD_bio_next, .function = "BIO_next", .in_libcrypto = true },
	{ .field = LAYOUT_FIELD_bio_flags, .function = "BIO_get_init", .delta = 8, .in_libcrypto = true },
	{ .field = LAYOUT_FIELD_bio_num, .function = "BIO_get_init", .delta = 16, .in_libcrypto = true },
};
#define WITNESS_COUNT (sizeof(witnesses) / sizeof(witnesses[0]))

bool layout_has_witness(enum layout_field field)
{
	for (size_t i = 0; i < WITNESS_COUNT; i++) {
		if (witnesses[i].field == field)
			return true;
	}
	return false;
}

static uint16_t offset_of(uint32_t offset, unsigned int delta)
{
	return offset < LAYOUT_NONE && offset + delta < LAYOUT_NONE ? (uint16_t)(offset + delta) : LAYOUT_NONE;
}

/* What the walk may take as known of an object. False: it would take a field that was not decoded. */
static bool make_query(const struct witness *witness, const struct layout_decoded *decoded,
		       struct accessor_query *query)
{
	uint16_t server = decoded->fields[LAYOUT_FIELD_server], hit = decoded->fields[LAYOUT_FIELD_hit];

	*query = (struct accessor_query){ .function = witness->function,
					  .pointers = witness->pointers,
					  .passed_on = witness->taken == TAKEN_PASSED };
	if (!witness->of_a_server)
		return true;
	query->known_count = 2;
	query->known[0].offset = server;
	query->known[0].value = 1;
	query->known[1].offset = hit;
	query->known[1].value = 0;
	return server != LAYOUT_NONE && hit != LAYOUT_NONE;
}

static void decode(const struct witness *witness, const struct library *library, struct layout_decoded *decoded)
{
	struct accessor_query query;
	struct accessor_place place;
	bool is_pointer = witness->taken == TAKEN_POINTER;

	if (!make_query(witness, decoded, &query) || accessor_find(library, &query, &place))
		return;
	if (witness->taken != TAKEN_LAST && is_pointer != (place.through != ACCESSOR_DIRECT))
		return;
	decoded->fields[witness->field] = offset_of(is_pointer ? place.through : place.offset, witness->delta);
}

/* ex_data begins with a library context since 3.0, the stack is behind it. */
static void step_into_ex_data(uint32_t version, uint16_t *offset)
{
	if (!version || *offset == LAYOUT_NONE)
		*offset = LAYOUT_NONE;
	else if (version >= VERSION_3_0)
		*offset = offset_of(*offset, 8);
}

void layout_decode(const struct library *libssl, const struct library *libcrypto, uint32_t version,
		   struct layout_decoded *out)
{
	uint32_t offset;

	memset(out, 0xff, sizeof(*out));
	for (size_t i = 0; i < WITNESS_COUNT; i++)
		decode(&witnesses[i], witnesses[i].in_libcrypto ? libcrypto : libssl, out);
	step_into_ex_data(version, &out->fields[LAYOUT_FIELD_ex_data]);
	if (!accessor_offset(libssl, "SSL_get_read_ahead", &offset))
		out->read_ahead = offset_of(offset, 0);
}
