/* SPDX-License-Identifier: BSD-2-Clause */
/* What is nginx by its title, and what is a TLS library by its name. */
#include <string.h>

#include <check.h>

#include "attach/nginx.h"

Suite *suite_nginx_title(void);

static const struct {
	const char *command_line;
	size_t bytes; /* 0: all */
	enum nginx_title want;
} titles[] = {
	{ .command_line = "nginx: master process /usr/sbin/nginx -g daemon off;", .want = NGINX_TITLE_MASTER },
	{ .command_line = "nginx: master process", .want = NGINX_TITLE_MASTER },
	{ .command_line = "angie: master process v1.8.1 #1 [/usr/sbin/angie]", .want = NGINX_TITLE_MASTER },
	{ .command_line = "nginx: worker process", .want = NGINX_TITLE_WORKER },
	{ .command_line = "angie: worker process #2", .want = NGINX_TITLE_WORKER },
	{ .command_line = "nginx: worker process is shutting down", .want = NGINX_TITLE_WORKER_SHUTTING_DOWN },
	{ .command_line = "nginx: cache manager process", .want = NGINX_TITLE_OTHER },
	{ .command_line = "nginx: cache loader process", .want = NGINX_TITLE_OTHER },
	{ .command_line = "nginx: privileged agent process", .want = NGINX_TITLE_OTHER },
	{ .command_line = "nginx", .want = NGINX_TITLE_NONE },
	{ .command_line = "/usr/sbin/nginx", .want = NGINX_TITLE_NONE },
	{ .command_line = "grep\0nginx: master process", .bytes = 26, .want = NGINX_TITLE_NONE },
	{ .command_line = " nginx: master process", .want = NGINX_TITLE_NONE },
	/* Cut: what is behind the given bytes does not count. */
	{ .command_line = "nginx: master process", .bytes = 20, .want = NGINX_TITLE_OTHER },
	{ .command_line = "nginx: worker process", .bytes = 6, .want = NGINX_TITLE_NONE },
};

START_TEST(tells_titles)
{
	size_t bytes = titles[_i].bytes ? titles[_i].bytes : strlen(titles[_i].command_line);

	ck_assert_msg(nginx_title_of(titles[_i].command_line, bytes) == titles[_i].want, "'%s'",
		      titles[_i].command_line);
}
END_TEST

static const struct {
	const char *path;
	bool found;
	enum nginx_library_kind kind;
} names[] = {
	{ .path = "/usr/lib/x86_64-linux-gnu/libssl.so.3", .found = true, .kind = NGINX_LIBSSL },
	{ .path = "/usr/lib/libcrypto.so.1.1", .found = true, .kind = NGINX_LIBCRYPTO },
	{ .path = "/opt/o/libcrypto-1_1.so", .found = true, .kind = NGINX_LIBCRYPTO },
	{ .path = "libssl.so", .found = true, .kind = NGINX_LIBSSL },
	{ .path = "/usr/lib/libssl3.so" }, /* NSS */
	{ .path = "/usr/lib/libcryptsetup.so.12" },
	{ .path = "/usr/lib/libcrypt.so.1" },
	{ .path = "/opt/libssl.so/libother.so.1" },
	{ .path = "/usr/lib/libssl.a" },
	{ .path = "" },
};

START_TEST(tells_libraries)
{
	enum nginx_library_kind kind = NGINX_LIBSSL;

	ck_assert_int_eq(nginx_library_kind_of(names[_i].path, &kind), names[_i].found);
	if (names[_i].found)
		ck_assert_int_eq(kind, names[_i].kind);
}
END_TEST

Suite *suite_nginx_title(void)
{
	Suite *suite = suite_create("nginx_title");
	TCase *text = tcase_create("text");

	tcase_add_loop_test(text, tells_titles, 0, sizeof(titles) / sizeof(titles[0]));
	tcase_add_loop_test(text, tells_libraries, 0, sizeof(names) / sizeof(names[0]));
	suite_add_tcase(suite, text);
	return suite;
}
