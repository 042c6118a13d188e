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
	__u64 session = field_u64(hit->object, layout->session);

	if (layout->new_cipher == LAYOUT_NONE || layout->session_group == LAYOUT_NONE || layout->hit == LAYOUT_NONE ||
	    field_s32(hit->object, layout->version, 0) != TLS1_3)
		return AGREED_UNKNOWN;
	if (!field_u64(openssl_s3(hit), layout->new_cipher))
		return AGREED_NOTHING;
	if (!session || field_s32(hit->object, layout->hit, 0) || !field_s32(session, layout->session_group, 0))
		return AGREED_CIPHER;
	return AGREED_GROUP;
}

/* What tells whether fields say what this handshake agreed on. Those without a word are all ones or 0. */
struct agreement {
	__u64 s3;
	__u64 cipher; /* SSL_CIPHER, 0: none yet */
	__u64 before_1_3;
	__u64 exchanged; /* keys, in TLS 1.3 */
	__u64 full;      /* no session is resumed, and somebody knows */
};

static __always_inline void agreement_read(const struct hit *hit, struct agreement *agreement)
{
	const struct layout *layout = hit->layout;
	/* A char, or in 1.1.1 a pointer that stands for it. */
	__u64 pointer = 0 - field_unknown(layout->did_kex);
	__u16 exchange = (layout->did_kex & ~pointer) | (layout->peer_share & pointer);

	agreement->s3 = openssl_s3(hit);
	agreement->cipher = field_u64(agreement->s3, layout->new_cipher);
	agreement->before_1_3 = ones_unless_zero((__u32)field_s32(hit->object, layout->version, 0) ^ TLS1_3);
	agreement->exchanged = ones_unless_zero(field_u64(agreement->s3, exchange) & (pointer | 0xff));
	agreement->full = ~ones_unless_zero((__u32)field_s32(hit->object, layout->hit, 1));
}

/*
 * The group that this handshake exchanged keys in; 0 is none or not known. TLS 1.3 has it beside a mark that it was
 * more than offered. Before, it is the session's: that of another handshake where it is resumed, as a client's is
 * for all it knows until a cipher is agreed on.
 */
static __always_inline __u16 agreement_group(const struct hit *hit, const struct agreement *agreement)
{
	const struct layout *layout = hit->layout;
	__u64 session = field_u64(hit->object, layout->session);
	__u64 is_own = ones_unless_zero(agreement->cipher) & agreement->full & agreement->before_1_3;
	__u64 is_agreed = agreement->exchanged & ~agreement->before_1_3;

	return (field_u16(agreement->s3, layout->group_id) & is_agreed) |
	       (field_u16(session, offset_if(session, layout->session_group)) & is_own);
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
	__u64 cipher = agreement->cipher, ours = ones_unless_zero(direction ^ DIRECTION_UPSTREAM);
	__u16 place = (layout->sigalg & ours) | (layout->peer_sigalg & ~ours);
	__u32 exchange = (__u32)field_s32(cipher, offset_if(cipher, layout->cipher_exchange), -1);
	__u64 is_signed = ~ones_unless_zero(exchange & CIPHER_EXCHANGES_UNSIGNED) & ones_unless_zero(direction) &
			  (agreement->exchanged | agreement->before_1_3) & agreement->full;
	__u64 scheme = field_u64(agreement->s3, place) & is_signed;

	return field_u16(scheme, offset_if(scheme, layout->sigalg_number));
}

#endif
