/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The cells of attempts that have ended, for every object in which one may end. attempt.bpf.c owns the map; the others are given its
 * descriptor at load.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_ATTEMPT_CELLS_BPF_H
#define CONNSCOPE_ATTEMPT_CELLS_BPF_H

#include "bpf/attempt/attempt.h"
#include "bpf/detail/detail.bpf.h"
#include "bpf/include/cells.bpf.h"
#include "bpf/include/latency.bpf.h"
#include "bpf/include/ledger.bpf.h"

/* The owner asks for more room; an object that is not given the map counts nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8);
	__type(key, struct attempt_ended_key);
	__type(value, struct attempt_ended);
} attempt_ended SEC(".maps");

/* `origin` is the key of what is known of it. Numbers, not state: see count_lost_end in bpf/tcp/tcp_cells.bpf.h. */
static __noinline __attribute__((unused)) void count_attempt(u64 identity, u8 end, u64 duration_ns, u64 origin)
{
	struct attempt_ended_key key = {.identity = identity, .bucket = latency_bucket(duration_ns), .end = end};
	struct attempt_ended *cell = CELL(attempt_ended, &key);

	if (!cell) {
		count_loss(LOSS_CELLS_FULL);
		return;
	}
	__sync_fetch_and_add(&cell->count, 1);
	ADD(cell->sum_ns, duration_ns);
	tell(identity, TOLD(DETAIL_ATTEMPT, DETAIL_OF_ATTEMPT, 0, end != ATTEMPT_OK, 0), duration_ns, origin);
}

#endif
