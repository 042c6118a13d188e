/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ClientHello: parsing.
 *
 * Invariant: all reading goes through struct span, which knows how many bytes there are and how many there would
 * be, so that "cut" and "wrong" are told apart in one place.
 * Must not know: events, causes. Blanking is in clienthello_blank.c.
 */
#include <errno.h>
#include <string.h>

#include "handshake/clienthello.h"
#include "handshake/span.h"

#define FALLBACK_SCSV 0x5600

/* Appends the rest of list, two bytes each, to items. Counts what does not fit in *total only. */
static int take_numbers(struct span list, uint16_t *items, size_t capacity, uint16_t *count, uint16_t *total)
{
	size_t readable = list.left / 2, room = capacity - *count, n = readable < room ? readable : room;

	if (list.total % 2)
		return -EBADMSG;
	*total = (uint16_t)(list.total / 2);
	for (size_t i = 0; i < n; i++)
		items[*count + i] = (uint16_t)(list.at[2 * i] << 8 | list.at[2 * i + 1]);
	*count = (uint16_t)(*count + n);
	return list.left < list.total ? -EMSGSIZE : 0;
}

static int parse_server_name(struct clienthello *hello, struct span body)
{
	struct span list, name;
	uint8_t type;
	int err;

	err = span_vector16(&body, &list);
	if (err)
		return err;
	if (body.total || !list.total)
		return -EBADMSG;
	while (list.total) {
		err = span_u8(&list, &type);
		if (!err)
			err = span_vector16(&list, &name);
		if (err)
			return err;
		if (type || hello->sni_present)
			continue;
		if (!name.total || name.total > CLIENTHELLO_SNI_BYTES)
			return -EBADMSG;
		memcpy(hello->sni, name.at, name.left);
		hello->sni_bytes = (uint8_t)name.left;
		hello->sni_present = true;
		if (name.left < name.total)
			return -EMSGSIZE;
	}
	return 0;
}

/* The length byte counts what is there, so that a cut name is kept as far as it came. */
static int parse_alpn(struct clienthello *hello, struct span body)
{
	struct span list, name;
	size_t used = 0;
	int err;

	hello->alpn_present = true;
	err = span_vector16(&body, &list);
	if (err)
		return err;
	if (body.total || !list.total)
		return -EBADMSG;
	while (list.total) {
		err = span_vector8(&list, &name);
		if (err)
			return err;
		if (!name.total)
			return -EBADMSG;
		hello->alpn_total++;
		if (name.left < name.total)
			return -EMSGSIZE;
		if (hello->alpn_count == CLIENTHELLO_ALPN || name.left > CLIENTHELLO_ALPN_BYTES - used)
			continue;
		memcpy(hello->alpn_store + used, name.at, name.left);
		hello->alpn[hello->alpn_count++] = (struct clienthello_name){
			.offset = (uint16_t)used,
			.bytes = (uint16_t)name.left,
		};
		used += name.left;
	}
	return 0;
}

static int parse_versions(struct clienthello *hello, struct span body)
{
	struct span list;
	int err;

	err = span_vector8(&body, &list);
	if (err)
		return err;
	if (body.total || !list.total)
		return -EBADMSG;
	return take_numbers(list, hello->versions, CLIENTHELLO_VERSIONS, &hello->version_count,
			    &hello->version_total);
}

static int parse_groups(struct clienthello *hello, struct span body)
{
	struct span list;
	int err;

	err = span_vector16(&body, &list);
	if (err)
		return err;
	if (body.total || !list.total)
		return -EBADMSG;
	return take_numbers(list, hello->groups, CLIENTHELLO_GROUPS, &hello->group_count, &hello->group_total);
}

static int parse_signatures(struct clienthello *hello, struct span body)
{
	struct span list;
	int err;

	err = span_vector16(&body, &list);
	if (err)
		return err;
	if (body.total || !list.total)
		return -EBADMSG;
	return take_numbers(list, hello->signatures, CLIENTHELLO_SIGNATURES, &hello->signature_count,
			    &hello->signature_total);
}

/* An empty list is sound: it asks for a HelloRetryRequest. */
static int parse_key_shares(struct clienthello *hello, struct span body)
{
	struct span list, key;
	uint16_t group;
	int err;

	err = span_vector16(&body, &list);
	if (err)
		return err;
	if (body.total)
		return -EBADMSG;
	while (list.total) {
		err = span_u16(&list, &group);
		if (err)
			return err;
		hello->key_share_total++;
		if (hello->key_share_count < CLIENTHELLO_KEY_SHARES)
			hello->key_shares[hello->key_share_count++] = group;
		err = span_vector16(&list, &key);
		if (err)
			return err;
		if (!key.total)
			return -EBADMSG;
	}
	return 0;
}

/* Of the types that are looked into; all are below 64. */
#define TYPE_BIT(type) (1ull << (type))
#define TYPES_READ                                                                \
	(TYPE_BIT(EXTENSION_SERVER_NAME) | TYPE_BIT(EXTENSION_SUPPORTED_GROUPS) | \
	 TYPE_BIT(EXTENSION_SIGNATURE_ALGORITHMS) | TYPE_BIT(EXTENSION_ALPN) |    \
	 TYPE_BIT(EXTENSION_SUPPORTED_VERSIONS) | TYPE_BIT(EXTENSION_KEY_SHARE))

static int parse_body(struct clienthello *hello, uint16_t type, struct span body)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		return parse_server_name(hello, body);
	case EXTENSION_SUPPORTED_GROUPS:
		return parse_groups(hello, body);
	case EXTENSION_SIGNATURE_ALGORITHMS:
		return parse_signatures(hello, body);
	case EXTENSION_ALPN:
		return parse_alpn(hello, body);
	case EXTENSION_SUPPORTED_VERSIONS:
		return parse_versions(hello, body);
	case EXTENSION_KEY_SHARE:
		return parse_key_shares(hello, body);
	}
	return 0;
}

/*
 * What an extension holds is its own affair: where it is wrong the message is marked and the next one is read.
 * seen has a bit for each type that is read; an extension must not come twice (RFC 8446 section 4.2), the first one
 * counts.
 */
static void parse_extension(struct clienthello *hello, uint16_t type, struct span body, uint64_t *seen)
{
	uint64_t bit = type < 64 ? TYPE_BIT(type) & TYPES_READ : 0;

	if (bit == 0)
		return;
	if (*seen & bit || parse_body(hello, type, body) == -EBADMSG)
		hello->malformed = true;
	*seen |= bit;
}

static int parse_extensions(struct clienthello *hello, struct span list, uint64_t *seen)
{
	struct span body;
	uint16_t type;
	int err;

	while (list.total) {
		err = span_u16(&list, &type);
		if (err)
			return err;
		hello->extension_total++;
		if (hello->extension_count < CLIENTHELLO_EXTENSIONS)
			hello->extensions[hello->extension_count++] = type;
		err = span_vector16(&list, &body);
		if (err)
			return err;
		parse_extension(hello, type, body, seen);
		if (body.left < body.total)
			return -EMSGSIZE;
	}
	return 0;
}

static int parse_ciphers(struct clienthello *hello, struct span *message)
{
	struct span list;
	int err;

	err = span_vector16(message, &list);
	if (err)
		return err;
	if (!list.total)
		hello->malformed = true;
	err = take_numbers(list, hello->ciphers, CLIENTHELLO_CIPHERS, &hello->cipher_count, &hello->cipher_total);
	if (err == -EBADMSG) {
		hello->malformed = true;
		err = 0;
	}
	/* Not through ciphers[]: the SCSV stands at the end of long lists. */
	for (size_t i = 0; i + 1 < list.left; i += 2) {
		if (list.at[i] << 8 == (FALLBACK_SCSV & 0xff00) && list.at[i + 1] == (FALLBACK_SCSV & 0xff))
			hello->has_fallback_scsv = true;
	}
	return err;
}

/* Everything up to the extensions; *list is their span, empty where the message has none. */
static int parse_fixed_part(struct clienthello *hello, struct span *message, struct span *list)
{
	struct span skipped;
	int err;

	*list = (struct span){ .at = message->at };
	err = span_u16(message, &hello->legacy_version);
	if (!err)
		err = span_take(message, 32, &skipped); /* random */
	if (!err)
		err = span_vector8(message, &skipped); /* session id */
	if (!err && skipped.total > 32)
		hello->malformed = true;
	if (!err)
		err = parse_ciphers(hello, message);
	if (!err)
		err = span_vector8(message, &skipped); /* compression methods */
	if (!err && !skipped.total)
		hello->malformed = true;
	if (!err && message->total)
		err = span_vector16(message, list);
	if (!err && message->total)
		hello->malformed = true;
	return err;
}

/* Versions of SSL 3 and TLS have the major number 3. */
static void find_version_bounds(struct clienthello *hello, bool versions_seen)
{
	if (!versions_seen) {
		/* Behind a cut or a wrong length the extension may have been. */
		if (!hello->truncated && !hello->malformed)
			hello->max_version = hello->legacy_version;
		return;
	}
	if (hello->version_count < hello->version_total)
		return;
	for (size_t i = 0; i < hello->version_count; i++) {
		uint16_t version = hello->versions[i];

		if (version >> 8 != 3)
			continue;
		if (!hello->min_version || version < hello->min_version)
			hello->min_version = version;
		if (version > hello->max_version)
			hello->max_version = version;
	}
}

int clienthello_parse(struct clienthello *hello, const uint8_t *body, size_t bytes, size_t true_bytes)
{
	struct span message = { .at = body, .left = bytes < true_bytes ? bytes : true_bytes, .total = true_bytes };
	uint64_t seen = 0;
	struct span list;
	int err;

	memset(hello, 0, sizeof(*hello));
	hello->truncated = bytes < true_bytes;
	err = parse_fixed_part(hello, &message, &list);
	if (!err || err == -EMSGSIZE) {
		int inner = parse_extensions(hello, list, &seen);

		err = err ? err : inner;
	}
	if (err == -EBADMSG)
		hello->malformed = true;
	find_version_bounds(hello, seen & TYPE_BIT(EXTENSION_SUPPORTED_VERSIONS));
	if (hello->malformed)
		return -EBADMSG;
	return hello->truncated ? -EMSGSIZE : 0;
}
