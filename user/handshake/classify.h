/* SPDX-License-Identifier: BSD-2-Clause */
/* From a verdict's facts to a cause. Pure; the only place where causes are decided. */
#ifndef TLSWHY_HANDSHAKE_CLASSIFY_H
#define TLSWHY_HANDSHAKE_CLASSIFY_H

#include <stdbool.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"

/* The cause of one handshake. Every verdict has one; bytes outside their enum count as unknown. */
enum cause classify(const struct verdict *verdict);

/* The library's number in a packed error code, by the family that packed it. */
unsigned int error_library(__u32 code, enum library_family family);
/* The reason in a packed error code. */
unsigned int error_reason(__u32 code, enum library_family family);

#endif
