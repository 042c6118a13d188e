/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fields of foreign objects, through offsets given as data.
 *
 * Invariant: a field whose offset is LAYOUT_NONE is not read and reads as the given default, else 0; a field that
 * cannot be read does so too and is counted. Must not know: what an object is.
 */
#ifndef TLSWHY_FIELD_BPF_H
#define TLSWHY_FIELD_BPF_H

/* 1 where nobody vouches for the field. */
static __always_inline __u64 field_unknown(__u16 offset)
{
	return ((__u64)offset + 1) >> 16;
}

/*
 * Where a field is, or FIELD_NOWHERE, which no process has, where its offset is LAYOUT_NONE. Without a branch, here
 * and below: each one would double the states that the verifier walks through from there on. Nowhere is an address
 * that the kernel refuses to read: 0 would be read and fault, which takes sixteen times as long.
 */
#define FIELD_NOWHERE (~0ull)

static __always_inline __u64 field_address(__u64 object, __u16 offset)
{
	__u64 none = field_unknown(offset);

	asm volatile("" : "+r"(none));
	return (object + offset) | (0 - none);
}

/* All ones where a value is not 0, else 0. Without a branch, as above. */
static __always_inline __u64 ones_unless_zero(__u64 value)
{
	__u64 ones = 0 - ((value | (0 - value)) >> 63);

	asm volatile("" : "+r"(ones));
	return ones;
}

/* Counts a fault, except that of a field that nobody knows. All ones after a fault, else 0. */
static __always_inline __s64 field_fault(long result, __u64 address)
{
	__s64 fault = result >> 63;

	if (result && address != FIELD_NOWHERE)
		counter_add(COUNTER_READ_FAULTS, 1);
	asm volatile("" : "+r"(fault));
	return fault;
}

/*
 * The three reads are verified once a program and not once a call: they are not static, and take and give numbers.
 * What they leave on the stack is not their caller's.
 */
__noinline __s32 field_s32(__u64 object, __u16 offset, __s32 otherwise)
{
	__u64 address = field_address(object, offset);
	__s32 value = 0;
	__s64 fault = field_fault(bpf_probe_read_user(&value, sizeof(value), (const void *)address), address);

	return (__s32)((value & ~fault) | (otherwise & fault));
}

__noinline __u64 field_u64(__u64 object, __u16 offset)
{
	__u64 address = field_address(object, offset), value = 0;

	field_fault(bpf_probe_read_user(&value, sizeof(value), (const void *)address), address);
	return value;
}

__noinline __u16 field_u16(__u64 object, __u16 offset)
{
	__u64 address = field_address(object, offset);
	__u16 value = 0;

	field_fault(bpf_probe_read_user(&value, sizeof(value), (const void *)address), address);
	return value;
}

#endif
