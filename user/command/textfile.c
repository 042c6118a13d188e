/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces a file as a whole: see textfile.h. Must not know: what is written. */
#include "command/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A device, a pipe or a symbolic link would be replaced by a file: surely not meant. */
static int may_replace(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(status.st_mode) ? 0 : -EEXIST;
}

static int write_all(int fd, const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t written = write(fd, text, bytes);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			bytes -= (size_t)written;
		}
	}
	return 0;
}

static int write_synced(const char *path, const char *text, size_t bytes)
{
	autoclose int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error;

	if (fd < 0)
		return -errno;
	error = write_all(fd, text, bytes);
	if (error)
		return error;
	if (fchmod(fd, 0644) || fsync(fd) || close(take_fd(&fd)))
		return -errno;
	return 0;
}

int textfile_replace(const char *path, const char *text, size_t bytes)
{
	char temporary[PATH_MAX];
	int length = snprintf(temporary, sizeof(temporary), "%s.tmp.%d", path, (int)getpid());
	int error;

	if (length < 0 || (size_t)length >= sizeof(temporary))
		return -ENAMETOOLONG;
	error = may_replace(path);
	if (error)
		return error;
	unlink(temporary); /* of a process that had our number and was killed */
	error = write_synced(temporary, text, bytes);
	if (!error && rename(temporary, path))
		error = -errno;
	if (error)
		unlink(temporary);
	return error;
}
