/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities, by libcap-ng. Whether the kernel wants CAP_BPF for a look-up is tried on a map of our own rather than
 * derived from a version or a sysctl: both can be patched.
 * Must not know: what is attached, libbpf.
 */
#include "attach/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CAPABILITIES_MAX 8

/* Starts from what this thread has. Where that cannot be read nothing is taken for granted: none is there. */
static void read_capabilities(void)
{
	if (capng_get_caps_process())
		capng_clear(CAPNG_SELECT_CAPS);
}

static bool has(unsigned int capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability) == 1;
}

static void add_missing(struct privileges *privileges, const char *name, const char *purpose)
{
	size_t used = strlen(privileges->sentence);

	snprintf(privileges->sentence + used, sizeof(privileges->sentence) - used, "%s%s (%s)",
		 used ? ", " : "missing: ", name, purpose);
}

static bool read_number(const char *path, uint32_t *out)
{
	autofclose FILE *file = fopen(path, "re");
	char line[32], *end;
	unsigned long value;

	if (!file || !fgets(line, sizeof(line), file))
		return false;
	value = strtoul(line, &end, 10);
	*out = (uint32_t)value;
	return end != line && value <= UINT32_MAX;
}

/*
 * Whether probes can be placed with the effective capabilities as they are. Since the fix of CVE-2025-38466, which
 * every long-term kernel got, CAP_PERFMON is not enough any more. Tried with a directory for a file: where we may,
 * that is what is wrong with it, and nothing is placed.
 */
static bool can_place_probes(void)
{
	struct perf_event_attr attributes = { .size = sizeof(attributes) };
	int fd;

	if (!read_number("/sys/bus/event_source/devices/uprobe/type", &attributes.type))
		return true; /* it is not for want of a capability that it will fail */
	attributes.config1 = (uint64_t)(uintptr_t) "/";
	fd = (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || (errno != EACCES && errno != EPERM);
}

int privileges_missing(struct privileges *out)
{
	struct privileges found = { 0 };
	bool admin, admin_only;
	int missing = 0;

	read_capabilities();
	admin = has(CAP_SYS_ADMIN);
	found.bpf = admin || has(CAP_BPF);
	admin_only = !admin && has(CAP_PERFMON) && !can_place_probes();
	found.perfmon = admin || (has(CAP_PERFMON) && !admin_only);
	found.ptrace = has(CAP_SYS_PTRACE);
	found.checkpoint_restore = admin || has(CAP_CHECKPOINT_RESTORE);
	found.dac_read = has(CAP_DAC_READ_SEARCH) || has(CAP_DAC_OVERRIDE);

	const struct {
		bool there;
		const char *name, *purpose;
	} needs[] = {
		{ .there = found.bpf, .name = "CAP_BPF", .purpose = "load programs" },
		{ .there = found.perfmon,
		  .name = admin_only ? "CAP_SYS_ADMIN" : "CAP_PERFMON",
		  .purpose = "place probes" },
		{ .there = found.ptrace, .name = "CAP_SYS_PTRACE", .purpose = "see what nginx maps" },
		{ .there = found.checkpoint_restore,
		  .name = "CAP_CHECKPOINT_RESTORE",
		  .purpose = "open mapped libraries" },
		{ .there = found.dac_read, .name = "CAP_DAC_READ_SEARCH", .purpose = "find mapped libraries" },
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if (needs[i].there)
			continue;
		add_missing(&found, needs[i].name, needs[i].purpose);
		missing++;
	}
	*out = found;
	return missing;
}

static long bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int make_map(void)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_type = BPF_MAP_TYPE_ARRAY;
	attributes.key_size = sizeof(uint32_t);
	attributes.value_size = sizeof(uint32_t);
	attributes.max_entries = 1;
	return (int)bpf(BPF_MAP_CREATE, &attributes);
}

static bool can_look_up(int map)
{
	union bpf_attr attributes;
	uint32_t key = 0, value;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_fd = (uint32_t)map;
	attributes.key = (uint64_t)(uintptr_t)&key;
	attributes.value = (uint64_t)(uintptr_t)&value;
	return !bpf(BPF_MAP_LOOKUP_ELEM, &attributes);
}

/* Tries to place a probe without CAP_SYS_ADMIN; it stays permitted, so that it can come back. */
static bool needs_cap_admin(void)
{
	read_capabilities();
	if (!has(CAP_PERFMON))
		return true;
	capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
	return capng_apply(CAPNG_SELECT_CAPS) || !can_place_probes();
}

/* Tries a look-up with no effective capability; the permitted ones stay, so that CAP_BPF can come back. */
static bool needs_cap_bpf(void)
{
	autoclose int map = make_map();

	if (map < 0)
		return true;
	read_capabilities();
	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++)
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, i);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return true;
	return !can_look_up(map);
}

/*
 * The bounding set first: changing it takes CAP_SETPCAP, which goes with the rest. Without that capability the set
 * is as the caller left it, and no_new_privs keeps it from mattering.
 */
static int drop_bounds(void)
{
	read_capabilities();
	if (!capng_have_capability(CAPNG_PERMITTED, CAP_SETPCAP))
		return 0;
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, CAP_SETPCAP);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	capng_clear(CAPNG_SELECT_BOUNDS);
	return capng_apply(CAPNG_SELECT_BOUNDS) ? -EPERM : 0;
}

/* A capability that this kernel does not know is not. */
static bool is_permitted(unsigned int capability)
{
	return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0 &&
	       capng_have_capability(CAPNG_PERMITTED, capability) == 1;
}

/* What attaching needs, each by the narrowest capability that is there. Fills keep[] and returns how many. */
static size_t to_attach(unsigned int keep[CAPABILITIES_MAX], bool admin)
{
	static const struct {
		unsigned int narrow, wide;
	} needs[] = {
		{ .narrow = CAP_BPF, .wide = CAP_SYS_ADMIN },
		{ .narrow = CAP_PERFMON, .wide = CAP_SYS_ADMIN },
		{ .narrow = CAP_SYS_PTRACE, .wide = CAP_SYS_PTRACE },
		{ .narrow = CAP_CHECKPOINT_RESTORE, .wide = CAP_SYS_ADMIN },
		{ .narrow = CAP_DAC_READ_SEARCH, .wide = CAP_DAC_OVERRIDE },
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		bool wide = !is_permitted(needs[i].narrow) || (admin && needs[i].wide == CAP_SYS_ADMIN);
		unsigned int capability = wide ? needs[i].wide : needs[i].narrow;

		if (is_permitted(capability))
			keep[count++] = capability;
	}
	return count;
}

int privileges_drop(bool attach_later)
{
	bool keep_admin = attach_later && needs_cap_admin();
	bool keep_bpf = !attach_later && needs_cap_bpf();
	int error = drop_bounds();
	unsigned int keep[CAPABILITIES_MAX];
	size_t count = 0;

	read_capabilities();
	if (attach_later)
		count = to_attach(keep, keep_admin);
	else if (keep_bpf && is_permitted(CAP_BPF))
		keep[count++] = CAP_BPF;
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < count; i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, keep[i]);
	/* Ambient ones fall with the permitted and inheritable ones they stand on: capabilities(7). */
	if (capng_apply(CAPNG_SELECT_CAPS))
		error = -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	return error;
}
