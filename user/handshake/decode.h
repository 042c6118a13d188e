/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the bytes of one record to an observation.
 *
 * Invariant: the bytes may come from a recording that a stranger made: nothing is read outside of them, and what
 * passes has its counts and lengths within their arrays and its enums within their lists.
 * Must not know: where the bytes come from, what is done with the result.
 */
#ifndef TLSWHY_HANDSHAKE_DECODE_H
#define TLSWHY_HANDSHAKE_DECODE_H

#include <stddef.h>

#include "handshake/observation.h"

/*
 * Decodes one record: a struct event_header, the rest of a struct event, a tail, and perhaps rubbish behind it. bytes
 * need no alignment. A fixed part larger than struct event is of a newer writer: what is known of it is read. The
 * fixed part of a mark (EVENT_FINAL, EVENT_EXIT, EVENT_TARGET, EVENT_EXEC) may end early, after time_ns at the
 * soonest and for EVENT_FINAL and EVENT_EXEC after object; what is missing is zero.
 *
 * Fills sni from the record, its tail or the ClientHello, whichever knows most of it, and judges EVENT_SETTLED and
 * EVENT_AMENDED by classify(). event.sni_bytes becomes the length of what is in event.sni.
 *
 * Returns 0, or with *out untouched:
 *   -EMSGSIZE         the bytes or the fixed part end too early
 *   -EPROTONOSUPPORT  another version of the record
 *   -EBADMSG          an unknown kind or tail, a length or an enum that does not fit
 */
int decode_record(const void *bytes, size_t size, struct observation *out);

#endif
