/* SPDX-License-Identifier: BSD-2-Clause */
/* attach/sight.h: of every row of the shipped table, and of layouts that no release has. */
#include <string.h>

#include <check.h>

#include "attach/layout_table.h"
#include "attach/sight.h"

Suite *suite_sight(void);

/* One field, by both structs. */
struct place {
	const char *name;
	size_t in_layout, in_sight;
	enum sight_depth depth;
};

static const struct place places[] = {
#define X(name_, depth_)                                         \
	{ .name = #name_,                                        \
	  .in_layout = __builtin_offsetof(struct layout, name_), \
	  .in_sight = __builtin_offsetof(struct sight, name_),   \
	  .depth = SIGHT_##depth_ },
	SIGHT_FIELDS(X)
#undef X
};
#define PLACES (sizeof(places) / sizeof(places[0]))

static __u16 at(const void *structure, size_t place)
{
	__u16 value;

	memcpy(&value, (const char *)structure + place, sizeof(value));
	return value;
}

/* Which window holds the place in the copy; -1: none. */
static int window_of(const struct sight *sight, __u16 place)
{
	for (int i = 0; i < SIGHT_WINDOWS; i++) {
		const struct sight_window *window = &sight->windows[i];

		if (window->bytes && place >= window->to && place + 8 <= window->to + window->bytes)
			return i;
	}
	return -1;
}

static bool in_s3(const struct layout *layout, size_t in_layout)
{
	return layout->s3 != LAYOUT_NONE && in_layout >= __builtin_offsetof(struct layout, fatal_alert) &&
	       in_layout <= __builtin_offsetof(struct layout, peer_sigalg);
}

/* The window of each field has it where it is, and is read at the field's depth. */
static void assert_places(const struct layout *layout, const struct sight *sight)
{
	for (size_t i = 0; i < PLACES; i++) {
		__u16 offset = at(layout, places[i].in_layout), place = at(sight, places[i].in_sight);
		const struct sight_window *window;
		int found;

		if (offset == LAYOUT_NONE || place == LAYOUT_NONE) {
			ck_assert_msg(place == LAYOUT_NONE, "%s", places[i].name);
			continue;
		}
		found = window_of(sight, place);
		ck_assert_msg(found >= 0 && found < sight->counts[places[i].depth], "%s", places[i].name);
		window = &sight->windows[found];
		ck_assert_uint_eq(window->from + place - window->to, offset);
		ck_assert_uint_eq(window->in_s3, in_s3(layout, places[i].in_layout));
		/* What s3 leads to is looked at behind it. */
		if (window->in_s3)
			ck_assert_int_lt(window_of(sight, sight->s3), found);
	}
}

static void assert_windows(const struct sight *sight)
{
	unsigned int bytes = 0;

	for (int i = 0; i < sight->counts[SIGHT_END]; i++) {
		ck_assert_uint_eq(sight->windows[i].to, bytes);
		ck_assert_uint_le(sight->windows[i].bytes, SIGHT_WINDOW_BYTES);
		ck_assert_uint_lt(sight->windows[i].bytes, SIGHT_SPARE);
		bytes += sight->windows[i].bytes;
	}
	ck_assert_uint_le(bytes, SIGHT_BYTES);
	ck_assert_uint_le(sight->counts[SIGHT_CALL], sight->counts[SIGHT_DONE]);
	ck_assert_uint_le(sight->counts[SIGHT_DONE], sight->counts[SIGHT_END]);
	ck_assert_uint_le(sight->counts[SIGHT_END], SIGHT_WINDOWS);
}

/* Nothing is read that is further from a field than a neighbour may be. */
static void assert_gaps(const struct layout *layout, const struct sight *sight)
{
	for (int i = 0; i < sight->counts[SIGHT_END]; i++) {
		const struct sight_window *window = &sight->windows[i];
		int unknown = 0;

		for (unsigned int byte = window->from; byte < window->from + window->bytes + 0u; byte++) {
			bool known = false;

			for (size_t j = 0; j < PLACES && !known; j++) {
				__u16 offset = at(layout, places[j].in_layout);

				known = in_s3(layout, places[j].in_layout) == window->in_s3 && byte >= offset &&
					byte < offset + 8u;
			}
			unknown = known ? 0 : unknown + 1;
			ck_assert_int_le(unknown, SIGHT_GAP_BYTES);
		}
	}
}

START_TEST(every_release_is_seen_whole)
{
	struct sight sight;

	for (unsigned int row = 0; row < layout_row_count; row++) {
		const struct layout *layout = &layout_rows[row].layout;

		sight_of(layout, &sight);
		assert_windows(&sight);
		assert_places(layout, &sight);
		assert_gaps(layout, &sight);
		for (size_t i = 0; i < PLACES; i++)
			ck_assert_msg((at(layout, places[i].in_layout) == LAYOUT_NONE) ==
					      (at(&sight, places[i].in_sight) == LAYOUT_NONE),
				      "row %u: %s", row, places[i].name);
		/* What it is for: 20 fields of a handshake that is complete in a few reads. */
		ck_assert_uint_le(sight.counts[SIGHT_CALL], 1);
		ck_assert_uint_le(sight.counts[SIGHT_DONE], 5);
	}
}
END_TEST

static void set(struct layout *layout, const struct place *place, __u16 offset)
{
	memcpy((char *)layout + place->in_layout, &offset, sizeof(offset));
}

static void set_all(struct layout *layout, __u16 offset)
{
	memset(layout, 0, sizeof(*layout));
	for (size_t i = 0; i < PLACES; i++)
		set(layout, &places[i], offset);
}

/* What the client offered as its session id lies between the two, in 32 bytes. */
START_TEST(no_session_id_is_read)
{
	for (unsigned int row = 0; row < layout_row_count; row++) {
		const struct layout *layout = &layout_rows[row].layout;
		struct sight sight;

		sight_of(layout, &sight);
		ck_assert_uint_gt(layout->verify_mode, layout->session + 8 + 32);
		for (int i = 0; i < sight.counts[SIGHT_END]; i++) {
			const struct sight_window *window = &sight.windows[i];

			if (!window->in_s3)
				ck_assert(window->from + window->bytes <= layout->session + 8 ||
					  window->from >= layout->verify_mode);
		}
	}
}
END_TEST

START_TEST(nothing_is_known)
{
	struct layout layout;
	struct sight sight;

	set_all(&layout, LAYOUT_NONE);
	sight_of(&layout, &sight);
	assert_windows(&sight);
	assert_places(&layout, &sight);
	ck_assert_uint_eq(sight.counts[SIGHT_END], 0);
}
END_TEST

/* Fields that lie apart: what finds no room is unknown, the first ones are not. */
START_TEST(no_room_for_all)
{
	struct layout layout;
	struct sight sight;
	unsigned int seen = 0;

	set_all(&layout, LAYOUT_NONE);
	for (size_t i = 0; i < PLACES; i++)
		set(&layout, &places[i], (__u16)(1000 * i));
	layout.s3 = LAYOUT_NONE;
	sight_of(&layout, &sight);
	assert_windows(&sight);
	assert_places(&layout, &sight);
	for (size_t i = 0; i < PLACES; i++) {
		seen += at(&sight, places[i].in_sight) != LAYOUT_NONE;
		if (places[i].depth == SIGHT_CALL && at(&layout, places[i].in_layout) != LAYOUT_NONE)
			ck_assert_uint_ne(at(&sight, places[i].in_sight), LAYOUT_NONE);
	}
	ck_assert_uint_eq(seen, SIGHT_WINDOWS);
}
END_TEST

/* Long stretches without a gap are cut, and what does not fit the copy is left out. */
START_TEST(no_room_in_the_copy)
{
	struct layout layout;
	struct sight sight;

	set_all(&layout, LAYOUT_NONE);
	for (size_t i = 0; i < PLACES; i++)
		set(&layout, &places[i], (__u16)(90 * i));
	sight_of(&layout, &sight);
	assert_windows(&sight);
	assert_places(&layout, &sight);
	assert_gaps(&layout, &sight);
}
END_TEST

/* At the end of what an offset can say. */
START_TEST(the_last_offset)
{
	struct layout layout;
	struct sight sight;

	set_all(&layout, LAYOUT_NONE);
	layout.version = 0xfffe;
	layout.hit = 0xfff0;
	sight_of(&layout, &sight);
	assert_windows(&sight);
	assert_places(&layout, &sight);
	ck_assert_uint_eq(sight.counts[SIGHT_DONE], 1);
}
END_TEST

Suite *suite_sight(void)
{
	Suite *suite = suite_create("sight");
	TCase *tests = tcase_create("sight");

	tcase_add_test(tests, every_release_is_seen_whole);
	tcase_add_test(tests, no_session_id_is_read);
	tcase_add_test(tests, nothing_is_known);
	tcase_add_test(tests, no_room_for_all);
	tcase_add_test(tests, no_room_in_the_copy);
	tcase_add_test(tests, the_last_offset);
	suite_add_tcase(suite, tests);
	return suite;
}
