/* SPDX-License-Identifier: BSD-2-Clause */
/* The budget of the special responses' probe. Contract: answer_budget.h. */
#include "command/answer_budget.h"

#include "base/log.h"

#define SECOND_NS 1000000000ull

void answer_budget_check(struct answer_budget *answers, struct tracer *tracer, uint64_t now_ns)
{
	uint64_t rows[COUNTER_ROWS], hits, elapsed_ns = now_ns - answers->checked_ns;

	if (answers->off_ns || elapsed_ns < SECOND_NS || tracer_counters(tracer, rows))
		return;
	hits = rows[COUNTER_ANSWER_HITS] - answers->hits;
	if (answers->checked_ns && hits > ANSWERS_PER_SECOND * elapsed_ns / SECOND_NS) {
		tracer_detach(tracer, PROBE_SPECIAL_RESPONSE);
		answers->off_ns = now_ns;
		log_info("over %d redirects and error pages a second: requests lost and plain HTTP on TLS ports "
			 "are not counted any more",
			 ANSWERS_PER_SECOND);
	}
	answers->hits = rows[COUNTER_ANSWER_HITS];
	answers->checked_ns = now_ns;
}
