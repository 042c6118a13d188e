/* SPDX-License-Identifier: BSD-2-Clause */
/* What waited before accept(). Contract: accept_queue.h. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "diagnose/accept_queue.h"

const char *listener_text(const struct snapshot_listener *listener, char buffer[LISTENER_TEXT_BYTES])
{
	char address[INET6_ADDRSTRLEN];

	if (!inet_ntop(listener->family, listener->address, address, sizeof(address)))
		snprintf(address, sizeof(address), "?");
	snprintf(buffer, LISTENER_TEXT_BYTES, listener->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address,
		 (unsigned int)listener->port);
	return buffer;
}

static bool is_tenth(uint64_t count, uint64_t limit)
{
	return count > 1 && count * 10 >= limit;
}

bool listener_is_notable(const struct snapshot_listener *listener)
{
	uint64_t half_open = listener->half_open_peak > 0 ? (uint64_t)listener->half_open_peak : 0;

	return listener->drops > 0 || is_tenth(listener->queue_peak, listener->queue_limit) ||
	       is_tenth(half_open, listener->queue_limit);
}

uint64_t listeners_dropped(const struct snapshot *snapshot)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < snapshot->listener_count; i++)
		sum += snapshot->listeners[i].drops > 0 ? (uint64_t)snapshot->listeners[i].drops : 0;
	return sum;
}

/* a is worse than b. */
static bool is_worse(const struct snapshot_listener *a, const struct snapshot_listener *b)
{
	int64_t a_drops = a->drops > 0 ? a->drops : 0, b_drops = b->drops > 0 ? b->drops : 0;

	if (a_drops != b_drops)
		return a_drops > b_drops;
	return (uint64_t)a->queue_peak * b->queue_limit > (uint64_t)b->queue_peak * a->queue_limit;
}

void accept_queue_evidence(const struct snapshot *snapshot, struct finding *finding)
{
	const struct snapshot_listener *worst = NULL;
	char text[LISTENER_TEXT_BYTES], lost[64] = "";

	for (size_t i = 0; i < snapshot->listener_count; i++) {
		const struct snapshot_listener *listener = &snapshot->listeners[i];

		if (listener_is_notable(listener) && (!worst || is_worse(listener, worst)))
			worst = listener;
	}
	if (!worst)
		return;
	if (worst->drops > 0)
		snprintf(lost, sizeof(lost), ", %" PRIi64 " connections dropped before nginx saw them", worst->drops);
	finding_evidence(finding, "%s: up to %" PRIu32 " connections waited for accept(), of %" PRIu32 " allowed%s",
			 listener_text(worst, text), worst->queue_peak, worst->queue_limit, lost);
}

/* Of a namespace: its listeners may be others' too. */
static void add_namespaces(const struct snapshot *snapshot, struct finding *finding)
{
	for (size_t i = 0; i < snapshot->namespace_count; i++) {
		const struct snapshot_netns *netns = &snapshot->namespaces[i];

		if (netns->listen_overflows > 0)
			finding_evidence(finding,
					 "network namespace %" PRIu32 ": %" PRIi64 " times an accept queue was full, "
					 "of all listeners in it",
					 netns->netns, netns->listen_overflows);
		if (netns->request_queue_full > 0)
			finding_evidence(finding,
					 "network namespace %" PRIu32 ": %" PRIi64 " times too many connections were "
					 "half-open",
					 netns->netns, netns->request_queue_full);
	}
}

static bool workers_are_sampled(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->worker_count; i++)
		if (snapshot->workers[i].cpu_ratio >= 0)
			return true;
	return false;
}

void diagnose_accept_queue(const struct snapshot *snapshot, bool workers_short, struct findings *findings)
{
	uint64_t dropped = listeners_dropped(snapshot);
	struct finding *finding;

	if (!dropped || workers_short)
		return;
	finding = findings_add(findings, "accept_queue_overflow", SEVERITY_WARNING);
	finding_title(finding, "%" PRIu64 " connections were dropped before nginx accepted them%s", dropped,
		      workers_are_sampled(snapshot) ? ", although no worker is short of CPU" : "");
	accept_queue_evidence(snapshot, finding);
	add_namespaces(snapshot, finding);
	finding_change(finding,
		       "backlog= of listen and net.core.somaxconn: the smaller of the two is how many may wait; "
		       "then reload nginx");
	finding_change(finding, "bursts: listen with reuseport, or multi_accept on; half-open ones: "
				"net.ipv4.tcp_max_syn_backlog, and is it a SYN flood");
	finding_verify(finding, "ss -lnt: Recv-Q stays below Send-Q; nstat -az TcpExtListenOverflows stands still");
}
