/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layouts from debug information: what the compiler wrote down about this very build. It is looked for in the library
 * itself, then by build-id below /usr/lib/debug in the process's root and on this host, then by .gnu_debuglink, then,
 * where DEBUGINFOD_URLS is set, at a debuginfod server. What is found counts only when its build-id is the library's.
 *
 * Slow (a few ms to a few seconds, a download more): meant for a thread beside the tracer. It needs no capability but
 * those the given descriptors were opened with, and shares nothing with its caller but its arguments.
 */
#ifndef TLSWHY_ATTACH_DWARF_H
#define TLSWHY_ATTACH_DWARF_H

#include <stdint.h>

#include "attach/layout.h"

/* A library whose debug information is wanted. Descriptors stay the caller's and must stay open until the return. */
struct dwarf_source {
	int fd;           /* the library, as the process maps it; its position is not used */
	int root;         /* the process's root directory (O_PATH is enough), -1: look on this host only */
	const char *path; /* of the library below that root, for .gnu_debuglink; NULL: unknown */
};

/* Where the debug information of a library came from. */
enum dwarf_origin {
	DWARF_ORIGIN_NONE,
	DWARF_ORIGIN_LIBRARY,     /* not stripped */
	DWARF_ORIGIN_TARGET_FILE, /* a file in the process's root */
	DWARF_ORIGIN_HOST_FILE,
	DWARF_ORIGIN_DEBUGINFOD,
};

/* States of a handshake that struct layout has numbers of. */
#define DWARF_STATES(X)                         \
	X(hello_server, "TLS_ST_SR_CLNT_HELLO") \
	X(early_data, "TLS_ST_EARLY_DATA")      \
	X(write_hello, "TLS_ST_CW_CLNT_HELLO")  \
	X(write_finished, "TLS_ST_CW_FINISHED")

enum dwarf_state {
#define X(name, enumerator) DWARF_STATE_##name,
	DWARF_STATES(X)
#undef X
		DWARF_STATE_COUNT
};

struct dwarf_layout {
	uint16_t values[LAYOUT_FIELD_COUNT]; /* LAYOUT_NONE: debug information does not know it */
	uint8_t states[DWARF_STATE_COUNT];   /* 0: unknown; all of them are known or none is */
	enum dwarf_origin libssl, libcrypto; /* NONE: no debug information there */
};

/*
 * The layout of a loaded library. Where OpenSSL is linked into the program both sources are the program. Results are
 * kept for the life of this process, by build-id.
 * Returns 0 and *out when at least one of the two gave a field; -ENOENT when there is no debug information, -ENODATA
 * when what there is does not describe OpenSSL, -EBADMSG damaged, -E2BIG or -ETIME more than is read, or another
 * negative errno. *out is always filled in.
 */
int dwarf_layout(const struct dwarf_source *libssl, const struct dwarf_source *libcrypto, struct dwarf_layout *out);

/* Why this build asks no debuginfod server; NULL: it does. Static storage. */
const char *dwarf_fetch_missing(void);

/* "the library", "a debug file in its root", "a debug file on this host", "debuginfod", "none". Static storage. */
const char *dwarf_origin_name(enum dwarf_origin origin);

#endif
