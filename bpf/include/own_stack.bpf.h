/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * want_own_stack: for programs that hang on uprobes, which a thread may be preempted in.
 *
 * Since 6.13 a program of this type has its stack in memory of the CPU, for the kernel takes it that no two are under way there;
 * but a thread may be preempted in a uprobe, and then the next one writes over what it holds. A program with a tail call has a
 * stack of its own. This one is never made, and the verifier takes it out.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_OWN_STACK_BPF_H
#define CONNSCOPE_OWN_STACK_BPF_H

#include "bpf/include/kernel_types.h"

#include <bpf/bpf_helpers.h>

const volatile __u8 calls_nothing = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} nothing SEC(".maps");

static __always_inline void want_own_stack(void *ctx)
{
	if (calls_nothing)
		bpf_tail_call(ctx, &nothing, 0);
}

#endif
