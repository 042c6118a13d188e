/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers that are short of time. Contract: saturation.h, rules: diagnose.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "diagnose/accept_queue.h"
#include "diagnose/figures.h"
#include "diagnose/saturation.h"

#define BUSY_RATIO         0.9
#define DELAY_RATIO        0.1 /* where no seconds were sampled */
#define SATURATED_SECONDS  2
#define STARVED_BY_RUNNING 0.5 /* it waited for a CPU at least half as long as it ran */
#define LATE_NS            100000000ull
#define LATE_HANDSHAKES    3
#define HANDSHAKES_ENOUGH  20
#define WORKERS_QUOTED     2

/* Of the workers with one kind of trouble, together. */
struct group {
	size_t workers, known;
	size_t starved;
	uint64_t given_up, given_up_late;
	uint64_t all_given_up; /* of all workers */
	struct histogram lag;
	const struct snapshot_worker *worst[WORKERS_QUOTED]; /* the worst first; NULL: none */
};

static double at_least_0(double ratio)
{
	return ratio > 0 ? ratio : 0;
}

/* Its late handshakes are more than a moment's. */
static bool is_late(const struct snapshot_worker *worker)
{
	uint64_t late = 0;

	for (uint32_t i = latency_bucket(LATE_NS) + 1; i < LATENCY_BUCKETS; i++)
		late += worker->lag.counts[i];
	return worker->lag.count >= HANDSHAKES_ENOUGH && late >= LATE_HANDSHAKES &&
	       histogram_quantile_ns(&worker->lag, 0.99) >= LATE_NS;
}

static bool is_short_of_cpu(const struct snapshot_worker *worker)
{
	double delay = at_least_0(worker->run_delay_ratio), cpu = at_least_0(worker->cpu_ratio);

	if (cpu + delay >= BUSY_RATIO)
		return true;
	if (worker->sampled_seconds > 0)
		return worker->saturated_seconds >= SATURATED_SECONDS;
	return delay >= DELAY_RATIO;
}

enum shortage worker_shortage(const struct snapshot_worker *worker)
{
	bool known = worker->cpu_ratio >= 0;

	if (is_short_of_cpu(worker))
		return known && worker->run_delay_ratio >= STARVED_BY_RUNNING * worker->cpu_ratio ? SHORTAGE_STARVED
												  : SHORTAGE_BUSY;
	return known && is_late(worker) ? SHORTAGE_BLOCKED : SHORTAGE_NONE;
}

static double badness(const struct snapshot_worker *worker, bool blocked)
{
	if (blocked)
		return (double)histogram_quantile_ns(&worker->lag, 0.99);
	return at_least_0(worker->cpu_ratio) + at_least_0(worker->run_delay_ratio);
}

static void keep_worst(struct group *group, const struct snapshot_worker *worker, bool blocked)
{
	for (size_t i = 0; i < WORKERS_QUOTED; i++) {
		const struct snapshot_worker *other = group->worst[i];

		if (other && badness(other, blocked) >= badness(worker, blocked))
			continue;
		group->worst[i] = worker;
		if (!other)
			return;
		worker = other;
	}
}

/* Those that are blocked, or those that are short of CPU. */
static void gather(const struct snapshot *snapshot, bool blocked, struct group *group)
{
	*group = (struct group){ 0 };
	for (size_t i = 0; i < snapshot->worker_count; i++) {
		const struct snapshot_worker *worker = &snapshot->workers[i];
		enum shortage shortage = worker_shortage(worker);

		group->all_given_up += worker->given_up;
		group->known += worker->cpu_ratio >= 0 || worker->run_delay_ratio >= 0;
		if (shortage == SHORTAGE_NONE || (shortage == SHORTAGE_BLOCKED) != blocked)
			continue;
		group->workers++;
		group->starved += shortage == SHORTAGE_STARVED;
		group->given_up += worker->given_up;
		group->given_up_late += worker->given_up_late;
		histogram_merge(&group->lag, &worker->lag);
		keep_worst(group, worker, blocked);
	}
}

static uint64_t all_settled(const struct snapshot *snapshot)
{
	uint64_t sum = 0;

	for (unsigned int direction = 0; direction < SNAPSHOT_DIRECTIONS; direction++)
		sum += diagnose_settled(snapshot, direction);
	return sum;
}

static enum severity severity_of(const struct snapshot *snapshot, const struct group *group)
{
	return group->given_up_late >= 20 && group->given_up_late * 10 >= all_settled(snapshot) ? SEVERITY_CRITICAL
												: SEVERITY_WARNING;
}

static int one_worker_words(const struct snapshot_worker *worker, char *text)
{
	double cpu = at_least_0(worker->cpu_ratio), delay = at_least_0(worker->run_delay_ratio);
	enum shortage shortage = worker_shortage(worker);

	if (shortage == SHORTAGE_BLOCKED)
		return snprintf(text, FINDING_TEXT_BYTES,
				"worker %" PRIu32 " is late and not short of CPU: something else blocks it",
				worker->pid);
	/* Some seconds of many: the ratio of all would hide them. */
	if (cpu + delay < BUSY_RATIO && worker->sampled_seconds > 0)
		return snprintf(text, FINDING_TEXT_BYTES, "worker %" PRIu32 " was short of CPU for %.0f of %.0f s%s",
				worker->pid, worker->saturated_seconds, worker->sampled_seconds,
				shortage == SHORTAGE_STARVED ? ", others used it" : "");
	if (shortage == SHORTAGE_STARVED || cpu + delay < BUSY_RATIO)
		return snprintf(text, FINDING_TEXT_BYTES, "worker %" PRIu32 " waits for a CPU %.0f %% of the time%s",
				worker->pid, delay * 100, shortage == SHORTAGE_STARVED ? ", others use it" : "");
	return snprintf(text, FINDING_TEXT_BYTES, "worker %" PRIu32 " at %.0f %% of a CPU", worker->pid, cpu * 100);
}

static int many_workers_words(const struct group *group, bool blocked, char *text)
{
	const char *what = "are short of CPU";

	if (blocked)
		what = "are late and not short of CPU: something else blocks them";
	else if (group->starved * 2 > group->workers)
		what = "wait for a CPU that others use";
	return snprintf(text, FINDING_TEXT_BYTES, "%zu of %zu workers %s", group->workers, group->known, what);
}

/* "worker 7 at 98 % of a CPU: its handshakes waited ..." */
static void title_of(const struct group *group, bool blocked, char *text)
{
	bool one = group->workers == 1;
	int used = one ? one_worker_words(group->worst[0], text) : many_workers_words(group, blocked, text);
	char p99[FIGURE_BYTES];

	if (group->lag.count && used >= 0 && used < FINDING_TEXT_BYTES)
		used += snprintf(text + used, FINDING_TEXT_BYTES - (size_t)used,
				 "%s %s handshakes waited %s (p99) before nginx read them",
				 strchr(text, ':') ? ";" : ":", one ? "its" : "their",
				 duration_text(histogram_quantile_ns(&group->lag, 0.99), p99));
	if (group->given_up && used >= 0 && used < FINDING_TEXT_BYTES)
		snprintf(text + used, FINDING_TEXT_BYTES - (size_t)used,
			 "; %.0f %% of the timeouts and abandoned handshakes are on %s",
			 100 * (double)group->given_up / (double)group->all_given_up, one ? "it" : "them");
}

static void add_worker_evidence(struct finding *finding, const struct snapshot_worker *worker)
{
	char text[FINDING_TEXT_BYTES] = "CPU not known", rest[FINDING_TEXT_BYTES] = "", p99[FIGURE_BYTES];
	size_t used = 0;

	if (worker->cpu_ratio >= 0 && worker->run_delay_ratio >= 0)
		snprintf(text, sizeof(text), "%.0f %% of a CPU, %.0f %% waiting for one", worker->cpu_ratio * 100,
			 worker->run_delay_ratio * 100);
	else if (worker->cpu_ratio >= 0 || worker->run_delay_ratio >= 0)
		snprintf(text, sizeof(text), "%.0f %% %s",
			 100 * (worker->cpu_ratio < 0 ? worker->run_delay_ratio : worker->cpu_ratio),
			 worker->cpu_ratio < 0 ? "waiting for a CPU" : "of a CPU");
	if (worker->sampled_seconds > 0 && worker->saturated_seconds > 0)
		used = (size_t)snprintf(rest, sizeof(rest), ", short of it for %.0f of %.0f s",
					worker->saturated_seconds, worker->sampled_seconds);
	if (worker->lag.count)
		snprintf(rest + used, sizeof(rest) - used, "; lag p99 %s, of %" PRIu64 " handshakes",
			 duration_text(histogram_quantile_ns(&worker->lag, 0.99), p99), worker->handshakes);
	finding_evidence(finding, "worker %" PRIu32 ": %s%s", worker->pid, text, rest);
}

static void add_evidence(struct finding *finding, const struct snapshot *snapshot, const struct group *group)
{
	size_t quoted = 0;

	for (; quoted < WORKERS_QUOTED && group->worst[quoted]; quoted++)
		add_worker_evidence(finding, group->worst[quoted]);
	if (group->workers > quoted)
		finding_evidence(finding, "%zu more workers are like these", group->workers - quoted);
	if (group->given_up)
		finding_evidence(finding,
				 "of %" PRIu64 " timeouts and abandoned handshakes there, %" PRIu64
				 " waited longer for the worker than for the peer",
				 group->given_up, group->given_up_late);
	accept_queue_evidence(snapshot, finding);
}

static const char *advice_of(enum shortage shortage)
{
	switch (shortage) {
	case SHORTAGE_BUSY:
		return "worker_processes; auto is one a CPU, and these have none left: more CPUs, or less work for "
		       "each handshake";
	case SHORTAGE_STARVED:
		return "the CPU limit of nginx's service or container; what else runs on these CPUs, and more workers "
		       "than CPUs: worker_processes auto, worker_cpu_affinity auto";
	case SHORTAGE_BLOCKED:
		return "what blocks the worker; a slow disk (aio threads, access_log buffer=), a module that waits, "
		       "SIGSTOP, a frozen container";
	case SHORTAGE_NONE:
		break;
	}
	return "the load of nginx's workers; tlswhy report says how busy each was, where it could be sampled";
}

const char *workers_advice(const struct snapshot *snapshot)
{
	struct group group;

	gather(snapshot, false, &group);
	if (group.workers)
		return advice_of(group.starved * 2 > group.workers ? SHORTAGE_STARVED : SHORTAGE_BUSY);
	gather(snapshot, true, &group);
	return advice_of(group.workers ? SHORTAGE_BLOCKED : SHORTAGE_NONE);
}

bool workers_title(const struct snapshot *snapshot, char *text)
{
	struct group group;

	for (int blocked = 0; blocked <= 1; blocked++) {
		gather(snapshot, blocked, &group);
		if (!group.workers)
			continue;
		title_of(&group, blocked, text);
		return true;
	}
	return false;
}

static void add_cpu_changes(struct finding *finding, const struct snapshot *snapshot, const struct group *group)
{
	if (group->starved)
		finding_change(finding, "%s", advice_of(SHORTAGE_STARVED));
	if (group->starved < group->workers) {
		finding_change(finding, "%s; the CPU limit of the service or container", advice_of(SHORTAGE_BUSY));
		finding_change(finding, "ECDSA keys sign cheaper than RSA ones; ssl_session_cache shared and session "
					"tickets spare full handshakes");
		finding_change(finding, "ssl_engine, or an nginx with asynchronous TLS, hands signatures to an "
					"accelerator where there is one");
	}
	if (listeners_dropped(snapshot))
		finding_change(finding,
			       "backlog= of listen and net.core.somaxconn let more connections wait: that helps "
			       "against bursts, not against too few CPUs");
}

static void add_finding(struct findings *findings, const struct snapshot *snapshot, const struct group *group,
			bool blocked)
{
	struct finding *finding = findings_add(findings, blocked ? "workers_blocked" : "workers_saturated",
					       severity_of(snapshot, group));
	char title[FINDING_TEXT_BYTES] = "";

	title_of(group, blocked, title);
	finding_title(finding, "%s", title);
	add_evidence(finding, snapshot, group);
	if (blocked) {
		finding_change(finding, "%s", advice_of(SHORTAGE_BLOCKED));
		finding_verify(finding,
			       "cat /proc/PID/wchan of such a worker, some times: it should be ep_poll or 0");
	} else {
		add_cpu_changes(finding, snapshot, group);
	}
	finding_verify(finding, "tlswhy report -d 30: lag p99 of the workers goes down");
}

bool diagnose_saturation(const struct snapshot *snapshot, struct findings *findings)
{
	struct group group;
	bool any = false;

	for (int blocked = 0; blocked <= 1; blocked++) {
		gather(snapshot, blocked, &group);
		if (group.workers)
			add_finding(findings, snapshot, &group, blocked);
		any |= group.workers > 0;
	}
	return any;
}

bool cause_is_of_workers(const struct cause_row *row)
{
	return cause_is_given_up(row->cause) && row->waited_for_worker * 2 > row->count;
}
