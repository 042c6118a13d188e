/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traced program: reads a script on stdin, a command a line, and answers `done ...`, `no ...` or `inside` a line
 * on stdout when the command has run, so that whoever wrote it knows that the probes have run too.
 *
 *   new ID server|client [tcp4|tcp6|mapped|unix|none]   -> done OBJECT SESSION LOCAL_PORT PEER_PORT
 *   set ID FIELD VALUE|self         at once
 *   during ID FIELD VALUE|self      inside of the next SSL_do_handshake
 *   during ID error CODE|pause 0|spin MS        ERR_error_string_n(CODE); answer `inside`, wait for a line; use a CPU
 *   message ID TYPE [HEX]           the handshake message that is being read
 *   name ID TEXT, proxy ID PORT TEXT, packet ID HEX
 *   step ID RESULT, thread ID RESULT            one SSL_do_handshake; the second in a thread of its own, which ends
 *   error CODE, connection_error ERRNO TEXT, verify_error N, check_host RESULT, remove_session ADDRESS
 *   answer ID STATUS, create ID, handshake ID RESULT, shutdown ID       nginx's functions on the object's connection
 *   free ID, forget ID              SSL_free; the second without calling it
 *   free_at ADDRESS, connection_error_at ADDRESS        the same with a pointer that leads anywhere
 *   connection_error_absent ERRNO TEXT                  the same with a text that is not in memory until it is said
 *   write ID BYTES, read ID, peek ID, peer_write ID BYTES, peer_reset ID, peer_close ID, close ID
 *   fork, fork_other                a child does one handshake; the second runs the loader, so another executable
 *   burst COUNT SEED THREADS        -> done N... (burst.h); exec, exit
 */
#define _GNU_SOURCE
#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <netinet/in.h>
#include <unistd.h>

#include "fake_layout.h"
#include "victim.h"

#define OBJECTS 64

static struct object *objects[OBJECTS];

void victim_pause(void)
{
	char line[16];

	puts("inside");
	if (!fgets(line, sizeof(line), stdin))
		_exit(1);
}

void victim_spin(uint64_t ms)
{
	struct timespec now;
	uint64_t start_ns, used_ns;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	start_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		used_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - start_ns;
	} while (used_ns < ms * 1000000);
}

static uint64_t number(char **rest)
{
	const char *word = strsep(rest, " ");

	return word ? strtoull(word, NULL, 0) : 0;
}

static const char *word(char **rest)
{
	const char *found = strsep(rest, " ");

	return found ? found : "";
}

static size_t from_hex(const char *text, uint8_t *bytes)
{
	char pair[3] = "";
	size_t count = 0;

	for (; text[0] && text[1]; text += 2) {
		memcpy(pair, text, 2);
		bytes[count++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return count;
}

static uint16_t port_of(int fd, int (*name_of)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in6 name = { 0 }; /* the port is where sockaddr_in has it */
	socklen_t bytes = sizeof(name);

	if (fd < 0 || name_of(fd, (struct sockaddr *)&name, &bytes) || name.sin6_family == AF_UNIX)
		return 0;
	return ntohs(name.sin6_port);
}

static int local_name(int fd, struct sockaddr *name, socklen_t *bytes)
{
	return getsockname(fd, name, bytes);
}

static int peer_name(int fd, struct sockaddr *name, socklen_t *bytes)
{
	return getpeername(fd, name, bytes);
}

static void command_new(uint64_t id, char *rest)
{
	bool server = !strcmp(word(&rest), "server");
	const char *kind = rest ? word(&rest) : "tcp4";
	struct object *object = malloc(sizeof(*object));

	if (!object)
		abort();
	object_init(object, server);
	if (!object_connect(object, server, kind)) {
		free(object);
		puts("no such socket");
		return;
	}
	objects[id] = object;
	printf("done %p %p %u %u\n", (void *)object, (void *)object->session, port_of(object->fd, local_name),
	       port_of(object->fd, peer_name));
}

static uint64_t value_of(const struct object *object, const struct field *field, const char *text)
{
	return strcmp(text, "self") ? strtoull(text, NULL, 0) : field_self(object, field);
}

static bool command_set(struct object *object, char *rest)
{
	const struct field *field = field_find(word(&rest));

	if (field)
		field_set(object, field, value_of(object, field, word(&rest)));
	return field;
}

static bool command_during(struct object *object, char *rest)
{
	struct change *change = &object->changes[object->change_count];
	const char *what = word(&rest), *value = word(&rest);

	if (object->change_count == OBJECT_CHANGES)
		return false;
	*change = (struct change){ .kind = CHANGE_FIELD, .field = field_find(what) };
	if (!strcmp(what, "error"))
		*change = (struct change){ .kind = CHANGE_ERROR, .value = strtoull(value, NULL, 0) };
	else if (!strcmp(what, "spin"))
		*change = (struct change){ .kind = CHANGE_SPIN, .value = strtoull(value, NULL, 0) };
	else if (!strcmp(what, "pause"))
		change->kind = CHANGE_PAUSE;
	else if (change->field)
		change->value = value_of(object, change->field, value);
	else
		return false;
	object->change_count++;
	return true;
}

static void command_text(struct object *object, const char *verb, char *rest)
{
	static uint8_t bytes[1 << 18];
	unsigned int type;

	if (!strcmp(verb, "message")) {
		type = (unsigned int)number(&rest);
		object_message(object, type, bytes, from_hex(rest ? rest : "", bytes));
	} else if (!strcmp(verb, "name")) {
		snprintf(object->hostname, sizeof(object->hostname), "%s", rest ? rest : "");
		field_set(object, field_find("hostname"), field_self(object, field_find("hostname")));
	} else if (!strcmp(verb, "proxy")) {
		field_set(object, field_find("proxy.port"), number(&rest));
		field_set(object, field_find("proxy.bytes"), strlen(rest));
		snprintf(object->proxy_text, sizeof(object->proxy_text), "%s", rest);
		field_set(object, field_find("proxy.text"), field_self(object, field_find("proxy.text")));
		field_set(object, field_find("connection.proxy"), field_self(object, field_find("connection.proxy")));
	} else {
		field_set(object, field_find("record_packet_bytes"), from_hex(rest, object->packet));
		field_set(object, field_find("record_packet"), field_self(object, field_find("record_packet")));
	}
}

static void *thread_step(void *object)
{
	victim_result = (int)((struct object *)object)->changes[OBJECT_CHANGES - 1].value;
	SSL_do_handshake(object);
	return NULL;
}

static void command_thread(struct object *object, char *rest)
{
	pthread_t thread;

	object->changes[OBJECT_CHANGES - 1].value = number(&rest);
	if (!pthread_create(&thread, NULL, thread_step, object))
		pthread_join(thread, NULL);
}

static void command_socket(struct object *object, const char *verb, char *rest)
{
	static const char zeros[65536];
	static char sink[65536];
	const struct linger reset = { .l_onoff = 1 };
	ssize_t sent = 0;

	if (!strcmp(verb, "write")) {
		sent = send(object->fd, zeros, number(&rest), MSG_NOSIGNAL);
	} else if (!strcmp(verb, "peer_write")) {
		sent = send(object->peer, zeros, number(&rest), MSG_NOSIGNAL);
	} else if (!strcmp(verb, "read")) {
		sent = recv(object->fd, sink, sizeof(sink), 0);
	} else if (!strcmp(verb, "peek")) {
		sent = recv(object->fd, sink, 1, MSG_PEEK);
	} else if (!strcmp(verb, "peer_close")) {
		close(object->peer);
		object->peer = -1;
	} else if (!strcmp(verb, "peer_reset")) {
		setsockopt(object->peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(object->peer);
		object->peer = -1;
	} else {
		close(object->fd);
		object->fd = -1;
	}
	if (sent < 0)
		abort();
}

static void command_end(uint64_t id, const char *verb)
{
	if (!strcmp(verb, "free"))
		SSL_free(objects[id]);
	object_release(objects[id]);
	if (!strcmp(verb, "free"))
		free(objects[id]); /* forgotten ones stay, or another would get their address */
	objects[id] = NULL;
}

/* One good handshake, for a child. */
static void one_handshake(void)
{
	static struct object object;

	object_init(&object, true);
	victim_result = 1;
	object_later(&object, "flow_state", FLOW_FINISHED);
	object_later(&object, "hand_state", STATE_OK);
	object_later(&object, "in_init", 0);
	SSL_do_handshake(&object);
	SSL_free(&object);
}

/* The program interpreter, from the program headers. */
static const char *loader(void)
{
	const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
	uintptr_t base = 0;

	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		if (headers[i].p_type == PT_PHDR)
			base = (uintptr_t)headers - headers[i].p_vaddr;
	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		if (headers[i].p_type == PT_INTERP)
			return (const char *)(base + headers[i].p_vaddr);
	return "";
}

static void command_fork(bool other)
{
	char *self = realpath("/proc/self/exe", NULL);
	pid_t child = fork();

	if (child == 0 && other) {
		execl(loader(), loader(), self, "once", (char *)NULL);
		_exit(1);
	}
	if (child == 0) {
		one_handshake();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	free(self);
	printf("done %d\n", (int)child);
}

/* Commands that name no object. False: not one of them. */
static bool run_global(const char *verb, char *rest)
{
	if (!strcmp(verb, "error")) {
		ERR_error_string_n(number(&rest), NULL, 0);
	} else if (!strncmp(verb, "connection_error", 16)) {
		victim_says(verb + 16, rest);
	} else if (!strcmp(verb, "free_at")) {
		SSL_free((void *)(uintptr_t)number(&rest));
	} else if (!strcmp(verb, "verify_error")) {
		X509_verify_cert_error_string((long)number(&rest));
	} else if (!strcmp(verb, "check_host")) {
		victim_result = (int)number(&rest);
		ngx_ssl_check_host(NULL, NULL);
	} else if (!strcmp(verb, "remove_session")) {
		ngx_ssl_remove_cached_session(NULL, (void *)(uintptr_t)number(&rest));
	} else if (!strcmp(verb, "exec")) {
		execl("/proc/self/exe", "victim", "again", (char *)NULL);
		_exit(1);
	} else if (!strcmp(verb, "exit")) {
		_exit(0);
	} else {
		return false;
	}
	puts("done");
	return true;
}

/* Commands that name an object. */
static bool run_object(struct object *object, const char *verb, char *rest)
{
	if (!strcmp(verb, "set"))
		return command_set(object, rest);
	if (!strcmp(verb, "during"))
		return command_during(object, rest);
	if (!strcmp(verb, "step")) {
		victim_result = (int)number(&rest);
		SSL_do_handshake(object);
		return true;
	}
	if (victim_nginx(object, verb, rest))
		return true;
	if (!strcmp(verb, "thread"))
		command_thread(object, rest);
	else if (!strcmp(verb, "message") || !strcmp(verb, "name") || !strcmp(verb, "proxy") ||
		 !strcmp(verb, "packet"))
		command_text(object, verb, rest);
	else if (!strcmp(verb, "write") || !strcmp(verb, "read") || !strcmp(verb, "peek") ||
		 !strcmp(verb, "peer_write") || !strcmp(verb, "peer_reset") || !strcmp(verb, "peer_close") ||
		 !strcmp(verb, "close"))
		command_socket(object, verb, rest);
	else
		return false;
	return true;
}

static void run(char *line)
{
	const char *verb = strsep(&line, " ");
	uint64_t id;

	if (!strcmp(verb, "fork") || !strcmp(verb, "fork_other")) {
		command_fork(!strcmp(verb, "fork_other"));
		return;
	}
	if (!strcmp(verb, "burst")) {
		uint64_t count = number(&line), seed = number(&line);

		victim_burst(count, seed, (unsigned int)number(&line), stdout);
		return;
	}
	if (run_global(verb, line))
		return;
	id = number(&line);
	if (id >= OBJECTS || (!objects[id] && strcmp(verb, "new"))) {
		printf("no object for '%s'\n", verb);
	} else if (!strcmp(verb, "new")) {
		command_new(id, line);
	} else if (!strcmp(verb, "free") || !strcmp(verb, "forget")) {
		command_end(id, verb);
		puts("done");
	} else {
		puts(run_object(objects[id], verb, line) ? "done" : "no such command");
	}
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t bytes;

	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc > 1 && !strcmp(argv[1], "once")) {
		one_handshake();
		return 0;
	}
	puts("done");
	while ((bytes = getline(&line, &size, stdin)) > 0) {
		line[bytes - 1] = '\0';
		run(line);
	}
	free(line);
	return 0;
}
