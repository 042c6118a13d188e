/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds nginx by walking /proc once into a table, then looking only at that table, so that parent and child are seen
 * at one moment. A title makes a process a candidate quickly; without one, each distinct executable of the host is
 * asked once whether it exports ngx_ssl_handshake.
 * Must not know: OpenSSL's structures, the kernel side.
 */
#include "attach/nginx.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/library.h"
#include "base/cleanup.h"
#include "host/worker.h"

#define COMMAND_LINE_BYTES 512
#define MARK_FUNCTION      "ngx_ssl_handshake"

struct known_exe {
	struct file_id id;
	bool is_nginx;
};

struct nginx_process {
	pid_t pid, parent;
	uint64_t start_ticks;
	enum nginx_title title;
	bool is_nginx;   /* has a title, or its executable is nginx */
	bool is_command; /* nginx -t, -s and the like: gone in a moment */
};

struct table {
	struct nginx_process *processes;
	size_t count, capacity;
	struct known_exe *exes;
	size_t exe_count, exe_capacity;
};

static void table_release(struct table *table)
{
	free(table->processes);
	free(table->exes);
}

/* The array with room for one more item; NULL, and the array as it was, when memory is short. */
static void *grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *moved;

	if (count < *capacity)
		return items;
	moved = reallocarray(items, wanted, item_bytes);
	if (moved)
		*capacity = wanted;
	return moved;
}

static bool exe_is_nginx(pid_t pid)
{
	autolibrary struct library *exe = NULL;
	char path[PROCESS_OPEN_PATH_BYTES];

	process_exe_open_path(pid, path);
	return !library_open(path, &exe) && library_exports(exe, MARK_FUNCTION);
}

int nginx_ask(pid_t pid, enum nginx_answer *out)
{
	char command_line[COMMAND_LINE_BYTES];
	ssize_t bytes = process_command_line(pid, command_line, sizeof(command_line));
	struct file_id id;

	if (bytes < 0 || process_exe_id(pid, &id))
		return -ESRCH;
	if (!exe_is_nginx(pid))
		*out = NGINX_ANSWER_NO;
	else if (nginx_is_command(command_line, (size_t)bytes))
		*out = NGINX_ANSWER_COMMAND;
	else
		*out = NGINX_ANSWER_YES;
	return 0;
}

/* Asks each distinct executable once. */
static int ask_exe(struct table *table, pid_t pid, bool *is_nginx)
{
	struct known_exe *exes;
	struct file_id id;

	*is_nginx = false;
	if (process_exe_id(pid, &id))
		return 0;
	for (size_t i = 0; i < table->exe_count; i++) {
		if (file_id_equal(table->exes[i].id, id)) {
			*is_nginx = table->exes[i].is_nginx;
			return 0;
		}
	}
	exes = grow(table->exes, table->exe_count, &table->exe_capacity, sizeof(*exes));
	if (!exes)
		return -ENOMEM;
	table->exes = exes;
	*is_nginx = exe_is_nginx(pid);
	table->exes[table->exe_count++] = (struct known_exe){ .id = id, .is_nginx = *is_nginx };
	return 0;
}

/* Adds a process to the table; one that has vanished is skipped. */
static int table_add(struct table *table, pid_t pid)
{
	struct nginx_process process = { .pid = pid };
	char command_line[COMMAND_LINE_BYTES];
	struct nginx_process *processes;
	struct worker_stat stat;
	ssize_t bytes = process_command_line(pid, command_line, sizeof(command_line));
	int error;

	if (bytes < 0 || worker_stat_read(pid, &stat))
		return 0;
	process.parent = stat.parent;
	process.start_ticks = stat.start_ticks;
	process.title = nginx_title_of(command_line, (size_t)bytes);
	process.is_command = nginx_is_command(command_line, (size_t)bytes);
	process.is_nginx = process.title != NGINX_TITLE_NONE;
	/* Kernel threads have no command line. */
	error = !process.is_nginx && bytes ? ask_exe(table, pid, &process.is_nginx) : 0;
	if (error)
		return error;
	processes = grow(table->processes, table->count, &table->capacity, sizeof(*processes));
	if (!processes)
		return -ENOMEM;
	table->processes = processes;
	table->processes[table->count++] = process;
	return 0;
}

static bool parse_pid(const char *name, pid_t *out)
{
	char *end;
	long value;

	if (!isdigit((unsigned char)name[0]))
		return false;
	errno = 0;
	value = strtol(name, &end, 10);
	if (errno || *end || value <= 0 || value > INT32_MAX)
		return false;
	*out = (pid_t)value;
	return true;
}

static int table_scan(struct table *table)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int error = 0;

	if (!proc)
		return -errno;
	while (!error && (entry = readdir(proc))) {
		pid_t pid;

		if (parse_pid(entry->d_name, &pid))
			error = table_add(table, pid);
	}
	closedir(proc);
	return error;
}

static bool has_children(const struct table *table, pid_t pid)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->processes[i].parent == pid)
			return true;
	}
	return false;
}

static const struct nginx_process *table_find(const struct table *table, pid_t pid)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->processes[i].pid == pid)
			return &table->processes[i];
	}
	return NULL;
}

static bool is_worker(const struct nginx_process *process)
{
	return process->title == NGINX_TITLE_WORKER || process->title == NGINX_TITLE_WORKER_SHUTTING_DOWN;
}

/* Not every parent of a worker is a master: a worker whose master was killed is handed to init. */
static bool has_nginx_parent(const struct table *table, const struct nginx_process *process)
{
	const struct nginx_process *parent = table_find(table, process->parent);

	return parent && parent->is_nginx;
}

/*
 * A worker bears its master's title until it has changed its user, which may take long. A master that an upgrade
 * started is a child of a master too, but has workers.
 */
static void table_name_workers(struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct nginx_process *process = &table->processes[i];
		const struct nginx_process *parent = table_find(table, process->parent);

		if (process->title == NGINX_TITLE_MASTER && parent && parent->title == NGINX_TITLE_MASTER &&
		    !has_children(table, process->pid))
			process->title = NGINX_TITLE_WORKER;
	}
}

/* Whether a process is what an instance is named after. */
static bool is_head(const struct table *table, const struct nginx_process *process)
{
	if (process->title == NGINX_TITLE_MASTER)
		return true;
	if (!process->is_nginx || process->title == NGINX_TITLE_OTHER || has_nginx_parent(table, process))
		return false;
	return is_worker(process) || !process->is_command;
}

static int add_worker(struct nginx_instance *instance, size_t *capacity, const struct nginx_process *process)
{
	struct nginx_worker *workers = grow(instance->workers, instance->worker_count, capacity, sizeof(*workers));

	if (!workers)
		return -ENOMEM;
	instance->workers = workers;
	instance->workers[instance->worker_count++] = (struct nginx_worker){
		.pid = process->pid,
		.start_ticks = process->start_ticks,
		.shutting_down = process->title == NGINX_TITLE_WORKER_SHUTTING_DOWN,
	};
	return 0;
}

static int make_instance(const struct table *table, const struct nginx_process *head, struct nginx_instance *out)
{
	struct nginx_instance instance = {
		.master = head->pid,
		.start_ticks = head->start_ticks,
		.title = head->title,
		.single = head->title != NGINX_TITLE_MASTER,
	};
	size_t capacity = 0;
	int error = instance.single ? add_worker(&instance, &capacity, head) : 0;

	for (size_t i = 0; i < table->count && !error; i++) {
		const struct nginx_process *process = &table->processes[i];

		if (process->parent == head->pid && is_worker(process))
			error = add_worker(&instance, &capacity, process);
	}
	if (error) {
		nginx_instance_release(&instance);
		return error;
	}
	instance.exe_error = process_exe_read(head->pid, &instance.exe);
	instance.has_tls = !instance.exe_error && exe_is_nginx(head->pid);
	*out = instance;
	return 0;
}

static int compare_instances(const void *a, const void *b)
{
	pid_t left = ((const struct nginx_instance *)a)->master, right = ((const struct nginx_instance *)b)->master;

	return (left > right) - (left < right);
}

static int collect(const struct table *table, struct nginx_list *list)
{
	size_t capacity = 0;

	for (size_t i = 0; i < table->count; i++) {
		struct nginx_instance *items;
		int error;

		if (!is_head(table, &table->processes[i]))
			continue;
		items = grow(list->items, list->count, &capacity, sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
		error = make_instance(table, &table->processes[i], &list->items[list->count]);
		if (error)
			return error;
		list->count++;
	}
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_instances);
	return 0;
}

int nginx_find(struct nginx_list *out)
{
	struct table table = { 0 };
	struct nginx_list list = { 0 };
	int error = table_scan(&table);

	table_name_workers(&table);
	if (!error)
		error = collect(&table, &list);
	table_release(&table);
	if (error)
		nginx_list_release(&list);
	else
		*out = list;
	return error;
}

void nginx_instance_release(struct nginx_instance *instance)
{
	if (!instance)
		return;
	free(instance->workers);
	process_exe_release(&instance->exe);
	memset(instance, 0, sizeof(*instance));
}

void nginx_list_release(struct nginx_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		nginx_instance_release(&list->items[i]);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

/* Whether the instance is the process's; sets only_worker where the process is not its head. */
static bool restrict_to(struct nginx_instance *instance, pid_t pid)
{
	if (instance->master == pid)
		return true;
	for (size_t i = 0; i < instance->worker_count; i++) {
		if (instance->workers[i].pid == pid) {
			instance->only_worker = pid;
			return true;
		}
	}
	return false;
}

int nginx_find_pid(pid_t pid, struct nginx_instance *out)
{
	struct nginx_list list = { 0 };
	int error = process_access(pid), result = -ENOEXEC;

	if (error)
		return error;
	error = nginx_find(&list);
	if (error)
		return error;
	for (size_t i = 0; i < list.count; i++) {
		if (!restrict_to(&list.items[i], pid))
			continue;
		result = list.items[i].exe_error;
		if (!result) {
			*out = list.items[i];
			list.items[i] = (struct nginx_instance){ 0 };
		}
		break;
	}
	nginx_list_release(&list);
	return result;
}
