/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local addresses on which http accepts TLS, learned from the handshakes that are seen there, and told to the
 * kernel side: who leaves such a listener before a byte has sent nothing that nginx would give to the library.
 */
#ifndef TLSWHY_COMMAND_LISTENERS_H
#define TLSWHY_COMMAND_LISTENERS_H

#include "attach/tracer.h"
#include "handshake/observation.h"

/* A cache of what is told already; a listener that falls out of it is told once more. */
#define LISTENERS_KNOWN 256

struct listeners {
	struct listener_key known[LISTENERS_KNOWN];
};

/* `= { 0 }` knows none. Of a record of any kind; what cannot be told is not counted, and no error. */
void listeners_learn(struct listeners *listeners, struct tracer *tracer, const struct observation *observation);

#endif
