/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts a layout together from what libssl's debug information says and what libcrypto's does (BIO), and keeps
 * results.
 *
 * Invariant: what a container's own files say never becomes the layout of another container's library: whoever
 * makes a file chooses its build-id. Such results are kept for that very file; those from this host's files and from
 * debuginfod, for the build-id.
 * Must not know: how debug information is found and read.
 */
#include "attach/dwarf.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "attach/dwarf_private.h"

#define KEPT_MAX 32 /* libraries of a host; the oldest result makes room */

/* A file as it is now: one that is rewritten in place is another. */
struct identity {
	dev_t device;
	ino_t inode;
	off_t bytes;
	struct timespec changed;
};

struct kept {
	struct dwarf_id id; /* no bytes: a free place */
	unsigned int parts;
	struct identity identity; /* of the library's file, where the result is its own */
	enum dwarf_origin origin;
	struct dwarf_types types;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept results[KEPT_MAX];
static size_t next_place;

static int identify(int fd, struct identity *out)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*out = (struct identity){ st.st_dev, st.st_ino, st.st_size, st.st_ctim };
	return 0;
}

static bool is_same_file(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool holds_for_all(enum dwarf_origin origin)
{
	return origin == DWARF_ORIGIN_HOST_FILE || origin == DWARF_ORIGIN_DEBUGINFOD;
}

static bool recall(const struct dwarf_id *id, unsigned int parts, const struct identity *identity, struct kept *out)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < KEPT_MAX && id->count && !found; i++) {
		const struct kept *kept = &results[i];

		found = kept->parts == parts && dwarf_id_equal(&kept->id, id) &&
			(holds_for_all(kept->origin) || is_same_file(&kept->identity, identity));
		if (found)
			*out = *kept;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static void keep(const struct kept *result)
{
	if (!result->id.count)
		return;
	pthread_mutex_lock(&lock);
	results[next_place] = *result;
	next_place = (next_place + 1) % KEPT_MAX;
	pthread_mutex_unlock(&lock);
}

static int types_of(const struct dwarf_source *source, unsigned int parts, struct dwarf_types *types,
		    enum dwarf_origin *origin)
{
	autodwarf struct dwarf_file *library = NULL;
	struct kept result = { .parts = parts };
	int error = identify(source->fd, &result.identity);

	if (!error)
		error = dwarf_file_open(source->fd, &library);
	if (error)
		return error;
	result.id = *dwarf_file_id(library);
	if (!recall(&result.id, parts, &result.identity, &result)) {
		error = dwarf_find(source, library, parts, &result.types, &result.origin);
		if (error)
			return error;
		keep(&result);
	}
	*types = result.types;
	*origin = result.origin;
	return 0;
}

static void merge(const struct dwarf_types *types, struct dwarf_layout *out)
{
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++) {
		if (types->values[i] != LAYOUT_NONE)
			out->values[i] = types->values[i];
	}
	if (types->states[0])
		memcpy(out->states, types->states, sizeof(out->states));
}

int dwarf_layout(const struct dwarf_source *libssl, const struct dwarf_source *libcrypto, struct dwarf_layout *out)
{
	struct identity ssl = { 0 }, crypto = { 0 };
	bool is_one = !identify(libssl->fd, &ssl) && !identify(libcrypto->fd, &crypto) && is_same_file(&ssl, &crypto);
	struct dwarf_types types;
	int error, crypto_error;

	*out = (struct dwarf_layout){ 0 };
	for (int i = 0; i < LAYOUT_FIELD_COUNT; i++)
		out->values[i] = LAYOUT_NONE;
	error = types_of(libssl, is_one ? DWARF_PART_SSL | DWARF_PART_BIO : DWARF_PART_SSL, &types, &out->libssl);
	if (!error)
		merge(&types, out);
	if (is_one) {
		out->libcrypto = out->libssl;
		return error;
	}
	crypto_error = types_of(libcrypto, DWARF_PART_BIO, &types, &out->libcrypto);
	if (!crypto_error)
		merge(&types, out);
	return error && crypto_error ? error : 0;
}

const char *dwarf_origin_name(enum dwarf_origin origin)
{
	switch (origin) {
	case DWARF_ORIGIN_LIBRARY:
		return "the library";
	case DWARF_ORIGIN_TARGET_FILE:
		return "a debug file in its root";
	case DWARF_ORIGIN_HOST_FILE:
		return "a debug file on this host";
	case DWARF_ORIGIN_DEBUGINFOD:
		return "debuginfod";
	case DWARF_ORIGIN_NONE:
		break;
	}
	return "none";
}
