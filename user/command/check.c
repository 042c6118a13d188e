/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tlswhy check: can this host be traced, by which facts, and what to do about a no.
 *
 * Every line is one requirement: yes or no, how it was found out, the remedy. Nothing is decided by a version number:
 * the kernel side is really loaded, a return probe is really tried on a child of our own. Nothing touches nginx.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/examine.h"
#include "attach/foreign.h"
#include "attach/harm.h"
#include "attach/privileges.h"
#include "attach/watch.h"
#include "base/escape.h"
#include "base/log.h"
#include "command/command.h"
#include "command/check_cost.h"
#include "command/check_fields.h"
#include "command/check_sites.h"
#include "command/session.h"

#define ANSWER_BYTES 1280

/* One requirement and what was found. */
struct answer {
	const char *requirement;
	bool met;
	bool needed; /* false: a note; not met does not fail the check */
	char found[ANSWER_BYTES];
	char remedy[ANSWER_BYTES];
};

struct answers {
	struct answer items[16 + 2 * OPTIONS_PIDS];
	size_t count;
	bool failed;
	bool tells_sites;
	struct check_sites sites;
	struct tracer_memory memory; /* zeros: unknown */
};

static struct answer *answers_add(struct answers *answers, const char *requirement, bool met, bool needed)
{
	struct answer *answer = &answers->items[answers->count];

	if (answers->count + 1 < sizeof(answers->items) / sizeof(answers->items[0]))
		answers->count++;
	*answer = (struct answer){ .requirement = requirement, .met = met, .needed = needed };
	answers->failed |= needed && !met;
	return answer;
}

static void set(char text[ANSWER_BYTES], const char *words)
{
	snprintf(text, ANSWER_BYTES, "%s", words);
}

static void check_privileges(struct answers *answers)
{
	struct privileges privileges;
	bool met = privileges_missing(&privileges) == 0;
	struct answer *answer = answers_add(answers, "privileges", met, true);

	set(answer->found, met ? "the capabilities to load, attach and read are effective" : privileges.sentence);
	set(answer->remedy, "run tlswhy as root, for example with sudo");
}

static void check_btf(struct answers *answers)
{
	bool met = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
	struct answer *answer = answers_add(answers, "kernel types (BTF)", met, true);

	snprintf(answer->found, sizeof(answer->found), "/sys/kernel/btf/vmlinux: %s",
		 met ? "readable" : strerror(errno));
	set(answer->remedy, "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels since 2020 are");
}

/* While no handshakes are in flight: those are as many as nginx makes at once, not as it has connections. */
static uint64_t most_bytes(const struct tracer_memory *memory)
{
	return memory->rest_bytes + (uint64_t)memory->settled_max * memory->settled_bytes;
}

/* No requirement. Which connections have an entry: bpf/settled.bpf.h. */
static void check_memory(struct answers *answers, const struct tracer *tracer)
{
	const double mib = 1 << 20;
	struct tracer_memory memory;
	int error = tracer_memory(tracer, &memory);
	struct answer *answer = answers_add(answers, "kernel memory", true, false);

	if (error) {
		snprintf(answer->found, sizeof(answer->found), "cannot be told: %s", strerror(-error));
		return;
	}
	answers->memory = memory;
	snprintf(
		answer->found, sizeof(answer->found),
		"%.1f MiB at rest, %.1f MiB at most, also with a million connections open: %u bytes for each whose "
		"outcome may still change (one to a backend; twice that for a client that is asked for a certificate) "
		"up to %u entries, nothing for others; %u bytes a handshake in flight",
		(double)memory.rest_bytes / mib, (double)most_bytes(&memory) / mib, memory.settled_bytes,
		memory.settled_max, memory.flight_bytes);
}

static void check_load(struct answers *answers)
{
	const struct tracer_options options = { 0 };
	struct tracer *tracer = NULL;
	int error = tracer_new(&tracer, &options);
	struct answer *answer = answers_add(answers, "kernel side (ring buffer, CO-RE)", error == 0, true);

	if (error)
		snprintf(answer->found, sizeof(answer->found), "loading it: %s", strerror(-error));
	else
		set(answer->found, "loaded and let go again");
	set(answer->remedy, "Linux 5.8 or later; tlswhy check -v shows what the kernel said");
	if (!error)
		check_memory(answers, tracer);
	tracer_free(tracer);
}

static void check_return_probe(struct answers *answers)
{
	enum harm harm = harm_of_return_probe(PROCESS_BELOW_FILTER);
	struct answer *answer = answers_add(answers, "return probes are harmless", harm == HARM_NONE, false);

	switch (harm) {
	case HARM_NONE:
		set(answer->found, "a child of ours below a strict seccomp filter survived one");
		break;
	case HARM_KILLS:
		set(answer->found, "one killed a child of ours below a seccomp filter; such an nginx is refused");
		set(answer->remedy, "update the kernel (fixed by commit cf6cb56ef244)");
		break;
	case HARM_UNSURE:
		set(answer->found, "could not be tried; an nginx below a seccomp filter is refused");
		set(answer->remedy, "tlswhy check -v shows what failed");
		break;
	}
}

static void describe_target(struct answers *answers, const struct watch_target *target)
{
	struct answer *answer = answers_add(answers, "nginx", target->usable, true);
	const struct nginx_instance *instance = &target->instance;

	if (!target->usable) {
		snprintf(answer->found, sizeof(answer->found), "master %d: %s", (int)instance->master,
			 target->problem.sentence);
		set(answer->remedy, target->problem.hint);
		return;
	}
	if (target->by_connection) {
		snprintf(answer->found, sizeof(answer->found),
			 "master %d, %zu worker%s, %s: role, peer, outcome and errno through nginx's own functions, "
			 "no TLS error or version: %s%s%s",
			 (int)instance->master, instance->worker_count, instance->worker_count == 1 ? "" : "s",
			 instance->exe.path, target->unseen.sentence, target->unseen.hint[0] ? "; " : "",
			 target->unseen.hint);
		return;
	}
	snprintf(answer->found, sizeof(answer->found),
		 "master %d, %zu worker%s, %s with %s (%s); offsets by %s, %u fields confirmed by its accessors",
		 (int)instance->master, instance->worker_count, instance->worker_count == 1 ? "" : "s",
		 instance->exe.path, target->library_path, target->layout.version,
		 layout_source_name(target->layout.source), target->layout.agreeing);
	answer = answers_add(answers, "fields of its objects", true, false);
	check_fields(&target->layout, answer->found, sizeof(answer->found));
	if (target->layout.reason[0] && target->layout.source != LAYOUT_SOURCE_DWARF) {
		answer = answers_add(answers, "layout from the table", false, false);
		set(answer->found, target->layout.reason);
		set(answer->remedy, "what decodes is used; debug symbols of the library would tell the rest");
	}
}

/* "curl (123), python3 (77) and 3 more" */
static void name_foreign(const struct foreign_processes *foreign, char *out, size_t bytes)
{
	const size_t named = foreign->count < FOREIGN_NAMED ? foreign->count : FOREIGN_NAMED;
	size_t at = 0;

	for (size_t i = 0; i < named; i++)
		at += (size_t)snprintf(out + at, bytes - at, "%s%s (%d)", i ? ", " : "", foreign->named[i].name,
				       (int)foreign->named[i].pid);
	if (foreign->count > named)
		snprintf(out + at, bytes - at, " and %zu more", foreign->count - named);
}

/* No requirement: what the probes cost others, report and the like hold down by --foreign-budget. */
static void check_foreign(struct answers *answers, const struct watch_targets *targets)
{
	struct foreign_processes foreign = { 0 };
	char names[FOREIGN_NAMED * (PROCESS_NAME_BYTES + 16) + 32] = "";
	int error = foreign_find(targets, &foreign);
	struct answer *answer = answers_add(answers, "what else the probes meet", true, false);

	name_foreign(&foreign, names, sizeof(names));
	if (error)
		snprintf(answer->found, sizeof(answer->found), "cannot look at /proc: %s", strerror(-error));
	else if (!foreign.count)
		set(answer->found, "no other process maps this library");
	else
		snprintf(answer->found, sizeof(answer->found), "%s%zu other process%s this library: %s",
			 foreign.cut ? "at least " : "", foreign.count, foreign.count == 1 ? " maps" : "es map",
			 names);
}

static void check_targets(struct answers *answers, const struct options *options)
{
	const struct watch_options watch = { .pids = options->pids, .pid_count = options->pid_count };
	__attribute__((cleanup(watch_targets_release))) struct watch_targets targets = { 0 };
	struct watch_problem problem;
	int error = watch_examine(&watch, &targets, &problem);
	bool usable = false;

	for (size_t i = 0; i < targets.count; i++) {
		describe_target(answers, &targets.items[i]);
		usable |= targets.items[i].usable;
		if (answers->tells_sites && targets.items[i].usable &&
		    check_sites_add(&answers->sites, &targets.items[i]))
			log_debug("no memory for the sites of probes");
	}
	if (usable)
		check_foreign(answers, &targets);
	if (!error && targets.count)
		return;
	struct answer *answer = answers_add(answers, "nginx", false, true);

	set(answer->found, error ? problem.sentence : "none is running");
	set(answer->remedy, error ? problem.hint : "start nginx, or name one of its processes with -p PID");
}

static void print_text(const struct answers *answers, bool color)
{
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *answer = &answers->items[i];
		const char *mark = answer->met ? "yes" : "no ";
		const char *paint = !color ? "" : answer->met ? "\033[32m" : "\033[31m";

		printf("%s%s%s  %s: ", paint, mark, color ? "\033[0m" : "", answer->requirement);
		escape_write(stdout, ESCAPE_TERMINAL, answer->found, strlen(answer->found));
		putchar('\n');
		if (answer->met || !answer->remedy[0])
			continue;
		fputs("     hint: ", stdout);
		escape_write(stdout, ESCAPE_TERMINAL, answer->remedy, strlen(answer->remedy));
		putchar('\n');
	}
	check_sites_print(&answers->sites, stdout);
	puts(answers->failed ? "\nThis host cannot be traced yet."
			     : "\nThis host can be traced: tlswhy report -d 30");
}

static json_t *memory_json(const struct tracer_memory *memory)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "rest_bytes", (json_int_t)memory->rest_bytes, "most_bytes",
			 (json_int_t)most_bytes(memory), "connection_bytes", (json_int_t)memory->settled_bytes,
			 "connections_max", (json_int_t)memory->settled_max, "handshake_bytes",
			 (json_int_t)memory->flight_bytes);
}

static int print_json(const struct answers *answers, const struct check_cost *cost)
{
	json_t *rows = json_array();
	json_t *document = json_pack("{s:s, s:b, s:o}", "schema", "tlswhy.check/1", "traceable", !answers->failed,
				     "requirements", rows);
	int failed = !document;

	for (size_t i = 0; i < answers->count && !failed; i++) {
		const struct answer *answer = &answers->items[i];
		char found[ANSWER_BYTES * ESCAPE_GROWTH];

		escape(found, sizeof(found), ESCAPE_JSON, answer->found, strlen(answer->found), NULL);
		failed = json_array_append_new(rows, json_pack("{s:s, s:b, s:b, s:s, s:s}", "requirement",
							       answer->requirement, "met", answer->met, "needed",
							       answer->needed, "found", found, "remedy",
							       answer->met ? "" : answer->remedy));
	}
	if (answers->tells_sites)
		failed = failed || json_object_set_new(document, "sites", check_sites_json(&answers->sites));
	if (answers->memory.rest_bytes)
		failed = failed || json_object_set_new(document, "kernel_memory", memory_json(&answers->memory));
	if (cost)
		failed = failed || json_object_set_new(document, "cost", check_cost_json(cost));
	failed = failed || json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(document);
	return failed;
}

/* The checks come first: what they try needs the privileges that a watch drops. */
static int measure_cost(const struct answers *answers, const struct options *options, struct check_cost *cost)
{
	if (!options->cost || answers->failed)
		return EXIT_FINE;
	return check_cost_measure(options, harm_of_return_probe(PROCESS_BELOW_FILTER) == HARM_NONE, cost);
}

int command_check(const struct options *options)
{
	static struct answers answers;
	struct check_cost cost = { 0 };
	bool has_cost;
	int code, error = 0;

	answers.tells_sites = options->verbose;
	check_privileges(&answers);
	check_btf(&answers);
	if (!answers.failed) {
		check_load(&answers);
		check_return_probe(&answers);
		check_targets(&answers, options);
	}
	code = measure_cost(&answers, options, &cost);
	has_cost = options->cost && !answers.failed && code == EXIT_FINE;
	if (options->format == FORMAT_JSON) {
		error = print_json(&answers, has_cost ? &cost : NULL);
	} else {
		print_text(&answers, session_color(options, stdout));
		if (has_cost)
			check_cost_print(&cost, stdout);
	}
	check_sites_release(&answers.sites);
	if (error || fflush(stdout))
		return EXIT_RUNTIME;
	return answers.failed ? EXIT_REQUIREMENT : code;
}
