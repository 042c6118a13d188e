/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waited, or was lost, before nginx accepted it.
 *
 * Must not know: outputs.
 */
#ifndef TLSWHY_DIAGNOSE_ACCEPT_QUEUE_H
#define TLSWHY_DIAGNOSE_ACCEPT_QUEUE_H

#include <stdbool.h>

#include "diagnose/diagnose.h"

#define LISTENER_TEXT_BYTES 64

/* "192.0.2.1:443", "[::]:443". Returns the buffer. */
const char *listener_text(const struct snapshot_listener *listener, char buffer[LISTENER_TEXT_BYTES]);
/*
 * Whether it is worth a line: connections were dropped, or its accept queue, or the connections half-open, reached a
 * tenth of the limit. A few that wait for a moment are there on every server.
 */
bool listener_is_notable(const struct snapshot_listener *listener);
/* Connections that nginx's listeners lost, as far as that is known. */
uint64_t listeners_dropped(const struct snapshot *snapshot);

/* The listener that lost most, else that was fullest, as evidence; nothing where none is notable. */
void accept_queue_evidence(const struct snapshot *snapshot, struct finding *finding);
/* The finding accept_queue_overflow. Where workers are short of time that is why, and told there. */
void diagnose_accept_queue(const struct snapshot *snapshot, bool workers_short, struct findings *findings);

#endif
