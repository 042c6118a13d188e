/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a library: everything that attach/ asks a file, of which nothing may crash, hang or reach outside of
 * it. The first input is a small library that has what is asked for, so that mutations start behind the first checks.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/types.h>

#include "attach/accessor.h"
#include "attach/layout.h"
#include "attach/library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file = -1;

static void ask(const struct library *library)
{
	static const char *const names[] = { "SSL_version", "SSL_get_options", "BIO_next", "OpenSSL_version_num" };
	char text[LIBRARY_VERSION_BYTES], id[LIBRARY_BUILD_ID_HEX];
	struct layout layout;
	struct layout_report report;
	uint64_t bias;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct symbol symbol;
		unsigned char code[16];
		uint32_t offset;

		if (!library_symbol(library, names[i], &symbol))
			library_read(library, symbol.value, code, sizeof(code));
		if (!accessor_offset(library, names[i], &offset) && offset >= LAYOUT_NONE)
			abort();
	}
	library_exports(library, "ngx_ssl_handshake");
	if (!library_openssl_version(library, text, sizeof(text)) && strncmp(text, "OpenSSL ", 8))
		abort();
	if (!library_build_id(library, id) && strspn(id, "0123456789abcdef") != strlen(id))
		abort();
	library_load_bias(library, 0x7f0000000000, 0, &bias);
	layout_for(library, library, &layout, &report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct library *library = NULL;

	if (file < 0)
		file = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size)
		return 0;
	if (!library_open_fd(file, &library))
		ask(library);
	library_close(library);
	return 0;
}
