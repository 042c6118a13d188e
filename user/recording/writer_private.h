/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the writer need of each other. Must not be included by anything else. */
#ifndef TLSWHY_RECORDING_WRITER_PRIVATE_H
#define TLSWHY_RECORDING_WRITER_PRIVATE_H

#include "recording/format.h"
#include "recording/writer.h"

/* A whole frame. Returns 0 or the writer's error. */
int writer_frame(struct recording_writer *writer, enum frame_kind kind, const void *body, size_t bytes);
/* The window's listeners and network namespaces, as many as a recording holds. */
void writer_backlog(struct recording_writer *writer, const struct window *window);

#endif
