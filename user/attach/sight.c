/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stretches from offsets. Contract: sight.h.
 *
 * Invariant: every field that has a place lies in one window, wholly. Must not know: what the fields mean.
 */
#include "attach/sight.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define FIELD_BYTES 8 /* the largest */

/* One field. */
struct mark {
	__u16 offset;
	bool in_s3;
	enum sight_depth depth;
	__u16 *place; /* in the sight */
};

#define X(...) +1
enum { FIELDS = 0 SIGHT_FIELDS(X) };
#undef X

/* Those of LAYOUT_FIELDS from fatal_alert to peer_sigalg are in s3, where there is one: see config.h. */
static bool is_in_s3(const struct layout *layout, const __u16 *field)
{
	return layout->s3 != LAYOUT_NONE && field >= &layout->fatal_alert && field <= &layout->peer_sigalg;
}

static size_t marks_of(const struct layout *layout, struct sight *sight, struct mark marks[FIELDS])
{
	size_t count = 0;

#define X(name, depth_)                                                                   \
	sight->name = LAYOUT_NONE;                                                        \
	if (layout->name != LAYOUT_NONE)                                                  \
		marks[count++] = (struct mark){ .offset = layout->name,                   \
						.in_s3 = is_in_s3(layout, &layout->name), \
						.depth = SIGHT_##depth_,                  \
						.place = &sight->name };
	SIGHT_FIELDS(X)
#undef X
	return count;
}

static int compare_places(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;

	if (a->in_s3 != b->in_s3)
		return a->in_s3 ? 1 : -1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* A window while it grows. */
struct stretch {
	size_t first, count; /* of the marks */
	uint16_t bytes;
	enum sight_depth depth; /* the least of its fields */
};

/* The session id that the client offered lies before verify_mode, in every release: nothing is read up to there. */
static bool joins(const struct sight *sight, const struct mark *marks, const struct stretch *stretch,
		  const struct mark *next)
{
	const struct mark *first = &marks[stretch->first];

	return next->place != &sight->verify_mode && next->in_s3 == first->in_s3 &&
	       next->offset <= first->offset + stretch->bytes + SIGHT_GAP_BYTES &&
	       next->offset + FIELD_BYTES - first->offset <= SIGHT_WINDOW_BYTES;
}

static size_t stretches_of(const struct sight *sight, const struct mark *marks, size_t count,
			   struct stretch stretches[FIELDS])
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		struct stretch *last = found ? &stretches[found - 1] : NULL;

		if (!last || !joins(sight, marks, last, &marks[i])) {
			stretches[found++] = (struct stretch){
				.first = i, .count = 1, .bytes = FIELD_BYTES, .depth = marks[i].depth
			};
			continue;
		}
		last->count++;
		last->bytes = (uint16_t)(marks[i].offset + FIELD_BYTES - marks[last->first].offset);
		if (marks[i].depth < last->depth)
			last->depth = marks[i].depth;
	}
	return found;
}

/* False where there is no room: its fields stay without a place. */
static bool add_window(struct sight *sight, size_t at, uint16_t *to, const struct mark *marks,
		       const struct stretch *stretch)
{
	const struct mark *first = &marks[stretch->first];

	if (at >= SIGHT_WINDOWS || *to + stretch->bytes > SIGHT_BYTES)
		return false;
	sight->windows[at] = (struct sight_window){
		.from = first->offset, .to = *to, .bytes = stretch->bytes, .in_s3 = first->in_s3
	};
	for (size_t i = 0; i < stretch->count; i++)
		*first[i].place = (uint16_t)(*to + first[i].offset - first->offset);
	*to = (uint16_t)(*to + stretch->bytes);
	return true;
}

void sight_of(const struct layout *layout, struct sight *out)
{
	struct stretch stretches[FIELDS];
	struct sight sight = { 0 };
	struct mark marks[FIELDS];
	size_t count = marks_of(layout, &sight, marks), found, windows = 0;
	uint16_t to = 0;

	qsort(marks, count, sizeof(marks[0]), compare_places);
	found = stretches_of(&sight, marks, count, stretches);
	/* The object's own come first at each depth: the place of s3 is among them. */
	for (enum sight_depth depth = 0; depth < SIGHT_DEPTHS; depth++) {
		for (size_t i = 0; i < found; i++)
			if (stretches[i].depth == depth)
				windows += add_window(&sight, windows, &to, marks, &stretches[i]);
		sight.counts[depth] = (uint16_t)windows;
	}
	*out = sight;
}
