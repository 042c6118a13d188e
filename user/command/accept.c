/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Content negotiation: see accept.h.
 *
 * Weights are thousandths: the header has three decimals at most. What is malformed counts as not said.
 */
#include "command/accept.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* A part of the header. */
struct media_range {
	const char *begin;
	size_t bytes;
};

/* Cuts what is before the separator off *rest. Returns false when nothing is left. A quoted string is kept whole. */
static bool next_part(struct media_range *rest, char separator, struct media_range *out)
{
	bool quoted = false;
	size_t end = 0;

	if (!rest->begin)
		return false;
	while (end < rest->bytes && (quoted || rest->begin[end] != separator)) {
		if (rest->begin[end] == '"')
			quoted = !quoted;
		end++;
	}
	*out = (struct media_range){ .begin = rest->begin, .bytes = end };
	if (end < rest->bytes)
		*rest = (struct media_range){ .begin = rest->begin + end + 1, .bytes = rest->bytes - end - 1 };
	else
		*rest = (struct media_range){ 0 };
	while (out->bytes > 0 && strchr(BLANKS, out->begin[0])) {
		out->begin++;
		out->bytes--;
	}
	while (out->bytes > 0 && strchr(BLANKS, out->begin[out->bytes - 1]))
		out->bytes--;
	return true;
}

static bool is(const struct media_range *part, const char *text)
{
	return part->bytes == strlen(text) && strncasecmp(part->begin, text, part->bytes) == 0;
}

/* "0.75" is 750. */
static unsigned int parse_weight(const struct media_range *value)
{
	unsigned int weight = 0, unit = 1000;

	for (size_t i = 0; i < value->bytes && unit > 0; i++) {
		char c = value->begin[i];

		if (i == 1 && c == '.')
			continue;
		if (c < '0' || c > '9')
			return 0;
		weight += unit * (unsigned int)(c - '0');
		unit /= 10;
	}
	return weight < 1000 ? weight : 1000;
}

/* One media range with its parameters. */
struct range {
	struct media_range type;
	struct media_range version;
	unsigned int weight;
};

static void parse_range(struct media_range text, struct range *range)
{
	struct media_range parameter;

	*range = (struct range){ .weight = 1000 };
	next_part(&text, ';', &range->type);
	while (next_part(&text, ';', &parameter)) {
		struct media_range name, value = parameter;

		if (!next_part(&value, '=', &name) || !value.begin)
			continue;
		if (value.bytes >= 2 && value.begin[0] == '"')
			value = (struct media_range){ .begin = value.begin + 1, .bytes = value.bytes - 2 };
		if (is(&name, "version"))
			range->version = value;
		else if (is(&name, "q"))
			range->weight = parse_weight(&value);
	}
}

static bool version_is(const struct range *range, const char *version)
{
	return !range->version.begin || is(&range->version, version);
}

enum openmetrics_form accept_form(const char *header)
{
	struct media_range rest = { .begin = header, .bytes = header ? strlen(header) : 0 }, text;
	unsigned int openmetrics = 0, plain = 0;

	while (next_part(&rest, ',', &text)) {
		struct range range;

		parse_range(text, &range);
		if (is(&range.type, "application/openmetrics-text") && version_is(&range, "1.0.0") &&
		    range.weight > openmetrics)
			openmetrics = range.weight;
		if (is(&range.type, "text/plain") && version_is(&range, "0.0.4") && range.weight > plain)
			plain = range.weight;
	}
	return openmetrics > 0 && openmetrics >= plain ? OPENMETRICS_1_0 : PROMETHEUS_0_0_4;
}

const char *accept_content_type(enum openmetrics_form form)
{
	switch (form) {
	case OPENMETRICS_1_0:
		return "application/openmetrics-text; version=1.0.0; charset=utf-8";
	case PROMETHEUS_0_0_4:
		break;
	}
	return "text/plain; version=0.0.4; charset=utf-8";
}
