/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos (RFC 8446 section 4.1.2), byte by byte. See hello.h. */
#include <string.h>

#include "hello.h"

static size_t put_u16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return 2;
}

size_t hello_head(uint8_t *body, uint16_t legacy_version)
{
	size_t used = put_u16(body, legacy_version);

	memset(body + used, 0x5a, 32);
	used += 32;
	body[used++] = 0; /* session id */
	used += put_u16(body + used, 2);
	used += put_u16(body + used, 0x1301);
	body[used++] = 1;
	body[used++] = 0; /* compression */
	return used;
}

size_t hello_with_versions(uint8_t *body, uint16_t legacy_version, const uint16_t *versions, size_t count)
{
	size_t used = hello_head(body, legacy_version);

	used += put_u16(body + used, 4 + 3 + (count ? 5 + 2 * count : 0));
	used += put_u16(body + used, 21);
	used += put_u16(body + used, 3);
	memset(body + used, 0, 3);
	used += 3;
	if (count == 0)
		return used;
	used += put_u16(body + used, 43);
	used += put_u16(body + used, 1 + 2 * count);
	body[used++] = (uint8_t)(2 * count);
	for (size_t i = 0; i < count; i++)
		used += put_u16(body + used, versions[i]);
	return used;
}
