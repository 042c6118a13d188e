/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of causes as a table.
 *
 * Everything here is generated from CAUSES; a new cause is a new line there and nothing here.
 * Must not know: how a cause is recognised (classify.c).
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"

struct cause_entry {
	const char *id;
	const char *meaning;
	const char *advice[DIRECTION_COUNT];
	enum fixer fixer[DIRECTION_COUNT];
};

static const struct cause_entry entries[] = {
#define X(symbol, number, id_, fixer_client, fixer_upstream, meaning_, advice_client, advice_upstream) \
	[number] = {                                                                                    \
		.id = (id_),                                                                            \
		.meaning = (meaning_),                                                                  \
		.advice = {                                                                             \
			[DIRECTION_UNKNOWN] = "",                                                       \
			[DIRECTION_CLIENT] = (advice_client),                                           \
			[DIRECTION_UPSTREAM] = (advice_upstream),                                       \
		},                                                                                      \
		.fixer = {                                                                              \
			[DIRECTION_UNKNOWN] = FIXER_NOBODY,                                             \
			[DIRECTION_CLIENT] = FIXER_##fixer_client,                                      \
			[DIRECTION_UPSTREAM] = FIXER_##fixer_upstream,                                  \
		},                                                                                      \
	},
	CAUSES(X)
#undef X
};
_Static_assert(sizeof(entries) / sizeof(entries[0]) == CAUSE_COUNT, "a row a cause");

static const struct cause_entry *cause_entry(enum cause cause)
{
	return &entries[(unsigned int)cause < CAUSE_COUNT ? cause : CAUSE_UNKNOWN];
}

const char *cause_id(enum cause cause)
{
	return cause_entry(cause)->id;
}

const char *cause_meaning(enum cause cause)
{
	return cause_entry(cause)->meaning;
}

const char *cause_advice(enum cause cause, unsigned int direction)
{
	return cause_entry(cause)->advice[direction < DIRECTION_COUNT ? direction : DIRECTION_UNKNOWN];
}

enum fixer cause_fixer(enum cause cause, unsigned int direction)
{
	return cause_entry(cause)->fixer[direction < DIRECTION_COUNT ? direction : DIRECTION_UNKNOWN];
}

bool cause_is_given_up(enum cause cause)
{
	static const bool given_up[CAUSE_COUNT] = {
		[CAUSE_PEER_CLOSED_BEFORE_HELLO] = true,
		[CAUSE_PEER_CLOSED_MID_HANDSHAKE] = true,
		[CAUSE_PEER_RESET] = true,
		[CAUSE_TIMEOUT_BEFORE_HELLO] = true,
		[CAUSE_TIMEOUT_MID_HANDSHAKE] = true,
		[CAUSE_ABORTED_BY_NGINX] = true,
	};

	return (unsigned int)cause < CAUSE_COUNT && given_up[cause];
}

int cause_from_id(const char *id, enum cause *cause)
{
	for (unsigned int i = 0; i < CAUSE_COUNT; i++) {
		if (strcmp(entries[i].id, id) == 0) {
			*cause = (enum cause)i;
			return 0;
		}
	}
	return -ENOENT;
}
