/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * latency_bucket: the bucket of a duration, by binary search over the exact bounds: seven comparisons of integers.
 *
 * Kernel half; plain C, so that a test can run it in userspace too.
 */
#ifndef CONNSCOPE_LATENCY_BPF_H
#define CONNSCOPE_LATENCY_BPF_H

#include "bpf/include/latency_bounds.h"

#include <linux/types.h>

#define LATENCY_TABLE 128 /* a power of two above LATENCY_BOUNDS, so that the index can be masked for the verifier */
#define NO_BOUND (~0ULL)

static const __u64 latency_bounds_ns[LATENCY_TABLE] = {
	LATENCY_BOUNDS_NS
	[LATENCY_BOUNDS ... LATENCY_TABLE - 1] = NO_BOUND,
};

static inline __attribute__((always_inline)) __u16 latency_bucket(__u64 duration_ns)
{
	__u32 below = 0; /* how many bounds are known to lie below the duration */

	for (__u32 step = LATENCY_TABLE / 2; step; step >>= 1)
		if (duration_ns > latency_bounds_ns[(below + step - 1) & (LATENCY_TABLE - 1)])
			below += step;
	return (__u16)below;
}

#endif
