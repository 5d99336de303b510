/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * lookups: what the C library looks up for each thread now. libc_lookup.bpf.c owns the map; another object that includes
 * this, and is given its descriptor at load, tells it of the queries that it sees.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_LOOKUPS_BPF_H
#define CONNSCOPE_LOOKUPS_BPF_H

#include "bpf/dns/libc_lookup.h"
#include "bpf/include/kernel_types.h"

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u32); /* number of the thread: `pid` of its task */
	__type(value, struct lookup);
} lookups SEC(".maps");

/*
 * A thread has sent a query of a process; one that it sends outside of a look-up belongs to none. Packets are also sent in the
 * context of any thread, which then is another process's.
 */
static __always_inline void count_query_of_lookup(u32 thread, u64 identity)
{
	struct lookup *lookup = bpf_map_lookup_elem(&lookups, &thread);

	if (lookup && lookup->identity == identity)
		__sync_fetch_and_add(&lookup->queries, 1);
}

#endif
