/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fields of the kernel's own objects.
 *
 * Invariant: a pointer that leads nowhere reads as zero; nothing here can fault. Must not know: which objects.
 */
#ifndef TLSWHY_KERNEL_BPF_H
#define TLSWHY_KERNEL_BPF_H

/* From 6.2 on (commit a35b9af4ec2c): the verifier lets a load through it stand as a load, which the kernel mends. */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

/*
 * A field of the object at pointer, whose type says which. A load where the kernel allows it, else a call of a
 * helper, 25 ns a time. (pointer must not have side effects.)
 */
#define kernel_read(pointer, field)                                                                              \
	({                                                                                                       \
		typeof((pointer)->field) value_;                                                                 \
		if (bpf_rdonly_cast)                                                                             \
			value_ = ((typeof(pointer))bpf_rdonly_cast((pointer),                                    \
								   bpf_core_type_id_kernel(typeof(*(pointer))))) \
					 ->field;                                                                \
		else                                                                                             \
			bpf_core_read((void *)&value_, sizeof(value_), &(pointer)->field);                       \
		value_;                                                                                          \
	})

#endif
