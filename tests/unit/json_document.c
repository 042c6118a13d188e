/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON report as a document. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "output/json.h"

#include "json_document.h"

static struct findings findings;

/* The report as text, which must be ASCII and end in one newline. The caller frees it. */
static char *report_text(const struct snapshot *snapshot)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	diagnose(snapshot, &findings);
	ck_assert_int_eq(json_report(snapshot, findings.items, findings.count, "0.1.0", stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
	for (size_t i = 0; i < size; i++)
		ck_assert_msg((text[i] >= 0x20 && text[i] < 0x7f) || text[i] == '\n', "byte %02x", text[i]);
	ck_assert_int_eq(text[size - 1], '\n');
	return text;
}

json_t *json_document(const struct snapshot *snapshot)
{
	char *text = report_text(snapshot);
	json_error_t error;
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	ck_assert_msg(document != NULL, "%s", error.text);
	free(text);
	return document;
}

json_t *json_at(json_t *document, const char *path)
{
	char step[64];

	while (*path) {
		size_t length = strcspn(path, ".");

		ck_assert_uint_lt(length, sizeof(step));
		memcpy(step, path, length);
		step[length] = '\0';
		document = json_is_array(document) ? json_array_get(document, (size_t)strtoul(step, NULL, 10))
						   : json_object_get(document, step);
		ck_assert_msg(document != NULL, "'%s' is missing", path);
		path += length + (path[length] == '.');
	}
	return document;
}
