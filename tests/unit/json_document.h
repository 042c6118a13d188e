/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON report of a snapshot, for its tests. */
#ifndef TLSWHY_TESTS_JSON_DOCUMENT_H
#define TLSWHY_TESTS_JSON_DOCUMENT_H

#include <jansson.h>

#include "handshake/snapshot.h"

/* With the snapshot's findings; it was seen to be ASCII, one line's end at its end. A new reference. */
json_t *json_document(const struct snapshot *snapshot);
/* "a.b.0.c" in a document; fails where it is not there. Borrowed. */
json_t *json_at(json_t *document, const char *path);

#endif
