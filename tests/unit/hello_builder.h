/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ClientHellos to order: a message is put together piece by piece, so that a test can say what is wrong with it.
 * Must not know: the parser.
 */
#ifndef TLSWHY_TESTS_HELLO_BUILDER_H
#define TLSWHY_TESTS_HELLO_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#define HELLO_BYTES_MAX 4096
/* Every byte that must not leave the process has this value, and no other byte of a built message has. */
#define HELLO_SECRET 0xee

struct hello_builder {
	uint8_t bytes[HELLO_BYTES_MAX];
	size_t used;
};

void hello_u8(struct hello_builder *builder, unsigned int value);
void hello_u16(struct hello_builder *builder, unsigned int value);
void hello_bytes(struct hello_builder *builder, const void *bytes, size_t count);
void hello_secret(struct hello_builder *builder, size_t count);
/* Reserves a 16-bit length; hello_close() fills it in with what was added since. */
size_t hello_open(struct hello_builder *builder);
void hello_close(struct hello_builder *builder, size_t mark);

/* Version, secret random and session id, these cipher suites, null compression. */
void hello_begin(struct hello_builder *builder, const uint16_t *ciphers, size_t count);
/* One extension with a body of 16-bit numbers behind a 16-bit length: groups, signature algorithms. */
void hello_numbers(struct hello_builder *builder, unsigned int type, const uint16_t *numbers, size_t count);
void hello_server_name(struct hello_builder *builder, const char *name);

/* A whole message with every secret there is and all lists. Returns the offset of the extensions' length. */
size_t hello_complete(struct hello_builder *builder);

#endif
