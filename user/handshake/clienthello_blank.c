/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ClientHello: blanking, before a record leaves the process.
 *
 * Invariant: bodies that are kept are named in kept_extensions; anything else, known or not yet invented, is
 * zeroed, and so is everything from the first place that is not understood. Lengths and types stay.
 * Must not know: what the parser reads; it works on bytes that may end anywhere.
 */
#include <errno.h>
#include <string.h>

#include "handshake/clienthello.h"
#include "handshake/span.h"

/* How a kept extension is built. One that is not, or that is cut, may have swallowed its neighbours. */
enum shape {
	SHAPE_LIST8,  /* a vector with one byte of length, and nothing else */
	SHAPE_LIST16, /* the same with two */
	SHAPE_NUMBER, /* one or two bytes */
};

/* Extensions that hold lists of numbers or names and never a secret or an identifier of a person. */
static const struct {
	uint16_t type;
	enum shape shape;
} kept_extensions[] = {
	{ .type = EXTENSION_SERVER_NAME, .shape = SHAPE_LIST16 },
	{ .type = 1 /* max_fragment_length */, .shape = SHAPE_NUMBER },
	{ .type = EXTENSION_SUPPORTED_GROUPS, .shape = SHAPE_LIST16 },
	{ .type = 11 /* ec_point_formats */, .shape = SHAPE_LIST8 },
	{ .type = EXTENSION_SIGNATURE_ALGORITHMS, .shape = SHAPE_LIST16 },
	{ .type = EXTENSION_ALPN, .shape = SHAPE_LIST16 },
	{ .type = 19 /* client_certificate_type */, .shape = SHAPE_LIST8 },
	{ .type = 20 /* server_certificate_type */, .shape = SHAPE_LIST8 },
	{ .type = 27 /* compress_certificate */, .shape = SHAPE_LIST8 },
	{ .type = 28 /* record_size_limit */, .shape = SHAPE_NUMBER },
	{ .type = 34 /* delegated_credential */, .shape = SHAPE_LIST16 },
	{ .type = EXTENSION_SUPPORTED_VERSIONS, .shape = SHAPE_LIST8 },
	{ .type = 45 /* psk_key_exchange_modes */, .shape = SHAPE_LIST8 },
	{ .type = 50 /* signature_algorithms_cert */, .shape = SHAPE_LIST16 },
};

/* The bytes are the caller's own and writable; span is const because parsing only reads. */
static void zero(struct span span)
{
	if (span.left)
		memset((uint8_t *)(uintptr_t)span.at, 0, span.left);
}

static void blank_key_shares(struct span body)
{
	struct span list, key;
	uint16_t group;

	if (span_vector16(&body, &list)) {
		zero(body);
		return;
	}
	while (list.total) {
		if (span_u16(&list, &group) || span_vector16(&list, &key))
			break;
		zero(key);
	}
	zero(list);
	zero(body);
}

static void blank_cookie(struct span body)
{
	struct span cookie;

	if (!span_vector16(&body, &cookie))
		zero(cookie);
	zero(body);
}

/* Identities with their ages, then binders. */
static void blank_pre_shared_keys(struct span body)
{
	struct span list, secret;

	if (!span_vector16(&body, &list)) {
		while (list.total && !span_vector16(&list, &secret)) {
			zero(secret);
			if (span_take(&list, 4, &secret)) /* obfuscated_ticket_age */
				break;
			zero(secret);
		}
		zero(list);
		if (!span_vector16(&body, &list)) {
			while (list.total && !span_vector8(&list, &secret))
				zero(secret);
			zero(list);
		}
	}
	zero(body);
}

static bool has_shape(struct span body, enum shape shape)
{
	struct span list;

	if (body.left < body.total)
		return false;
	switch (shape) {
	case SHAPE_LIST8:
		return !span_vector8(&body, &list) && !body.total;
	case SHAPE_LIST16:
		return !span_vector16(&body, &list) && !body.total;
	case SHAPE_NUMBER:
		return body.total <= 2;
	}
	return false;
}

static void blank_extension(uint16_t type, struct span body)
{
	switch (type) {
	case EXTENSION_KEY_SHARE:
		blank_key_shares(body);
		return;
	case EXTENSION_COOKIE:
		blank_cookie(body);
		return;
	case EXTENSION_PRE_SHARED_KEY:
		blank_pre_shared_keys(body);
		return;
	}
	for (size_t i = 0; i < sizeof(kept_extensions) / sizeof(kept_extensions[0]); i++) {
		if (kept_extensions[i].type == type && has_shape(body, kept_extensions[i].shape))
			return;
	}
	zero(body);
}

/* Whatever follows a failed step is still in *message and is zeroed by the caller. */
static void blank_up_to_extensions(struct span *message, struct span *list)
{
	struct span part;

	if (span_take(message, 2, &part) || span_take(message, 32, &part))
		return;
	zero(part); /* random */
	if (span_vector8(message, &part))
		return;
	zero(part);                   /* session id */
	for (int i = 0; i < 2; i++) { /* cipher suites, compression methods */
		if (i == 0 ? span_vector16(message, &part) : span_vector8(message, &part))
			return;
		if (part.left < part.total) {
			zero(part);
			return;
		}
	}
	if (span_vector16(message, list))
		*list = (struct span){ .at = message->at };
}

void clienthello_blank(uint8_t *body, size_t bytes)
{
	/* How long it would be is not told and not needed: whatever length is claimed, the bytes end it. */
	struct span message = { .at = body, .left = bytes, .total = SIZE_MAX };
	struct span list = { .at = body };
	struct span extension;
	uint16_t type;

	blank_up_to_extensions(&message, &list);
	while (list.total) {
		if (span_u16(&list, &type) || span_vector16(&list, &extension))
			break;
		blank_extension(type, extension);
	}
	zero(list);
	zero(message);
}
