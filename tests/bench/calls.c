/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls one function of libssl in a tight loop: what the call costs with a probe on it, less what it costs without,
 * is what the probe costs.
 *
 *   calls handshake|free CALLS          prints nanoseconds of CPU time a call, a batch a line, BATCHES lines
 *
 * SSL_free() of an object that somebody else holds too, and SSL_do_handshake() of one of which nobody said whether it
 * is a client: both go through the function's beginning, a check for NULL included, and return soon. Must not know:
 * probes.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCHES 10

static double cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void call(SSL *ssl, bool handshake, unsigned long calls)
{
	for (unsigned long i = 0; i < calls; i++) {
		if (handshake) {
			(void)SSL_do_handshake(ssl);
			continue;
		}
		(void)SSL_up_ref(ssl);
		SSL_free(ssl);
	}
	ERR_clear_error();
}

int main(int argc, char **argv)
{
	bool handshake = argc == 3 && strcmp(argv[1], "handshake") == 0;
	unsigned long calls = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL *ssl = context ? SSL_new(context) : NULL;

	if (calls == 0 || (!handshake && strcmp(argv[1], "free") != 0)) {
		(void)fputs("usage: calls handshake|free CALLS\n", stderr);
		return 2;
	}
	if (!ssl)
		return 1;
	call(ssl, handshake, calls / 10 + 1);
	for (int batch = 0; batch < BATCHES; batch++) {
		double begin_ns = cpu_ns();

		call(ssl, handshake, calls);
		(void)printf("%.1f\n", (cpu_ns() - begin_ns) / (double)calls);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	return 0;
}
