/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One record, decoded and judged: what decode.c makes of a ring record's bytes and what aggregate and the
 * trace outputs consume. Bounds are checked by the decoder, so that readers need not.
 */
#ifndef TLSWHY_HANDSHAKE_OBSERVATION_H
#define TLSWHY_HANDSHAKE_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "tlswhy/event.h"
#include "handshake/cause.h"
#include "handshake/clienthello.h"

struct observation {
	struct event event; /* a copy; counts and lengths in it are within their arrays */
	enum cause cause;   /* OK for EVENT_SETTLED of outcome ok; meaningless for marks */
	uint8_t sni[256];   /* the whole server name where it is known, else its beginning */
	uint16_t sni_bytes;
	bool has_hello;
	struct clienthello hello; /* meant where has_hello */
};

#endif
