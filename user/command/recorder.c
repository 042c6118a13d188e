/* SPDX-License-Identifier: BSD-2-Clause */
/* A recording as a file. Contract: recorder.h. */
#include "command/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

int recorder_open(struct recorder *recorder, const char *path)
{
	int error;

	/* O_EXCL follows no symbolic link either: root may write to a directory of others. */
	recorder->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
	if (recorder->fd < 0) {
		error = -errno;
		log_error("cannot create '%s': %s", path, strerror(-error));
		if (error == -EEXIST)
			log_hint("a recording replaces no file: choose another name, or remove that one");
		return error;
	}
	recorder->path = path;
	recorder->writer = recording_writer_new(recorder->fd);
	if (recorder->writer)
		return 0;
	log_error("cannot record: %s", strerror(ENOMEM));
	return -ENOMEM;
}

static void judge(struct recorder *recorder, int error)
{
	if (!error || recorder->failed)
		return;
	recorder->failed = true;
	log_error("cannot write '%s' at offset %" PRIu64 ": %s", recorder->path,
		  recording_written_bytes(recorder->writer), strerror(-error));
	log_hint("what was recorded before can be read with -i");
}

void recorder_begin(struct recorder *recorder, const struct window *window)
{
	if (recorder->writer)
		judge(recorder, recording_write_begin(recorder->writer, window));
}

void recorder_record(struct recorder *recorder, const struct kept_record *record)
{
	if (recorder->writer)
		judge(recorder, recording_write_record(recorder->writer, record));
}

void recorder_tick(struct recorder *recorder, uint64_t now_ns)
{
	if (recorder->writer)
		judge(recorder, recording_write_tick(recorder->writer, now_ns));
}

void recorder_spill(struct recorder *recorder, const struct spill_key *key, const struct spill_value *value)
{
	if (recorder->writer)
		judge(recorder, recording_write_spill(recorder->writer, key, value));
}

void recorder_end(struct recorder *recorder, const struct window *window)
{
	if (!recorder->writer)
		return;
	judge(recorder, recording_write_end(recorder->writer, window));
	/* Some file systems find out that the disk is full only now. */
	if (fsync(recorder->fd) && errno != EINVAL)
		judge(recorder, -errno);
}

void recorder_release(struct recorder *recorder)
{
	bool empty = recorder->writer && recording_written_bytes(recorder->writer) == 0;

	recording_writer_free(recorder->writer);
	if (recorder->fd < 0)
		return;
	close(recorder->fd);
	if (empty)
		unlink(recorder->path);
	*recorder = (struct recorder){ .fd = -1 };
}
