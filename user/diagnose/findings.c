/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of findings: bounded texts, bounded lists. Contract: diagnose.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "diagnose/diagnose.h"

struct finding *findings_add(struct findings *findings, const char *id, enum severity severity)
{
	struct finding *finding;

	if (findings->count == FINDINGS_MAX)
		return NULL;
	finding = &findings->items[findings->count++];
	memset(finding, 0, sizeof(*finding));
	snprintf(finding->id, sizeof(finding->id), "%s", id);
	finding->severity = severity;
	return finding;
}

__attribute__((format(printf, 2, 0))) static void add_line(struct finding_lines *lines, const char *format,
							   va_list list)
{
	if (lines->count == FINDING_LINES)
		return;
	vsnprintf(lines->text[lines->count++], FINDING_TEXT_BYTES, format, list);
}

void finding_title(struct finding *finding, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (finding)
		vsnprintf(finding->title, sizeof(finding->title), format, list);
	va_end(list);
}

void finding_evidence(struct finding *finding, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (finding)
		add_line(&finding->evidence, format, list);
	va_end(list);
}

void finding_change(struct finding *finding, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (finding)
		add_line(&finding->change, format, list);
	va_end(list);
}

void finding_verify(struct finding *finding, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (finding)
		add_line(&finding->verify, format, list);
	va_end(list);
}

/* By insertion: few items, and equal ones keep their order. */
void findings_sort(struct findings *findings)
{
	for (size_t i = 1; i < findings->count; i++) {
		struct finding moved = findings->items[i];
		size_t at = i;

		for (; at > 0 && findings->items[at - 1].severity < moved.severity; at--)
			findings->items[at] = findings->items[at - 1];
		findings->items[at] = moved;
	}
}

const char *severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_INFO:
		return "info";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_CRITICAL:
		return "critical";
	}
	return "info";
}
