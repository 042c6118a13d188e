/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a ClientHello: parsing and blanking read and write within them, and what parsed well parses to the
 * same after blanking. The first byte says how much of the message is cut off.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/clienthello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void require_bounds(const struct clienthello *hello)
{
	require(hello->cipher_count <= CLIENTHELLO_CIPHERS && hello->cipher_count <= hello->cipher_total);
	require(hello->version_count <= CLIENTHELLO_VERSIONS && hello->group_count <= CLIENTHELLO_GROUPS);
	require(hello->signature_count <= CLIENTHELLO_SIGNATURES && hello->key_share_count <= CLIENTHELLO_KEY_SHARES);
	require(hello->extension_count <= CLIENTHELLO_EXTENSIONS && hello->alpn_count <= CLIENTHELLO_ALPN);
	for (size_t i = 0; i < hello->alpn_count; i++)
		require(hello->alpn[i].offset + hello->alpn[i].bytes <= CLIENTHELLO_ALPN_BYTES);
	require(hello->min_version <= hello->max_version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clienthello before, after;
	size_t bytes, missing;
	uint8_t *body, *again;
	int result;

	if (!size)
		return 0;
	bytes = size - 1;
	missing = data[0] < 128 ? 0 : (size_t)(data[0] - 127) * 16;
	body = malloc(bytes ? bytes : 1);
	require(body != NULL);
	memcpy(body, data + 1, bytes);
	result = clienthello_parse(&before, body, bytes, bytes + missing);
	require_bounds(&before);
	require(before.truncated == (missing > 0));
	clienthello_blank(body, bytes);
	require(clienthello_parse(&after, body, bytes, bytes + missing) == result || result != 0);
	require_bounds(&after);
	if (result == 0)
		require(memcmp(&before, &after, sizeof(before)) == 0);
	/* Blanking what is blank changes nothing. */
	again = malloc(bytes ? bytes : 1);
	require(again != NULL);
	memcpy(again, body, bytes);
	clienthello_blank(again, bytes);
	require(memcmp(again, body, bytes) == 0);
	free(again);
	free(body);
	return 0;
}
