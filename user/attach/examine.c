/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading an instance's files: see examine.h.
 *
 * Invariant: files are opened through the process, never by a name of this mount namespace.
 */
#include "attach/examine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/debug_file.h"
#include "attach/harm.h"
#include "attach/tails.h"
#include "base/cleanup.h"

/* The three files of an instance; two or all may be one. */
struct files {
	struct nginx_libraries libraries;
	struct examined_site place[3]; /* by enum probe_file: path, file and display_path of each */
	struct library *library[3];
	int debug_file_error[3]; /* why there is no debug file; 0 where none was needed */
};

static void files_release(struct files *files)
{
	for (size_t i = 0; i < 3; i++)
		library_close(files->library[i]);
	nginx_libraries_release(&files->libraries);
}

static void place_set(struct examined_site *place, const char *path, struct file_id file, const char *display)
{
	place->file = file;
	snprintf(place->path, sizeof(place->path), "%s", path);
	snprintf(place->display_path, sizeof(place->display_path), "%s", display);
}

static struct watch_problem problem_of(enum watch_fault fault)
{
	return (struct watch_problem){ .fault = fault };
}

static int cannot_read(struct watch_problem *problem, const char *path, int error)
{
	*problem = problem_of(WATCH_FAULT_REQUIREMENT);
	snprintf(problem->sentence, sizeof(problem->sentence), "cannot read '%s': %s", path,
		 error == -EBADMSG ? "the file is damaged" : strerror(-error));
	snprintf(problem->hint, sizeof(problem->hint), "%s",
		 error == -EACCES || error == -EPERM ? "run tlswhy as root"
						     : "is the file an ELF program of this machine");
	return error;
}

/* Where OpenSSL is: in libraries of its own, or in the executable. */
static int files_find(const struct nginx_instance *instance, struct files *files)
{
	char exe[PROCESS_OPEN_PATH_BYTES];
	int error = nginx_libraries(instance, &files->libraries);

	if (error)
		return error;
	process_exe_open_path(instance->master, exe);
	for (size_t i = 0; i < 3; i++)
		place_set(&files->place[i], exe, instance->exe.by_stat, instance->exe.path);
	for (size_t i = 0; i < files->libraries.count; i++) {
		const struct nginx_library *library = &files->libraries.items[i];
		enum probe_file which = library->kind == NGINX_LIBSSL ? PROBE_IN_LIBSSL : PROBE_IN_LIBCRYPTO;

		place_set(&files->place[which], library->open_path, library->id, library->path);
	}
	return 0;
}

static int find_function(const struct library *library, enum probe probe, struct symbol *out)
{
	int error = library_symbol(library, probe_spec(probe)->function, out);

	return !error && (!out->is_function || out->file_offset == LIBRARY_NO_OFFSET) ? -ENOENT : error;
}

/* Whether a file has all functions that must be there. */
static bool is_complete(const struct library *library, enum probe_file which)
{
	struct symbol symbol;

	for (enum probe probe = 0; probe < PROBE_COUNT; probe++) {
		const struct probe_spec *spec = probe_spec(probe);

		if (spec->file == which && spec->required && find_function(library, probe, &symbol))
			return false;
	}
	return true;
}

static int files_open(const struct nginx_instance *instance, struct files *files, struct watch_problem *problem)
{
	int error = files_find(instance, files);

	if (error)
		return cannot_read(problem, instance->exe.path ? instance->exe.path : "nginx", error);
	for (size_t i = 0; i < 3; i++) {
		error = library_open(files->place[i].path, &files->library[i]);
		if (error)
			return cannot_read(problem, files->place[i].display_path, error);
		/* What is still missing then is told by who needs it. */
		if (!is_complete(files->library[i], (enum probe_file)i))
			files->debug_file_error[i] = debug_file_add(files->library[i], instance->master);
	}
	return 0;
}

static bool is_linked_in(const struct files *files, enum probe_file which)
{
	return file_id_equal(files->place[which].file, files->place[PROBE_IN_NGINX].file);
}

/* What would give the functions of a library that is linked in and was stripped of its names. */
static void hint_debug_file(struct watch_problem *problem, const struct files *files, enum probe_file which)
{
	char path[DEBUG_FILE_PATH_BYTES];
	const char *state = files->debug_file_error[which] == -ESTALE   ? "what is there is of another build"
			    : files->debug_file_error[which] == -ENOENT ? "there is none"
									: "it cannot be read";

	if (debug_file_path(files->library[which], path))
		snprintf(problem->hint, sizeof(problem->hint),
			 "it has no build-id by which a debug file could be found: use one that is not stripped");
	else
		snprintf(problem->hint, sizeof(problem->hint),
			 "its debug symbols (a -dbgsym or -debuginfo package) would name them in '%s': %s", path,
			 state);
}

static int no_function(struct watch_problem *problem, const struct files *files, const struct probe_spec *spec)
{
	const char *path = files->place[spec->file].display_path;

	*problem = problem_of(WATCH_FAULT_REQUIREMENT);
	if (spec->file != PROBE_IN_NGINX && is_linked_in(files, spec->file)) {
		snprintf(problem->sentence, sizeof(problem->sentence),
			 "'%s' has its TLS library linked in and hides where its functions are ('%s')", path,
			 spec->function);
		hint_debug_file(problem, files, spec->file);
	} else {
		snprintf(problem->sentence, sizeof(problem->sentence), "no function '%s' in '%s'", spec->function,
			 path);
		snprintf(problem->hint, sizeof(problem->hint),
			 "tlswhy needs nginx with OpenSSL as shared libraries, or linked in with its symbols");
	}
	return -ENOTSUP;
}

static bool is_used(enum probe_use use, bool by_connection)
{
	return use == PROBE_FOR_ALL || (use == PROBE_FOR_OBJECTS) == !by_connection;
}

/* Where the function of a probe is: the function itself, or a part of it that the compiler has split off. */
static int find_place(const struct library *library, enum probe probe, struct symbol *out)
{
	const struct probe_spec *spec = probe_spec(probe);
	struct symbol function, other;
	struct tails tails;
	size_t part;
	int error = find_function(library, probe, &function);

	if (!error && spec->use >= PROBE_FOR_PART_0) {
		bool has_other = !library_symbol(library, "ngx_ssl_ocsp_validate", &other);

		part = spec->use - PROBE_FOR_PART_0;
		error = tails_find(library, &function, has_other ? &other : NULL, &tails);
		if (!error && part >= tails.count)
			error = -ENOENT;
		if (!error)
			function = tails.items[part];
	}
	if (!error)
		*out = function;
	return error;
}

static int split_function(struct watch_problem *problem, const char *path)
{
	*problem = problem_of(WATCH_FAULT_REQUIREMENT);
	snprintf(problem->sentence, sizeof(problem->sentence),
		 "the compiler has split 'ngx_ssl_handshake' of '%s' in a way that cannot be followed", path);
	snprintf(problem->hint, sizeof(problem->hint),
		 "an nginx that does not hide its TLS library is traced by that library's functions");
	return -ENOTSUP;
}

/* Every required function must be there before a probe is placed anywhere. */
static int find_sites(const struct files *files, bool by_connection, struct examined_sites *sites,
		      struct watch_problem *problem)
{

	for (enum probe probe = 0; probe < PROBE_COUNT; probe++) {
		const struct probe_spec *spec = probe_spec(probe);
		struct examined_site *site = &sites->items[sites->count];
		struct symbol symbol;
		int error;

		if (!is_used(spec->use, by_connection))
			continue;
		error = find_place(files->library[spec->file], probe, &symbol);
		if (error && spec->use >= PROBE_FOR_PART_0 && error != -ENOENT)
			return split_function(problem, files->place[spec->file].display_path);
		if (error && spec->required)
			return no_function(problem, files, spec);
		if (error)
			continue;
		*site = files->place[spec->file];
		site->function = symbol;
		site->site =
			(struct probe_site){ .probe = probe, .path = site->path, .file_offset = symbol.file_offset };
		sites->count++;
	}
	return 0;
}

static void choose_sites(const struct files *files, struct examined_sites *sites)
{
	for (size_t i = 0; i < sites->count; i++) {
		struct examined_site *site = &sites->items[i];
		const struct library *library = files->library[probe_spec(site->site.probe)->file];

		if (site_find(library, &site->function, probe_query(site->site.probe), &site->where))
			site->where = (struct site){ .cost = SITE_STEPPED, .reason = "its code cannot be read" };
		site->site.file_offset += site->where.offset;
	}
}

int examine_sites(const struct watch_target *target, struct examined_sites *sites, struct watch_problem *problem)
{
	__attribute__((cleanup(files_release))) struct files files = { 0 };
	struct examined_sites found = { 0 };
	int error = files_open(&target->instance, &files, problem);

	if (error)
		return error;
	found.items = calloc(PROBE_COUNT, sizeof(*found.items));
	if (!found.items)
		return -ENOMEM;
	error = find_sites(&files, target->by_connection, &found, problem);
	if (error) {
		examined_sites_release(&found);
		return error;
	}
	choose_sites(&files, &found);
	*sites = found;
	return 0;
}

void examined_sites_release(struct examined_sites *sites)
{
	free(sites->items);
	*sites = (struct examined_sites){ 0 };
}

/* The library's functions and the layout of its objects. */
static int examine_objects(struct watch_target *target, const struct files *files, struct examined_sites *sites)
{
	int error = find_sites(files, false, sites, &target->unseen);

	target->unseen.fault = WATCH_FAULT_NONE;
	if (error)
		return error;
	error = layout_for(files->library[PROBE_IN_LIBSSL], files->library[PROBE_IN_LIBCRYPTO], &target->offsets,
			   &target->layout);
	if (error == -ENOTSUP && refine_layout(&target->instance, &target->layout, &target->offsets) == 0)
		error = 0;
	if (error)
		snprintf(target->unseen.sentence, sizeof(target->unseen.sentence),
			 "cannot read the objects of '%.200s': %s", target->library_path, target->layout.reason);
	return error;
}

/* nginx's own functions alone: role, peer, outcome, errno. */
static int examine_connections(struct watch_target *target, const struct files *files, struct examined_sites *sites)
{
	int error = find_sites(files, true, sites, &target->problem);

	if (error)
		return error;
	target->by_connection = true;
	target->layout.source = LAYOUT_SOURCE_NONE;
	layout_none(&target->offsets);
	return 0;
}

static int examine_files(struct watch_target *target)
{
	__attribute__((cleanup(files_release))) struct files files = { 0 };
	__attribute__((cleanup(examined_sites_release))) struct examined_sites sites = { 0 };
	int error = files_open(&target->instance, &files, &target->problem);

	if (error)
		return error;
	target->library_path = strdup(files.place[PROBE_IN_LIBSSL].display_path);
	sites.items = calloc(PROBE_COUNT, sizeof(*sites.items));
	if (!target->library_path || !sites.items)
		return -ENOMEM;
	error = examine_objects(target, &files, &sites);
	if (error == -ENOTSUP) {
		sites.count = 0;
		error = examine_connections(target, &files, &sites);
		/* The library comes first: that is what can be mended. */
		if (error == -ENOTSUP) {
			target->problem = target->unseen;
			target->problem.fault = WATCH_FAULT_REQUIREMENT;
		}
	}
	if (error)
		return error;
	choose_sites(&files, &sites);
	target->site_count = sites.count;
	target->sites = take_pointer(sites.items);
	return 0;
}

int examine_target(struct watch_target *target)
{
	const struct nginx_instance *instance = &target->instance;
	int error;

	target->usable = false;
	if (instance->exe_error) {
		cannot_read(&target->problem, "nginx's executable", instance->exe_error);
		return 0;
	}
	if (!instance->has_tls) {
		target->problem = problem_of(WATCH_FAULT_REQUIREMENT);
		snprintf(target->problem.sentence, sizeof(target->problem.sentence), "'%s' has no TLS in it",
			 instance->exe.path);
		snprintf(target->problem.hint, sizeof(target->problem.hint),
			 "this nginx was built without an SSL module: there is nothing to see");
		return 0;
	}
	error = examine_files(target);
	if (!error)
		error = examine_generations(target);
	if (!error)
		error = harm_examine(instance, &target->problem);
	target->usable = !error;
	return error == -ENOMEM ? error : 0;
}
