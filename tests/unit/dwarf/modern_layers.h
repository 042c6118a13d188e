/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures that libssl's other sources know by pointers only, under the tag that the including source wants: the
 * fixture's own expectations must not add a second definition of the real tag.
 */
#include <stddef.h>

#ifndef RECORD_LAYER_TAG
#define RECORD_LAYER_TAG expected_record_layer
#define BIO_TAG          expected_bio
#endif

struct RECORD_LAYER_TAG {
	void *libctx;
	char padding[4000];
	unsigned char *packet;
	size_t packet_length;
};

struct BIO_TAG {
	void *libctx, *method;
	int init, shutdown, flags, retry_reason, num;
	void *ptr;
	struct BIO_TAG *next_bio, *prev_bio;
};
