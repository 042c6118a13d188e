/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyed hash behind top lists, distinct counts and the peer filter.
 *
 * Server names and addresses are chosen by strangers: with an unkeyed hash, or one whose collisions do not depend on
 * the seed (the Murmur family), they could choose names that collide. SipHash-2-4 is made against that (Aumasson and
 * Bernstein, 2012).
 * Must not know: what is hashed.
 */
#ifndef TLSWHY_HANDSHAKE_HASH_H
#define TLSWHY_HANDSHAKE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 with a key of 128 bits, given as its two little-endian halves. */
uint64_t hash_siphash(const void *bytes, size_t count, uint64_t key0, uint64_t key1);

/* The same with a key made of a seed of 64 bits. */
uint64_t hash_bytes(const void *bytes, size_t count, uint64_t seed);

/* Spreads the bits of one number over all 64; a bijection (the finaliser of splitmix64). */
static inline uint64_t hash_mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

#endif
