/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A span of foreign bytes that may be cut: left bytes can be read, total would be there were it whole.
 *
 * Invariant: left <= total. Every function returns 0, -EMSGSIZE where the answer lies beyond the cut, or -EBADMSG
 * where it lies beyond the whole; vectors are clipped to what their span still has.
 * Must not know: what the bytes mean.
 */
#ifndef TLSWHY_HANDSHAKE_SPAN_H
#define TLSWHY_HANDSHAKE_SPAN_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *at;
	size_t left;
	size_t total;
};

/* Moves the first bytes of *span to *taken. A cut is no error here: taken->left tells. */
static inline int span_take(struct span *span, size_t bytes, struct span *taken)
{
	size_t readable = bytes < span->left ? bytes : span->left;

	if (bytes > span->total)
		return -EBADMSG;
	*taken = (struct span){ .at = span->at, .left = readable, .total = bytes };
	if (readable) /* at may be NULL where nothing is left */
		span->at += readable;
	span->left -= readable;
	span->total -= bytes;
	return 0;
}

static inline int span_u8(struct span *span, uint8_t *value)
{
	struct span taken;
	int err = span_take(span, 1, &taken);

	if (err)
		return err;
	if (taken.left < 1)
		return -EMSGSIZE;
	*value = taken.at[0];
	return 0;
}

/* Network order. */
static inline int span_u16(struct span *span, uint16_t *value)
{
	struct span taken;
	int err = span_take(span, 2, &taken);

	if (err)
		return err;
	if (taken.left < 2)
		return -EMSGSIZE;
	*value = (uint16_t)(taken.at[0] << 8 | taken.at[1]);
	return 0;
}

/* A vector with one byte of length before it. */
static inline int span_vector8(struct span *span, struct span *vector)
{
	uint8_t bytes;
	int err = span_u8(span, &bytes);

	return err ? err : span_take(span, bytes, vector);
}

/* A vector with two bytes of length before it. */
static inline int span_vector16(struct span *span, struct span *vector)
{
	uint16_t bytes;
	int err = span_u16(span, &bytes);

	return err ? err : span_take(span, bytes, vector);
}

#endif
