/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the debug information of a library may be, in the order of dwarf.h. Paths of a container are opened within
 * its root: neither a symbolic link nor ".." leads out of it. A file counts when its build-id is the library's, or,
 * where the library has none, when its CRC is the one in .gnu_debuglink.
 * Must not know: libelf, libdw, what is looked for.
 */
#define _GNU_SOURCE /* O_PATH */
#include "attach/dwarf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

#define PATH_BYTES  4096
#define ID_HEX      (DWARF_ID_BYTES * 2)
#define CHUNK_BYTES 65536

/* One place to look in. */
struct base {
	int root; /* a directory; -1: this host has nothing there */
	enum dwarf_origin origin;
};

struct search {
	const struct dwarf_source *source;
	const struct dwarf_file *library;
	unsigned int parts;
	struct dwarf_types *types;
	enum dwarf_origin *origin;
	int error; /* why what was found was of no use; 0: nothing was found */
};

/* Not to hang on a FIFO, nor to follow /proc's links out of the root. */
static int open_below(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* "usr/lib/debug/.build-id/ab/cdef....debug". */
static void id_path(const struct dwarf_id *id, char out[PATH_BYTES])
{
	char hex[ID_HEX + 1] = "";

	for (size_t i = 0; i < id->count; i++)
		snprintf(hex + i * 2, 3, "%02x", id->bytes[i]);
	snprintf(out, PATH_BYTES, "usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
}

static int crc_of(int fd, uint32_t *out)
{
	autofree unsigned char *chunk = malloc(CHUNK_BYTES);
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;

	if (!chunk)
		return -ENOMEM;
	for (;;) {
		ssize_t n = pread(fd, chunk, CHUNK_BYTES, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		crc = crc32(crc, chunk, (uInt)n);
		at += n;
	}
	*out = (uint32_t)crc;
	return 0;
}

/* Whether a file is the one that belongs to the library. */
static bool belongs(const struct search *search, const struct dwarf_file *file, int fd)
{
	const struct dwarf_id *id = dwarf_file_id(search->library);
	uint32_t wanted = 0, crc = 0;

	if (id->count)
		return dwarf_id_equal(id, dwarf_file_id(file));
	return dwarf_file_link(search->library, &wanted) && !crc_of(fd, &crc) && crc == wanted;
}

/* The path of a name that a file gives, relative to that file's directory. Returns false when it is too long. */
static bool path_beside(const char *file_path, const char *name, char out[PATH_BYTES])
{
	const char *slash = strrchr(file_path, '/');
	int directory = slash ? (int)(slash - file_path) : 0, n;

	if (name[0] == '/')
		n = snprintf(out, PATH_BYTES, "%s", name);
	else
		n = snprintf(out, PATH_BYTES, "%.*s/%s", directory, file_path, name);
	return n > 0 && n < PATH_BYTES;
}

/* Opens what a file shares types with. The descriptor goes to *fd, which must stay open as long as the file. */
static int open_shared(const struct base *base, const char *file_path, const char *name, const struct dwarf_id *id,
		       int *fd, struct dwarf_file **out)
{
	autodwarf struct dwarf_file *file = NULL;
	char path[PATH_BYTES];
	const char *further;
	struct dwarf_id further_id;
	int error;

	if (base->origin == DWARF_ORIGIN_DEBUGINFOD) {
		*fd = dwarf_fetch(id);
	} else {
		id_path(id, path);
		*fd = open_below(base->root, path);
		if (*fd < 0 && path_beside(file_path, name, path))
			*fd = open_below(base->root, path);
	}
	if (*fd < 0)
		return -ENOENT;
	error = dwarf_file_open(*fd, &file);
	if (!error && !dwarf_id_equal(dwarf_file_id(file), id))
		error = -ENOENT;
	if (!error)
		error = dwarf_file_load(file, &further, &further_id);
	/* No tool makes chains of them. */
	if (!error && further)
		error = -EBADMSG;
	if (!error)
		*out = take_pointer(file);
	return error;
}

/* Reads a file that belongs to the library. A file whose second one is missing is of no use: types may be there. */
static int read_types(const struct search *search, struct dwarf_file *file, const struct base *base, const char *path)
{
	autoclose int shared_fd = -1;
	autodwarf struct dwarf_file *shared = NULL;
	struct dwarf_view view;
	struct dwarf_id id = { 0 };
	const char *name;
	int error = dwarf_file_load(file, &name, &id);

	if (!error && name)
		error = open_shared(base, path, name, &id, &shared_fd, &shared);
	if (error)
		return error;
	if (shared)
		dwarf_file_share(file, shared);
	dwarf_file_view(file, shared, &view);
	return dwarf_walk(&view, search->parts, search->types);
}

static bool conclude(struct search *search, int error, enum dwarf_origin origin)
{
	if (!error)
		*search->origin = origin;
	else if (!search->error)
		search->error = error;
	return !error;
}

/* Takes the descriptor over. Returns whether the search is over. */
static bool try_file(struct search *search, int fd, const struct base *base, const char *path)
{
	autoclose int owned = fd;
	autodwarf struct dwarf_file *file = NULL;
	int error;

	if (owned < 0)
		return false;
	error = dwarf_file_open(owned, &file);
	if (!error && (!belongs(search, file, owned) || !dwarf_file_has_types(file)))
		return false;
	if (!error)
		error = read_types(search, file, base, path);
	return conclude(search, error, base->origin);
}

static bool try_library(struct search *search, struct dwarf_file *library)
{
	const struct base base = { .root = search->source->root, .origin = DWARF_ORIGIN_LIBRARY };
	const char *path = search->source->path ? search->source->path : "";

	return dwarf_file_has_types(library) &&
	       conclude(search, read_types(search, library, &base, path), base.origin);
}

static bool try_id(struct search *search, const struct base *base)
{
	const struct dwarf_id *id = dwarf_file_id(search->library);
	char path[PATH_BYTES];

	if (!id->count)
		return false;
	id_path(id, path);
	return try_file(search, open_below(base->root, path), base, path);
}

/* Beside the library, and in the tree below /usr/lib/debug that mirrors where libraries are. */
static bool try_link(struct search *search, const struct base *base)
{
	static const struct {
		const char *before, *behind; /* the library's directory */
	} forms[] = { { "", "/" }, { "", "/.debug/" }, { "usr/lib/debug", "/" } };
	const char *own = search->source->path, *slash = own ? strrchr(own, '/') : NULL, *name;
	uint32_t crc;

	name = dwarf_file_link(search->library, &crc);
	if (!name || !slash || strchr(name, '/'))
		return false;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char path[PATH_BYTES];
		int n = snprintf(path, sizeof(path), "%s%.*s%s%s", forms[i].before, (int)(slash - own), own,
				 forms[i].behind, name);

		if (n > 0 && n < PATH_BYTES && try_file(search, open_below(base->root, path), base, path))
			return true;
	}
	return false;
}

static bool try_servers(struct search *search)
{
	const struct base base = { .root = -1, .origin = DWARF_ORIGIN_DEBUGINFOD };

	return try_file(search, dwarf_fetch(dwarf_file_id(search->library)), &base, "");
}

/* The process's root and this host's, which may be the same. Returns how many. */
static size_t list_bases(int target, int host, struct base out[2])
{
	struct stat target_st, host_st;
	size_t count = 0;

	if (target >= 0 && !fstat(target, &target_st))
		out[count++] = (struct base){ .root = target, .origin = DWARF_ORIGIN_TARGET_FILE };
	if (host < 0 || fstat(host, &host_st))
		return count;
	if (count && target_st.st_dev == host_st.st_dev && target_st.st_ino == host_st.st_ino)
		count = 0;
	out[count++] = (struct base){ .root = host, .origin = DWARF_ORIGIN_HOST_FILE };
	return count;
}

int dwarf_find(const struct dwarf_source *source, struct dwarf_file *library, unsigned int parts,
	       struct dwarf_types *types, enum dwarf_origin *origin)
{
	autoclose int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct search search = {
		.source = source, .library = library, .parts = parts, .types = types, .origin = origin
	};
	struct base bases[2];
	size_t count = list_bases(source->root, host, bases);

	if (try_library(&search, library))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (try_id(&search, &bases[i]))
			return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (try_link(&search, &bases[i]))
			return 0;
	}
	if (try_servers(&search))
		return 0;
	return search.error ? search.error : -ENOENT;
}
