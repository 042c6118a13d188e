/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that looks like nginx from outside and maps any file as its libraries: it exports what nginx exports, and
 * whoever starts it gives it a title. The files are never executed and never touched.
 *
 *   impostor LIBSSL [LIBCRYPTO]
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* A symbol for each function that is probed in the executable. */
#define EXPORTED(name)                   \
	void name(void);                 \
	void name(void)                  \
	{                                \
		__asm__ volatile("nop"); \
	}
EXPORTED(ngx_ssl_handshake)
EXPORTED(ngx_connection_error)
EXPORTED(ngx_ssl_remove_cached_session)

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED) {
			perror(argv[i]);
			return 1;
		}
		close(fd);
	}
	puts("mapped");
	fflush(stdout);
	pause();
	return 0;
}
