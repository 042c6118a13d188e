/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a packed library error to its text. Declared in names.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "handshake/classify.h"
#include "handshake/names.h"
#include "handshake/reasons.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define LIBRARY_NUMBER_SYSTEM 2
#define LIBRARY_NUMBER_SSL    20
#define BORINGSSL_NUMBER_SSL  16
#define OPENSSL_3_SYSTEM_FLAG 0x80000000u
#define ALERT_REASON_BASE     1000 /* SSL_AD_REASON_OFFSET, in every family */

/* A library of 0 is any library. */
struct reason {
	unsigned int library;
	unsigned int reason;
	const char *text;
};

#define X(number, string) { .reason = (number), .text = (string) },
static const struct reason ssl_reasons[] = { SSL_REASONS(X) };
static const struct reason boringssl_reasons[] = { BORINGSSL_REASONS(X) };
static const struct reason common_reasons_3[] = { COMMON_REASONS_3(X) };
static const struct reason common_reasons_1_1_1[] = { COMMON_REASONS_1_1_1(X) };
#undef X
#define X(number, subject, string) { .library = (number), .reason = (subject), .text = (string) },
static const struct reason crypto_reasons[] = { CRYPTO_REASONS(X) };
#undef X
#define X(number, string) { .library = (number), .text = (string) },
static const struct reason libraries[] = { ERROR_LIBRARIES(X) };
#undef X

static const char *lookup(const struct reason *rows, size_t count, unsigned int library, unsigned int reason)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].library == library && rows[i].reason == reason)
			return rows[i].text;
	}
	return NULL;
}

static const char *common_text(unsigned int reason, enum library_family family)
{
	if (family == LIBRARY_OPENSSL_3)
		return lookup(common_reasons_3, LENGTH(common_reasons_3), 0, reason);
	return lookup(common_reasons_1_1_1, LENGTH(common_reasons_1_1_1), 0, reason);
}

static const char *ssl_text(unsigned int reason, enum library_family family, char buffer[NAME_BYTES])
{
	char alert[NAME_BYTES];
	const char *text;

	if (reason >= ALERT_REASON_BASE && reason <= ALERT_REASON_BASE + 255) {
		text = alert_name((uint8_t)(reason - ALERT_REASON_BASE), alert);
		/* One without a name says "alert" itself. */
		snprintf(buffer, NAME_BYTES, text == alert ? "%.60s received" : "alert %.60s received", text);
		return buffer;
	}
	if (family == LIBRARY_BORINGSSL)
		text = lookup(boringssl_reasons, LENGTH(boringssl_reasons), 0, reason);
	else if (family == LIBRARY_OPENSSL_1_1_1 && reason == 294)
		text = "ocsp callback failure";
	else
		text = lookup(ssl_reasons, LENGTH(ssl_reasons), 0, reason);
	if (!text)
		text = common_text(reason, family);
	if (text)
		return text;
	snprintf(buffer, NAME_BYTES, "reason %u", reason);
	return buffer;
}

/* BoringSSL's other libraries have numbers of their own, which nobody here vouches for. */
static const char *crypto_text(unsigned int library, unsigned int reason, enum library_family family,
			       char buffer[NAME_BYTES])
{
	const char *name = NULL, *text = NULL;
	char number[NAME_BYTES];

	if (family != LIBRARY_BORINGSSL) {
		name = lookup(libraries, LENGTH(libraries), library, 0);
		text = lookup(crypto_reasons, LENGTH(crypto_reasons), library, reason);
	}
	if (!text)
		text = common_text(reason, family);
	if (!name) {
		snprintf(number, sizeof(number), "library %u", library);
		name = number;
	}
	if (text)
		snprintf(buffer, NAME_BYTES, "%.20s: %.70s", name, text);
	else
		snprintf(buffer, NAME_BYTES, "%.20s: reason %u", name, reason);
	return buffer;
}

const char *error_text(uint32_t code, enum library_family family, char buffer[NAME_BYTES])
{
	unsigned int library = error_library(code, family), reason = error_reason(code, family);

	if (family == LIBRARY_OPENSSL_3 && code & OPENSSL_3_SYSTEM_FLAG)
		return errno_name((int)(code & ~OPENSSL_3_SYSTEM_FLAG), buffer);
	if (family == LIBRARY_UNKNOWN) {
		snprintf(buffer, NAME_BYTES, "code %08X of an unknown library", code);
		return buffer;
	}
	if (library == (family == LIBRARY_BORINGSSL ? BORINGSSL_NUMBER_SSL : LIBRARY_NUMBER_SSL))
		return ssl_text(reason, family, buffer);
	if (library == LIBRARY_NUMBER_SYSTEM)
		return errno_name((int)reason, buffer);
	return crypto_text(library, reason, family, buffer);
}
