/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos to order. */
#include <check.h>
#include <string.h>

#include "hello_builder.h"

void hello_bytes(struct hello_builder *builder, const void *bytes, size_t count)
{
	ck_assert_uint_le(count, sizeof(builder->bytes) - builder->used);
	memcpy(builder->bytes + builder->used, bytes, count);
	builder->used += count;
}

void hello_u8(struct hello_builder *builder, unsigned int value)
{
	hello_bytes(builder, &(uint8_t){ (uint8_t)value }, 1);
}

void hello_u16(struct hello_builder *builder, unsigned int value)
{
	hello_u8(builder, value >> 8);
	hello_u8(builder, value & 0xff);
}

void hello_secret(struct hello_builder *builder, size_t count)
{
	while (count--)
		hello_u8(builder, HELLO_SECRET);
}

size_t hello_open(struct hello_builder *builder)
{
	hello_u16(builder, 0);
	return builder->used;
}

void hello_close(struct hello_builder *builder, size_t mark)
{
	size_t length = builder->used - mark;

	builder->bytes[mark - 2] = (uint8_t)(length >> 8);
	builder->bytes[mark - 1] = (uint8_t)length;
}

void hello_begin(struct hello_builder *builder, const uint16_t *ciphers, size_t count)
{
	size_t mark;

	builder->used = 0;
	hello_u16(builder, 0x0303);
	hello_secret(builder, 32);
	hello_u8(builder, 32);
	hello_secret(builder, 32);
	mark = hello_open(builder);
	for (size_t i = 0; i < count; i++)
		hello_u16(builder, ciphers[i]);
	hello_close(builder, mark);
	hello_u16(builder, 0x0100); /* one method: null */
}

void hello_numbers(struct hello_builder *builder, unsigned int type, const uint16_t *numbers, size_t count)
{
	size_t body, list;

	hello_u16(builder, type);
	body = hello_open(builder);
	list = hello_open(builder);
	for (size_t i = 0; i < count; i++)
		hello_u16(builder, numbers[i]);
	hello_close(builder, list);
	hello_close(builder, body);
}

void hello_server_name(struct hello_builder *builder, const char *name)
{
	size_t body, list, text;

	hello_u16(builder, 0);
	body = hello_open(builder);
	list = hello_open(builder);
	hello_u8(builder, 0);
	text = hello_open(builder);
	hello_bytes(builder, name, strlen(name));
	hello_close(builder, text);
	hello_close(builder, list);
	hello_close(builder, body);
}

static void add_key_shares(struct hello_builder *builder)
{
	size_t body, list, key;

	hello_u16(builder, 51);
	body = hello_open(builder);
	list = hello_open(builder);
	hello_u16(builder, 0x2a2a); /* GREASE */
	hello_u16(builder, 1);
	hello_secret(builder, 1);
	hello_u16(builder, 0x001d);
	key = hello_open(builder);
	hello_secret(builder, 32);
	hello_close(builder, key);
	hello_close(builder, list);
	hello_close(builder, body);
}

static void add_pre_shared_keys(struct hello_builder *builder)
{
	size_t body, list, identity;

	hello_u16(builder, 41);
	body = hello_open(builder);
	list = hello_open(builder);
	identity = hello_open(builder);
	hello_secret(builder, 100);
	hello_close(builder, identity);
	hello_secret(builder, 4); /* age */
	hello_close(builder, list);
	list = hello_open(builder);
	hello_u8(builder, 32);
	hello_secret(builder, 32);
	hello_close(builder, list);
	hello_close(builder, body);
}

static void add_opaque(struct hello_builder *builder, unsigned int type, size_t count)
{
	size_t body;

	hello_u16(builder, type);
	body = hello_open(builder);
	hello_secret(builder, count);
	hello_close(builder, body);
}

static void add_alpn_and_versions(struct hello_builder *builder)
{
	static const uint8_t alpn[] = { 0, 16, 0, 14, 0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };
	static const uint8_t versions[] = { 0, 43, 0, 9, 8, 0x7a, 0x7a, 3, 4, 3, 3, 3, 2 };

	hello_bytes(builder, alpn, sizeof(alpn));
	hello_bytes(builder, versions, sizeof(versions));
}

size_t hello_complete(struct hello_builder *builder)
{
	static const uint16_t ciphers[] = { 0x1a1a, 0x1301, 0x1302, 0xc02f, 0x5600 };
	static const uint16_t groups[] = { 0x2a2a, 0x11ec, 0x001d, 0x0017 };
	static const uint16_t signatures[] = { 0x0403, 0x0804, 0x0401 };
	size_t extensions, cookie, body;

	hello_begin(builder, ciphers, 5);
	extensions = hello_open(builder);
	add_opaque(builder, 0x3a3a, 0);
	hello_server_name(builder, "www.example.test");
	hello_numbers(builder, 10, groups, 4);
	hello_numbers(builder, 13, signatures, 3);
	add_alpn_and_versions(builder);
	add_opaque(builder, 35, 120);
	add_opaque(builder, 57, 40);     /* quic_transport_parameters */
	add_opaque(builder, 0xfe0d, 90); /* encrypted_client_hello */
	hello_u16(builder, 44);
	body = hello_open(builder);
	cookie = hello_open(builder);
	hello_secret(builder, 20);
	hello_close(builder, cookie);
	hello_close(builder, body);
	add_key_shares(builder);
	add_pre_shared_keys(builder);
	hello_close(builder, extensions);
	return extensions - 2;
}
