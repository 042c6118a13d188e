/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which library it is: by number and text, and what follows from that for the numbers that are no offsets.
 *
 * Invariant: a number is handed out only for releases whose numbers were compiled. Must not know: machine code.
 */
#include <stdio.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "attach/layout_private.h"

#define LIBRESSL_NUMBER   0x20000000u /* for ever */
#define BORINGSSL_LIB_SSL 16          /* ERR_LIB_SSL; BoringSSL and AWS-LC pack errors as lib << 24 | reason */

/*
 * The digits of "OpenSSL 1.1.1w ..." or "OpenSSL 3.0.19 ..." as OpenSSL_version_num() packs them; 0 for anything
 * else. Behind its number a release has a blank; "+quic", "-dev" and the like are other layouts.
 */
static uint32_t packed_version(const char *text, bool *plain)
{
	unsigned int parts[3] = { 0 }, letter = 0;
	const char *p = text + strlen("OpenSSL ");

	*plain = false;
	if (strncmp(text, "OpenSSL ", strlen("OpenSSL ")))
		return 0;
	for (int i = 0; i < 3; i++) {
		const char *start = p;

		for (; *p >= '0' && *p <= '9' && p - start < 3; p++)
			parts[i] = parts[i] * 10 + (unsigned int)(*p - '0');
		if (p == start || (i < 2 && *p++ != '.'))
			return 0;
	}
	if (parts[0] < 3 && *p >= 'a' && *p <= 'z')
		letter = (unsigned int)(*p++ - 'a') + 1;
	*plain = *p == ' ';
	if (!parts[0] || parts[0] > 15 || parts[1] > 255 || parts[2] > 255)
		return 0;
	if (parts[0] >= 3)
		return parts[0] << 28 | parts[1] << 20 | parts[2] << 4;
	return parts[0] << 28 | parts[1] << 20 | parts[2] << 12 | letter << 4 | 0xf;
}

void layout_identify(const struct library *libssl, const struct library *libcrypto, struct layout_report *report)
{
	bool plain;

	/* Before 3.0 the text is in libssl too; it is the only one where libcrypto was stripped of it. */
	if (library_openssl_version(libcrypto, report->version, sizeof(report->version)) &&
	    library_openssl_version(libssl, report->version, sizeof(report->version)))
		report->version[0] = '\0';
	if (library_version_number(libcrypto, &report->version_number))
		report->version_number = packed_version(report->version, &plain);
}

static bool is_boringssl(const struct layout_report *report)
{
	return strstr(report->version, "; BoringSSL") || strstr(report->version, "; AWS-LC");
}

bool layout_is_openssl(const struct layout_report *report)
{
	return !is_boringssl(report) && report->version_number != LIBRESSL_NUMBER;
}

/*
 * The same digits under other names hide other layouts ("OpenSSL 3.0.15+quic"), and a text that contradicts the
 * number is a library that is not what it says.
 */
bool layout_is_release(const struct layout_report *report)
{
	bool plain;

	if (!layout_is_openssl(report))
		return false;
	if (!report->version[0])
		return true;
	return packed_version(report->version, &plain) == report->version_number && plain;
}

const struct layout_range *layout_range_find(uint32_t version, bool *compiled)
{
	const struct layout_range *nearest = NULL;

	*compiled = false;
	for (unsigned int i = 0; i < layout_range_count; i++) {
		const struct layout_range *range = &layout_ranges[i];

		if (range->first >> 12 != version >> 12) /* 0x10101 is 1.1.1, 0x30500 is 3.5 */
			continue;
		*compiled = version >= range->first && version <= range->last;
		if (*compiled)
			return range;
		if (!nearest || version > range->last)
			nearest = range;
	}
	return nearest;
}

static enum library_family family_of(const struct layout_report *report)
{
	if (is_boringssl(report))
		return LIBRARY_BORINGSSL;
	if (report->version_number >> 28 >= 3)
		return LIBRARY_OPENSSL_3;
	/* LibreSSL kept the packing and the numbers of the reasons that it shares with OpenSSL 1.1.1. */
	if (report->version_number == LIBRESSL_NUMBER || report->version_number >> 12 == 0x10101)
		return LIBRARY_OPENSSL_1_1_1;
	return LIBRARY_UNKNOWN;
}

/* States are numbered anew when messages are added, last in 3.2, when SSL's version moved away from its start. */
static const struct layout *same_states(uint32_t version, uint16_t version_offset)
{
	uint32_t newest = layout_ranges[layout_range_count - 1].last;

	if (version_offset == LAYOUT_NONE || version < layout_ranges[0].first || version >> 20 > newest >> 20)
		return NULL;
	for (unsigned int i = 0; i < layout_row_count; i++) {
		if (!layout_rows[i].layout.version == !version_offset)
			return &layout_rows[i].layout;
	}
	return NULL;
}

void layout_number(const struct layout_report *report, uint16_t version_offset, struct layout *out)
{
	const struct layout *same = layout_is_openssl(report) ? same_states(report->version_number, version_offset)
							      : NULL;

	out->family = (__u8)family_of(report);
	for (unsigned int i = 0; i < layout_row_count; i++) {
		if (layout_rows[i].layout.family != out->family)
			continue;
		out->error_lib_shift = layout_rows[i].layout.error_lib_shift;
		out->error_lib_ssl = layout_rows[i].layout.error_lib_ssl;
	}
	if (out->family == LIBRARY_BORINGSSL) {
		out->error_lib_shift = 24;
		out->error_lib_ssl = BORINGSSL_LIB_SSL;
	}
	/*
	 * Else 0: the kernel side then cannot tell a ClientHello that is being read from what comes later, nor a
	 * handshake that waits for the client's Finished from one that is over.
	 */
	if (!same)
		return;
	out->state_hello_server = same->state_hello_server;
	out->state_early_data = same->state_early_data;
	out->state_write_hello = same->state_write_hello;
	out->state_write_finished = same->state_write_finished;
}
