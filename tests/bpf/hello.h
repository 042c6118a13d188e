/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of ClientHellos for the kernel side's own reading of supported_versions. Must not know: any parser. */
#ifndef TLSWHY_TESTS_BPF_HELLO_H
#define TLSWHY_TESTS_BPF_HELLO_H

#include <stddef.h>
#include <stdint.h>

#define HELLO_FIXED_BYTES 41 /* up to the length of the extensions, with hello_head() */

/* Version, random, empty session id, one cipher suite, null compression. Returns HELLO_FIXED_BYTES. */
size_t hello_head(uint8_t *body, uint16_t legacy_version);
/* The same, and extensions: a padding (21) of 3 bytes, then supported_versions, where count is not 0. Returns bytes.
 */
size_t hello_with_versions(uint8_t *body, uint16_t legacy_version, const uint16_t *versions, size_t count);

#endif
