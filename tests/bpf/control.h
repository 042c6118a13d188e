/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A running victim and what is said to it. Every function fails the test when the victim does not do as it is told.
 * Must not know: the tracer.
 */
#ifndef TLSWHY_TESTS_BPF_CONTROL_H
#define TLSWHY_TESTS_BPF_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CONTROL_LINE_BYTES 1024

struct victim {
	pid_t pid;
	FILE *to, *from;
	char answer[CONTROL_LINE_BYTES]; /* the last one, without its newline */
};

/* What `new` answered. */
struct made {
	uint64_t object, session;
	uint16_t local_port, peer_port;
};

/* Where the victim's program is: beside this one. */
void victim_path(char *path, size_t bytes);
void victim_start(struct victim *victim);
/* Ends it if need be and waits for it. */
void victim_stop(struct victim *victim);

/* Sends a command (victim.c) and waits until it has run: the answer must be `done`. */
void say(struct victim *victim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sends without waiting, waits without sending: what comes back must begin with the word. */
void say_only(struct victim *victim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hear(struct victim *victim, const char *word);
/* The numbers behind `done`, as many as asked for. */
void answer_numbers(const struct victim *victim, uint64_t *numbers, size_t count);

struct made make(struct victim *victim, unsigned int id, const char *role_and_socket);
/* A body as `message` takes it. */
void say_message(struct victim *victim, unsigned int id, unsigned int type, const uint8_t *body, size_t bytes);

/* One SSL_do_handshake as OpenSSL leaves the object: completed, waiting to read in a state, failed in a state. */
void succeed(struct victim *victim, unsigned int id);
void wait_in(struct victim *victim, unsigned int id, unsigned int state);
void fail_in(struct victim *victim, unsigned int id, unsigned int state);

#endif
