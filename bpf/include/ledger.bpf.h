/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ledger: counts each event that an object could not count properly, by cause. Every object has its own.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_LEDGER_BPF_H
#define CONNSCOPE_LEDGER_BPF_H

#include "bpf/include/kernel_types.h"
#include "bpf/include/shared.h"

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_CAUSES);
	__type(key, u32);
	__type(value, u64);
} ledger SEC(".maps");

static __always_inline void count_loss(enum loss_cause cause)
{
	u32 index = cause;
	u64 *count = bpf_map_lookup_elem(&ledger, &index);

	if (count)
		__sync_fetch_and_add(count, 1);
}

#endif
