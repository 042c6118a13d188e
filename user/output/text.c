/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as text: the order of its sections. Contract: text.h. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "output/text.h"
#include "output/text_parts.h"
#include "output/when.h"

#define WIDTH_DEFAULT 100
#define HOST_COLUMNS  60

void write_heading(const struct page *page, const struct style *style, const char *format, ...)
{
	struct page colored = *page;
	struct paragraph paragraph = { 0 };
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	colored.color = style->heading;
	fputc('\n', page->stream);
	paragraph_add(&paragraph, "%s", text);
	paragraph_write(&paragraph, &colored, 0, 2);
}

static struct style style_of(const struct text_options *options)
{
	static const struct style colors = {
		.critical = "\033[1;31m",
		.warning = "\033[1;33m",
		.good = "\033[1;32m",
		.heading = "\033[1m",
	};

	return options && options->color ? colors : (struct style){ 0 };
}

static struct page page_of(const struct text_options *options, FILE *stream)
{
	return (struct page){
		.stream = stream,
		.width = options && options->width ? options->width : WIDTH_DEFAULT,
	};
}

static void write_window(const struct page *page, const struct snapshot *snapshot)
{
	struct paragraph paragraph = { 0 };
	char text[WHEN_BYTES];

	paragraph_add(&paragraph, "Watched %.1f s", snapshot->seconds);
	if (snapshot->start_unix_ns)
		paragraph_add(&paragraph, " from %.19sZ", when_rfc3339(snapshot->start_unix_ns, text));
	if (snapshot->host) {
		paragraph_add(&paragraph, " on ");
		paragraph_add_foreign(&paragraph, snapshot->host, strlen(snapshot->host), HOST_COLUMNS);
	}
	paragraph_add(&paragraph, ".");
	paragraph_write(&paragraph, page, 0, 2);
}

int text_answer(const struct snapshot *snapshot, const struct text_options *options, FILE *stream)
{
	struct page page = page_of(options, stream);
	struct style style = style_of(options);

	write_answer(&page, &style, snapshot);
	return ferror(stream) ? -EIO : 0;
}

int text_report(const struct snapshot *snapshot, const struct finding *findings, size_t n,
		const struct text_options *options, FILE *stream)
{
	struct page page = page_of(options, stream);
	struct style style = style_of(options);

	write_answer(&page, &style, snapshot);
	write_window(&page, snapshot);
	write_causes(&page, &style, snapshot);
	write_findings(&page, &style, findings, n);
	write_workers(&page, &style, snapshot);
	write_listeners(&page, &style, snapshot);
	write_completed(&page, &style, snapshot);
	write_servers(&page, &style, snapshot);
	write_totals(&page, &style, snapshot);
	write_targets(&page, &style, snapshot);
	write_limits(&page, &style, snapshot);
	return ferror(stream) ? -EIO : 0;
}
