/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to whoever runs the program, on standard error, one line each. Wording: lower case, what failed first,
 * the subject in quotes, errno text; no full stop, no newline.
 * A message may quote foreign bytes: it is escaped for a terminal (escape.h), backslashes included.
 */
#ifndef TLSWHY_BASE_LOG_H
#define TLSWHY_BASE_LOG_H

#include <stdbool.h>
#include <stdio.h>

/* Whether log_debug() writes; off at start. */
void log_set_verbose(bool verbose);
/* Where messages go instead of standard error; borrowed. NULL means standard error again. */
void log_set_stream(FILE *stream);

/* "tlswhy: ...": something failed. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "hint: ...": what to do about the error just written. */
void log_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The message alone: what the user should know although nothing failed. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "debug: ...": only when verbose. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
