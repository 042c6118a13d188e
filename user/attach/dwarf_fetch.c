/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug files from a debuginfod server, where the user has set DEBUGINFOD_URLS. The client library is loaded when it
 * is wanted first: linking it would cost every start of the program 30 ms for the TLS library that comes with it, and
 * hosts without it would not run the program at all.
 * Must not know: what the file is for.
 */
#define _GNU_SOURCE /* secure_getenv() */
#include "attach/dwarf.h"
#include "attach/dwarf_private.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef TLSWHY_NO_DEBUGINFOD

#include <elfutils/debuginfod.h>

#define FETCH_SECONDS_MAX 30 /* for one file; the client's own limit is 90 without a byte */

static struct {
	bool complete;
	__typeof__(debuginfod_begin) *begin;
	__typeof__(debuginfod_end) *end;
	__typeof__(debuginfod_find_debuginfo) *find;
	__typeof__(debuginfod_set_progressfn) *set_progress;
	__typeof__(debuginfod_set_user_data) *set_data;
	__typeof__(debuginfod_get_user_data) *get_data;
} client_library;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;

/* ISO C has no cast from what dlsym() gives to a function; POSIX promises that the bits are right. */
static bool load_function(void *handle, const char *name, void *out)
{
	void *symbol = dlsym(handle, name);

	memcpy(out, &symbol, sizeof(symbol));
	return symbol;
}

/* It stays loaded: it keeps state of its own for as long as the process lives. */
static void load(void)
{
	void *handle = dlopen(DEBUGINFOD_SONAME, RTLD_LAZY | RTLD_LOCAL);

	client_library.complete = handle && load_function(handle, "debuginfod_begin", &client_library.begin) &&
				  load_function(handle, "debuginfod_end", &client_library.end) &&
				  load_function(handle, "debuginfod_find_debuginfo", &client_library.find) &&
				  load_function(handle, "debuginfod_set_progressfn", &client_library.set_progress) &&
				  load_function(handle, "debuginfod_set_user_data", &client_library.set_data) &&
				  load_function(handle, "debuginfod_get_user_data", &client_library.get_data);
}

static time_t seconds_now(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Called about once a second. Not 0 ends the download: it is late, or too big to be read. */
static int must_stop(debuginfod_client *client, long done, long total)
{
	const time_t *end = client_library.get_data(client);

	return seconds_now() >= *end || done > (long)LIBRARY_MAX_BYTES || total > (long)LIBRARY_MAX_BYTES;
}

int dwarf_fetch(const struct dwarf_id *id)
{
	const char *servers = secure_getenv(DEBUGINFOD_URLS_ENV_VAR);
	time_t end = seconds_now() + FETCH_SECONDS_MAX;
	debuginfod_client *client;
	int fd;

	if (!servers || !*servers || !id->count)
		return -ENOENT;
	pthread_once(&load_once, load);
	if (!client_library.complete)
		return -ENOSYS;
	client = client_library.begin();
	if (!client)
		return -ENOMEM;
	client_library.set_data(client, &end);
	client_library.set_progress(client, must_stop);
	fd = client_library.find(client, id->bytes, (int)id->count, NULL);
	client_library.end(client);
	return fd < 0 ? -ENOENT : fd;
}

const char *dwarf_fetch_missing(void)
{
	return NULL;
}

#else

const char *dwarf_fetch_missing(void)
{
	return "its client is loaded while the program runs, which a static program cannot";
}

int dwarf_fetch(const struct dwarf_id *id)
{
	(void)id;
	return -ENOSYS;
}

#endif
