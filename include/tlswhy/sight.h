/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the kernel side looks at an SSL object: a few stretches of it at once, then each field in the copy. Reading the
 * traced process costs about 75 ns a time, whether 4 bytes or 400 (measured on 6.18), and a record is made of 25
 * fields, which lie in five stretches.
 *
 * Invariant: a stretch holds known fields and what lies between two of them that are neighbours, never more than
 * SIGHT_GAP_BYTES (user/attach/sight.h) of it: secrets lie in the wider gaps. Must not know: versions of
 * OpenSSL.
 */
#ifndef TLSWHY_SIGHT_H
#define TLSWHY_SIGHT_H

#include "config.h"

#define SIGHT_WINDOWS      12
#define SIGHT_SPARE        512  /* more than one window has */
#define SIGHT_WINDOW_BYTES 448  /* at most, of one */
#define SIGHT_BYTES        1024 /* at most, of all */

/* How much of an object is looked at. Each depth includes those before it. */
enum sight_depth {
	SIGHT_CALL = 0, /* what a call of the library needs that does not end a handshake */
	SIGHT_DONE = 1, /* what is said of a handshake that is complete */
	SIGHT_END = 2,  /* what tells why it failed */
	SIGHT_DEPTHS = 3,
};

/* X(field of the SSL object or of s3, as in LAYOUT_FIELDS; the depth from which on it is seen) */
#define SIGHT_FIELDS(X)       \
	X(rbio, CALL)         \
	X(wbio, CALL)         \
	X(rwstate, CALL)      \
	X(server, CALL)       \
	X(flow_state, CALL)   \
	X(hand_state, CALL)   \
	X(in_init, CALL)      \
	X(s3, CALL)           \
	X(version, DONE)      \
	X(hit, DONE)          \
	X(hello_retry, DONE)  \
	X(session, DONE)      \
	X(verify_mode, DONE)  \
	X(ex_data, DONE)      \
	X(hostname, DONE)     \
	X(message_type, DONE) \
	X(new_cipher, DONE)   \
	X(group_id, DONE)     \
	X(did_kex, DONE)      \
	X(peer_share, DONE)   \
	X(sigalg, DONE)       \
	X(peer_sigalg, DONE)  \
	X(shutdown, END)      \
	X(read_state, END)    \
	X(init_msg, END)      \
	X(fatal_alert, END)   \
	X(send_alert, END)    \
	X(message_size, END)  \
	X(cert_req, END)      \
	X(cert_request, END)  \
	X(verify_result, END) \
	X(options, END)       \
	X(min_version, END)   \
	X(max_version, END)

/* One stretch. */
struct sight_window {
	__u16 from; /* offset in the object, or in s3 */
	__u16 to;   /* offset in the copy */
	__u16 bytes;
	__u16 in_s3; /* 1: what the object's field s3 leads to */
};

/* Of one layout. Windows are in the order of depth. */
struct sight {
	struct sight_window windows[SIGHT_WINDOWS];
	__u16 counts[SIGHT_DEPTHS + 1]; /* how many windows a depth has, those before it included; a spare one */
#define X(name, depth) __u16 name;
	SIGHT_FIELDS(X) /* where each is in the copy; LAYOUT_NONE: nobody vouches for it */
#undef X
};

/* What the kernel side has of one layout: a row of its array. */
struct layout_entry {
	struct layout layout;
	struct sight sight;
};

#endif
