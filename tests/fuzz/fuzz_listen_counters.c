/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as /proc/PID/net/netstat. */
#include <stdint.h>
#include <stdlib.h>

#include "host/listen_counters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct listen_counters lost = LISTEN_COUNTERS_UNKNOWN, last = LISTEN_COUNTERS_UNKNOWN, now;

	for (size_t part = 1; part <= 2; part++) {
		if (listen_counters_parse((const char *)data, size / part, &now))
			continue;
		require(now.overflows >= LISTEN_COUNTER_UNKNOWN && now.drops >= LISTEN_COUNTER_UNKNOWN &&
			now.request_queue_full >= LISTEN_COUNTER_UNKNOWN);
		listen_counters_advance(&lost, &last, &now);
		require(lost.overflows >= LISTEN_COUNTER_UNKNOWN && lost.drops >= LISTEN_COUNTER_UNKNOWN &&
			lost.request_queue_full >= LISTEN_COUNTER_UNKNOWN);
	}
	return 0;
}
