/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that do nothing: what a probe costs by itself, at the place it is put and as it is attached.
 *
 * Invariant: no map, no stack, no helper; a program that uses no stack needs no keep_stack() (bpf/tlswhy.bpf.c).
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("uprobe")
int empty_entry(struct pt_regs *ctx __attribute__((unused)))
{
	return 0;
}

SEC("uretprobe")
int empty_return(struct pt_regs *ctx __attribute__((unused)))
{
	return 0;
}

SEC("raw_tp")
int empty_tracepoint(void *ctx __attribute__((unused)))
{
	return 0;
}
