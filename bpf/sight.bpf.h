/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The object as it is at this hit: a copy of some stretches of it, and the fields in the copy.
 *
 * Invariants: what was not looked at is not asked for: see sight_depth; a field that nobody vouches for, or whose
 * stretch could not be read, reads as the given default, else 0. Must not know: what a field means.
 */
#ifndef TLSWHY_SIGHT_BPF_H
#define TLSWHY_SIGHT_BPF_H

/*
 * Verified once, see field.bpf.h: it takes numbers, and finds the scratch and the layout again. Windows of what s3
 * leads to come behind the one that it is in.
 */
__noinline int sight_fill(__u32 tid, __u32 row, __u64 object, __u32 depth)
{
	const struct layout_entry *entry = bpf_map_lookup_elem(&layouts, &row);
	struct call *call = bpf_map_lookup_elem(&calls, &tid);
	__u64 unseen = 0;
	__u32 count;

	if (!entry || !call)
		return 0;
	call->seen = object;
	barrier_var(depth);
	count = entry->sight.counts[depth & 3];
	for (__u32 i = 0; i < SIGHT_WINDOWS && i < count; i++) {
		const struct sight_window *window = &entry->sight.windows[i];
		__u64 s3 = *(const __u64 *)(call->sight + (entry->sight.s3 & (SIGHT_BYTES - 1)));
		__u64 in_s3 = 0 - (__u64)(window->in_s3 & 1), base;

		asm volatile("" : "+r"(in_s3)); /* no branches, as in field.bpf.h */
		base = (object & ~in_s3) | (s3 & in_s3);
		unseen |= bpf_probe_read_user(call->sight + (window->to & (SIGHT_BYTES - 1)),
					      window->bytes & (SIGHT_SPARE - 1), (const void *)(base + window->from));
	}
	call->unseen = unseen >> 63;
	if (unseen >> 63)
		counter_add(COUNTER_READ_FAULTS, 1);
	return 0;
}

static __always_inline void sight_look(const struct hit *hit, __u32 depth)
{
	sight_fill(hit->tid, hit->row, hit->object, depth);
}

/* All ones where nothing is known of the field at this place, else 0. Without a branch: see field.bpf.h. */
static __always_inline __u64 sight_none(const struct hit *hit, __u16 place)
{
	__u64 none = 0 - (field_unknown(place) | hit->call->unseen);

	asm volatile("" : "+r"(none));
	return none;
}

static __always_inline const unsigned char *sight_place(const struct hit *hit, __u16 place)
{
	return hit->call->sight + (place & (SIGHT_BYTES - 1));
}

static __always_inline __s32 sight_s32(const struct hit *hit, __u16 place, __s32 otherwise)
{
	__u64 none = sight_none(hit, place);

	return (__s32)((*(const __s32 *)sight_place(hit, place) & ~none) | (otherwise & none));
}

static __always_inline __u64 sight_u64(const struct hit *hit, __u16 place)
{
	return *(const __u64 *)sight_place(hit, place) & ~sight_none(hit, place);
}

static __always_inline __u16 sight_u16(const struct hit *hit, __u16 place)
{
	return (__u16)(*(const __u16 *)sight_place(hit, place) & ~sight_none(hit, place));
}

/* By the field's name. */
#define seen_s32(hit, name, otherwise) sight_s32((hit), (hit)->sight->name, (otherwise))
#define seen_u64(hit, name)            sight_u64((hit), (hit)->sight->name)

#endif
