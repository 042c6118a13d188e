/* SPDX-License-Identifier: BSD-2-Clause */
/* From a layout's offsets to the stretches in which the kernel side reads them: see tlswhy/sight.h. */
#ifndef TLSWHY_ATTACH_SIGHT_H
#define TLSWHY_ATTACH_SIGHT_H

#include <linux/types.h>

#include "tlswhy/config.h"
#include "tlswhy/sight.h"

/*
 * Bytes between two fields that are read with them. What lies there are pointers, numbers and the context of session
 * ids (ssl_local.h of 1.1.1, 3.0, 3.2, 3.5 and 3.6), but for the session id before verify_mode, which is not read;
 * the secrets are in the gaps of 1,000 bytes before hello_retry and behind peer_sigalg.
 */
#define SIGHT_GAP_BYTES 96

/*
 * The stretches of a layout. A field that finds no room in them is one that nobody vouches for: only a layout that no
 * release has can be so. *out is filled in.
 */
void sight_of(const struct layout *layout, struct sight *out);

#endif
