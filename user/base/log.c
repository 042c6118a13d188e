/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages on standard error. A message is formatted whole, made harmless for a terminal, then written as
 * one line. One that is too long ends in "...".
 * Must not know: what the messages are about, exit codes.
 */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>

#include "base/escape.h"

#define MESSAGE_BYTES 4096

static bool verbose_messages;
static FILE *message_stream;

void log_set_verbose(bool verbose)
{
	verbose_messages = verbose;
}

void log_set_stream(FILE *stream)
{
	message_stream = stream;
}

__attribute__((format(printf, 2, 0))) static void write_message(const char *prefix, const char *format,
								va_list arguments)
{
	char message[MESSAGE_BYTES], line[MESSAGE_BYTES * ESCAPE_GROWTH];
	FILE *stream = message_stream ? message_stream : stderr;
	int length;

	length = vsnprintf(message, sizeof(message), format, arguments);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(message))
		memcpy(message + sizeof(message) - 4, "...", 4);
	escape(line, sizeof(line), ESCAPE_TERMINAL, message, strlen(message), NULL);
	fprintf(stream, "%s%s\n", prefix, line);
	fflush(stream);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_message("tlswhy: ", format, arguments);
	va_end(arguments);
}

void log_hint(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_message("hint: ", format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_message("", format, arguments);
	va_end(arguments);
}

void log_debug(const char *format, ...)
{
	va_list arguments;

	if (!verbose_messages)
		return;
	va_start(arguments, format);
	write_message("debug: ", format, arguments);
	va_end(arguments);
}
