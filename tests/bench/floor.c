/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor: holds empty programs at given sites until a signal comes or its standard input ends.
 *
 *   floor [--attach perf|multi] SITE...         SITE: FILE:OFFSET | FILE:OFFSET%return | tp:NAME
 *
 * perf is a perf event a site, as bpf_program__attach_uprobe_opts() makes them; multi is a link for all entries of a
 * file and one for all returns (BPF_TRACE_UPROBE_MULTI, from 6.6 on). `attached N` on stdout: all N are in place.
 * Invariant: all sites are attached or none is held. Exit status: 0, 1 could not attach, 2 usage.
 * Must not know: what the sites are for.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "floor.skel.h"

#define SITES_MAX 256
/* Of kernel 6.6, younger than the headers this may be built with. */
#define ATTACH_UPROBE_MULTI 48
#define UPROBE_MULTI_RETURN 1u

struct site {
	char *path; /* NULL: the tracepoint called name */
	const char *name;
	unsigned long offset;
	bool is_return, taken;
};

struct sites {
	struct site items[SITES_MAX];
	size_t count;
};

/* The part of union bpf_attr that BPF_LINK_CREATE reads for uprobe_multi. */
struct multi_link {
	__u32 prog_fd, target_fd, attach_type, flags;
	__u64 path, offsets, ref_ctr_offsets, cookies;
	__u32 count, multi_flags, pid, reserved;
};

static int usage(void)
{
	(void)fputs("usage: floor [--attach perf|multi] FILE:OFFSET|FILE:OFFSET%return|tp:NAME...\n", stderr);
	return 2;
}

static bool parse_site(char *text, struct site *site)
{
	char *colon = strrchr(text, ':'), *end;

	if (!colon || colon == text || colon[1] == '\0')
		return false;
	*colon = '\0';
	if (strcmp(text, "tp") == 0) {
		*site = (struct site){ .name = colon + 1 };
		return true;
	}
	errno = 0;
	*site = (struct site){ .path = text, .offset = strtoul(colon + 1, &end, 0) };
	site->is_return = strcmp(end, "%return") == 0;
	return errno == 0 && end != colon + 1 && (*end == '\0' || site->is_return);
}

static bool parse_sites(struct sites *sites, char **arguments)
{
	for (; *arguments; arguments++)
		if (sites->count >= SITES_MAX || !parse_site(*arguments, &sites->items[sites->count++]))
			return false;
	return sites->count > 0;
}

static int attach_one(const struct floor_bpf *skeleton, const struct site *site)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = site->is_return);
	struct bpf_program *program = site->is_return ? skeleton->progs.empty_return : skeleton->progs.empty_entry;

	return bpf_program__attach_uprobe_opts(program, -1, site->path, site->offset, &options) ? 0 : -errno;
}

static int attach_tracepoint(const struct floor_bpf *skeleton, const struct site *site)
{
	return bpf_program__attach_raw_tracepoint(skeleton->progs.empty_tracepoint, site->name) ? 0 : -errno;
}

/* One link for the site and those behind it that are of its file and kind. */
static int attach_like(const struct floor_bpf *skeleton, struct sites *sites, size_t first)
{
	const struct site *like = &sites->items[first];
	const struct bpf_program *program = like->is_return ? skeleton->progs.empty_return
							    : skeleton->progs.empty_entry;
	__u64 offsets[SITES_MAX];
	struct multi_link link = {
		.prog_fd = (__u32)bpf_program__fd(program),
		.attach_type = ATTACH_UPROBE_MULTI,
		.path = (__u64)(unsigned long)like->path,
		.offsets = (__u64)(unsigned long)offsets,
		.multi_flags = like->is_return ? UPROBE_MULTI_RETURN : 0,
	};

	for (size_t i = first; i < sites->count; i++) {
		struct site *site = &sites->items[i];

		if (!site->path || strcmp(site->path, like->path) != 0 || site->is_return != like->is_return)
			continue;
		site->taken = true;
		offsets[link.count++] = site->offset;
	}
	return syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link)) < 0 ? -errno : 0;
}

static int attach(const struct floor_bpf *skeleton, struct sites *sites, bool multi)
{
	for (size_t i = 0; i < sites->count; i++) {
		struct site *site = &sites->items[i];
		int error;

		if (site->taken)
			continue;
		if (!site->path)
			error = attach_tracepoint(skeleton, site);
		else
			error = multi ? attach_like(skeleton, sites, i) : attach_one(skeleton, site);
		if (error) {
			(void)fprintf(stderr, "floor: cannot attach to '%s': %s\n",
				      site->path ? site->path : site->name, strerror(-error));
			return error;
		}
	}
	return 0;
}

static struct floor_bpf *load(bool multi)
{
	struct floor_bpf *skeleton = floor_bpf__open();

	if (!skeleton)
		return NULL;
	if (multi) {
		bpf_program__set_expected_attach_type(skeleton->progs.empty_entry, ATTACH_UPROBE_MULTI);
		bpf_program__set_expected_attach_type(skeleton->progs.empty_return, ATTACH_UPROBE_MULTI);
	}
	if (floor_bpf__load(skeleton) == 0)
		return skeleton;
	floor_bpf__destroy(skeleton);
	return NULL;
}

/* The signals were blocked before anything was attached: none is lost. */
static void wait_end(const sigset_t *signals)
{
	struct pollfd ends[] = { { .fd = signalfd(-1, signals, SFD_CLOEXEC), .events = POLLIN },
				 { .fd = STDIN_FILENO, .events = POLLIN } };

	while (poll(ends, 2, -1) < 0 && errno == EINTR)
		;
}

int main(int argc, char **argv)
{
	static struct sites sites;
	struct floor_bpf *skeleton;
	bool multi = false;
	sigset_t signals;
	int first = 1;

	if (argc > 2 && strcmp(argv[1], "--attach") == 0) {
		multi = strcmp(argv[2], "multi") == 0;
		first = multi || strcmp(argv[2], "perf") == 0 ? 3 : argc;
	}
	if (!parse_sites(&sites, argv + first))
		return usage();
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	skeleton = load(multi);
	if (!skeleton) {
		(void)fprintf(stderr, "floor: cannot load: %s\n", strerror(errno));
		return 1;
	}
	if (attach(skeleton, &sites, multi))
		return 1;
	(void)printf("attached %zu\n", sites.count);
	(void)fflush(stdout);
	wait_end(&signals);
	return 0; /* the kernel takes all of it away at once */
}
