/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is replaced as a whole: who reads it sees the old text or the new one, never a part.
 *
 * The new text is written beside it, as FILE.tmp.PID, synced, and renamed over it. Where anything fails the
 * temporary file is removed and the old one stays as it is.
 * Must not know: what is written.
 */
#ifndef TLSWHY_COMMAND_TEXTFILE_H
#define TLSWHY_COMMAND_TEXTFILE_H

#include <stddef.h>

/*
 * Replaces the file at path, mode 0644 whatever the umask: whoever collects it is another user. Returns 0; -EEXIST
 * where path is there and no regular file; -ENAMETOOLONG; or another negative errno.
 */
int textfile_replace(const char *path, const char *text, size_t bytes);

#endif
