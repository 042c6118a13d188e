/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever the bytes of a verdict are, it has a cause of the list, and a byte outside its enum says nothing. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <check.h>
#include <linux/types.h>

#include "tlswhy/verdict.h"
#include "handshake/cause.h"
#include "handshake/classify.h"

#define ROUNDS      1000000
#define FIRST_STATE 0x9E3779B97F4A7C15ull /* any number but 0; the same in every run */

Suite *suite_classify_noise(void);

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void random_bytes(uint64_t *state, struct verdict *verdict)
{
	unsigned char bytes[sizeof(*verdict)];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(random_next(state) >> 32);
	memcpy(verdict, bytes, sizeof(bytes));
}

/* Every enum within its bounds, and errors that a library could have packed: this reaches what plain noise does not.
 */
static void random_plausible(uint64_t *state, struct verdict *verdict)
{
	__u32 reason;

	random_bytes(state, verdict);
	verdict->direction %= DIRECTION_COUNT;
	verdict->outcome %= OUTCOME_REJECTED + 1;
	verdict->stage %= STAGE_DONE + 1;
	verdict->rejection %= REJECTION_UPSTREAM_ALERT + 1;
	verdict->version_class %= VERSION_CLASS_OUR_OLDER + 1;
	verdict->first_record %= FIRST_RECORD_OTHER + 1;
	verdict->library %= LIBRARY_BORINGSSL + 1;
	verdict->verify_result %= 128;
	reason = verdict->error % 1300;
	verdict->error =
		reason % 3 == 0 ? 0 : (verdict->library == LIBRARY_OPENSSL_3 ? 0x0A000000u : 0x14000000u) | reason;
	verdict->error_errno = verdict->error_errno % 4 == 0 ? verdict->error_errno % 128 : 0;
	verdict->other_error = verdict->other_error % 4 == 0 ? verdict->other_error : 0;
}

static void check_one(const struct verdict *verdict)
{
	unsigned int cause = (unsigned int)classify(verdict);

	if (cause >= CAUSE_COUNT || (cause == CAUSE_OK) != (verdict->outcome == OUTCOME_OK))
		ck_abort_msg("cause %u with outcome %u", cause, verdict->outcome);
}

START_TEST(every_verdict_has_a_cause)
{
	uint64_t state = FIRST_STATE;
	struct verdict verdict;

	for (int i = 0; i < ROUNDS; i++) {
		random_bytes(&state, &verdict);
		check_one(&verdict);
		random_plausible(&state, &verdict);
		check_one(&verdict);
	}
}
END_TEST

/* Where the enum has an unknown, it is 0. */
START_TEST(byte_outside_its_enum_is_unknown)
{
	static const size_t offsets[] = {
		offsetof(struct verdict, direction),    offsetof(struct verdict, stage),
		offsetof(struct verdict, rejection),    offsetof(struct verdict, version_class),
		offsetof(struct verdict, first_record), offsetof(struct verdict, library),
	};
	size_t offset = offsets[_i];
	uint64_t state = FIRST_STATE;
	struct verdict unknown, outside;

	for (int i = 0; i < ROUNDS / 4; i++) {
		unsigned char byte = (unsigned char)(8 + random_next(&state) % 248);
		unsigned char zero = 0;

		random_plausible(&state, &unknown);
		outside = unknown;
		memcpy((char *)&unknown + offset, &zero, 1);
		memcpy((char *)&outside + offset, &byte, 1);
		if (classify(&unknown) != classify(&outside))
			ck_abort_msg("byte %zu: %u is %s, 0 is %s", offset, byte, cause_id(classify(&outside)),
				     cause_id(classify(&unknown)));
	}
}
END_TEST

/* An outcome has no unknown: what ended the handshake is not said, so no ending is claimed. */
START_TEST(outcome_outside_its_enum_claims_no_ending)
{
	struct verdict verdict = {
		.direction = DIRECTION_CLIENT,
		.library = LIBRARY_OPENSSL_3,
		.stage = STAGE_MID,
		.flags = VERDICT_NGINX_FACTS | VERDICT_TIMED_OUT,
	};

	for (unsigned int outcome = OUTCOME_REJECTED + 1; outcome < 256; outcome++) {
		verdict.outcome = (__u8)outcome;
		ck_assert_int_eq(classify(&verdict), CAUSE_UNKNOWN);
	}
}
END_TEST

Suite *suite_classify_noise(void)
{
	Suite *suite = suite_create("classify_noise");
	TCase *noise = tcase_create("noise");
	TCase *bounds = tcase_create("bounds");

	tcase_set_timeout(noise, 60);
	tcase_set_timeout(bounds, 60);
	tcase_add_test(noise, every_verdict_has_a_cause);
	tcase_add_loop_test(bounds, byte_outside_its_enum_is_unknown, 0, 6);
	tcase_add_test(bounds, outcome_outside_its_enum_claims_no_ending);
	suite_add_tcase(suite, noise);
	suite_add_tcase(suite, bounds);
	return suite;
}
