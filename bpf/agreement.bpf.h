/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the two sides of a handshake agreed on, read from OpenSSL's objects: cipher, group, signature.
 *
 * Invariant: what was only offered, and what another handshake of the same session agreed on, is not said of this
 * one. Must not know: versions of OpenSSL.
 */
#ifndef TLSWHY_AGREEMENT_BPF_H
#define TLSWHY_AGREEMENT_BPF_H

#define CIPHER_EXCHANGES_UNSIGNED 0x41 /* SSL_kRSA, SSL_kRSAPSK: the server signs nothing */

/*
 * How far a server of TLS 1.3 came while it answered the ClientHello. A session that is resumed has the group of its
 * first handshake: nothing of it was agreed now.
 */
static __always_inline __u8 openssl_agreed(const struct hit *hit)
{
	const struct layout *layout = hit->layout;
	__u64 session = seen_u64(hit, session);

	if (layout->new_cipher == LAYOUT_NONE || layout->session_group == LAYOUT_NONE || layout->hit == LAYOUT_NONE ||
	    seen_s32(hit, version, 0) != TLS1_3)
		return AGREED_UNKNOWN;
	if (!seen_u64(hit, new_cipher))
		return AGREED_NOTHING;
	if (!session || seen_s32(hit, hit, 0) || !field_s32(session, layout->session_group, 0))
		return AGREED_CIPHER;
	return AGREED_GROUP;
}

/* What tells whether fields say what this handshake agreed on. Those without a word are all ones or 0. */
struct agreement {
	__u64 cipher; /* SSL_CIPHER, 0: none yet */
	__u64 before_1_3;
	__u64 exchanged; /* keys, in TLS 1.3 */
	__u64 full;      /* no session is resumed, and somebody knows */
};

static __always_inline void agreement_read(const struct hit *hit, struct agreement *agreement)
{
	/* A char, or in 1.1.1 a pointer that stands for it. */
	__u64 pointer = 0 - field_unknown(hit->sight->did_kex);
	__u16 exchange = (hit->sight->did_kex & ~pointer) | (hit->sight->peer_share & pointer);

	agreement->cipher = seen_u64(hit, new_cipher);
	agreement->before_1_3 = ones_unless_zero((__u32)seen_s32(hit, version, 0) ^ TLS1_3);
	agreement->exchanged = ones_unless_zero(sight_u64(hit, exchange) & (pointer | 0xff));
	agreement->full = ~ones_unless_zero((__u32)seen_s32(hit, hit, 1));
}

/*
 * The group that this handshake exchanged keys in; 0 is none or not known. TLS 1.3 has it beside a mark that it was
 * more than offered. Before, it is the session's: that of another handshake where it is resumed, as a client's is
 * for all it knows until a cipher is agreed on.
 */
static __always_inline __u16 agreement_group(const struct hit *hit, const struct agreement *agreement)
{
	__u64 session;

	if (!agreement->before_1_3)
		return sight_u16(hit, hit->sight->group_id) & agreement->exchanged;
	if (!agreement->cipher || !agreement->full)
		return 0;
	session = seen_u64(hit, session);
	return session ? field_u16(session, hit->layout->session_group) : 0;
}

/* A number of the library's own tables, which are where they are for as long as the thread runs. */
static __always_inline __u32 table_number(struct table_entry *known, __u64 entry, __u16 offset)
{
	if (known->entry != entry) {
		known->number = (__u32)field_s32(entry, offset, 0);
		known->entry = entry;
	}
	return known->number;
}

/*
 * The scheme that the server of this handshake signed with; 0 is none or not known. Our server chooses one for each
 * full handshake: before TLS 1.3 also where the cipher needs none, in TLS 1.3 before it may ask for a second
 * ClientHello.
 */
static __always_inline __u16 agreement_signature(const struct hit *hit, const struct agreement *agreement,
						 __u32 direction)
{
	const struct layout *layout = hit->layout;
	__u64 scheme;

	if (!agreement->full || !direction || !(agreement->exchanged | agreement->before_1_3))
		return 0;
	if (agreement->before_1_3 &&
	    (!agreement->cipher ||
	     (field_s32(agreement->cipher, layout->cipher_exchange, -1) & CIPHER_EXCHANGES_UNSIGNED)))
		return 0;
	scheme = sight_u64(hit, direction == DIRECTION_UPSTREAM ? hit->sight->peer_sigalg : hit->sight->sigalg);
	return scheme && layout->sigalg_number != LAYOUT_NONE
		       ? (__u16)table_number(&hit->call->scheme, scheme, layout->sigalg_number)
		       : 0;
}

#endif
