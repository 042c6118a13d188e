/* SPDX-License-Identifier: BSD-2-Clause */
/* The budget of foreign processes. Contract: foreign_budget.h. */
#include "command/foreign_budget.h"

#include <inttypes.h>

#include "base/log.h"

#define SECOND_NS 1000000000ull

double foreign_percent(uint64_t hits_per_second)
{
	return (double)hits_per_second * FOREIGN_HIT_NS * 100 / SECOND_NS;
}

bool foreign_budget_count(struct foreign_budget *budget, uint64_t hits, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - budget->checked_ns;
	bool first = !budget->checked_ns, over;

	/* A watch that was not scheduled for long makes a mean over that time, not a second's peak. */
	budget->per_second = first || !elapsed_ns ? 0 : (hits - budget->hits) * SECOND_NS / elapsed_ns;
	budget->hits = hits;
	budget->checked_ns = now_ns;
	over = budget->limit_percent > 0 && foreign_percent(budget->per_second) > budget->limit_percent;
	budget->seconds = over ? budget->seconds + 1 : 0;
	return budget->seconds >= FOREIGN_SECONDS;
}

bool foreign_budget_check(struct foreign_budget *budget, const struct tracer *tracer, uint64_t now_ns)
{
	uint64_t rows[COUNTER_ROWS];

	if (!(budget->limit_percent > 0) || now_ns - budget->checked_ns < SECOND_NS ||
	    tracer_counters(tracer, rows) || !foreign_budget_count(budget, rows[COUNTER_FOREIGN_HITS], now_ns))
		return false;
	log_error("the watch ends early: processes that are not watched use the same library, and hit its probes "
		  "%" PRIu64 " times a second, about %.3g %% of a core",
		  budget->per_second, foreign_percent(budget->per_second));
	log_hint("--foreign-budget PERCENT raises the limit of %.3g %%, 0 removes it; tlswhy check lists these "
		 "processes",
		 budget->limit_percent);
	return true;
}
