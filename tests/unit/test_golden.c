/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings of real handshakes and what report and trace must say about them, byte for byte; and that the parts of a
 * recording are the whole. tests/golden/update writes the expectations anew.
 */
#define _GNU_SOURCE /* memmem(), memfd_create() */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"

#include "recording_sample.h"

Suite *suite_golden(void);

#define GOLDEN       "tests/golden/"
#define DEMO         GOLDEN "demo.rec"
#define SPILL        GOLDEN "spill.rec"
#define FORMER       GOLDEN "former.rec" /* of before a handshake's time had parts */
#define FORMER_SPILL GOLDEN "former_spill.rec"
#define VERSION_MARK "@VERSION@"

/* What a command prints. free(data). */
static struct bytes output_of(int (*command)(const struct options *options), const struct options *options, int code)
{
	int fd = memfd_create("output", 0), status;
	struct bytes bytes;
	pid_t child;

	ck_assert_int_ge(fd, 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(fd, STDOUT_FILENO);
		if (code != EXIT_FINE)
			dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		exit(command(options));
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == code, "status %#x", (unsigned int)status);
	bytes = bytes_of(fd);
	close(fd);
	return bytes;
}

/* A file with the program's version where the mark is. free(data). */
static struct bytes expectation(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct bytes bytes, filled = { 0 };
	char *mark;

	ck_assert_msg(fd >= 0, "cannot open '%s': run from the top of the tree", path);
	bytes = bytes_of(fd);
	close(fd);
	mark = memmem(bytes.data, bytes.count, VERSION_MARK, strlen(VERSION_MARK));
	if (!mark)
		return bytes;
	filled.data = malloc(bytes.count + strlen(TLSWHY_VERSION));
	ck_assert_ptr_nonnull(filled.data);
	filled.count = (size_t)(mark - (char *)bytes.data);
	memcpy(filled.data, bytes.data, filled.count);
	memcpy(filled.data + filled.count, TLSWHY_VERSION, strlen(TLSWHY_VERSION));
	filled.count += strlen(TLSWHY_VERSION);
	mark += strlen(VERSION_MARK);
	memcpy(filled.data + filled.count, mark, bytes.count - (size_t)(mark - (char *)bytes.data));
	filled.count += bytes.count - (size_t)(mark - (char *)bytes.data);
	free(bytes.data);
	return filled;
}

static void assert_same(struct bytes got, struct bytes want, const char *what)
{
	size_t at = 0;

	while (at < got.count && at < want.count && got.data[at] == want.data[at])
		at++;
	ck_assert_msg(at == got.count && at == want.count,
		      "%s differs at byte %zu: '%.60s', must be '%.60s' (tests/golden/update)", what, at,
		      (const char *)got.data + at, (const char *)want.data + at);
	free(got.data);
	free(want.data);
}

static void terminate(struct bytes *bytes)
{
	bytes->data = realloc(bytes->data, bytes->count + 1);
	ck_assert_ptr_nonnull(bytes->data);
	bytes->data[bytes->count] = '\0';
}

static void assert_golden(int (*command)(const struct options *options), enum format format, const char *recording,
			  const char *expected)
{
	const struct options options = { .format = format, .inputs = { recording }, .input_count = 1 };
	struct bytes got = output_of(command, &options, EXIT_FINE), want = expectation(expected);

	terminate(&got);
	terminate(&want);
	assert_same(got, want, expected);
}

START_TEST(reports)
{
	assert_golden(command_report, FORMAT_TEXT, DEMO, GOLDEN "demo.report.txt");
	assert_golden(command_report, FORMAT_JSON, DEMO, GOLDEN "demo.report.json");
	assert_golden(command_report, FORMAT_TEXT, SPILL, GOLDEN "spill.report.txt");
	assert_golden(command_report, FORMAT_JSON, SPILL, GOLDEN "spill.report.json");
}
END_TEST

/* What an older version kept is read by name; what it did not know is not made up. */
START_TEST(former_reports)
{
	assert_golden(command_report, FORMAT_TEXT, FORMER, GOLDEN "former.report.txt");
	assert_golden(command_report, FORMAT_TEXT, FORMER_SPILL, GOLDEN "former_spill.report.txt");
}
END_TEST

START_TEST(traces)
{
	assert_golden(command_trace, FORMAT_TEXT, DEMO, GOLDEN "demo.trace.txt");
	assert_golden(command_trace, FORMAT_JSON, DEMO, GOLDEN "demo.trace.json");
}
END_TEST

static void assert_exports(const char *recording, const char *const *lines, size_t count)
{
	const struct options options = { .inputs = { recording }, .input_count = 1 };
	struct bytes got = output_of(command_export, &options, EXIT_FINE);

	terminate(&got);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(strstr((char *)got.data, lines[i]) != NULL, "'%s' is missing", lines[i]);
	ck_assert_str_eq((char *)got.data + got.count - strlen("# EOF\n"), "# EOF\n");
	free(got.data);
}

/* Numbers of the reports above. */
START_TEST(exports)
{
	static const char *const demo[] = {
		"\ntlswhy_handshakes_total{direction=\"client\",cause=\"ok\"} 16\n",
		"\ntlswhy_handshakes_total{direction=\"client\",cause=\"peer_version_too_old\"} 2\n",
		"\ntlswhy_session_resumed_total{direction=\"client\"} 4\n",
	};
	static const char *const spill[] = {
		"\ntlswhy_handshakes_total{direction=\"client\",cause=\"no_shared_cipher\"} 67\n",
		"\ntlswhy_lost_total{stage=\"ring_full\"} 662\n"
	};

	assert_exports(DEMO, demo, sizeof(demo) / sizeof(demo[0]));
	assert_exports(SPILL, spill, sizeof(spill) / sizeof(spill[0]));
}
END_TEST

/* One of the two parts that a recording is cut into. */
struct section {
	char path[40];
	int fd;
	struct recording_writer *writer;
	struct window window; /* owns nothing */
};

static void part_begin(struct section *part, const struct window *whole, uint64_t start_ns)
{
	memcpy(part->path, "/tmp/tlswhy-test-XXXXXX", sizeof("/tmp/tlswhy-test-XXXXXX"));
	part->fd = mkstemp(part->path);
	ck_assert_int_ge(part->fd, 0);
	part->writer = recording_writer_new(part->fd);
	ck_assert_ptr_nonnull(part->writer);
	part->window = *whole;
	part->window.start_ns = start_ns;
	ck_assert_int_eq(recording_write_begin(part->writer, &part->window), 0);
}

static void part_end(struct section *part)
{
	ck_assert_int_eq(recording_write_end(part->writer, &part->window), 0);
	recording_writer_free(part->writer);
	close(part->fd);
}

static void part_write(struct section *part, const struct recording_item *item)
{
	struct kept_record kept;

	switch (item->kind) {
	case RECORDING_RECORD:
		ck_assert_int_eq(record_keep(&kept, item->bytes, item->size), 0);
		ck_assert_int_eq(recording_write_record(part->writer, &kept), 0);
		break;
	case RECORDING_TICK:
		ck_assert_int_eq(recording_write_tick(part->writer, item->now_ns), 0);
		break;
	case RECORDING_SPILL:
		ck_assert_int_eq(recording_write_spill(part->writer, &item->key, &item->value), 0);
		break;
	}
}

/* The first is given a third of every total, as if its counters had been read then; the second has the rest. */
static void divide_totals(const struct window *whole, struct window *first, struct window *second)
{
	const size_t numbers = sizeof(whole->totals) / (sizeof(uint64_t));
	uint64_t from[sizeof(whole->totals) / (sizeof(uint64_t))], third[sizeof(from) / (sizeof(uint64_t))];

	memcpy(from, whole->totals, sizeof(from));
	for (size_t i = 0; i < numbers; i++) {
		third[i] = from[i] / 3;
		from[i] -= third[i];
	}
	memcpy(first->totals, third, sizeof(third));
	memcpy(second->totals, from, sizeof(from));
	first->losses = (struct losses){ 0 };
	second->losses = whole->losses;
	first->workers = NULL;
	first->worker_count = 0;
	second->workers = whole->workers;
	second->worker_count = whole->worker_count;
	first->listener_count = first->namespace_count = 0;
	second->listeners = whole->listeners;
	second->listener_count = whole->listener_count;
	second->namespaces = whole->namespaces;
	second->namespace_count = whole->namespace_count;
}

/* Cuts a recording after so many items. */
static void cut(const char *path, size_t items, struct section *first, struct section *second)
{
	struct recording_reader *reader = NULL;
	struct recording_problem problem;
	struct recording_item item;
	FILE *stream = fopen(path, "r");
	const struct window *whole;
	uint64_t middle_ns;
	int result;

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(recording_reader_new(stream, &reader, &problem), 0);
	whole = recording_window(reader);
	part_begin(first, whole, whole->start_ns);
	while (items-- > 0 && recording_next(reader, &item, &problem) > 0)
		part_write(first, &item);
	middle_ns = whole->end_ns;
	part_begin(second, whole, middle_ns);
	while ((result = recording_next(reader, &item, &problem)) > 0)
		part_write(second, &item);
	ck_assert_int_eq(result, 0);
	divide_totals(whole, &first->window, &second->window);
	first->window.end_ns = middle_ns;
	second->window.end_ns = whole->end_ns;
	part_end(first);
	part_end(second);
	recording_reader_free(reader);
	fclose(stream);
}

static void assert_parts_are_whole(int (*command)(const struct options *options), enum format format,
				   const char *path, const struct section *first, const struct section *second)
{
	const struct options whole = { .format = format, .inputs = { path }, .input_count = 1 };
	/* Their order on the command line does not matter. */
	const struct options parts = { .format = format, .inputs = { second->path, first->path }, .input_count = 2 };
	struct bytes want = output_of(command, &whole, EXIT_FINE), got = output_of(command, &parts, EXIT_FINE);

	ck_assert_uint_gt(want.count, 1000);
	terminate(&got);
	terminate(&want);
	assert_same(got, want, path);
}

START_TEST(two_halves_are_the_whole)
{
	static const char *const paths[] = { DEMO, SPILL };
	static const size_t places[] = { 1, 5, 30, 60 };
	const char *path = paths[_i / 4];
	struct section first, second;

	cut(path, places[_i % 4], &first, &second);
	assert_parts_are_whole(command_report, FORMAT_JSON, path, &first, &second);
	assert_parts_are_whole(command_report, FORMAT_TEXT, path, &first, &second);
	assert_parts_are_whole(command_export, FORMAT_TEXT, path, &first, &second);
	if (_i < 4)
		assert_parts_are_whole(command_trace, FORMAT_JSON, path, &first, &second);
	unlink(first.path);
	unlink(second.path);
}
END_TEST

static void write_event(struct recording_writer *writer, struct event event, unsigned int kind, unsigned int number)
{
	struct kept_record kept;

	event.header.kind = (uint8_t)kind;
	event.object = number;
	event.sni[0] = (char)('a' + number);
	ck_assert_int_eq(record_keep(&kept, &event, sizeof(event)), 0);
	ck_assert_int_eq(recording_write_record(writer, &kept), 0);
}

/* A line that waited a second in vain comes before what happened after that second, as it did when it was watched. */
START_TEST(waits_as_the_watch_did)
{
	char path[] = "/tmp/tlswhy-test-XXXXXX";
	const struct options options = { .format = FORMAT_TEXT, .inputs = { path }, .input_count = 1 };
	struct event event = sample_event(0);
	int fd = mkstemp(path);
	struct recording_writer *writer = recording_writer_new(fd);
	struct window window;
	struct bytes got;
	char *a, *b, *c;

	ck_assert_ptr_nonnull(writer);
	sample_window(&window);
	event.verdict = (struct verdict){ .direction = DIRECTION_CLIENT };
	event.flags |= EVENT_MAY_AMEND;
	ck_assert_int_eq(recording_write_begin(writer, &window), 0);
	write_event(writer, event, EVENT_SETTLED, 0);
	event.time_ns += 500000000;
	write_event(writer, event, EVENT_SETTLED, 1);
	ck_assert_int_eq(recording_write_tick(writer, event.time_ns + 600000000), 0);
	event.time_ns += 700000000;
	event.flags &= ~EVENT_MAY_AMEND;
	write_event(writer, event, EVENT_SETTLED, 2);
	ck_assert_int_eq(recording_write_end(writer, &window), 0);
	recording_writer_free(writer);
	window_release(&window);
	close(fd);
	got = output_of(command_trace, &options, EXIT_FINE);
	terminate(&got);
	a = strstr((char *)got.data, "a.test");
	b = strstr((char *)got.data, "b.test");
	c = strstr((char *)got.data, "c.test");
	ck_assert(a && b && c);
	ck_assert(a < c && c < b);
	free(got.data);
	unlink(path);
}
END_TEST

/* A file that was cut: what was before is reported, the exit code says that it is not all. */
START_TEST(cut_file_is_reported)
{
	char path[] = "/tmp/tlswhy-test-XXXXXX";
	const struct options options = { .format = FORMAT_TEXT, .inputs = { path }, .input_count = 1 };
	struct bytes bytes = expectation(DEMO), got;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes.data, bytes.count / 2), (ssize_t)(bytes.count / 2));
	close(fd);
	got = output_of(command_report, &options, EXIT_RUNTIME);
	terminate(&got);
	ck_assert_ptr_nonnull(strstr((char *)got.data, "The counts are not exact: the kernel's own counters are"));
	ck_assert_ptr_nonnull(strstr((char *)got.data, "settled handshakes"));
	free(got.data);
	got = output_of(command_trace, &options, EXIT_RUNTIME);
	ck_assert_uint_gt(got.count, 1000);
	free(got.data);
	free(bytes.data);
	unlink(path);
}
END_TEST

Suite *suite_golden(void)
{
	Suite *suite = suite_create("golden");
	TCase *tests = tcase_create("golden");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, reports);
	tcase_add_test(tests, former_reports);
	tcase_add_test(tests, traces);
	tcase_add_test(tests, exports);
	tcase_add_loop_test(tests, two_halves_are_the_whole, 0, 8);
	tcase_add_test(tests, waits_as_the_watch_did);
	tcase_add_test(tests, cut_file_is_reported);
	suite_add_tcase(suite, tests);
	return suite;
}
