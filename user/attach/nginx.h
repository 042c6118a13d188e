/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nginx processes of this host, containers included: masters, their workers, the libraries they map.
 * Angie and OpenResty are nginx here.
 */
#ifndef TLSWHY_ATTACH_NGINX_H
#define TLSWHY_ATTACH_NGINX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/process.h"

/* What a process says it is, in the title that nginx gives itself. Anybody can say so: it decides nothing alone. */
enum nginx_title {
	NGINX_TITLE_NONE, /* not nginx, or nginx without a title (master_process off, or just started) */
	NGINX_TITLE_MASTER,
	NGINX_TITLE_WORKER,
	NGINX_TITLE_WORKER_SHUTTING_DOWN,
	NGINX_TITLE_OTHER, /* cache manager and the like: no TLS in it */
};

struct nginx_worker {
	pid_t pid;
	uint64_t start_ticks; /* since boot; with pid the process's identity */
	bool shutting_down;   /* of an older generation, or nginx is being stopped */
};

struct nginx_instance {
	pid_t master;                 /* where there is none: the process itself */
	uint64_t start_ticks;         /* of master */
	enum nginx_title title;       /* of master */
	bool single;                  /* no master above it: master_process off, or its master died */
	pid_t only_worker;            /* 0: all workers are meant, else this one */
	struct nginx_worker *workers; /* owned; a single process is its own worker; may be empty */
	size_t worker_count;
	struct process_exe exe; /* of master; empty where exe_error is set */
	int exe_error;          /* 0 or a negative errno: why the executable could not be read (-EACCES) */
	bool has_tls;           /* the executable exports ngx_ssl_handshake */
};

struct nginx_list {
	struct nginx_instance *items; /* owned; by pid of the master, rising */
	size_t count;
};

enum nginx_library_kind { NGINX_LIBSSL, NGINX_LIBCRYPTO };

struct nginx_library {
	enum nginx_library_kind kind;
	struct file_id id; /* by /proc/PID/maps */
	char *path;        /* owned; for display: foreign bytes */
	bool deleted;      /* replaced on disk since nginx started */
	/* Opens the very file that is mapped, while the process lives; privileges.h says what that needs. */
	char open_path[PROCESS_OPEN_PATH_BYTES];
};

struct nginx_libraries {
	struct nginx_library *items; /* owned; each file once */
	size_t count;
};

/* From the beginning of /proc/PID/cmdline; need not end with NUL. */
enum nginx_title nginx_title_of(const char *command_line, size_t bytes);
/* Whether it has an option with which nginx does one thing and ends (-t, -s, -v, ...); of the same bytes. */
bool nginx_is_command(const char *command_line, size_t bytes);
/* Whether a file of that name is libssl or libcrypto of OpenSSL or a fork; NSS's libssl3.so is neither. */
bool nginx_library_kind_of(const char *path, enum nginx_library_kind *kind);

/*
 * Finds every nginx. None at all is an empty list, not an error. Returns 0 and a list for nginx_list_release(), or a
 * negative errno.
 */
int nginx_find(struct nginx_list *out);
void nginx_list_release(struct nginx_list *list);

/*
 * Finds the nginx that a process belongs to: a master with all its workers, or a worker's master with only_worker
 * set. Returns 0 and an instance for nginx_instance_release(); -ESRCH no such process, -ENOEXEC it is not nginx,
 * -EACCES its executable cannot be read with our privileges.
 */
int nginx_find_pid(pid_t pid, struct nginx_instance *out);
void nginx_instance_release(struct nginx_instance *instance);

enum nginx_answer {
	NGINX_ANSWER_NO,
	NGINX_ANSWER_COMMAND, /* nginx -t, -s and the like: gone in a moment */
	NGINX_ANSWER_YES,
};

/* Asks one process, whatever its title, by what its executable exports. Returns 0, or -ESRCH: it is gone. */
int nginx_ask(pid_t pid, enum nginx_answer *out);

/*
 * The libssl and libcrypto that an instance maps: every process of one master has the same, as they were forked from
 * it. No libssl among them: OpenSSL is linked into the executable, or there is none. Returns 0 and libraries for
 * nginx_libraries_release(), -ESRCH, -EACCES or another negative errno.
 */
int nginx_libraries(const struct nginx_instance *instance, struct nginx_libraries *out);
void nginx_libraries_release(struct nginx_libraries *libraries);

#define NGINX_NO_INDEX UINT32_MAX

/* Exported variables of the executable. */
struct nginx_globals {
	uint32_t connection_index; /* value of ngx_ssl_connection_index, set before nginx forks; NGINX_NO_INDEX:
				      unknown */
	uint64_t cycle_address;    /* where each process has its ngx_cycle pointer; 0: unknown */
	uint64_t http_handler;     /* of ngx_http_init_connection(); 0: unknown, or nginx without http */
};

/* What cannot be read is unknown. */
void nginx_globals_read(const struct nginx_instance *instance, struct nginx_globals *out);
/*
 * The address of a process's cycle, its configuration: workers of one generation share it, those of a reload have
 * another. 0: unknown.
 */
uint64_t nginx_cycle(const struct nginx_globals *globals, pid_t pid);

#endif
