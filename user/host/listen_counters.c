/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in one line, values in the next. Contract: listen_counters.h. */
#include "host/listen_counters.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define GROUP "TcpExt:"

struct span {
	const char *at;
	size_t bytes;
};

static bool equals(struct span span, const char *text)
{
	return span.bytes == strlen(text) && memcmp(span.at, text, span.bytes) == 0;
}

/* The next line, without its newline. A line without one was cut, and is none. */
static bool next_line(struct span *text, struct span *line)
{
	const char *newline = text->bytes ? memchr(text->at, '\n', text->bytes) : NULL;

	if (!newline)
		return false;
	*line = (struct span){ .at = text->at, .bytes = (size_t)(newline - text->at) };
	text->at += line->bytes + 1;
	text->bytes -= line->bytes + 1;
	return true;
}

/* The next word of a line; false at its end. */
static bool next_word(struct span *line, struct span *word)
{
	while (line->bytes && *line->at == ' ') {
		line->at++;
		line->bytes--;
	}
	*word = (struct span){ .at = line->at };
	while (line->bytes && *line->at != ' ') {
		line->at++;
		line->bytes--;
		word->bytes++;
	}
	return word->bytes > 0;
}

static int parse_value(struct span word, int64_t *out)
{
	int64_t value = 0;

	for (size_t i = 0; i < word.bytes; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return -EBADMSG;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, word.at[i] - '0', &value))
			return -EBADMSG;
	}
	*out = value;
	return 0;
}

/* Adds to a sum of what is known. */
static int add_value(int64_t *sum, struct span word)
{
	int64_t value;

	if (parse_value(word, &value))
		return -EBADMSG;
	if (*sum == LISTEN_COUNTER_UNKNOWN)
		*sum = 0;
	return __builtin_add_overflow(*sum, value, sum) ? -EBADMSG : 0;
}

static int take_value(struct listen_counters *counters, struct span name, struct span value)
{
	if (equals(name, "ListenOverflows"))
		return add_value(&counters->overflows, value);
	if (equals(name, "ListenDrops"))
		return add_value(&counters->drops, value);
	if (equals(name, "TCPReqQFullDrop") || equals(name, "TCPReqQFullDoCookies"))
		return add_value(&counters->request_queue_full, value);
	return 0;
}

static int take_group(struct span names, struct span values, struct listen_counters *counters)
{
	struct span name, value;

	while (next_word(&names, &name))
		if (!next_word(&values, &value) || take_value(counters, name, value))
			return -EBADMSG;
	return next_word(&values, &value) ? -EBADMSG : 0;
}

int listen_counters_parse(const char *text, size_t bytes, struct listen_counters *out)
{
	struct listen_counters counters = LISTEN_COUNTERS_UNKNOWN;
	struct span rest = { .at = text, .bytes = bytes }, names, values, word;

	while (next_line(&rest, &names)) {
		if (!next_word(&names, &word) || !equals(word, GROUP))
			continue;
		if (!next_line(&rest, &values) || !next_word(&values, &word) || !equals(word, GROUP) ||
		    take_group(names, values, &counters))
			return -EBADMSG;
		*out = counters;
		return 0;
	}
	return -EBADMSG;
}

/* A counter that stepped back is another one: nothing is known to have been lost. */
static void advance(int64_t *lost, int64_t last, int64_t now)
{
	if (now == LISTEN_COUNTER_UNKNOWN)
		return;
	if (*lost == LISTEN_COUNTER_UNKNOWN)
		*lost = 0;
	if (last != LISTEN_COUNTER_UNKNOWN && now > last)
		*lost += now - last;
}

void listen_counters_advance(struct listen_counters *lost, struct listen_counters *last,
			     const struct listen_counters *now)
{
	advance(&lost->overflows, last->overflows, now->overflows);
	advance(&lost->drops, last->drops, now->drops);
	advance(&lost->request_queue_full, last->request_queue_full, now->request_queue_full);
	*last = *now;
}
