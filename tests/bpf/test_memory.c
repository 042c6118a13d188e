/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel side is said to take of the kernel's memory. */
#include <check.h>

#include "attach/tracer.h"
#include "suites.h"

#define MIB        (1u << 20)
#define KERNELS_48 48 /* struct htab_elem, before what was asked for */

static struct tracer_memory memory_with_ring(uint32_t ring_bytes)
{
	struct tracer_options options = { .ring_bytes = ring_bytes };
	struct tracer_memory memory;
	struct tracer *tracer;

	ck_assert_int_eq(tracer_new(&tracer, &options), 0);
	ck_assert_int_eq(tracer_memory(tracer, &memory), 0);
	tracer_free(tracer);
	return memory;
}

START_TEST(a_larger_ring_is_seen)
{
	struct tracer_memory small = memory_with_ring(MIB), large = memory_with_ring(8 * MIB);

	ck_assert_uint_ge(small.rest_bytes, MIB);
	ck_assert_uint_ge(large.rest_bytes - small.rest_bytes, 7 * MIB);
	ck_assert_uint_lt(large.rest_bytes - small.rest_bytes, 8 * MIB);
}
END_TEST

/* Key and value, what the kernel puts before them, and no more than the allocator's next size but one. */
static void assert_holds(uint32_t bytes, size_t value_bytes)
{
	size_t least = sizeof(struct object_key) + value_bytes + KERNELS_48;

	ck_assert_uint_ge(bytes, least);
	ck_assert_uint_le(bytes, 2 * least);
}

START_TEST(an_entry_holds_its_value)
{
	struct tracer_memory memory = memory_with_ring(MIB);

	assert_holds(memory.settled_bytes, sizeof(struct settled));
	assert_holds(memory.flight_bytes, sizeof(struct handshake));
}
END_TEST

Suite *suite_memory(void)
{
	Suite *suite = suite_create("memory");
	TCase *figures = tcase_create("figures");

	tcase_add_test(figures, a_larger_ring_is_seen);
	tcase_add_test(figures, an_entry_holds_its_value);
	tcase_set_timeout(figures, 20);
	suite_add_tcase(suite, figures);
	return suite;
}
