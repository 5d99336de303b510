/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two halves of the attempt probe share: the cells of attempts that have ended, and the names of how they end.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_ATTEMPT_H
#define CONNSCOPE_ATTEMPT_H

#include "bpf/include/latency_bounds.h"
#include "bpf/include/shared.h"

/* How an attempt ended: well, or with what failed. */
enum attempt_end {
	ATTEMPT_OK = 0,
	ATTEMPT_FAILED_DNS,
	ATTEMPT_FAILED_TCP,
	ATTEMPT_FAILED_TLS,
	ATTEMPT_ENDS,
};

/* attempt_ended: a per-CPU map of counters that only rise, one cell a label set and bucket that was ever hit. */
struct attempt_ended_key {
	__u64 identity;
	__u16 bucket;
	__u8 end;
	__u8 reserved[5]; /* 0 */
};
SHARED_STRUCT(struct attempt_ended_key, 16);

struct attempt_ended {
	__u64 count;
	__u64 sum_ns;
};
SHARED_STRUCT(struct attempt_ended, 16);

#endif
