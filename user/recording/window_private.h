/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a window is in a file of its own: what waits before accept(). For window.c alone. */
#ifndef TLSWHY_RECORDING_WINDOW_PRIVATE_H
#define TLSWHY_RECORDING_WINDOW_PRIVATE_H

#include "recording/window.h"

/* That part of window_merge(). Looks at the windows' ends: before they are merged. Returns 0 or -ENOMEM. */
int window_merge_backlog(struct window *into, const struct window *from);
/* That part of window_complete(). Returns 0 or -ENOMEM. */
int window_complete_backlog(const struct window *window, struct snapshot *snapshot);

#endif
