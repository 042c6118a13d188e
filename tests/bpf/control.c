/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the victim and talking to it through two pipes. See control.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "control.h"
#include "fake_layout.h"

void victim_path(char *path, size_t bytes)
{
	ssize_t length = readlink("/proc/self/exe", path, bytes - 1);
	char *slash;

	ck_assert_int_gt(length, 0);
	path[length] = '\0';
	slash = strrchr(path, '/');
	ck_assert_uint_gt(bytes, (size_t)(slash - path) + sizeof("/victim"));
	memcpy(slash, "/victim", sizeof("/victim"));
}

void victim_start(struct victim *victim)
{
	char path[4096];
	int to[2], from[2];

	victim_path(path, sizeof(path));
	ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	victim->pid = fork();
	ck_assert_int_ge(victim->pid, 0);
	if (victim->pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	victim->to = fdopen(to[1], "w");
	victim->from = fdopen(from[0], "r");
	hear(victim, "done");
}

void victim_stop(struct victim *victim)
{
	fclose(victim->to);
	fclose(victim->from);
	kill(victim->pid, SIGKILL);
	waitpid(victim->pid, NULL, 0);
}

void hear(struct victim *victim, const char *word)
{
	if (!fgets(victim->answer, sizeof(victim->answer), victim->from))
		ck_abort_msg("the victim said nothing, '%s' was expected", word);
	victim->answer[strcspn(victim->answer, "\n")] = '\0';
	ck_assert_msg(!strncmp(victim->answer, word, strlen(word)), "the victim said '%s', not '%s'", victim->answer,
		      word);
}

void say_only(struct victim *victim, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(victim->to, format, arguments);
	va_end(arguments);
	fputc('\n', victim->to);
	fflush(victim->to);
}

void say(struct victim *victim, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(victim->to, format, arguments);
	va_end(arguments);
	fputc('\n', victim->to);
	fflush(victim->to);
	hear(victim, "done");
}

void answer_numbers(const struct victim *victim, uint64_t *numbers, size_t count)
{
	const char *at = victim->answer + strlen("done");

	for (size_t i = 0; i < count; i++) {
		char *end;

		numbers[i] = strtoull(at, &end, 0);
		ck_assert_msg(end != at, "'%s' has no %zu numbers", victim->answer, count);
		at = end;
	}
}

struct made make(struct victim *victim, unsigned int id, const char *role_and_socket)
{
	uint64_t numbers[4];

	say(victim, "new %u %s", id, role_and_socket);
	answer_numbers(victim, numbers, 4);
	return (struct made){ numbers[0], numbers[1], (uint16_t)numbers[2], (uint16_t)numbers[3] };
}

void say_message(struct victim *victim, unsigned int id, unsigned int type, const uint8_t *body, size_t bytes)
{
	fprintf(victim->to, "message %u %u ", id, type);
	for (size_t i = 0; i < bytes; i++)
		fprintf(victim->to, "%02x", body[i]);
	say(victim, "%s", "");
}

static void leave(struct victim *victim, unsigned int id, unsigned int flow, unsigned int state, unsigned int in_init)
{
	say(victim, "during %u flow_state %u", id, flow);
	say(victim, "during %u hand_state %u", id, state);
	say(victim, "during %u in_init %u", id, in_init);
}

void succeed(struct victim *victim, unsigned int id)
{
	leave(victim, id, FLOW_FINISHED, STATE_OK, 0);
	say(victim, "during %u rwstate 1", id);
	say(victim, "during %u rbio.flags 0", id);
	say(victim, "step %u 1", id);
}

void wait_in(struct victim *victim, unsigned int id, unsigned int state)
{
	leave(victim, id, FLOW_READING, state, 1);
	say(victim, "during %u rwstate %u", id, WAIT_READ);
	say(victim, "during %u rbio.flags %u", id, BIO_READ_RETRY);
	say(victim, "step %u -1", id);
}

void fail_in(struct victim *victim, unsigned int id, unsigned int state)
{
	leave(victim, id, FLOW_ERROR, state, 1);
	say(victim, "during %u rwstate 1", id);
	say(victim, "during %u rbio.flags 0", id);
	say(victim, "step %u -1", id);
}
