/* SPDX-License-Identifier: BSD-2-Clause */
/* Which kernel this is, and which of its boots. */
#ifndef TLSWHY_HOST_IDENTITY_H
#define TLSWHY_HOST_IDENTITY_H

#define HOST_IDENTITY_BYTES 72

/* "" where it could not be read. */
struct host_identity {
	char kernel[HOST_IDENTITY_BYTES];  /* uname(2)'s release */
	char boot_id[HOST_IDENTITY_BYTES]; /* random(4): of this boot; CLOCK_MONOTONIC is one clock within it */
};

void host_identity_read(struct host_identity *out);

#endif
